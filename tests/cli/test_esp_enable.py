# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""esp enable, disable, and the runs that nobody looks at, on images and under --root.

With real mounts, disks that go and come back, and what is found without names:
tests/oracle/test_esp_mounts.py.
"""

import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest

from disks import TOOL, TOP, esp_put, run, tool
from espdisks import FILES, GRUB, OTHERS, clone, disk, is_clone, manifest, state, tree

ROOT = pathlib.Path("root")
CONF = ROOT / "etc/mirrorboot/esp.conf"
UNITS = ROOT / "etc/systemd/system"
HOOKS = [ROOT / "etc" / x for x in (
    "kernel/postinst.d/zzz-mirrorboot", "kernel/postrm.d/zzz-mirrorboot",
    "initramfs/post-update.d/zzz-mirrorboot", "kernel/install.d/zzz-mirrorboot.install")]


def esp(command, *args, rc=0):
    r = run("esp", command, "--root", ROOT, *args)
    assert r.returncode == rc, r.stdout + r.stderr
    return r


def unattended(rc=0):
    return esp("clone", "--unattended", rc=rc)


def written(folder=ROOT):
    """The files under a folder, but for locks."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*")
            if not p.is_dir() and "run/mirrorboot" not in str(p)}


@pytest.fixture
def pair(box):
    """Two that were cloned and are enabled, source a and target b."""
    disk("a", FILES)
    disk("b", OTHERS)
    clone("a", "b")
    esp("enable", "--yes", "a", "b")
    return box


# ---- what is written, and removed ----

def test_off_by_itself(box):
    disk("a", FILES)
    r = esp("status", rc=2)
    assert "nothing is enabled" in r.stderr
    assert "nothing is enabled" in esp("clone", "--enabled", rc=2).stderr
    assert "Nothing is enabled." in unattended().stdout
    assert "Nothing is enabled." in esp("enable", "--show").stdout
    assert "Nothing is enabled." in esp("disable").stdout
    assert not ROOT.exists()


def test_asks(box):
    disk("a", FILES)
    disk("b", {})
    r = esp("enable", "a", "b", rc=2)
    assert "say --yes; nothing was enabled" in r.stderr and not ROOT.exists()


def test_enable_and_disable(pair):
    conf = CONF.read_text()
    assert f"source = {pair}/a\n" in conf and f"target = {pair}/b\n" in conf
    for hook in HOOKS:
        assert stat.S_IMODE(hook.stat().st_mode) == 0o755
    service = (UNITS / "mirrorboot-esp.service").read_text()
    assert f"ExecStart={TOOL} esp clone --unattended\n" in service
    assert (UNITS / "mirrorboot-esp.timer").exists()
    # a path unit is for a source that is mounted
    assert not (UNITS / "mirrorboot-esp.path").exists()
    assert all("@" not in p.read_text() for p in (*HOOKS, UNITS / "mirrorboot-esp.timer"))
    shown = esp("enable", "--show").stdout
    assert f"source {pair}/a" in shown and "zzz-mirrorboot" in shown and "no run so far" in shown
    unattended()
    before = state("a", "b")
    assert "Disabled." in esp("disable").stdout
    assert not written() and state("a", "b") == before
    assert not (ROOT / "etc/mirrorboot").exists() and not (ROOT / "var/lib/mirrorboot").exists()


def test_again(pair):
    """Enabling another set replaces the first."""
    disk("c", {})
    before = written()
    r = esp("enable", "--yes", "--exclude", "*.bak", "a", "c")
    assert "Not yet cloned: 1" in r.stdout and "is left" not in r.stdout
    assert written() == before
    conf = CONF.read_text()
    assert f"target = {pair}/c\n" in conf and "/b\n" not in conf and "exclude = *.bak" in conf
    esp("disable")
    assert not written()


def test_what_somebody_changed_is_left(pair):
    with open(HOOKS[0], "a") as f:
        f.write("# mine\n")
    r = esp("enable", "--yes", "a", "b")
    assert f"{HOOKS[0].absolute().relative_to(pair)} is there already" in r.stdout
    assert HOOKS[0].read_text().endswith("# mine\n")
    esp("disable")
    assert written() == {str(HOOKS[0].relative_to(ROOT))}


def test_what_a_package_brought_is_used(box):
    disk("a", FILES)
    disk("b", {})
    brought = ROOT / "lib/systemd/system/mirrorboot-esp.service"
    brought.parent.mkdir(parents=True)
    brought.write_text("[Service]\nExecStart=/bin/true\n")
    HOOKS[1].parent.mkdir(parents=True)
    HOOKS[1].write_text("#!/bin/sh\n")
    esp("enable", "--yes", "a", "b")
    assert not (UNITS / "mirrorboot-esp.service").exists()
    assert HOOKS[1].read_text() == "#!/bin/sh\n"
    esp("disable")
    assert written() == {"lib/systemd/system/mirrorboot-esp.service",
                         str(HOOKS[1].relative_to(ROOT))}


