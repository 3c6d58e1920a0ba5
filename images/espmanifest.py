# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Manifests of EFI system partitions, written here and not by the tool: right ones and wrong ones."""

import hashlib

import fatread
import gptdisk

PATH = "/EFI/mirrorboot/manifest"
SET = "0f3c1d2e-5b6a-4798-8899-aabbccddeeff"
OTHER_SET = "0f3c1d2e-5b6a-4798-8899-000000000000"
SOURCE = "00000000-0000-0000-0000-000000000000"


def text(files, generation=1, state="complete", set_guid=SET, source=SOURCE, version=1):
    """files: (path with slashes, bytes, FAT time) of each."""
    lines = [f"mirrorboot-manifest {version}", f"set {set_guid}", f"generation {generation}",
             f"state {state}", f"source {source}"]
    for path, data, time in files:
        name = path.replace("/", "\\")
        lines.append(f"file {hashlib.sha256(data).hexdigest()} {len(data)} {time:08x} {name}")
    head = "".join(line + "\n" for line in lines).encode()
    return head + f"end {hashlib.sha256(head).hexdigest()}\n".encode()


def write(image, at_bytes, more=(), **facts):
    """A manifest of all that is on an ESP now. more: (path, bytes, time) that are not there."""
    fat = fatread.Fat(image, at_bytes)
    files = [(f.path, fat.read(f), f.fat_time) for name, f in sorted(fat.files().items())
             if name != PATH.lower()]
    gptdisk.put(image, at_bytes, {PATH: text([*files, *more], **facts)})
