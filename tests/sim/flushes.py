#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Takes each flush out of what writes, one at a time: a simulation must see that it is gone.

    flushes.py --build DIR [FILE...]     (`make sim-flush` has built what it needs)

What remains of a flush that is taken out is the writing of what was held back, so that only the
order on the disk is lost. For each the first simulation that fails is named. Exit status 1 when one
can go without any simulation failing, or when a flush is in a file that nothing here knows of.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# which simulations to ask, the likeliest first
SIMS = {
    "common/fat_format.c": ["sim_fatformat"],
    "common/fat_": ["sim_fatclone", "sim_install_esp"],
    "common/vdisk_write.c": ["sim_writes"],
    "tools/bootwrite.c": ["sim_install"],
    "tools/hostdisk.c": ["sim_commands"],
    "tools/esp_create.c": ["sim_commands"],
    "tools/ldm_init.c": [],
    "tools/ldm_": ["sim_ldm"],
    "tools/folder.c": ["sim_files"],
    "tools/esp_conf.c": ["sim_files"],
    "tools/entries_": ["sim_files"],
    "efi/": ["sim_request"],
}

# (what is in the line, why no simulation has to see that it is gone)
NOT_NEEDED = {
    "tools/cmd_dump.c": "a copy for a person, beside the old one: nothing is booted from it",
    "tools/esp_create.c": "libfdisk has flushed already; this one also drops what is cached, so that "
                          "reading back reads the disk",
    "tools/esp_renewal.c": "on a mounted source: the kernel's file system, which only a guest has",
    "tools/esp_side.c": "the kernel's file system is written out before its disk is read",
    "tools/ldm_copy.c": "the transaction behind it flushes before the database names the leg; this "
                        "one has the comparison read the disk",
    "tools/ldm_init.c": "a disk that has nothing yet is made anew by the next run",
    "tools/verify_disk.c": "writes nothing: what others have written is to be read from the disk",
}

# as the Makefile has it for those of efi/ that run on the host
EFI_FLAGS = ["-fshort-wchar", "-DGNU_EFI_USE_MS_ABI", "-maccumulate-outgoing-args", "-isystem",
             "/usr/include/efi", "-isystem", "/usr/include/efi/x86_64"]

# what stands for a flush, and what is left of it
FLUSHES = [(re.compile(r"\bfat_out_flush\(o\)"), "fat_out_sync(o)"),
           (re.compile(r"(?<![\w>-])[\w>.\[\]-]+->flush\([^()]*\)"), "ST_OK"),
           (re.compile(r"\b(?:fsync|syncfs|fdatasync)\([^()]*\)"), "0"),
           (re.compile(r"\bfolder_sync\([^()]*\)"), "true"),
           (re.compile(r"\bsync_folder\([^()]*\)"), "(void)0")]
DECLARES = re.compile(r"^(?:static |enum status|bool |int ).*\)$|^\s*/?\*|"
                      r"^enum status \w+\(")


def flushes(only):
    """(path, number of the line, its text, the text without)"""
    for path in sorted(p for where in ("common", "tools", "efi", "stage2")
                       for p in (ROOT / where).glob("*.c")):
        name = str(path.relative_to(ROOT))
        if only and name not in only:
            continue
        for n, line in enumerate(path.read_text().splitlines()):
            if DECLARES.match(line):
                continue
            for pattern, rest in FLUSHES:
                for found in pattern.finditer(line):
                    yield path, n, line, line[:found.start()] + rest + line[found.end():]


def known(table, name):
    return next((value for start, value in table.items() if name.startswith(start)), None)


def link_command(build, sim, obj, path, program):
    """As make links it, with this object in the place of that file's."""
    done = subprocess.run(["make", "-s", "-n", "-W", f"tests/sim/{sim}.c", f"O={build}", "V=1",
                           "--no-print-directory", f"{build}/sim/{sim}"], cwd=ROOT,
                          capture_output=True, text=True)
    lines = [x for x in done.stdout.splitlines() if f"-o {build}/sim/{sim} " in x]
    assert lines, done.stdout + done.stderr
    old = f"{build}/host/{path.relative_to(ROOT).with_suffix('.o')}"
    words = lines[-1].split()
    assert old in words, (old, words)
    return [str(obj) if w == old else str(program) if w == f"{build}/sim/{sim}" else w
            for w in words]


def try_without(build, tmp, number, path, n, text, sims):
    """The first simulation that failed, and what it said; None."""
    if not sims:
        return None
    folder = Path(tmp) / str(number)
    folder.mkdir()
    lines = path.read_text().splitlines()
    lines[n] = text
    changed = folder / path.name
    changed.write_text("\n".join(lines) + "\n")
    obj = changed.with_suffix(".o")
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-w", f"-I{ROOT}", "-D_GNU_SOURCE",
                    "-D_FILE_OFFSET_BITS=64", '-DMIRRORBOOT_VERSION="flushes"',
                    *(EFI_FLAGS if path.parent.name == "efi" else []), "-c", str(changed),
                    "-o", str(obj)], check=True)
    for sim in sims:
        program = folder / sim
        subprocess.run(link_command(build, sim, obj, path, program), check=True, cwd=ROOT)
        # The first test that fails is enough.
        done = subprocess.run([str(program)], capture_output=True, text=True, errors="replace",
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                                   "CMOCKA_TEST_ABORT": "1", "SIM_FSCK": "0"})
        if done.returncode:
            said = re.findall(r"ERROR\s*(?:\] ---|:) (.*)|(without the flush that is.*)",
                              done.stdout + done.stderr)
            said = next((s for pair in said for s in pair if s),
                        "a flush more or less than expected")
            return f"{sim}: {said}"
    return None


def main():
    args = argparse.ArgumentParser(description="is each flush needed?")
    args.add_argument("--build", default="build", help="where make built (O=)")
    args.add_argument("file", nargs="*", help="these alone")
    args = args.parse_args()
    build = Path(args.build).resolve()
    todo = list(flushes(args.file))
    survived = excused = 0
    with tempfile.TemporaryDirectory(prefix="mirrorboot-flushes-") as tmp, \
            ThreadPoolExecutor(2) as pool:
        results = []
        for i, (path, n, _, text) in enumerate(todo):
            sims = known(SIMS, str(path.relative_to(ROOT)))
            results.append(pool.submit(try_without, build, tmp, i, path, n, text, sims or []))
        for (path, n, line, _), result in zip(todo, results):
            name, seen = str(path.relative_to(ROOT)), result.result()
            why = None if seen else NOT_NEEDED.get(name)
            excused += bool(why)
            survived += not seen and not why
            print(f"{name}:{n + 1}: {line.strip()}\n    "
                  + (seen or (f"not simulated: {why}" if why else "NOTHING FAILS WITHOUT IT")),
                  flush=True)
    print(f"{len(todo)} flushes, {excused} that are not simulated, {survived} that nothing needs")
    return 1 if survived or not todo else 0


if __name__ == "__main__":
    sys.exit(main())
