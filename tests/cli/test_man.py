# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Man pages and completion: every command and option is in them, and in a test."""

import pathlib
import re
import subprocess

import pytest

from disks import TOOL, TOP, run
from optiontables import commands

PAGES = "mirrorboot.8", "mirrorboot.conf.5", "mirrorboot-messages.7"


def options(text):
    return set(re.findall(r"--([a-z][a-z0-9-]*)", text))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("man")
    subprocess.run([TOP / "tools/mkman", TOOL, folder], check=True)
    return folder


def test_the_tables_are_found():
    listed = re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)  +[a-z]|^  ([a-z-]+ [a-z-]+) [a-z]",
                        run("--help").stdout, re.M)
    assert len(commands()) == len(listed) > 10


@pytest.mark.parametrize("name", commands())
def test_options_are_everywhere(made, name):
    has = commands()[name] - {"help", "sector-size"}  # those that all have
    said = run(*name.split(), "--help").stdout
    assert has == options(said.split("\n\n", 1)[1]) - {"help", "sector-size"}, "the help text"
    page = (made / "mirrorboot.8").read_text().replace("\\-", "-")
    section = page.split(f".SS {name}\n")[1].split(".SS ")[0].split(".SH ")[0]
    assert has <= options(section), "the man page"
    words = re.search(rf"'{name}(?: '\*|')\) words='([^']*)'", (made / "mirrorboot.bash").read_text())[1]
    assert has | {"help", "sector-size"} == options(words), "completion"
    tests = "".join(p.read_text() for p in (TOP / "tests").rglob("*.py"))
    assert not [o for o in has if f'"--{o}"' not in tests], "no test says it"


@pytest.mark.parametrize("page", PAGES)
def test_pages_render(made, page):
    r = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-Kutf8", made / page], capture_output=True,
                       text=True)
    assert r.returncode == 0 and not r.stderr, r.stderr
    assert "mirrorboot" in r.stdout and "@" not in re.sub(r"@BaseAddress|@@", "", r.stdout)


def test_every_key_of_the_config_is_in_its_page(made):
    keys = re.findall(r'\[KEY_\w+\] = "([a-z-]+)"', (TOP / "common/config.c").read_text())
    page = (made / "mirrorboot.conf.5").read_text()
    assert len(keys) > 8 and all(f".BR {key} " in page for key in keys)


@pytest.mark.parametrize("line,want", [
    ("mirrorboot sta", "status"), ("mirrorboot esp li", "list"), ("mirrorboot ldm ", "repair"),
    ("mirrorboot status --", "--json"), ("mirrorboot drill --firmware ", "uefi"),
    ("mirrorboot status a-dis", "a-disk.img"),
])
def test_completion(made, box, line, want):
    pathlib.Path("a-disk.img").touch()
    words = line.split(" ")
    script = ('. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mirrorboot; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    r = subprocess.run(["bash", "-c", script, made / "mirrorboot.bash", *words], capture_output=True,
                       text=True, check=True)
    assert want in r.stdout.split("\n") and not r.stderr
