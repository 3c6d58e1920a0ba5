# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A TPM 2.0 for a machine in QEMU (swtpm), and what a witness printed of it."""

import hashlib
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

EV_NO_ACTION = 3  # in the log, not in a PCR
PCRS = range(24)


@contextmanager
def attached():
    """A fresh TPM; gives QEMU's arguments for it."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-tpm-") as tmp:
        socket = Path(tmp) / "socket"
        tpm = subprocess.Popen(["timeout", "600", "swtpm", "socket", "--tpm2", "--tpmstate",
                                f"dir={tmp}", "--ctrl", f"type=unixio,path={socket}", "--flags",
                                "not-need-init,startup-clear"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        try:
            for _ in range(600):
                if socket.exists() or tpm.poll() is not None:
                    break
                time.sleep(0.05)
            if not socket.exists():
                raise RuntimeError("swtpm: " + (tpm.stderr.read() if tpm.poll() else "no socket"))
            yield ["-chardev", f"socket,id=tpm,path={socket}", "-tpmdev",
                   "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0"]
        finally:
            tpm.terminate()  # it may have ended with QEMU
            tpm.wait()
            tpm.stderr.close()


class Measured:
    """The PCRs (SHA-256) and the events that tests/efi/witness.c printed."""

    def __init__(self, serial):
        self.serial = serial
        self.pcr = {int(n): bytes.fromhex(value) for n, value
                    in re.findall(r"^WITNESS: PCR (\d+) ([0-9a-f]{64})$", serial, re.M)}
        # (PCR, type, digest, the beginning of its data)
        self.events = [(int(pcr), int(kind, 16), bytes.fromhex(digest), bytes.fromhex(data))
                       for pcr, kind, digest, data in re.findall(
                           r"^WITNESS: event (\d+) ([0-9a-f]{8}) ([0-9a-f]{64})\n"
                           r"WITNESS: data ([0-9a-f]*)$", serial, re.M)]

    def replayed(self, pcr):
        """What the events of a PCR extend it to."""
        value = bytes(32)
        for _, _, digest, _ in (e for e in self.events if e[0] == pcr and e[1] != EV_NO_ACTION):
            value = hashlib.sha256(value + digest).digest()
        return value

    def changed_from(self, other):
        """PCRs that differ."""
        return {n for n in PCRS if self.pcr[n] != other.pcr[n]}