@pytest.mark.skipif(not shutil.which("systemctl"), reason="NO SYSTEMD: no systemctl; whether the "
                    "timer is enabled was not looked at")
def test_timer_is_enabled(pair):
    link = UNITS / "timers.target.wants/mirrorboot-esp.timer"
    assert link.is_symlink()
    esp("disable")
    assert not link.is_symlink()


@pytest.mark.parametrize("args, says, rc", [
    (("a",), "a source and at least one target", 2),
    (("a", "a"), "same", 3),
    (("a", "nowhere"), "nowhere: No such file", 3),
    (("a", "zero"), "zero: it has no EFI system partition", 3),
    (("--exclude", "/", "a", "b"), "--exclude takes", 2),
])
def test_bad_names(box, args, says, rc):
    disk("a", FILES)
    disk("b", {})
    disk("zero", {}, number=9)
    tool("sgdisk", "-t", "1:0700", "zero")
    assert says in esp("enable", "--yes", *args, rc=rc).stderr
    assert not ROOT.exists()


@pytest.mark.parametrize("line", ["what = ever", "no equals sign", "source = /a", "wrote = 12 /x",
                                  "keep-extra = perhaps", "was = x\nwas = y"])
def test_bad_conf(pair, line):
    """It says what it is, and nothing is touched."""
    before = state("a", "b")
    with open(CONF, "a") as f:
        f.write(line + "\n")
    for r in (unattended(rc=3), esp("status", rc=3), esp("disable", rc=3)):
        assert re.search(r"esp.conf: line \d+ can't be understood", r.stderr)
    assert state("a", "b") == before
    esp("enable", "--yes", "a", "b")
    unattended()


# ---- units and hooks ----

@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="NO SYSTEMD: no systemd-analyze; "
                    "the units were looked at by nobody")
def test_systemd_understands_the_units(pair):
    text = (TOP / "tools/dist/mirrorboot-esp.path").read_text()
    watch = UNITS / "mirrorboot-esp.path"
    watch.write_text(text.replace("@WATCH@", "PathChanged=/boot/efi\nPathChanged=/boot/efi/EFI"))
    units = sorted(p for p in UNITS.glob("mirrorboot-esp.*"))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True,
                       text=True)
    lines = [x for x in r.stderr.splitlines() if "mirrorboot" in x]
    assert not lines, r.stderr
    # it can say no
    watch.write_text(watch.read_text().replace("PathChanged=", "PathChanges="))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", watch], capture_output=True,
                       text=True)
    assert "PathChanges" in r.stderr


class Machine:
    """A hook, run where its paths lead into a folder, with stand-ins for what it calls."""

    def __init__(self, box):
        self.box, self.bin, self.log = box, box / "bin", box / "log"
        self.bin.mkdir()
        for name, body in (("systemctl", "exit ${SYSTEMCTL:-0}"), ("stat", "echo 1:${AT:-2}")):
            self.put(name, body)
        text = HOOKS[0].read_text().replace(str(TOOL), str(self.put("mirrorboot", "exit ${TOOL:-0}")))
        for path in ("/etc/mirrorboot", "/run/", "/.dockerenv"):
            text = text.replace(path, f"{box}/root{path}")
        assert "/proc/1/root/. " in text
        self.hook = box / "hook"
        self.hook.write_text(text)

    def put(self, name, body):
        path = self.bin / name
        echo = "" if name == "stat" else f'echo "{name} $*" >>{self.log}\n'
        path.write_text(f"#!/bin/sh\n{echo}{body}\n")
        path.chmod(0o755)
        return path

    def run(self, **env):
        self.log.write_text("")
        r = subprocess.run(["/bin/sh", self.hook, "6.1.0", "/boot/vmlinuz-6.1.0"],
                           capture_output=True, text=True,
                           env={"PATH": f"{self.bin}:/usr/bin:/bin", **env})
        assert r.returncode == 0 and not r.stdout, r.stdout + r.stderr
        return self.log.read_text(), r.stderr


def test_hook(pair):
    m = Machine(pair)
    assert m.run() == ("mirrorboot esp clone --unattended\n", "")
    assert "are not in step" in m.run(TOOL="3")[1]
    systemd = ROOT / "run/systemd/system"
    systemd.mkdir(parents=True)
    assert m.run() == ("systemctl start --no-block mirrorboot-esp.service\n", "")
    assert (ROOT / "run/mirrorboot/esp.again").exists()
    assert "were not brought in step" in m.run(SYSTEMCTL="1")[1]


