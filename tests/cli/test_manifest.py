# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The manifests that install, esp manifest, verify and uninstall keep on each ESP."""

import hashlib
import pathlib
import re
import shutil
import subprocess

import pytest

import onwrite
from disks import digest, esp_put, esp_tree, gpt_disk, run, tool

MANIFEST = "EFI/mirrorboot/manifest"
LOADER = "EFI/debian/grubx64.efi"
NOT_COVERED = ["loader/random-seed", "System Volume Information/x", "EFI/UpdateCapsule/fw.cap",
               "EFI/ubuntu/fw/fwupd.cap", "EFI/debian/grubenv", "EFI/Microsoft/Boot/bootstat.dat"]


def pair():
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True)
        esp_put(x, "EFI/BOOT/BOOTX64.EFI", b"MZ a loader" * 1000)
        esp_put(x, LOADER, b"MZ grub " * 5000)
        esp_put(x, "a name with blanks.txt", b"")


def installed_pair():
    pair()
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr


def parse(text):
    """docs/formats/manifest.md, read independently."""
    body, end = text[:-69], text[-69:]
    assert end == b"end " + hashlib.sha256(body).hexdigest().encode() + b"\n"
    lines = body.decode().split("\n")
    assert lines.pop() == "" and lines.pop(0) == "mirrorboot-manifest 1"
    head = dict(line.split(" ") for line in lines[:4])
    files = {}
    for line in lines[4:]:
        m = re.fullmatch(r"file ([0-9a-f]{64}) (\d+) ([0-9a-f]{8}) \\(.+)", line)
        files[m[4].replace("\\", "/")] = (m[1], int(m[2]))
    assert head.keys() == {"set", "generation", "state", "source"}
    return dict(head, generation=int(head["generation"]), files=files)


def manifest(x):
    return parse(esp_tree(x)[MANIFEST])


def generations():
    return [manifest(x)["generation"] for x in "ab"]


def true_files(x):
    """What a manifest has to say of this ESP."""
    return {n: (hashlib.sha256(d).hexdigest(), len(d)) for n, d in esp_tree(x).items()
            if d is not None and n != MANIFEST and n not in NOT_COVERED}


def partition_guid(x):
    out = tool("sgdisk", "-i", "1", x).decode()
    return re.search(r"unique GUID: (\S+)", out)[1].lower()


def digests():
    return digest("a"), digest("b")


def damage(x, at_text, new):
    """Bytes of a file that change by themselves: neither its time nor its size do."""
    with open(x, "r+b") as f:
        at = f.read(40 << 20).index(at_text)
        f.seek(at)
        f.write(new)


def test_install_writes_them(box):
    pair()
    for name in NOT_COVERED:
        esp_put("a", name, b"changes by itself")
    assert run("install", "--yes", "a", "b").returncode == 0
    for x in "ab":
        m = manifest(x)
        assert m["files"] == true_files(x) and LOADER in m["files"]
        assert m["state"] == "complete" and m["generation"] == 1
        assert m["source"] == partition_guid(x)
    assert manifest("a")["set"] == manifest("b")["set"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                        manifest("a")["set"])
    assert run("verify", "a", "b").returncode == 0
    for name in NOT_COVERED:
        esp_put("a", name, b"has changed by itself")
    assert run("verify", "a", "b").returncode == 0
    before = digests()
    r = run("install", "--yes", "a", "b")
    assert "nothing was written" in r.stdout and digests() == before
    r = run("esp", "manifest", "a", "b")
    assert r.returncode == 0 and r.stdout.count("as it should be (generation 1)") == 2
    assert digests() == before
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert MANIFEST not in esp_tree("a")


def test_update_of_one_esp(box):
    """A package writes its loader to one ESP: that one is newer from then on."""
    installed_pair()
    esp_put("a", LOADER, b"MZ grub, the next version")
    r = run("verify", "a", "b")
    assert r.returncode == 1
    assert "a: \\EFI\\debian\\grubx64.efi has changed since the manifest was written" in r.stdout
    b = digest("b")
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "files have changed since" in r.stdout
    assert generations() == [2, 1] and digest("b") == b
    assert manifest("a")["files"] == true_files("a")
    r = run("verify", "a", "b")
    assert r.returncode == 1
    assert "b: its files are older than those of a (generation 1, there 2)" in r.stdout
    # Our own files do not make it newer.
    pathlib.Path("c").write_text("timeout = 9\n")
    assert run("install", "--yes", "--config", "c", "a", "b").returncode == 0
    assert generations() == [2, 1] and manifest("b")["files"] == true_files("b")
    # Whoever says that both are right is believed.
    esp_put("b", LOADER, b"MZ grub, the next version")
    assert run("esp", "manifest", "a", "b").returncode == 0
    assert generations() == [3, 3] and manifest("b")["files"] == true_files("b")
    assert run("verify", "a", "b").returncode == 0


