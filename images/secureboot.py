# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Signing with the keys of OVMF's "snakeoil" variables, and disks whose loaders tell who they are.

The private half of those keys comes with the firmware's package: for tests, and nothing else.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cli
import gptdisk
import mdmember
import scenario

KEY, CERT = "/usr/share/ovmf/PkKek-1-snakeoil.key", "/usr/share/ovmf/PkKek-1-snakeoil.pem"
PASSPHRASE = "snakeoil"
FALLBACK, CONFIG = "/EFI/BOOT/BOOTX64.EFI", "/EFI/mirrorboot/mirrorboot.conf"
MIB = 1 << 20
LABEL = b"WITNESS-LABEL:"
LABEL_CHARS = 16


def plain_key(folder):
    """The private key without its passphrase, as a file."""
    out = Path(folder) / "snakeoil.key"
    subprocess.run(["openssl", "rsa", "-in", KEY, "-passin", f"pass:{PASSPHRASE}", "-out",
                    str(out)], check=True, capture_output=True)
    return out


@lru_cache(maxsize=None)
def sign(image):
    """The image (bytes), signed; a further signature when it has one."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-sign-") as tmp:
        plain, signed = Path(tmp) / "plain", Path(tmp) / "signed"
        plain.write_bytes(image)
        subprocess.run(["sbsign", "--key", str(plain_key(tmp)), "--cert", CERT, "--output",
                        str(signed), str(plain)], check=True, capture_output=True)
        return signed.read_bytes()


def without_section(image, name):
    """The image without one of its sections."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-pe-") as tmp:
        old, new = Path(tmp) / "old", Path(tmp) / "new"
        old.write_bytes(image)
        subprocess.run(["objcopy", "--remove-section", name, str(old), str(new)], check=True,
                       capture_output=True)
        return new.read_bytes()


def application(name="mirrorboot.efi"):
    return (cli.build_folder() / name).read_bytes()


def witness(label):
    """tests/efi/witness.c as a loader of this name."""
    image = bytearray(application("witness.efi"))
    at = image.index(LABEL) + len(LABEL)
    if image.count(LABEL) != 1 or len(label) > LABEL_CHARS:
        raise ValueError("no single place for the label, or too small")
    image[at:at + LABEL_CHARS] = label.encode().ljust(LABEL_CHARS, b".")
    return bytes(image)


@dataclass
class Disks(scenario.Disks):
    esps: list = None  # of each disk, its ESP as gptdisk.Part


def disks(folder, esp_files, volume_files=None, pair="stale"):
    """A pair of disks, each an ESP with these files ({path: bytes}) and a member.

    volume_files: function of a generation; the files of an ESP that is inside the mirror.
    """
    pair = scenario.PAIRS[pair]
    folder = Path(folder)
    folder.mkdir(parents=True)
    paths, starts, esps = [], [], []
    for n, (fixture, generation) in enumerate(((pair.a, pair.gen_a), (pair.b, pair.gen_b))):
        sb = mdmember.Superblock(mdmember.fixture(fixture))
        size = sb.size_s512 * 512
        contents = bytes(size)
        if volume_files:
            inner = gptdisk.fat((size - 3 * MIB) // MIB * MIB, volume_files(generation))
            contents = gptdisk.contents([(gptdisk.ESP, inner)], 2, size_bytes=size)[0]
        esp = gptdisk.fat(24 * MIB, esp_files, serial=0x6D620000 + n)
        paths.append(folder / f"{'ab'[n]}.img")
        parts = gptdisk.write(paths[n], [(gptdisk.ESP, esp),
                                         (gptdisk.RAID, mdmember.compose(fixture, contents))], n)
        starts.append(parts[1].start_bytes // 512)
        esps.append(parts[0])
    return Disks(pair, paths, starts, sb.data_s512, sb.size_s512, esps)
