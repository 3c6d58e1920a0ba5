# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""esp clone and esp enable where file systems are really mounted: Linux' own vfat in a guest."""

import json
import os
import sys
from pathlib import Path

import pytest

import cli
import espguest
import gptdisk
import mdmember

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import espdisks  # noqa: E402

EXISTS = {
    "/EFI/BOOT/BOOTX64.EFI": b"MZ fallback" * 2000,
    "/EFI/debian/grubx64.efi": b"MZ grub " * 5000,
    "/loader/entries/a long name of an entry, with blanks.conf": b"title A\n",
    "/EFI/Linux/\u00e4\u03b1\u4e2d.txt": "Names of the world\n".encode(),
    "/empty": b"",
}
OTHERS = {"/EFI/BOOT/BOOTX64.EFI": b"MZ fallback" * 2000, "/EFI/old/gone.efi": b"MZ gone" * 500}

# What is cloned, how often the disk was written to, what Linux mounts afterwards.
SCRIPT = r"""
vfat="mount -t vfat -o utf8=1"
$vfat /dev/vda1 /boot/efi || { ls /dev; exit; }

# a target whose pages the kernel has in memory
exec 9</dev/vdb1
cat /dev/vdb1 >/dev/null

do_ first mirrorboot esp clone --yes /dev/vda /dev/vdb
tree_ first.source /boot/efi
fsck_ first.fsck /dev/vdb1
$vfat -o ro /dev/vdb1 /mnt
tree_ first.target /mnt
cat /mnt/EFI/mirrorboot/manifest | say_ first.manifest
cat /boot/efi/EFI/mirrorboot/manifest | say_ first.manifest.source
umount /mnt
exec 9<&-

# nothing to do: nothing is written to either
sync
written_ again.a0 vda; written_ again.b0 vdb
do_ again mirrorboot esp clone --yes /dev/vda /dev/vdb
sync
written_ again.a1 vda; written_ again.b1 vdb
do_ status mirrorboot esp status --json /dev/vda /dev/vdb

# what is only in memory yet, is cloned
head -c 300000 /dev/urandom >/boot/efi/EFI/debian/kernel
rm /boot/efi/empty
mkdir -p "/boot/efi/EFI/a new folder with a long name"
echo x >"/boot/efi/EFI/a new folder with a long name/x"
flock -s /dev/vdb sleep 2 &  # as udev does
sleep 0.2
do_ memory mirrorboot esp clone --yes /dev/vda /dev/vdb
tree_ memory.source /boot/efi
$vfat -o ro /dev/vdb1 /mnt
tree_ memory.target /mnt
do_ named mirrorboot esp clone --yes /dev/vda1 /dev/vdb1

# the target is mounted: refused
echo y >/boot/efi/EFI/debian/y
sync
written_ mounted.b0 vdb
do_ mounted mirrorboot esp clone --yes /dev/vda /dev/vdb
written_ mounted.b1 vdb
umount /mnt

# writers: one that never ends, one that ends
loop_() {
	n=0
	while [ -e /tmp/loop ]; do
		head -c 20000 /dev/urandom >/boot/efi/EFI/debian/loop.new
		mv /boot/efi/EFI/debian/loop.new /boot/efi/EFI/debian/loop.$((n % 3))
		rm -f /boot/efi/EFI/debian/loop.$(((n + 1) % 3))
		n=$((n + 1))
	done
	echo $n >/tmp/loops
}
touch /tmp/loop
loop_ &
do_ busy mirrorboot esp clone --yes /dev/vda /dev/vdb
rm /tmp/loop; wait
echo "ORACLE busy.loops $(cat /tmp/loops)"
fsck_ busy.fsck /dev/vdb1
do_ quiet mirrorboot esp clone --yes /dev/vda /dev/vdb
for n in 1 2 3 4; do
	head -c 20000 /dev/urandom >/boot/efi/EFI/debian/slow.$n; sleep 0.3
done &
do_ slow mirrorboot esp clone --yes /dev/vda /dev/vdb
wait
do_ slow.after mirrorboot esp clone --yes /dev/vda /dev/vdb
tree_ slow.source /boot/efi
$vfat -o ro /dev/vdb1 /mnt
tree_ slow.target /mnt
umount /mnt
fsck_ slow.fsck /dev/vdb1

# a read-only source is cloned, its manifest is not written
echo z >/boot/efi/EFI/debian/z
mount -o remount,ro /boot/efi
do_ ro mirrorboot esp clone --yes /dev/vda /dev/vdb
mount -o remount,rw /boot/efi

# --create on a disk of which another partition is mounted
mkdir /other
$vfat /dev/vdc1 /other
do_ none mirrorboot esp clone --yes /dev/vda /dev/vdc
do_ create mirrorboot esp clone --yes --create /dev/vda /dev/vdc
fsck_ create.fsck /dev/vdc2
$vfat -o ro /dev/vdc2 /mnt
tree_ create.source /boot/efi
tree_ create.target /mnt
umount /mnt
cat /other/keep | say_ create.other
umount /other

# 4096-byte sectors
do_ large mirrorboot esp clone --yes --create /dev/vda /dev/vdd
$vfat -o ro /dev/vdd1 /mnt
tree_ large.target /mnt
umount /mnt
fsck_ large.fsck /dev/vdd1

umount /boot/efi
fsck_ source.fsck /dev/vda1
do_ end mirrorboot esp status /dev/vda /dev/vdb
"""


