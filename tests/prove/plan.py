# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""
What prove.py runs. A harness NAME is harness_NAME.c and

  sources  the files of common/ that it is for: each function in them must be reached whole,
           but for those in floors (percent of its statements; 0: not this harness's)
  with     files that these call
  options  of Eva, beside ALWAYS
  seconds  about how long it takes, so that the long ones begin first
"""

ALWAYS = ["-eva-split-return", "auto",
          "-eva-domains", "symbolic-locations,equality,gauges",
          "-eva-msg-key=-final-states,-initial-state", "-no-unicode",
          "-eva-no-alloc-returns-null"]

# For what Eva leaves open. Typed+cast: the casts that this is for are between types of one byte.
WP = ["-wp-model", "Typed+cast", "-wp-prover", "z3,cvc4", "-wp-timeout", "20", "-wp-par", "2",
      "-wp-msg-key=-no-time-info"]

LEAVES = ["common/crc32.c", "common/disk.c", "common/guid.c", "common/mem.c"]
MEM = ["common/mem.c"]

HARNESSES = {
    "gpt": {
        "sources": ["common/gpt.c"], "with": LEAVES, "seconds": 60,
    },
    "mbrtab": {
        "sources": ["common/mbrtab.c"], "with": LEAVES, "seconds": 20,
        "options": ["-eva-slevel-function", "mbrtab_read:64"],
    },
    "part": {
        "sources": ["common/part.c"], "with": LEAVES + ["common/gpt.c", "common/mbrtab.c"],
        "seconds": 60,
    },
    "md": {
        "sources": ["common/md0.c", "common/md1.c", "common/md_probe.c"],
        "with": LEAVES + ["common/md1_mark.c"], "seconds": 60,
        # "n < 32" is said for the reader: NAME_BYTES says it too.
        "floors": {"copy_name": 93},
    },
    "ldm_head": {
        "sources": ["common/ldm_head.c"], "with": LEAVES + ["common/ldm_record.c", "common/gpt.c"],
        "seconds": 60,
    },
    "ldm_record": {
        "sources": ["common/ldm_record.c"], "with": LEAVES, "seconds": 60,
        "floors": {"ldm_record_parse": 92},
        "options": ["-eva-precision", "0", "-eva-slevel", "20"],
    },
    "ldm_db": {
        "sources": ["common/ldm_db.c"], "with": LEAVES,
        "seconds": 120, "options": ["-eva-precision", "0", "-eva-slevel", "10"],
        "floors": {"take_record": 95, "take_slot": 96},
    },
    "ldm": {
        "sources": ["common/ldm.c", "common/ldm_list.c"],
        "with": LEAVES + ["common/ldm_db.c", "common/ldm_head.c", "common/ldm_record.c",
                          "common/gpt.c"],
        "seconds": 60, "options": ["-eva-precision", "0"],
        # ldm_probe() calls two that have harnesses of their own.
        "floors": {"ldm_probe": 0, "ldm_kind_name": 75, "ldm_kind": 94},
    },
    "fat_open": {
        "sources": ["common/fat.c"], "with": LEAVES, "seconds": 20,
        "options": ["-eva-precision", "1", "-eva-slevel", "100", "-eva-split-return", "full",
                    "-eva-interprocedural-splits"],
        "floors": {"load": 0, "fat_byte": 0, "get12": 0, "fat_get": 0, "fat_follow": 0,
                   "fat_read_sectors": 0, "fat_is_dirty": 0},
    },
    "fat_get": {
        "sources": ["common/fat.c", "common/fat_file.c"], "with": LEAVES + ["common/fat_dir.c",
                                                                            "common/fat_name.c"],
        "floors": {"log2_of": 0, "is_fat": 0, "fat_room": 0, "find_type": 0, "find_areas": 0,
                   "take_fat32": 0, "fat_open": 0}, "seconds": 60,
    },
    "fat_dir": {
        "sources": ["common/fat_dir.c", "common/fat_name.c"], "with": LEAVES + ["common/fat.c"],
        "floors": {"same_name": 0, "find_in": 0, "fat_find": 0, "lower": 0}, "seconds": 120,
    },
    "fat_walk": {
        "sources": ["common/fat_walk.c"], "with": LEAVES, "seconds": 20,
        "options": ["-eva-precision", "0", "-eva-slevel", "10"],
    },
    "manifest": {
        "sources": ["common/manifest.c"],
        "with": LEAVES, "seconds": 60,
        "options": ["-eva-precision", "0", "-eva-slevel", "10"],
    },
    "bootentry": {
        "sources": ["common/bootentry.c"], "with": LEAVES, "seconds": 60,
        "options": ["-eva-precision", "0", "-eva-slevel", "20"],
    },
    "config": {
        "sources": ["common/config.c"], "with": LEAVES + ["common/trust.c", "common/text.c"], "seconds": 60,
        "options": ["-eva-precision", "0"], "floors": {"config_fault_text": 69},
    },
}

# FILE, what a hint for Eva stands before, the hint.
WEAVE = [
    ("common/fat_walk.c", "while (w->depth) {", 'loop widen_hints "all", 32, 1024;'),
    ("common/ldm_db.c", "const struct table *t = &tables[type - 1];", "split type;"),
    ("common/ldm_db.c", "if (r->counts[type]-- == 0", "split type;"),
    ("common/fat.c", "for (*shift = 0; n > 1; n >>= 1)", "loop unroll 32;"),
    ("common/fat.c", "f->cluster_shift = (uint8_t)(f->sector_shift + cluster);",
     "split f->sector_shift;"),
    ("common/mbrtab.c", "for (unsigned i = 0; i < 4; i++) {\n\t\tif (is_empty(",
     "loop unroll 4;"),
]

# FILE, the check, what is there in its place, the harness that has to see it.
SABOTAGE = [
    ("common/gpt.c", "bytes < sizeof(*g) || bytes > 1u << d->shift", "bytes < sizeof(*g)", "gpt"),
    ("common/gpt.c", "list->count >= PART_MAX", "list->full", "gpt"),
    ("common/mbrtab.c", "list->count >= PART_MAX", "list->full", "mbrtab"),
    ("common/md1.c", "m->role_count = (uint16_t)min_u64(max_dev, MEMBER_ROLES);",
     "m->role_count = (uint16_t)max_dev;", "md"),
    ("common/ldm_record.c", "c->bad || !range_ok(c->at, bytes, c->end)", "c->bad", "ldm_record"),
    ("common/fat_dir.c", " && number <= FAT_LONG_SLOTS", "", "fat_dir"),
    ("common/config.c", "v.n >= CONFIG_VALUE_BYTES", "v.n > CONFIG_VALUE_BYTES", "config"),
    ("common/manifest.c", "n < 2 || n > left ||", "n < 2 ||", "manifest"),
]
