# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The commands and their options, as the sources have them."""

import functools
import re
import subprocess

from disks import TOP

SOURCES = sorted((TOP / "tools").glob("cmd_*.c"))


@functools.lru_cache(maxsize=None)
def commands():
    """From the tables in the source, with their macros: {"esp clone": its options}."""
    found = {}
    for path in SOURCES:
        text = subprocess.run(["cc", "-E", "-P", "-D_GNU_SOURCE", "-I", TOP, path], check=True,
                              capture_output=True, text=True).stdout
        tables = {m[1]: set(re.findall(r'\{\s*"([a-z0-9-]+)"\s*,\s*[012]\s*,', m[2]))
                  for m in re.finditer(r"const struct option (\w+)\[\] = \{(.*?)\};", text, re.S)}
        for m in re.finditer(r"const struct command cmd_\w+ = \{(.*?)\n?\};", text, re.S):
            name = re.search(r'\.name = "([^"]+)"', m[1])[1]
            found[name] = tables[re.search(r"\.options = (\w+)", m[1])[1]]
    return found