def test_updates_of_both(box):
    installed_pair()
    for x in "ab":
        esp_put(x, LOADER, b"MZ of " + x.encode())  # other loaders on each are nobody's fault
    assert run("esp", "manifest", "a", "b").returncode == 0
    assert generations() == [2, 2] and run("verify", "a", "b").returncode == 0


def test_one_disk_at_a_time(box):
    installed_pair()
    one_set = manifest("a")["set"]
    esp_put("a", LOADER, b"MZ new")
    assert run("esp", "manifest", "a").returncode == 0
    esp_put("b", LOADER, b"MZ new")
    assert run("esp", "manifest", "b").returncode == 0
    assert generations() == [2, 2] and {manifest(x)["set"] for x in "ab"} == {one_set}


def test_disk_that_joins(box):
    pair()
    assert run("install", "--yes", "a").returncode == 0
    esp_put("a", LOADER, b"MZ new")
    assert run("esp", "manifest", "a").returncode == 0
    one_set = manifest("a")["set"]
    a = digest("a")
    assert run("install", "--yes", "a", "b").returncode == 0
    assert digest("a") == a and generations() == [2, 2]
    assert manifest("b")["set"] == one_set


def test_two_sets_become_one(box):
    pair()
    assert run("install", "--yes", "a").returncode == 0
    assert run("install", "--yes", "b").returncode == 0
    assert manifest("a")["set"] != manifest("b")["set"]
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "b: its manifest is of another set than that of a" in r.stdout
    assert run("esp", "manifest", "a", "b").returncode == 0
    assert manifest("a")["set"] == manifest("b")["set"] and generations() == [2, 2]


def test_not_listed_and_missing(box):
    installed_pair()
    esp_put("a", "EFI/new/loader.efi", b"MZ")
    tool("mdel", "-i", "b@@1048576", "::/" + LOADER)
    r = run("verify", "a", "b")
    assert r.returncode == 1
    assert "a: \\EFI\\new\\loader.efi is not listed in the manifest" in r.stdout
    assert "b: \\EFI\\debian\\grubx64.efi is listed in the manifest and missing" in r.stdout
    assert run("install", "--yes", "a", "b").returncode == 0
    assert generations() == [2, 2] and run("verify", "a", "b").returncode == 0


def test_damage(box):
    installed_pair()
    damage("b", b"MZ grub MZ grub ", b"MZ grUb ")
    before = digests()
    r = run("verify", "a", "b")
    assert r.returncode == 3
    assert ("b: \\EFI\\debian\\grubx64.efi is damaged: size and time are as they were, what is in "
            "it is not") in r.stdout
    assert "a: as installed (UEFI)" in r.stdout
    for command in ["install", "--yes"], ["esp", "manifest"]:
        r = run(*command, "a", "b")
        assert r.returncode == 3 and "grubx64.efi is damaged" in r.stderr
        assert "nothing was written" in r.stderr and digests() == before
    esp_put("b", LOADER, b"MZ grub " * 5001)  # installed again
    assert run("install", "--yes", "a", "b").returncode == 0
    assert run("esp", "manifest", "a", "b").returncode == 0
    assert run("verify", "a", "b").returncode == 0


def test_damage_of_our_own_is_mended(box):
    installed_pair()
    app = esp_tree("a")["EFI/mirrorboot/mirrorboot.efi"]
    damage("a", app[-3000:], b"\xff" * 8)
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "is not this version's" in r.stdout
    assert run("install", "--yes", "a", "b").returncode == 0
    assert run("verify", "a", "b").returncode == 0 and generations() == [1, 1]


def test_damaged_manifest(box):
    installed_pair()
    damage("a", b"mirrorboot-manifest 1\n", b"mirrorboot-manifesT")
    r = run("verify", "a", "b")
    assert r.returncode == 3 and "a: its manifest is damaged" in r.stdout
    b = digest("b")
    assert run("install", "--yes", "a", "b").returncode == 0
    assert generations() == [1, 1] and digest("b") == b
    assert run("verify", "a", "b").returncode == 0


