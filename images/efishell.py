# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disks whose EFI system partition starts the UEFI shell, and what it said."""

import re
import subprocess
import tempfile
from pathlib import Path

import cli
import gptdisk
import qemu
import uefishell

APP = "/EFI/mirrorboot/mirrorboot.efi"
SHELL = "/EFI/BOOT/BOOTX64.EFI"
MIB = 1 << 20
END = "T: end"
# what the shell asks before it runs the script
ASKS = {"startup.nsh or any": lambda m: m.type(" ")}
# %lasterror%, of UEFI specification 2.10, appendix D
SUCCESS, INVALID_PARAMETER, MEDIA_CHANGED, NOT_FOUND, ABORTED = 0, 2, 13, 14, 21


def script(lines):
    """startup.nsh; a line that begins with ":" is echoed, and another's exit status as well."""
    out = ["@echo -off", "fs0:", r"cd \EFI\mirrorboot"]
    for line in lines:
        if line.startswith(":"):
            out.append(f'echo "T: {line[1:]}"')
        else:
            out += [line, 'echo "T: rc %lasterror%"']
    return "\r\n".join([*out, f'echo "{END}"', ""]).encode()


def fat(mib, bits, files, sector=512, serial=1):
    """A FAT file system of this type; FAT32 with clusters of one sector, to be one when it is small."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-fat-") as tmp:
        image = Path(tmp) / "fs"
        with open(image, "wb") as f:
            f.truncate(mib * MIB)
        subprocess.run(["/usr/sbin/mkfs.vfat", "-F", str(bits), "-S", str(sector), "-i", f"{serial:08x}",
                        "-n", "ESP", *(["-s", "1"] if bits == 32 or sector == 4096 else []), str(image)],
                       check=True, capture_output=True)
        gptdisk.put(image, 0, files)
        return image.read_bytes()


def disk(path, number, data, sector=512):
    """A GPT disk whose partition 1 is an ESP of these bytes."""
    gptdisk.write(path, [(gptdisk.ESP, data)], number, sector)
    return Path(path)


def programs(lines):
    """The shell, its script and mirrorboot.efi, as files of an ESP. None: there is no shell."""
    shell = uefishell.program()
    return shell and {SHELL: shell, "/startup.nsh": script(lines),
                      APP: (cli.build_folder() / "mirrorboot.efi").read_bytes()}


def run(paths, controller="virtio-blk", marks=None, timeout_s=600, **kw):
    """Boot these disks, to be written to; what came on the serial line."""
    return qemu.boot([qemu.Drive(str(p)) for p in paths], "uefi", controller, until=END, writable=True,
                     timeout_s=timeout_s, marks={**ASKS, **(marks or {})}, **kw)


def parts(serial):
    """{what was echoed: (what was said after it, exit status of what ran)}."""
    found = {}
    for piece in re.split(r"^T: (?!rc )", serial, flags=re.M)[1:]:
        name, _, rest = piece.partition("\n")
        said, _, code = rest.partition("T: rc ")
        found[name.strip()] = (said, int(code.split()[0], 16) if code else None)
    return found


def writes(monitor):
    """Write requests of each disk so far."""
    stats = {s["device"]: s["stats"] for s in monitor.ask("query-blockstats")}
    return [stats[name]["wr_operations"] for name in sorted(stats) if re.fullmatch(r"d\d+", name)]
