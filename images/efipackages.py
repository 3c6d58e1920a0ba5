# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""EFI programs of the distribution: systemd-boot, shim and GRUB as signed for Secure Boot.

Downloaded and unpacked, never installed: their packages would change the machine's own boot.
"""

import os
import shutil
import subprocess
from pathlib import Path

import linux

PACKAGES = ["systemd-boot-efi", "shim-signed", "grub-efi-amd64-signed"]
# name -> where the packages of Debian and Ubuntu have it
PROGRAMS = {
    "systemd-boot": ["usr/lib/systemd/boot/efi/systemd-bootx64.efi"],
    "systemd-stub": ["usr/lib/systemd/boot/efi/linuxx64.efi.stub"],
    "shim": ["usr/lib/shim/shimx64.efi.signed", "usr/lib/shim/shimx64.efi.signed.latest"],
    "grub": ["usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"],
}


def prepare(folder):
    """{name of PROGRAMS: bytes}. Raises linux.Unavailable."""
    folder = Path(folder) / "efi"
    with linux.lock(folder):
        done = folder / "complete"
        if not done.exists() or done.read_text() != " ".join(PACKAGES):
            _download(folder)
            done.write_text(" ".join(PACKAGES))
    return {name: _find(folder, places).read_bytes() for name, places in PROGRAMS.items()}


def _download(folder):
    if not shutil.which("apt-get"):
        raise linux.Unavailable("no apt-get here to download EFI programs with")
    for attempt in (1, 2):
        try:
            got = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                                  *PACKAGES], cwd=folder, capture_output=True, text=True,
                                 stdin=subprocess.DEVNULL, timeout=600,
                                 env={**os.environ, "LC_ALL": "C"})
        except subprocess.TimeoutExpired:
            raise linux.Unavailable("apt-get download did not end in 10 minutes") from None
        if got.returncode == 0:
            break
        if attempt == 2:
            said = got.stderr.strip().splitlines() or ["apt-get download failed"]
            raise linux.Unavailable(said[-1])
        linux.refresh_lists()
    for deb in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True, capture_output=True)
        deb.unlink()


def _find(folder, places):
    for place in places:
        if (folder / place).is_file():
            return folder / place
    raise linux.Unavailable(f"the packages {' '.join(PACKAGES)} have no {places[0]}")
