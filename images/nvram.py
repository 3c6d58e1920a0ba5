# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""UEFI variables in OVMF's variable store: boot entries that are there from the first boot on.

The store is what edk2 calls authenticated variables (MdeModulePkg, VariableFormat.h).
"""

import struct
import uuid
from pathlib import Path

import qemu

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
STORE = "aaf32c78-947b-439a-a180-2e144ec37792"
NON_VOLATILE, BOOT, RUNTIME = 1, 2, 4
ACTIVE = 1


def _variable(name, data, vendor, attributes):
    text = name.encode("utf-16-le") + b"\0\0"
    head = struct.pack("<HBBIQ16sIII16s", 0x55AA, 0x3F, 0, attributes, 0,
                       bytes(16), 0, len(text), len(data), uuid.UUID(vendor).bytes_le)
    whole = head + text + data
    return whole.ljust(-(-len(whole) // 4) * 4, b"\xff")


def write(path, variables, attributes=NON_VOLATILE | BOOT | RUNTIME):
    """A variable store with these: {name: bytes}, or {(name, vendor GUID): bytes}, or as read() has them."""
    store = bytearray(Path(qemu.ovmf()[1]).read_bytes())
    at = struct.unpack_from("<H", store, 48)[0]
    if uuid.UUID(bytes_le=bytes(store[at:at + 16])) != uuid.UUID(STORE):
        raise ValueError("not a variable store of a kind that is known here")
    end = at + struct.unpack_from("<I", store, at + 16)[0]
    at += 28
    while struct.unpack_from("<H", store, at)[0] == 0x55AA:  # those that are there
        name, data = struct.unpack_from("<II", store, at + 36)
        at += -(-(60 + name + data) // 4) * 4
    for key, data in variables.items():
        name, vendor = key if isinstance(key, tuple) else (key, GLOBAL)
        own, data = data if isinstance(data, tuple) else (attributes, data)
        record = _variable(name, data, vendor, own)
        if at + len(record) > end:
            raise ValueError("the variable store is full")
        store[at:at + len(record)] = record
        at += len(record)
    Path(path).write_bytes(store)


def history(path):
    """All that was ever written to a store and is still in it, in order: (name, vendor GUID), attributes, bytes.

    And whether it counts: False for what was replaced or deleted. Read here, not by the firmware.
    """
    store, found = Path(path).read_bytes(), []
    at = struct.unpack_from("<H", store, 48)[0]
    if uuid.UUID(bytes_le=store[at:at + 16]) != uuid.UUID(STORE):
        raise ValueError("not a variable store of a kind that is known here")
    at += 28
    while struct.unpack_from("<H", store, at)[0] == 0x55AA:
        state, attributes, name, size = struct.unpack_from("<xxBxI28xII", store, at)
        vendor = str(uuid.UUID(bytes_le=store[at + 44:at + 60]))
        text = store[at + 60:at + 60 + name].decode("utf-16-le").rstrip("\0")
        data = store[at + 60 + name:at + 60 + name + size]
        found.append(((text, vendor), attributes, data, state == 0x3F))
        at += -(-(60 + name + size) // 4) * 4
    return found


def read(path):
    """What a store has, {(name, vendor GUID): (attributes, bytes)}."""
    return {key: (attributes, data) for key, attributes, data, counts in history(path) if counts}


def path_of(part, file):
    """HD(part)/file, as boot entries have it; part: gptdisk.Part."""
    name = file.replace("/", "\\").encode("utf-16-le") + b"\0\0"
    return (struct.pack("<BBHIQQ16sBB", 4, 1, 42, part.number, part.start_lba, part.sectors,
                        uuid.UUID(part.guid).bytes_le, 2, 2)
            + struct.pack("<BBH", 4, 4, 4 + len(name)) + name + b"\x7f\xff\x04\x00")


def entry(name, part, file, options=""):
    """A Boot#### variable. options: text that the program gets, as UCS-2."""
    path = path_of(part, file)
    return (struct.pack("<IH", ACTIVE, len(path)) + name.encode("utf-16-le") + b"\0\0" + path
            + (options.encode("utf-16-le") + b"\0\0" if options else b""))


def entries(*options):
    """Variables for these boot entries, in this order."""
    return {**{f"Boot{n:04X}": data for n, data in enumerate(options)},
            "BootOrder": b"".join(struct.pack("<H", n) for n in range(len(options)))}
