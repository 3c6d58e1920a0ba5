# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""entries clone and repair on a real efivarfs: Linux on OVMF, whose variables these are.

Then the firmware itself, with the first disk detached: what it starts is the clone.
"""

import json
import re
import struct
import uuid

import pytest

import cli
import espdisk
import gptdisk
import linux
import nvram
import qemu
from espdisk import DEBIAN, child

OTHER = "/EFI/debian/fwupdx64.efi"
MIB = 1 << 20
MODULES = ["virtio_pci", "virtio_blk", "efivarfs"]
RECORD = "/var/lib/mirrorboot/entries.json"
GLOBAL = nvram.GLOBAL

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /usr/bin /usr/sbin /var/lib /tmp
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m || echo "ORACLE-ERROR insmod $m"; done
V=/sys/firmware/efi/efivars
mount -t efivarfs efivarfs $V || echo "ORACLE-ERROR no efivarfs"
step()
{
	name=$1; shift
	"$@" >/tmp/out 2>&1
	rc=$?
	echo; echo "STEP $name $rc"
	sed "s/^/$name| /" /tmp/out
}
state() { cat $V/BootOrder-* $V/Boot[0-9]*-* | sha256sum; ls $V; }
"""

STEPS = """
step clone mirrorboot entries clone --yes --from {a} --to {b} /dev/vda /dev/vdb
state >/tmp/cloned
step again mirrorboot entries clone --yes --from {a} --to {b} /dev/vda /dev/vdb
step found mirrorboot entries list --json
clone=$(grep -l "$(printf 'm.i.r.r.o.r')" $V/Boot0*-{vendor} | head -1)
step lost rm "$clone"
step gone mirrorboot entries list /dev/vda /dev/vdb
step repair mirrorboot entries repair --yes /dev/vda /dev/vdb
state | cmp - /tmp/cloned && echo "STEP as-cloned 0"

# As much as the firmware takes; and then the entries for a third partition.
n=0
for size in 16000 1000 100; do
	{{ printf '\007\000\000\000'; head -c $size /dev/zero; }} >/tmp/fill
	while dd if=/tmp/fill of=$V/Fill$n-{fill} bs=64k count=1 2>/tmp/full && [ $n -lt 500 ]; do n=$((n + 1)); done
	echo "FILLED $n: $(grep -v records /tmp/full | tail -1)"
	n=$((n + 1)) # what failed has left an empty file
done
state >/tmp/before
cp {record} /tmp/record
step full mirrorboot entries clone --yes --from {a} --to {c} /dev/vda /dev/vdb
state | cmp - /tmp/before && cmp {record} /tmp/record && echo "STEP as-before 0"
echo "ORACLE done"
poweroff -f
"""


class Machine:
    """Two disks, a variable store, and what the guest said."""

    def __init__(self, folder):
        files = {DEBIAN: None, OTHER: b"no program"}
        esps = {}
        for n in (0, 1):
            files[DEBIAN] = child(f"disk-{'AB'[n]}")
            esps[n] = gptdisk.fat((20 - 4 * n) * MIB, files, serial=0x6D620000 + n)
        self.paths = [folder / "a.img", folder / "b.img"]
        self.a = gptdisk.write(self.paths[0], [(gptdisk.ESP, esps[0])], 0)[0]
        _, self.b, self.c = gptdisk.write(self.paths[1], [
            (gptdisk.RAID, bytes(MIB)), (gptdisk.ESP, esps[1]), (gptdisk.ESP, bytes(MIB))], 1)
        self.store = folder / "variables"
        nvram.write(self.store, nvram.entries(nvram.entry("debian", self.a, DEBIAN, "these options"),
                                              nvram.entry("updater", self.a, OTHER, "y" * 400)))
        self.serial = None

    def run(self, root):
        script = INIT + STEPS.format(a=self.a.guid, b=self.b.guid, c=self.c.guid, vendor=GLOBAL,
                                     fill=uuid.uuid4(), record=RECORD)
        initrd = linux.initramfs(root, script, MODULES, [cli.build_folder() / "mirrorboot"])
        code, _ = qemu.ovmf()
        self.serial = linux.run(
            root, initrd, "ORACLE done", [f"file={p},snapshot=on" for p in self.paths], timeout_s=400,
            extra=["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
                   "-drive", f"if=pflash,format=raw,unit=1,file={self.store}"])

    def status(self, name):
        found = re.search(rf"^STEP {name} (\d+)$", self.serial, re.M)
        return int(found[1]) if found else None

    def said(self, name):
        return "\n".join(re.findall(rf"^{name}\| (.*)$", self.serial, re.M))


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    try:
        root = linux.prepare(cli.build_folder() / "oracle")
        m = Machine(tmp_path_factory.mktemp("entries"))
        m.run(root)
    except linux.Unavailable as e:
        pytest.skip(f"no Linux to ask: {e}")
    assert "ORACLE-ERROR" not in m.serial, m.serial
    return m