def test_hook_that_does_nothing(pair):
    m = Machine(pair)
    # in a chroot: the root is not that of process 1
    m.put("stat", 'case $* in */proc/1/*) echo 1:2 ;; *) echo 7:2 ;; esac')
    assert m.run() == ("", "")
    m.put("stat", "echo 1:2")
    assert m.run()[0]
    assert m.run(DPKG_ROOT="/target") == ("", "")
    (ROOT / "run/systemd").mkdir(parents=True)
    for mark in ("run/systemd/container", ".dockerenv", "run/.containerenv"):
        (ROOT / mark).touch()
        assert m.run() == ("", "")
        (ROOT / mark).unlink()
    assert m.run()[0]
    (m.bin / "mirrorboot").chmod(0o644)  # the tool is gone, the hook is not
    assert m.run() == ("", "")
    (m.bin / "mirrorboot").chmod(0o755)
    CONF.unlink()
    assert m.run() == ("", "")


# ---- unattended ----

def test_many_at_once(pair):
    """Kernel hooks and the units may all come at the same moment: each run ends well."""
    for n in range(4):
        esp_put("a", "EFI/many", b"x" * (n + 1))
        runs = [subprocess.Popen([TOOL, "esp", "clone", "--unattended", "--root", ROOT],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                for _ in range(16)]
        said = [(*r.communicate(timeout=60), r.returncode) for r in runs]
        bad = [(err, rc) for _, err, rc in said if err or rc]
        assert not bad
        assert any("cloned and verified" in out for out, _, _ in said)
        assert tree("b") == tree("a")


def test_in_step(pair):
    before = state("a", "b")
    r = unattended()
    assert not r.stdout and not r.stderr and state("a", "b") == before
    r = esp("status")
    assert "All are in step." in r.stdout and "Kept in step by itself: last on" in r.stdout


def test_brings_in_step(pair):
    esp_put("a", GRUB, b"MZ the next grub" * 3000)
    assert "is another on" in esp("status", rc=1).stdout
    assert "b: cloned and verified (generation 2)" in unattended().stdout
    is_clone("a", "b", 2)
    assert esp("status").returncode == 0
    said = json.loads(esp("status", "--json").stdout)
    assert said["enabled"]["source"] == f"{pair}/a" and said["enabled"]["targets"] == [f"{pair}/b"]
    last = said["enabled"]["last_run"]
    assert last["exit_status"] == 0 and last["time"] == last["in_step_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", last["time"])
    assert said["in_step"] and said["missing"] == 0


def test_what_was_cut_is_finished(pair):
    esp_put("a", GRUB, b"MZ the next grub" * 3000)
    unattended()
    text = tool("mtype", "-i", "b@@1M", "::/EFI/mirrorboot/manifest")
    body = re.sub(rb"file .*\n", b"", text[:-69]).replace(b"state complete", b"state updating")
    esp_put("b", "EFI/mirrorboot/manifest",
            body + b"end " + hashlib.sha256(body).hexdigest().encode() + b"\n")
    esp_put("b", GRUB, b"MZ half")
    unattended()
    is_clone("a", "b", 2)


def test_one_that_is_missing_is_no_loss_to_the_others(pair):
    disk("c", {})
    clone("a", "c")
    esp("enable", "--yes", "a", "b", "c")
    esp_put("a", GRUB, b"MZ the next grub" * 3000)
    os.rename("b", "gone")
    r = unattended(rc=1)
    assert f"{pair}/b: is not there" in r.stderr
    is_clone("a", "c", 2)
    r = esp("status", rc=1)
    assert "is not there" in r.stderr and "All are in step" not in r.stdout
    assert "missed a target" in r.stdout
    said = json.loads(esp("status", "--json", rc=1).stdout)
    assert said["missing"] == 1 and not said["in_step"] and len(said["esps"]) == 2
    os.rename("gone", "b")
    unattended()
    is_clone("a", "b", 2)
    os.rename("a", "gone")
    r = unattended(rc=3)
    assert f"{pair}/a: is not there" in r.stderr
    assert esp("status", rc=1).stdout.count("generation 2") == 2


def test_one_that_fails_is_no_loss_to_the_others(pair):
    disk("c", {})
    clone("a", "c")
    esp("enable", "--yes", "a", "b", "c")
    esp_put("a", GRUB, b"MZ the next grub" * 3000)
    with open("b", "r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        r = unattended(rc=3)
    assert f"{pair}/b: is locked" in r.stderr
    is_clone("a", "c", 2)
    last = json.loads(esp("status", "--json", rc=1).stdout)["enabled"]["last_run"]
    assert last["exit_status"] == 3
    unattended()
    is_clone("a", "b", 2)


def refused(says, before=None):
    before = before or state("a", "b")
    r = unattended(rc=3)
    assert says in r.stderr and "b: was left untouched" in r.stderr, r.stderr
    assert state("a", "b") == before


def test_never_cloned(box):
    """The first time, a person is asked."""
    disk("a", FILES)
    disk("b", OTHERS)
    esp("enable", "--yes", "a", "b")
    refused("a: has no manifest")
    disk("c", {})
    clone("a", "c")
    refused("b: was not cloned from")
    assert "say --yes" in esp("clone", "--enabled", rc=2).stderr
    esp("clone", "--enabled", "--yes")
    is_clone("a", "b", 1)
    unattended()


def test_changed_on_the_target(pair):
    esp_put("b", GRUB, b"MZ somebody's own grub")
    refused(r"b: \EFI\debian\grubx64.efi was changed there")
    esp_put("b", "EFI/own/file", b"own")
    esp("clone", "--enabled", "--yes", "--exclude", "EFI/own")
    refused(r"their own \EFI\own\file")  # its folder would be deleted
    esp("enable", "--yes", "--exclude", "EFI/own", "a", "b")
    unattended()
    assert tree("b")["EFI/own/file"] == b"own"
    assert esp("status").returncode == 0


def test_newer_target(pair):
    esp_put("b", GRUB, b"MZ newer")
    clone("b", "a")  # generation 2
    esp_put("b", GRUB, b"MZ newer still")
    disk("c", {})
    clone("b", "c")  # generation 3
    refused("b: is newer than")


def test_both_have_the_same_generation(pair):
    """The target ran alone for a while, and so did the source."""
    for x, other in (("a", "c"), ("b", "d")):
        disk(other, {})
        esp_put(x, GRUB, b"MZ of " + x.encode())
        clone(x, other)
    assert manifest("a")["generation"] == manifest("b")["generation"] == 2
    refused(r"was updated apart from %s/a, and both have their own \EFI\debian\grubx64.efi" % pair)


def test_target_was_updated_while_the_source_went_on(pair):
    unattended()
    disk("c", {})
    disk("d", {})
    esp_put("b", GRUB, b"MZ of b")
    clone("b", "c")  # b is at 2, by itself
    for n in (b"1", b"22"):  # of another size: within two seconds FAT has the same time
        esp_put("a", GRUB, b"MZ of a" + n)
        clone("a", "d")  # a is at 3
    assert (manifest("a")["generation"], manifest("b")["generation"]) == (3, 2)
    refused("b: was updated apart from")
    esp("clone", "--enabled", "--yes")
    unattended()
    is_clone("a", "b", 3)


def test_by_hand_in_between(pair):
    """Clones by hand in the same direction are no split."""
    unattended()
    for n in (b"1", b"22"):  # of another size: within two seconds FAT has the same time
        esp_put("a", GRUB, b"MZ of a" + n)
        clone("a", "b")
    esp_put("a", GRUB, b"MZ of a, the third")
    unattended()
    is_clone("a", "b", 4)


def test_no_loader_on_the_source(pair):
    for name in (GRUB, "EFI/BOOT/BOOTX64.EFI"):
        tool("mdel", "-i", "a@@1M", "::/" + name)
    refused("a: there is no loader on it")


def test_keep_extra(pair):
    esp("enable", "--yes", "--keep-extra", "a", "b")
    esp_put("b", "extra", b"extra")
    esp_put("a", GRUB, b"MZ the next grub" * 3000)
    unattended()
    assert tree("b")["extra"] == b"extra" and tree("b")[GRUB] == tree("a")[GRUB]


def test_runs_do_not_overlap(pair):
    """While one has the lock, another only asks for one more look."""
    unattended()
    esp_put("a", GRUB, b"MZ the next grub" * 3000)
    before = state("a", "b")
    with open(ROOT / "run/mirrorboot/esp.lock", "r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        assert "Another run is under way" in unattended().stdout
    assert (ROOT / "run/mirrorboot/esp.again").exists() and state("a", "b") == before
    unattended()
    assert not (ROOT / "run/mirrorboot/esp.again").exists()
    is_clone("a", "b", 2)


def test_names_beside_enabled(pair):
    for option in ("--enabled", "--unattended"):
        assert "name no others" in run("esp", "clone", option, "--root", ROOT, "a", "b").stderr
