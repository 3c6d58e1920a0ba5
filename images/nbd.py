# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disks served to QEMU over NBD: writes and flushes are noted, all disks' in one order.

The images are not changed: what was written is in memory, and in the log. One thread a
disk; the lock makes the order in which requests are answered the order of the log. A
boot shim waits for each request, so this is the order in which it made them.
"""

import contextlib
import socket
import struct
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

_MAGIC, _OPTION = b"NBDMAGIC", b"IHAVEOPT"
_OPTION_REPLY, _REQUEST, _REPLY = 0x3E889045565A9, 0x25609513, 0x67446698
_FIXED, _NO_ZEROES, _HAS_FLAGS, _SEND_FLUSH = 1, 2, 1, 4
_EXPORT_NAME, _ABORT, _INFO, _GO = 1, 2, 6, 7
_ACK, _INFO_REPLY, _UNSUPPORTED = 1, 3, 0x80000001
_READ, _WRITE, _DISCONNECT, _FLUSH = 0, 1, 2, 3
_EIO, _EINVAL = 5, 22


@dataclass(frozen=True)
class Write:
    """One request that a disk has answered. failed: with an error, and nothing was written."""
    disk: int
    sector: int
    data: bytes
    failed: bool = False


class Disks:
    """The disks, and the log of what was written to them.

    bad_write: {disk: function of (first sector, number of sectors) that tells whether to
    fail such a write}.
    """

    def __init__(self, paths, bad_write=None):
        self.images = [bytearray(Path(p).read_bytes()) for p in paths]
        self.bad_write = bad_write or {}
        self.log, self.lock = [], threading.Lock()
        self.flushed = []  # (requests in the log by then, disk)
        self.folder, self.listening, self.threads = None, [], []

    def url(self, n):
        """What QEMU's file driver options are for this disk."""
        return {"driver": "nbd", "server.type": "unix", "server.path": f"{self.folder.name}/{n}",
                "export": f"d{n}"}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="mirrorboot-nbd-")
        for n in range(len(self.images)):
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(f"{self.folder.name}/{n}")
            listening.listen(1)
            self.listening.append(listening)
            self.threads.append(threading.Thread(target=self._serve, args=(n,), daemon=True))
            self.threads[-1].start()
        return self

    def __exit__(self, *_):
        for listening in self.listening:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for thread in self.threads:
            thread.join(10)
        self.folder.cleanup()

    def _serve(self, n):
        with contextlib.suppress(OSError, EOFError):
            link, _ = self.listening[n].accept()
            with link, link.makefile("rb") as wire:
                if self._negotiate(n, link, wire):
                    self._transmit(n, link, wire)

    def _negotiate(self, n, link, wire):
        link.sendall(_MAGIC + _OPTION + struct.pack(">H", _FIXED | _NO_ZEROES))
        flags, = struct.unpack(">I", _take(wire, 4))
        size, export = len(self.images[n]), _HAS_FLAGS | _SEND_FLUSH
        while True:
            _, option, length = struct.unpack(">8sII", _take(wire, 16))
            _take(wire, length)

            def answer(kind, data=b""):
                link.sendall(struct.pack(">QIII", _OPTION_REPLY, option, kind, len(data)) + data)

            if option == _EXPORT_NAME:
                link.sendall(struct.pack(">QH", size, export)
                             + (b"" if flags & _NO_ZEROES else bytes(124)))
                return True
            if option in (_INFO, _GO):
                answer(_INFO_REPLY, struct.pack(">HQH", 0, size, export))
                answer(_INFO_REPLY, struct.pack(">HIII", 3, 512, 4096, 32 << 20))
                answer(_ACK)
                if option == _GO:
                    return True
            elif option == _ABORT:
                answer(_ACK)
                return False
            else:
                answer(_UNSUPPORTED)

    def _transmit(self, n, link, wire):
        image = self.images[n]
        while True:
            magic, _, kind, handle, at, length = struct.unpack(">IHHQQI", _take(wire, 28))
            if magic != _REQUEST:
                raise EOFError
            data, error = b"", 0
            if kind == _READ and at + length <= len(image):
                data = bytes(image[at:at + length])
            elif kind == _WRITE:
                error = self._write(n, at, _take(wire, length))
            elif kind == _FLUSH:
                with self.lock:
                    self.flushed.append((len(self.log), n))
            elif kind == _DISCONNECT:
                return
            else:
                error = _EINVAL
            link.sendall(struct.pack(">IIQ", _REPLY, error, handle) + data)

    def _write(self, n, at, data):
        if at % 512 or len(data) % 512 or at + len(data) > len(self.images[n]):
            return _EINVAL
        bad = self.bad_write.get(n)
        with self.lock:
            failed = bool(bad and bad(at // 512, len(data) // 512))
            self.log.append(Write(n, at // 512, data, failed))
            if not failed:
                self.images[n][at:at + len(data)] = data
        return _EIO if failed else 0


def _take(wire, n):
    data = wire.read(n)
    if len(data) != n:
        raise EOFError
    return data
