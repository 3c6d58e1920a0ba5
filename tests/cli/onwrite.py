# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The tool, with something that happens in the middle of its writing (onwrite.c)."""

import os
import pathlib
import subprocess
from functools import lru_cache

import disks

SOURCE = pathlib.Path(__file__).with_name("onwrite.c")


@lru_cache(maxsize=None)
def library():
    folder = disks.TOOL.parent / "tests"
    folder.mkdir(exist_ok=True)
    made = folder / f"onwrite-{os.getpid()}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(made), str(SOURCE),
                    "-ldl"], check=True)
    return made


def env(write=0, what="cut"):
    """write: the number of the write before which it happens, from 1."""
    return dict(os.environ, LD_PRELOAD=str(library()), ON_WRITE=str(write), ON_WRITE_DO=str(what),
                ON_WRITE_COUNT=os.path.abspath("writes"))


def count():
    """How many writes the last run began."""
    return int(pathlib.Path("writes").read_text())
