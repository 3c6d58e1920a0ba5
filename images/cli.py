# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Running the `mirrorboot` tool that was built."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build_folder():
    """Where the Makefile built (O=), relative to the top of the source."""
    return ROOT / os.environ.get("MIRRORBOOT_BUILD", "build")


def use_build(folder):
    os.environ["MIRRORBOOT_BUILD"] = str(folder)


def run(*args, check=True):
    """Run the tool; its exit status is 0, or 1 where something is degraded, else an error."""
    tool = build_folder() / "mirrorboot"
    done = subprocess.run([str(tool), *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if check and done.returncode not in (0, 1):
        raise RuntimeError(f"mirrorboot {' '.join(map(str, args))}: exit status "
                           f"{done.returncode}\n{done.stdout}{done.stderr}")
    return done


def status(*disks):
    """`status --json`, whatever it found: its exit status is 3 for a mirror of no use."""
    done = run("status", "--json", *disks, check=False)
    if not done.stdout:
        raise RuntimeError(f"mirrorboot status: exit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def install(*disks, options=()):
    return run("install", "--yes", *options, *disks)


def chosen_leg(mirror):
    """The chosen leg's entry of a mirror in `status --json`, None when there is none."""
    if mirror["chosen"] is None:
        return None
    return next(leg for leg in mirror["legs"] if leg["index"] == mirror["chosen"])


def common_sources():
    """Those of common/ that a program on the host can be made of, as in the Makefile."""
    firmware_only = ("freestanding.c", "menu_offer.c")
    return [str(s) for s in sorted((ROOT / "common").glob("*.c")) if s.name not in firmware_only]