# The same without being asked: enable, hooks, disks that go and come back.
ENABLED = r"""
mirrorboot=/sbin/mirrorboot
hook=/etc/kernel/postinst.d/zzz-mirrorboot
vfat="mount -t vfat -o utf8=1"
$vfat /dev/vda1 /boot/efi || { ls /dev; exit; }

# nothing is enabled: nothing is done
do_ off mirrorboot esp status
do_ enable mirrorboot esp enable --yes
do_ shown mirrorboot esp enable --show
cat /etc/mirrorboot/esp.conf | say_ conf
do_ unasked mirrorboot esp clone --unattended
do_ asked mirrorboot esp clone --enabled --yes
cat /etc/systemd/system/mirrorboot-esp.path | say_ watch
do_ status mirrorboot esp status --json

# a kernel is installed
mkdir -p /boot/efi/EFI/new
head -c 50000 /dev/urandom >/boot/efi/EFI/new/kernel
do_ drift mirrorboot esp status
do_ hook $hook 6.1.0 /boot/vmlinuz
do_ hooked mirrorboot esp status
cat /etc/systemd/system/mirrorboot-esp.path | say_ watch.after
tree_ hook.source /boot/efi
$vfat -o ro /dev/vdb1 /mnt
tree_ hook.target /mnt

# the target is mounted
echo 1 >/boot/efi/EFI/new/1
do_ mounted mirrorboot esp clone --unattended
do_ mounted.hook $hook 6.1.0
umount /mnt

# in a chroot, and in what calls itself a container
mkdir /jail
mount -t tmpfs jail /jail
mkdir -p /jail/bin /jail/sbin /jail/etc/mirrorboot /jail/proc /jail/tmp /jail/dev
cp /bin/busybox /jail/bin/busybox
for n in sh stat cat touch; do ln -s busybox /jail/bin/$n; done
cp /etc/mirrorboot/esp.conf /jail/etc/mirrorboot/
cp $hook /jail/hook
printf '#!/bin/sh\ntouch /tmp/called\n' >/jail/sbin/mirrorboot
chmod 755 /jail/sbin/mirrorboot
mount -t proc proc /jail/proc
do_ jail chroot /jail /hook 6.1.0
ls /jail/tmp | say_ jail.called
mkdir -p /run/systemd; touch /run/systemd/container
do_ container $hook 6.1.0
rm -r /run/systemd
do_ still mirrorboot esp status

# three at once, and one more target
do_ more mirrorboot esp enable --yes /dev/vda /dev/vdb /dev/vdc
do_ more.clone mirrorboot esp clone --enabled --yes
head -c 60000 /dev/urandom >/boot/efi/EFI/new/2
for n in 1 2 3; do
	( mirrorboot esp clone --unattended >/tmp/par.$n 2>&1; echo "ORACLE par.rc $?" ) &
done
wait
cat /tmp/par.* | say_ par
do_ par.status mirrorboot esp status

# found by its manifests
do_ again mirrorboot esp enable --yes

# a disk dies; the other target is kept in step; it comes back, under whatever name
echo 1 >/sys/block/vdb/device/../remove
echo 2 >/boot/efi/EFI/new/2
do_ dead mirrorboot esp clone --unattended
do_ dead.status mirrorboot esp status
do_ dead.json mirrorboot esp status --json
do_ dead.hook $hook 6.1.0
echo 1 >/sys/bus/pci/rescan
sleep 1
do_ back mirrorboot esp clone --unattended
do_ back.status mirrorboot esp status

# changed on the target, and then on the source
$vfat /dev/vdc1 /mnt; echo mine >/mnt/EFI/new/2; umount /mnt
do_ own mirrorboot esp clone --unattended
$vfat -o ro /dev/vdc1 /mnt; cat /mnt/EFI/new/2 | say_ own.kept; umount /mnt
do_ own.over mirrorboot esp clone --enabled --yes
do_ own.status mirrorboot esp status

# the machine ran from the second disk for a while
umount /boot/efi
$vfat /dev/vdb1 /boot/efi; echo 3 >/boot/efi/EFI/new/3
do_ other mirrorboot esp clone --yes /dev/vdb /dev/vdc
umount /boot/efi
$vfat /dev/vda1 /boot/efi; echo 4 >/boot/efi/EFI/new/4
do_ newer mirrorboot esp clone --unattended
do_ newer.status mirrorboot esp status
do_ newer.force mirrorboot esp clone --enabled --yes --force

# a source that was made anew, or emptied
cp -a /boot/efi /tmp/saved
rm -rf /boot/efi/*
do_ empty mirrorboot esp clone --unattended
mkdir -p /boot/efi/EFI; cp -a /tmp/saved/EFI/mirrorboot /boot/efi/EFI
do_ bare mirrorboot esp clone --unattended
cp -a /tmp/saved/* /boot/efi
umount /boot/efi
do_ unmounted mirrorboot esp clone --unattended
do_ end mirrorboot esp status
do_ disable mirrorboot esp disable
find /etc /var /run/mirrorboot -type f | say_ left
for d in a b c; do fsck_ fsck.$d /dev/vd${d}1; done
"""


