#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Can the fuzz targets fail? Take a check out of a parser, one at a time, and run the target over its seeds.

usage: breaks.py --build O

Needs what `make fuzz-smoke` builds. Exit status 1 when a break is not found, or can't be made any more.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

import fuzz

TOP = pathlib.Path(__file__).resolve().parents[2]
# What is broken, in which file, the text and what is put in its place, and the target that has to find it.
BREAKS = (
    ("GPT: the number of entries", "gpt", "h->entry_count > GPT_ENTRIES_MAX ||", "0 ||", "part"),
    ("GPT: an entry's first sector", "gpt", "|| first >= d->sectors)", ")", "part"),
    ("MBR: the links of a chain", "mbrtab", "links < MBR_CHAIN_LIMIT", "links < (1u << 20)", "part"),
    ("MBR: a partition that ends behind the disk", "mbrtab", "min_u64(le32_get(e->sectors), d->sectors - start)",
     "le32_get(e->sectors)", "part"),
    ("our boot area: its length", "bootarea", "range_ok(area_lba,", "true || range_ok(area_lba,", "part"),
    ("md 0.90: the number of devices", "md0", "m->raid_disks > MD0_DISKS ||", "", "md"),
    ("md 1.x: entries of the role map", "md1", "if (le32_get(h->max_dev) > MD1_MAX_DEV)", "if (0)", "md"),
    ("md 1.x: the level", "md1", "m->level != 1", "0", "md"),
    ("md 1.x: the bad-block log's place", "md1", "return *log_s512 != sb_s512 && range_ok(*log_s512, len, size_s512)",
     "return true", "md"),
    ("md 1.x: room for bad ranges", "md1", "if (m->hole_count < MEMBER_HOLES) {", "if (1) {", "md"),
    ("LDM: a record's length", "ldm_record", "!range_ok(HEAD_BYTES, length, bytes)", "0", "ldm"),
    ("FAT: a cluster behind the last", "fat", "	else if (!fat_cluster_ok(f, *next))", "	else if (0)", "fat"),
    ("FAT: a file's first cluster", "fat_file", "return fat_cluster_ok(f, e->first_cluster) ? ST_OK : ST_CORRUPT",
        "return ST_OK",
     "fat"),
    ("FAT: a cluster that two have", "fat_check", "if (fat_map_get(t->used_map, cluster))", "if (0)", "fatclone"),
    ("manifest: the length of a path", "manifest", "bytes > MANIFEST_PATH_BYTES ||", "", "manifest"),
    ("configuration: the length of a value", "config", "if (v.n >= CONFIG_VALUE_BYTES)", "if (0)", "config"),
    ("load option: its path's length", "bootentry", "range_ok(", "1 || range_ok(", "bootentry"),
    ("boot record: its number of mirrors", "record", "return r->count <= RECORD_MIRRORS ? ST_OK : ST_CORRUPT",
        "return ST_OK",
     "record"),
    ("command: its number of words", "cmdline", "!in_word && c->count == CMDLINE_WORDS", "0", "words"),
    ("judge: a copy of a leg", "leg", "if (lm->dev_number == om->dev_number ||", "if (0 &&", "judge"),
    ("judge: a leg that missed writes", "leg",
     "	if (leg_is_behind(m, newest))\n"
     "		leg_set(l, VERDICT_STALE, REASON_STALE, m->events, newest->events);\n	else if (differ",
     "	if (differ", "judge"),
    ("judge: which leg is the newest", "newest", "return a->events > b->events;",
     "return a->events < b->events;", "judge"),
    ("vdisk: a leg that has missed a write", "vdisk", "|| set->leg[l].latched == VDISK_EXPELLED)", ")", "vdisk"),
    ("vdisk: a hole in a leg that is written", "vdisk_write", "p->at.e->leg[m->served - 1] == VDISK_NO_LEG", "0",
        "vdisk"),
    ("vdisk: the legs after one that failed", "vdisk_write", "		step = OPEN;\n	}",
     "		step++;\n	}", "vdisk"),
    ("shared reads: where a part begins", "share", "start_lba + p.pos + at", "start_lba + p.pos", "vdisk"),
    ("INT 13h: a buffer over 1 MiB", "int13",
        "if (t->addr > MEMORY_END || t->count << t->shift > MEMORY_END - t->addr)", "if (0)",
     "int13"),
    ("INT 13h: the size of a packet", "int13", "if (dap.size_bytes < INT13_DAP_BYTES)", "if (0)", "int13"),
    ("INT 13h: the sectors moved, after a failure", "int13",
     "		r->a.l = 0;\n	return code;", "		;\n	return code;", "int13"),
    ("INT 13h: the range of a request", "int13", "!range_ok(t->lba, t->count, vd->sectors)", "0", "int13"),
    ("INT 13h: a packet with a flat address", "int13",
        "if (flat > UINT32_MAX || t.count << t.shift > UINT32_MAX - t.addr)", "if (0)",
     "int13"),
    ("menu: the question about an old leg", "menu", "if (key != 'y')", "if (0)", "menu"),
    ("boot entries: taking back", "nvwrite", "if (c->act == NVPLAN_ADD && !s->lacks(s, name)) {", "if (0) {",
        "nvwrite"),
    ("boot entries: the order comes last", "nvwrite", "if (p->order_changes && !set_order(p, s, f)) {",
     "if (p->order_changes && 0) {", "nvwrite"),
    ("texts: what turns a line around", "ucs2", "return c < ' ' ||", "return c == '\\n' ||", "words"),
    ("FAT: the kind that was asked for", "fat_format", "how->type", "0 * how->type", "format"),
)


