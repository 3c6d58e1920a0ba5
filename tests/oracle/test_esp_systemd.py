# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""esp enable under a real systemd: an initramfs in which this system's is process 1."""

import os
import sys
from pathlib import Path

import pytest

import cli
import espguest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import espdisks  # noqa: E402

pytestmark = pytest.mark.skipif(
    os.environ.get("MIRRORBOOT_WHOLE") != "1",
    reason="SKIPPED: units under a real systemd are tested by `make test-whole`")

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt /run /tmp /var /etc /usr/bin /usr/lib/systemd /boot/efi
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
mount -t tmpfs run /run
for m in $(cat /modules/order); do insmod /modules/$m || echo "ORACLE-ERROR insmod $m"; done
mount -t vfat -o utf8=1 /dev/vda1 /boot/efi
[ ! -e /sbin/systemd-executor ] || ln -s /sbin/systemd-executor /usr/lib/systemd/
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
exec /sbin/systemd --log-target=console --show-status=no
"""

UNITS = {
    "default.target": "Requires=basic.target\nAfter=basic.target\nWants=test.service\n"
                      "AllowIsolate=yes",
    "basic.target": "Requires=sysinit.target\nAfter=sysinit.target\n"
                    "Wants=paths.target timers.target",
    "sysinit.target": "", "local-fs.target": "", "paths.target": "", "timers.target": "",
    "shutdown.target": "DefaultDependencies=no",
    "test.service": "After=basic.target\n[Service]\nType=oneshot\nExecStart=/bin/sh /test.sh",
}

SCRIPT = """\
export PATH=/sbin:/bin:/usr/sbin
exec >/dev/console 2>&1
do_() { key=$1; shift; "$@" 2>&1 | sed "s|^|ORACLE $key.out |"; }

# in_step_ KEY: does it come to that by itself?
in_step_() {
	n=0
	until mirrorboot esp status >/dev/null 2>&1 || [ $n = 30 ]; do sleep 2; n=$((n + 1)); done
	[ $n = 30 ] && echo "ORACLE $1 never" || echo "ORACLE $1 yes"
	idle_
}
idle_() { while [ $(systemctl show -P ActiveState mirrorboot-esp.service) = activating ]; do sleep 1; done; }
drift_() { mirrorboot esp status >/dev/null 2>&1; echo "ORACLE $1 $?"; }

do_ enable mirrorboot esp enable --yes /dev/vda /dev/vdb
do_ enabled systemctl is-enabled mirrorboot-esp.path mirrorboot-esp.timer
do_ active systemctl is-active mirrorboot-esp.path mirrorboot-esp.timer
mirrorboot esp clone --enabled --yes >/dev/null 2>&1
idle_
in_step_ first
# the path unit: a file is written, in a folder that is there
echo 1 >/boot/efi/EFI/debian/new
drift_ file.drift
in_step_ file
# a folder is made; and then, when it has its own watch, a file in it is written
mkdir /boot/efi/EFI/folder; echo 1 >/boot/efi/EFI/folder/1
in_step_ folder
echo 22 >/boot/efi/EFI/folder/1
drift_ deep.drift
in_step_ deep
# the hook; all watches are off
systemctl stop mirrorboot-esp.path
echo 1 >/boot/efi/EFI/debian/kernel
drift_ hook.drift
/etc/kernel/postinst.d/zzz-mirrorboot 6.1.0; echo "ORACLE hook.rc $?"
do_ hook systemctl show -P ActiveState mirrorboot-esp.service
in_step_ hook
# a run that fails
mount -t vfat -o ro /dev/vdb1 /mnt
echo 1 >/boot/efi/EFI/debian/more
systemctl start mirrorboot-esp.service; echo "ORACLE failed.rc $?"
do_ failed systemctl is-failed mirrorboot-esp.service
umount /mnt
systemctl start mirrorboot-esp.service; echo "ORACLE mended.rc $?"
mirrorboot esp disable >/dev/null; echo "ORACLE disable.rc $?"
systemctl list-units --all --plain --no-legend 'mirrorboot-esp*' | grep -v "dead\\|failed" | sed "s/^/ORACLE left /"
ls /etc/systemd/system | grep mirrorboot | sed "s/^/ORACLE left /"
echo ORACLE end
poweroff -f
"""


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("systemd")
    here = os.getcwd()
    os.chdir(folder)
    # one file by two names, where /lib is /usr/lib; the executor is of systemd 254 and later
    programs = {p.resolve() for p in (Path("/lib/systemd/systemd"), Path("/usr/lib/systemd/systemd"),
                                      Path("/usr/lib/systemd/systemd-executor")) if p.exists()}
    files = {f"usr/lib/systemd/system/{name}": f"[Unit]\nDescription={name}\n{text}\n".encode()
             for name, text in UNITS.items()}
    files["test.sh"] = SCRIPT.encode()
    try:
        if not programs:
            raise espguest.Unavailable("there is no systemd")
        espdisks.disk("a", {"/EFI/debian/grubx64.efi": b"MZ grub " * 500,
                            "/EFI/BOOT/BOOTX64.EFI": b"MZ fallback"})
        espdisks.disk("b", {})
        answers = espguest.boot(cli.build_folder() / "oracle", INIT,
                                [espguest.drive(folder / x) for x in "ab"],
                                [*programs, espguest.program("systemctl")], files)
    except espguest.Unavailable as why:
        pytest.skip(f"NO ORACLE: no guest with systemd could be had ({why})")
    finally:
        os.chdir(here)
    (cli.build_folder() / "oracle" / "esp-systemd-serial.log").write_text(answers.serial)
    return answers


def test_units_are_started(guest):
    assert guest.lines("enabled.out") == ["enabled"] * 2
    assert guest.lines("active.out") == ["active"] * 2
    assert guest.one("first") == "yes"


@pytest.mark.parametrize("what", ["file", "folder", "deep", "hook"])
def test_brought_in_step(guest, what):
    if what != "folder":
        assert guest.one(what + ".drift") == "1"
    assert guest.one(what) == "yes"


def test_hook_does_not_wait(guest):
    assert guest.rc("hook") == 0 and guest.out("hook") == "activating"


def test_a_run_that_fails(guest):
    assert guest.rc("failed") != 0 and guest.out("failed") == "failed"
    assert guest.rc("mended") == 0


def test_disable(guest):
    assert guest.rc("disable") == 0 and not guest.lines("left")