def ask(tmp_path_factory, name, make, script, drives):
    folder = tmp_path_factory.mktemp(name)
    here = os.getcwd()
    os.chdir(folder)
    try:
        make()
        answers = espguest.run(cli.build_folder() / "oracle", script, drives(folder))
    except espguest.Unavailable as why:
        pytest.skip(f"NO ORACLE: no guest with Linux could be had ({why}); no mounted file system "
                    "was cloned")
    finally:
        os.chdir(here)
    (cli.build_folder() / "oracle" / f"{name}-serial.log").write_text(answers.serial)
    return answers


@pytest.fixture(scope="module")
def mounts(tmp_path_factory):
    def make():
        espdisks.disk("a", EXISTS)
        espdisks.disk("b", OTHERS, mib=48)
        espdisks.disk("c", {"/keep": b"kept\n"}, mib=16, spare_mib=60)
        espdisks.tool("sgdisk", "-t", "1:0700", "c")  # no ESP
        espdisks.empty_disk("d", 80, 4096)
    return ask(tmp_path_factory, "esp-mounts", make, SCRIPT, lambda folder: [
        *(espguest.drive(folder / x) for x in "abc"), espguest.drive(folder / "d", 4096)])


@pytest.fixture(scope="module")
def enabled(tmp_path_factory):
    def make():
        for n, x in enumerate("ab"):  # legs of one mirror; c has an ESP and is in none
            gptdisk.write(x, [(gptdisk.ESP, espdisks.fat(34 << 20, 16, 512, {} if n else EXISTS)),
                              (gptdisk.RAID, mdmember.fixture(f"md1.2-insync-{x}"))], n)
        espdisks.disk("c", {})
    return ask(tmp_path_factory, "esp-enabled", make, ENABLED,
               lambda folder: [espguest.drive(folder / x) for x in "abc"])