def find(brk, build, work):
    what, name, old, new, target = brk
    folder = "stage2" if name == "int13" else "common"
    source = (TOP / folder / (name + ".c")).read_text()
    if old not in source:
        return "gone: the text is not there any more"
    broken = pathlib.Path(work, f"{abs(hash(what))}", folder)
    broken.mkdir(parents=True)
    (broken / (name + ".c")).write_text(source.replace(old, new, 1))
    program, obj = broken / "target", broken / "broken.o"
    flags = ["-std=gnu11", "-O1", "-g", f"-I{TOP}", '-DMIRRORBOOT_VERSION="0"', "-D_GNU_SOURCE", "-w",
             "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(["gcc", *flags, "-c", broken / (name + ".c"), "-o", obj], check=True)
    objects = [o for o in (build / "smoke-obj/common").glob("*.o") if o.stem not in (name, "menu_offer")]
    objects += [build / f"smoke-obj/tests/fuzz/{f}.o" for f in ("smoke", "fuzz_" + target)]
    if target == "menu":
        objects.append(build / "smoke-obj/common/menu_offer.o")
    if target == "int13" and name != "int13":
        objects.append(build / "smoke-obj/stage2/int13.o")
    subprocess.run(["gcc", "-fsanitize=address,undefined", "-o", program, obj, *objects], check=True)
    times = str(fuzz.MUTATIONS.get(target, fuzz.USUAL))
    done = subprocess.run([program, "-m", times, *fuzz.folders(target)], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=1200)
    if done.returncode == 0:
        rows = [(f, said) for _, _, f, said in fuzz.classes()[0] if f.startswith(target + "/")]
        for f, said in rows:
            now = subprocess.run([program, "-s", fuzz.SEEDS / f], stdout=subprocess.PIPE, text=True,
                                 check=True).stdout.rstrip("\n").split("\t")[-1].strip()
            if now != said:
                return f"found: {f} comes to something else"
        return "NOT FOUND"
    for line in done.stdout.splitlines():
        if "not so:" in line:
            return "found: " + line.split("not so:")[1].strip()[:70]
        if "runtime error:" in line:
            return "found: UBSan, " + line.split("runtime error:")[1].strip()[:60]
        if "ERROR: AddressSanitizer" in line:
            return "found: ASan, " + line.split("AddressSanitizer:")[1].split(" on ")[0].strip()
    return "found: a hang" if done.returncode in (-14, 142) else f"found: status {done.returncode}"


def main():
    p = argparse.ArgumentParser(description="Can the fuzz targets fail?")
    p.add_argument("--build", required=True)
    p.add_argument("--only", default="", help="those whose name has this in it")
    args = p.parse_args()
    build = pathlib.Path(args.build).resolve()
    rows = [b for b in BREAKS if args.only in b[0]]
    lost = 0
    print("| what is broken | target | |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(2) as pool:
        for brk, result in zip(rows, pool.map(lambda b: find(b, build, work), rows)):
            lost += not result.startswith("found")
            print(f"| {brk[0]} (`{brk[1]}.c`) | {brk[4]} | {result.replace('|', ' ')} |", flush=True)
    if lost:
        sys.exit(f"breaks.py: {lost} of {len(rows)} were not found")
    print(f"all {len(rows)} were found")


if __name__ == "__main__":
    main()