def test_manifest_of_a_later_version(box):
    installed_pair()
    damage("a", b"mirrorboot-manifest 1\n", b"mirrorboot-manifest 2\n")
    before = digests()
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "a newer mirrorboot" in r.stdout
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and "a newer mirrorboot" in r.stderr and digests() == before


def test_copied_esp(box):
    """An ESP that somebody copied with dd has the manifest of another partition."""
    installed_pair()
    with open("a", "rb") as a, open("b", "r+b") as b:
        a.seek(1 << 20)
        b.seek(1 << 20)
        b.write(a.read(32 << 20))
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "b: its manifest was written for another partition" in r.stdout
    assert run("install", "--yes", "a", "b").returncode == 0
    assert manifest("b")["source"] == partition_guid("b") and generations() == [1, 1]


def test_esp_manifest_needs_an_installation(box):
    pair()
    before = digests()
    r = run("esp", "manifest", "a", "b")
    assert r.returncode == 3 and "mirrorboot is not on its EFI system partition" in r.stderr
    assert digests() == before


def test_command_line(box):
    for args in ["esp"], ["esp", "frobnicate"], ["esp", "manifest"], ["esp", "list"]:
        assert run(*args).returncode == 2
    assert "esp frobnicate" in run("esp", "frobnicate", "a").stderr
    assert "usage: mirrorboot esp manifest DISK..." in run("esp", "manifest", "--help").stdout
    for name in "esp list", "esp manifest":
        assert name in run("--help").stdout


def run_cut(write, *args):
    """The power fails before the tool's write of that number."""
    return run(*args, env=onwrite.env(write))


def cuts(*args):
    """Numbers of writes to be cut at, of a run from "a.before": some 14, the last is behind all."""
    shutil.copy("a.before", "a")
    assert run_cut(0, *args).returncode == 0
    n = onwrite.count()
    return [*range(1, n + 1, max(1, n // 12)), 2 * n]


def says(x):
    """complete, and then every file has to be as it says; updating; or none."""
    text = esp_tree(x).get(MANIFEST)
    if text is None:
        return "none"
    m = parse(text)
    assert m["state"] == "updating" or m["files"] == true_files(x)
    return m["state"]


@pytest.mark.parametrize("before", ["nothing", "installed"])
def test_cut_before_each_write(box, before):
    """At no moment does a complete manifest stand beside files that it does not describe."""
    pair()
    pathlib.Path("c").write_text("timeout = 9\n")
    if before == "installed":
        assert run("install", "--yes", "a").returncode == 0
        esp_put("a", "EFI/mirrorboot/mirrorboot.efi", b"MZ\nmirrorboot,1")  # an older build
        assert run("esp", "manifest", "a").returncode == 0
    shutil.copy("a", "a.before")
    seen, cut_said = [], ""
    install = "install", "--yes", "--config", "c", "a"
    at = cuts(*install)
    for write in at:
        shutil.copy("a.before", "a")
        r = run_cut(write, *install)
        seen.append(says("a"))
        assert r.returncode == (0 if write == at[-1] else 1)
        if seen[-1] == "updating":
            v = run("verify", "a")
            cut_said += v.stdout
            assert v.returncode == 1
            assert ("an installation on its EFI system partition was cut" in v.stdout or
                    "mirrorboot is not installed on any of them" in v.stdout)
        assert run(*install).returncode == 0
        assert says("a") == "complete" and run("verify", "a").returncode == 0
        assert "nothing was written" in run(*install).stdout
    assert seen[0] == ("complete" if before == "installed" else "none")
    assert seen.count("updating") >= 3 and seen[-1] == "complete"
    first, done = seen.index("updating"), len(seen) - seen[::-1].index("updating")
    assert set(seen[first:done]) == {"updating"} and set(seen[done:]) == {"complete"}
    if before == "installed":
        assert "was cut" in cut_said


def test_manifest_goes_first_at_uninstall(box):
    installed_pair()
    shutil.copy("a", "a.before")
    seen = []
    for write in cuts("uninstall", "--yes", "a"):
        shutil.copy("a.before", "a")
        last = run_cut(write, "uninstall", "--yes", "a")
        seen.append(says("a"))
    assert last.returncode == 0 and seen[0] == "complete" and seen[-1] == "none"
    assert seen == sorted(seen) and seen.count("none") > 3
    assert subprocess.run(["mdir", "-i", "a@@1048576", "::/EFI/mirrorboot"],
                          capture_output=True).returncode
