# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The Debian packages: what is in them, what lintian says, that the same source makes the same."""

import os
import pathlib
import shutil
import subprocess

import pytest

from disks import BUILD, TOP


def make(folder):
    """The packages, from a build folder's copy: other tests run at the same time."""
    shutil.copytree(BUILD, folder / "build", symlinks=True,
                    ignore=shutil.ignore_patterns("oracle", "story", "corpus", "deb"))
    r = subprocess.run([TOP / "tools/mkdeb", folder / "build"], capture_output=True, text=True, cwd=TOP,
                       env=dict(os.environ, MAKEFLAGS="", SOURCE_DATE_EPOCH="1767225600"))
    assert r.returncode == 0, r.stderr
    return {pathlib.Path(p).name.split("_")[0]: pathlib.Path(p) for p in r.stdout.split()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return make(tmp_path_factory.mktemp("deb"))


def listing(path):
    out = subprocess.run(["dpkg-deb", "-c", path], check=True, capture_output=True, text=True).stdout
    return {line.split()[5].removeprefix("."): line.split()[:2] for line in out.splitlines()}


def test_contents(packages):
    assert set(packages) == {"mirrorboot", "mirrorboot-efi", "mirrorboot-doc"}
    tool = listing(packages["mirrorboot"])
    for path in ("/usr/sbin/mirrorboot", "/usr/share/man/man8/mirrorboot.8.gz",
                 "/usr/share/man/man5/mirrorboot.conf.5.gz",
                 "/usr/share/man/man7/mirrorboot-messages.7.gz",
                 "/usr/share/bash-completion/completions/mirrorboot",
                 "/usr/lib/systemd/system/mirrorboot-esp.timer",
                 "/usr/lib/systemd/system/mirrorboot-check.timer",
                 "/usr/lib/systemd/system/mirrorboot-check.service",
                 "/etc/kernel/postinst.d/zzz-mirrorboot",
                 "/etc/initramfs/post-update.d/zzz-mirrorboot",
                 "/etc/apt/apt.conf.d/90mirrorboot"):
        assert path in tool
    assert tool["/etc/kernel/postinst.d/zzz-mirrorboot"][0] == "-rwxr-xr-x"
    assert tool["/usr/lib/mirrorboot/check"][0] == "-rwxr-xr-x"
    assert not [path for path in tool if path.endswith("mirrorboot-esp.path")]
    assert all(owner == "root/root" for _, owner in tool.values())
    assert "/usr/lib/mirrorboot/mirrorboot.efi" in listing(packages["mirrorboot-efi"])
    doc = listing(packages["mirrorboot-doc"])
    assert "/usr/share/doc/mirrorboot-doc/failures.md" in doc
    assert "/usr/share/doc/mirrorboot-doc/formats/bootarea.md" in doc
    # no file is in two of them
    files = [p for package in packages.values() for p in listing(package) if not p.endswith("/")]
    assert len(files) == len(set(files))


def test_the_tool_in_it_runs(packages, box):
    subprocess.run(["dpkg-deb", "-x", packages["mirrorboot"], "."], check=True)
    for hook in pathlib.Path("etc").rglob("zzz-mirrorboot*"):
        assert "/usr/sbin/mirrorboot" in hook.read_text() and "@" not in hook.read_text()
    check = pathlib.Path("usr/lib/mirrorboot/check").read_text()
    assert "/usr/sbin/mirrorboot" in check and "@" not in check
    r = subprocess.run(["usr/sbin/mirrorboot", "--help"], capture_output=True, text=True, check=True)
    assert r.stdout.startswith("mirrorboot ")


def test_lintian_finds_no_error(packages):
    r = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", *packages.values()],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr


def test_the_same_source_makes_the_same_package(packages, tmp_path):
    for name, path in make(tmp_path).items():
        assert path.read_bytes() == packages[name].read_bytes(), name