def clean(guest, key):
    """What fsck.fat -n says: nothing."""
    assert guest.rc(key) == 0 and not guest.out(key), guest.out(key)


def same_tree(guest, name):
    want = guest.lines(name + ".source")
    assert want and guest.lines(name + ".target") == want


def done(guest, key, says="cloned and verified"):
    assert guest.rc(key) == 0 and says in guest.out(key), guest.out(key) + guest.err(key)


def failed(guest, key, says, status=3):
    assert guest.rc(key) == status and says in guest.err(key), guest.out(key) + guest.err(key)


# ---- esp clone, by hand ----

def test_mounted_source(mounts):
    done(mounts, "first")
    same_tree(mounts, "first")
    clean(mounts, "first.fsck")
    lines = mounts.lines("first.manifest")
    assert "generation 1" in lines and "state complete" in lines
    # the source's came by way of the mount
    assert "generation 1" in mounts.lines("first.manifest.source")


def test_nothing_is_written_when_nothing_differs(mounts):
    done(mounts, "again", "nothing was written")
    for disk in "ab":
        assert mounts.one(f"again.{disk}0") == mounts.one(f"again.{disk}1")
    assert mounts.rc("status") == 0
    esps = json.loads(mounts.out("status"))["esps"]
    assert [e["mounted_on"] for e in esps] == ["/boot/efi", None]


def test_what_is_in_memory_is_cloned(mounts):
    done(mounts, "memory")
    same_tree(mounts, "memory")


def test_mounted_target_is_refused(mounts):
    failed(mounts, "named", "/dev/vdb1: is mounted on /mnt")
    failed(mounts, "mounted", "/dev/vdb: is mounted on /mnt")
    assert mounts.one("mounted.b0") == mounts.one("mounted.b1")


def test_source_that_is_written_to(mounts):
    """While it goes on, a clone may give up; what is on the target is whole, and ends in step."""
    assert mounts.rc("busy") in (0, 3)
    assert mounts.rc("busy") == 0 or mounts.err("busy")
    assert int(mounts.one("busy.loops")) > 3
    clean(mounts, "busy.fsck")
    done(mounts, "quiet")
    done(mounts, "slow")
    assert mounts.rc("slow.after") == 0
    same_tree(mounts, "slow")
    clean(mounts, "slow.fsck")


def test_read_only_source(mounts):
    done(mounts, "ro")
    assert "its manifest is not up to date, and is not written here" in mounts.err("ro")


def test_create_beside_a_mounted_partition(mounts):
    failed(mounts, "none", "say --create")
    done(mounts, "create")
    clean(mounts, "create.fsck")  # the kernel knows /dev/vdc2
    same_tree(mounts, "create")
    assert mounts.lines("create.other") == ["kept"]


def test_create_with_large_sectors(mounts):
    done(mounts, "large")
    clean(mounts, "large.fsck")
    assert mounts.lines("large.target") == mounts.lines("create.target")


def test_source_is_whole(mounts):
    clean(mounts, "source.fsck")


# ---- esp enable ----

A, B, C = (f"PARTUUID={gptdisk.guid_of(n, 1)}" for n in (0, 1, ord("c")))


def in_step(guest, key, status=0):
    assert guest.rc(key) == status
    assert ("All are in step." in guest.out(key)) == (not status)