def test_cloned(machine):
    m = machine
    assert m.status("clone") == 0, m.serial
    assert m.said("clone").count("was cloned") == 2
    assert m.status("again") == 0 and "nothing was written" in m.said("again"), m.said("again")
    # libblkid finds the partitions by itself, and nothing is wrong with the entries.
    assert m.status("found") == 0, m.said("found")
    found = {e["description"]: e["disk"] for e in json.loads(m.said("found"))["entries"] if e["partition"]}
    assert found == {"debian": "/dev/vda", "debian (mirror)": "/dev/vdb",
                     "updater": "/dev/vda", "updater (mirror)": "/dev/vdb"}


def test_brought_back(machine):
    m = machine
    assert m.status("lost") == 0 and m.status("gone") == 1, m.serial
    assert "brings it back" in m.said("gone")
    assert m.status("repair") == 0 and m.said("repair").count("was brought back") == 1, m.said("repair")
    assert m.status("as-cloned") == 0, m.serial


def test_full(machine):
    m = machine
    filled = re.findall(r"^FILLED (\d+): (.*)$", m.serial, re.M)
    assert len(filled) == 3 and all("No space left" in why for _, why in filled), filled
    assert m.status("full") == 3, m.said("full")
    said = " ".join(m.said("full").split())
    assert "Boot0005 could not be written: the firmware's memory for variables is full" in said
    assert "/sys/fs/pstore" in said
    assert "what had been added was taken back" in said
    assert m.status("as-before") == 0, m.serial


def test_what_the_firmware_has(machine):
    """Its own store, read past Linux: each clone right behind its original."""
    m = machine
    variables = {name: data for (name, vendor), (_, data) in nvram.read(m.store).items() if vendor == GLOBAL}
    order = [f"Boot{n:04X}" for n in struct.unpack(f"<{len(variables['BootOrder']) // 2}H", variables["BootOrder"])]
    on = {}
    for part, word in ((m.a, ""), (m.b, " (mirror)")):
        for name, file, options in (("debian", DEBIAN, "these options"), ("updater", OTHER, "y" * 400)):
            wanted = nvram.entry(name + word, part, file, options)
            (on[name + word],) = [n for n, data in variables.items() if data == wanted and n in order]
    for name in ("debian", "updater"):
        assert order.index(on[name + " (mirror)"]) == order.index(on[name]) + 1, order
    assert not any(m.c.guid in str(uuid.UUID(bytes_le=d[i:i + 16])) for d in variables.values()
                   for i in range(len(d) - 15))


def test_the_firmware_starts_the_clone(machine, tmp_path):
    """The first disk is detached: the boot order goes on to the clone, on the other disk, with its options."""
    m, store = machine, tmp_path / "variables"  # without what filled it, which costs time
    nvram.write(store, {key: value for key, value in nvram.read(m.store).items() if key[0].startswith("Boot")})
    got = qemu.boot([qemu.Drive(str(m.paths[1]))], "uefi", until=(espdisk.DONE, "No bootable option"),
                    timeout_s=240, variables=store)
    assert espdisk.label(got.serial) == "disk-B", got.serial
    assert espdisk.options(got.serial) == "these options"
    assert espdisk.is_on(got.serial, espdisk.Disk(m.paths[1], m.b))
