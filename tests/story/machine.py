# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A machine in QEMU that keeps what is written to its disks, and a root shell on its serial line."""

import os
import re
import selectors
import signal
import subprocess
import time

import qemu

SHELL = "STORY-SHELL"


class Failed(Exception):
    """Something did not come out as the story has it."""


class Machine:
    """disks: {name: path}, in the order in which the machine has them. name becomes the disk's serial number.

    extra: (name, path) of one more disk, read only. store: the file of UEFI's variables.
    """

    def __init__(self, firmware, disks, log, store=None, extra=None, discard=False, limit_s=3600):
        self.raw, self.seen, self.log = bytearray(), 0, open(log, "wb")
        self.booted_s = self.started = time.monotonic()
        q35 = firmware == "uefi"
        args = ["timeout", "-k", "5", str(limit_s), "qemu-system-x86_64", "-machine", "q35" if q35 else "pc",
                "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "768", "-nodefaults",
                "-no-user-config", "-no-reboot", "-display", "none", "-vga", "std", "-serial", "stdio",
                "-device", "virtio-rng-pci"]
        if q35:
            args += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={qemu.ovmf()[0]}",
                     "-drive", f"if=pflash,format=raw,unit=1,file={store},snapshot={'on' if discard else 'off'}"]
        snapshot = ",snapshot=on" if discard else ""
        drives = [(n, p, snapshot) for n, p in disks.items()] + ([(*extra, ",readonly=on")] if extra else [])
        for n, (name, path, option) in enumerate(drives):
            # OVMF drops boot entries when it sees a bootindex; SeaBIOS takes its drive order from it
            index = "" if q35 else f",bootindex={n + 1}"
            args += ["-drive", f"if=none,id=d{n},format=raw,cache=unsafe,detect-zeroes=on,file={path}{option}",
                     "-device", f"virtio-blk-pci,drive=d{n},serial={name}{index}"]
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self.ready = selectors.DefaultSelector()
        self.ready.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def text(self):
        return qemu.plain(bytes(self.raw))

    def _more(self, until):
        left = until - time.monotonic()
        if left <= 0 or not self.ready.select(left):
            return False
        piece = os.read(self.process.stdout.fileno(), 65536)
        self._keep(piece)
        return bool(piece)

    def _keep(self, piece):
        self.raw += piece
        self.log.write(piece)
        self.log.flush()

    def wait_for(self, pattern, timeout_s):
        """The match, and all text in front of it since the last one."""
        until = time.monotonic() + timeout_s
        while True:
            text = self.text()
            found = re.search(pattern, text[self.seen:])
            if found:
                before = text[self.seen:self.seen + found.start()]
                self.seen += found.end()
                return found, before
            if not self._more(until):
                raise Failed(f"waited {timeout_s} s for {pattern!r}; the serial line ends with:\n"
                             + "\n".join(text.splitlines()[-25:]))

    def boot(self, timeout_s=900):
        """Until there is a shell. What the serial line said on the way."""
        _, said = self.wait_for(SHELL, timeout_s)
        self.booted_s = time.monotonic() - self.started
        return said

    def run(self, command, timeout_s=600):
        """(exit status, output) of a command line."""
        self._keep(f"\n$ {command}\n".encode())  # for the log: the shell does not echo
        self.seen = len(self.text())
        self.process.stdin.write(f"{{ {command}\n}} </dev/null 2>&1; echo \"@@\"END $?@@\n".encode())
        self.process.stdin.flush()
        found, before = self.wait_for(r"@@END (\d+)@@\n", timeout_s)
        return int(found[1]), before.strip("\n")

    def do(self, command, timeout_s=600, status=0):
        """The output of a command that must end with this status."""
        got, output = self.run(command, timeout_s)
        if got != status:
            raise Failed(f"$ {command}\n{output}\nexit status {got}, not {status}")
        return output

    def off(self, timeout_s=300):
        """Shut down as it should be."""
        self.process.stdin.write(b"systemctl poweroff\n")
        self.process.stdin.flush()
        until = time.monotonic() + timeout_s
        while self._more(until):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            raise Failed("the machine did not shut down:\n" + "\n".join(self.text().splitlines()[-15:])) from None

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.ready.close()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()