def test_found_by_the_mirror(enabled):
    assert enabled.rc("off") == 2 and "nothing is enabled" in enabled.err("off")
    done(enabled, "enable", "Not yet cloned: 1")
    conf = enabled.lines("conf")
    assert [x for x in conf if x.startswith(("source", "target"))] == [f"source = {A}",
                                                                       f"target = {B}"]
    assert enabled.rc("shown") == 0 and "no run so far" in enabled.out("shown")


def test_the_first_clone_is_asked_for(enabled):
    failed(enabled, "unasked", "has no manifest")
    done(enabled, "asked")
    said = json.loads(enabled.out("status"))
    assert said["in_step"] and said["missing"] == 0
    assert said["enabled"]["source"] == A and said["enabled"]["targets"] == [B]
    assert said["enabled"]["last_run"]["exit_status"] == 3
    assert said["enabled"]["last_run"]["in_step_at"] is None


def test_folders_are_watched(enabled):
    def watched(key):
        return [x[12:] for x in enabled.lines(key) if x.startswith("PathChanged=/boot/efi")]
    before = watched("watch")
    assert {"/boot/efi" + x for x in ("", "/EFI", "/EFI/debian", "/loader/entries")} <= set(before)
    # one that is new is watched after the next run
    assert set(watched("watch.after")) - set(before) == {"/boot/efi/EFI/mirrorboot",
                                                         "/boot/efi/EFI/new"}


def test_hook(enabled):
    in_step(enabled, "drift", 1)
    done(enabled, "hook")
    in_step(enabled, "hooked")
    same_tree(enabled, "hook")


def test_hook_never_fails(enabled):
    failed(enabled, "mounted", "is mounted on /mnt")
    failed(enabled, "mounted.hook", "are not in step", status=0)


def test_hook_in_chroot_and_container(enabled):
    for key in ("jail", "container"):
        assert enabled.rc(key) == 0 and not enabled.out(key) and not enabled.err(key)
    assert "called" not in enabled.lines("jail.called")
    in_step(enabled, "still", 1)


def test_runs_at_once(enabled):
    done(enabled, "more", "Not yet cloned: 1")
    done(enabled, "more.clone")
    assert enabled.lines("par.rc") == ["0"] * 3
    assert sum("cloned and verified" in x for x in enabled.lines("par")) == 2  # each target once
    in_step(enabled, "par.status")


def test_found_by_manifests(enabled):
    assert enabled.rc("again") == 0
    assert [x.split()[1] for x in enabled.lines("again.out")
            if x.startswith(("source", "target"))] == [A, B, C]


def test_disk_dies_and_comes_back(enabled):
    failed(enabled, "dead", f"{B}: is not there (it was /dev/vdb1)", status=1)
    assert "/dev/vdc1: cloned and verified" in enabled.out("dead")
    in_step(enabled, "dead.status", 1)
    said = json.loads(enabled.out("dead.json"))
    assert said["missing"] == 1 and not said["in_step"]
    assert said["enabled"]["last_run"]["exit_status"] == 1
    assert enabled.rc("dead.hook") == 0
    done(enabled, "back")
    in_step(enabled, "back.status")


def test_own_changes_are_not_written_over(enabled):
    failed(enabled, "own", r"\EFI\new\2 was changed there since it was cloned")
    assert enabled.lines("own.kept") == ["mine"]
    done(enabled, "own.over")
    in_step(enabled, "own.status")


def test_newer_targets_are_refused(enabled):
    done(enabled, "other")
    failed(enabled, "newer", "is newer than /dev/vda1")
    in_step(enabled, "newer.status", 1)
    done(enabled, "newer.force")


def test_source_without_loaders_is_not_cloned(enabled):
    failed(enabled, "empty", "has no manifest")
    failed(enabled, "bare", "there is no loader on it")


def test_source_that_is_not_mounted(enabled):
    done(enabled, "unmounted")
    in_step(enabled, "end")


def test_disable(enabled):
    done(enabled, "disable", "Disabled.")
    assert enabled.lines("left") == ["/run/mirrorboot/esp.lock"]
    for disk in "abc":
        clean(enabled, f"fsck.{disk}")
