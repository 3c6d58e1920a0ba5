# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Real GRUB as the next loader: boot.img and core.img for BIOS, an .efi for UEFI.

Its embedded script finds /boot as an installed system does (search by file system
uuid, through md), and prints to serial what it read: that is what the tests see.
"""

import re
import struct
import subprocess
import tempfile
from pathlib import Path

import filesystem

LIB = Path("/usr/lib/grub")
MODULES = ["part_msdos", "part_gpt", "ext2", "diskfilter", "mdraid1x", "mdraid09", "search",
           "search_fs_uuid", "search_fs_file", "terminal", "serial", "cat", "echo", "hashsum",
           "gcry_sha256", "configfile", "normal", "test", "ls", "halt"]
DONE = "GRUB: done"

SCRIPT = """\
serial {serial} --speed=115200
terminal_output serial
echo
echo "GRUB: started"
search --no-floppy --fs-uuid --set=root {uuid}
echo "GRUB: root is ($root)"
echo "GRUB: marker"
cat /marker
echo
echo "GRUB: sha256"
hashsum --hash sha256 /payload
source /boot/grub/grub.cfg
echo "{done}"
"""


def mkimage(target, modules, script, args=()):
    with tempfile.TemporaryDirectory(prefix="mirrorboot-grub-") as tmp:
        config = Path(tmp) / "early.cfg"
        config.write_text(script)
        out = Path(tmp) / "out"
        subprocess.run(["grub-mkimage", "-O", target, "-c", str(config), "-o", str(out),
                        "-p", "/boot/grub", *args, *modules], check=True, capture_output=True)
        return out.read_bytes()


def script(uefi):
    # Under UEFI the port's number must be said: the BIOS data area is not there to tell it.
    serial = "--port=0x3f8" if uefi else "--unit=0"
    return SCRIPT.format(serial=serial, uuid=filesystem.UUID, done=DONE)


def efi_application():
    return mkimage("x86_64-efi", MODULES, script(uefi=True))


def core_img():
    return mkimage("i386-pc", ["biosdisk", *MODULES], script(uefi=False))


def boot_code(core_lba):
    """boot.img (440 bytes of it), told where the first sector of core.img is."""
    boot = bytearray((LIB / "i386-pc" / "boot.img").read_bytes())
    struct.pack_into("<Q", boot, 0x5C, core_lba)
    return bytes(boot[:440])


def place_core(core, core_lba):
    """core.img with its first sector's block list telling where the rest is."""
    core = bytearray(core)
    struct.pack_into("<Q", core, 0x1F4, core_lba + 1)
    return bytes(core)


def what_it_read(serial):
    """(generation, payload) as GRUB printed them: ("2", "ok"), ("1", "ok"), ("zeros", "BAD")...

    The payload is ok when its hash is that of the generation that the marker tells.
    None: GRUB did not come that far.
    """
    if "GRUB: started" not in serial:
        return None
    after = serial.split("GRUB: started", 1)[1]
    part = re.search(r"GRUB: marker\s*(.*?)GRUB: sha256\s*(.*?)(?:GRUB: |$)", after, re.S)
    if not part:
        return None
    said = re.search(r"generation (\d+)", part[1])
    digest = re.search(r"\b[0-9a-f]{64}\b", part[2])
    if said:
        good = digest and digest[0] == filesystem.payload_sha256(int(said[1]))
        return said[1], "ok" if good else "BAD"
    if "error" in part[1]:
        return "nothing", "BAD"
    # GRUB's cat prints a NUL as <0>
    return "garbage" if part[1].replace("<0>", "").strip() else "zeros", "BAD"
