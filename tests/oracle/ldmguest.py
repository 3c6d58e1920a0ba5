# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What Linux' own parsers say of disks: one boot of a guest with all of them.

Debian's and Ubuntu's kernels have CONFIG_LDM_PARTITION. Linux knows a dynamic disk by its MBR
and shows what its database has on it; on a GPT disk it shows the GPT's own partitions. The tool
runs there once, too: only a machine has controllers.
"""

import hashlib
import itertools
import string
from dataclasses import dataclass, field

import cli
import linux

MODULES = ["virtio_pci", "virtio_blk", "ahci", "sd_mod", "crc32c_generic"]
HEAD_BYTES = 32768
FIRST_SLOT, FUNCTIONS, SLOTS = 4, 8, 24

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m || echo "ORACLE-ERROR insmod $m"; done
echo "ORACLE kernel $(uname -r)"
echo "ORACLE ldm_partition $(grep -c ' ldm_partition$' /proc/kallsyms)"
for d in /sys/block/vd*; do
	n=${d##*/}
	echo "ORACLE disk $n $(dd if=/dev/$n bs=32k count=1 2>/dev/null | sha256sum | cut -c-64)"
	for p in $d/$n*; do
		[ -f $p/start ] && echo "ORACLE part $n $(cat $p/start) $(cat $p/size)"
	done
done
dmesg | sed -n 's/^.*\\] *\\( vd[a-z]*:.*\\)/ORACLE said\\1/p'
dmesg | sed -n 's/^.*\\(ldm_[a-z_]*().*\\)/ORACLE-LOG \\1/p'
n=0
while [ $n -lt 60 ] && ! [ -b /dev/sda -a -b /dev/sdb ]; do sleep 1; n=$((n + 1)); done
mirrorboot status /dev/sda /dev/sdb 2>&1 | sed 's/^/ORACLE together /'
mirrorboot status /dev/vda /dev/vdb 2>&1 | sed 's/^/ORACLE apart /'
mirrorboot status /dev/sda /dev/sdb /dev/vdc 2>&1 | sed 's/^/ORACLE beside /'
echo ORACLE end
poweroff -f
"""


@dataclass
class Disk:
    parts: set = field(default_factory=set)  # (start, sectors), 512-byte units
    ldm: bool = False                        # the LDM parser took it


def _names():
    """vda ... vdz, vdaa ..."""
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "vd" + "".join(letters)


def _devices(images, together):
    """QEMU's arguments: images with a PCI function for each, `together` on one AHCI controller."""
    args = []
    for n, image in enumerate(images):
        slot, function = divmod(n, FUNCTIONS)
        args += ["-drive", f"if=none,id=v{n},format=raw,snapshot=on,file={image}",
                 "-device", f"virtio-blk-pci,drive=v{n},multifunction=on,"
                            f"addr={FIRST_SLOT + slot:x}.{function}"]
    for n, image in enumerate(together):
        args += ["-drive", f"if=none,id=s{n},format=raw,snapshot=on,file={image}",
                 "-device", f"ide-hd,drive=s{n},bus=ide.{n}"]
    return args


def ask(folder, images, timeout_s=600):
    """{image: Disk} and the lines that the tool said in the guest, {"together": [...], ...}.

    The first three images: a pair, and another disk. The pair is there a second time, with both
    disks on one controller ("together", and "beside" with the third disk). Raises
    linux.Unavailable.
    """
    if len(images) > SLOTS * FUNCTIONS:
        raise ValueError(f"{len(images)} disks are too many for one guest")
    root = linux.prepare(folder)
    initrd = linux.initramfs(root, INIT, MODULES, [cli.build_folder() / "mirrorboot"])
    serial = linux.run(root, initrd, "ORACLE end", timeout_s=timeout_s, append="no_timer_check",
                       extra=_devices(images, images[:2]))
    (folder / "serial-ldm.log").write_text(serial)
    if "ORACLE ldm_partition 1" not in serial:
        raise linux.Unavailable("this kernel was built without CONFIG_LDM_PARTITION")
    named = dict(zip(_names(), images))
    answers = {image: Disk() for image in images}
    said = {"together": [], "apart": [], "beside": []}
    seen = set()
    for line in serial.splitlines():
        word = line.split()
        if word[:2] == ["ORACLE", "disk"]:
            image = named[word[2]]
            with open(image, "rb") as f:
                head = f.read(HEAD_BYTES)
            if hashlib.sha256(head).hexdigest() != word[3]:
                raise RuntimeError(f"{word[2]} of the guest is not {image}")
            seen.add(image)
        elif word[:2] == ["ORACLE", "part"]:
            answers[named[word[2]]].parts.add((int(word[3]), int(word[4])))
        elif word[:2] == ["ORACLE", "said"] and word[2].rstrip(":") in named:
            answers[named[word[2].rstrip(":")]].ldm = "[LDM]" in word
        elif len(word) > 2 and word[0] == "ORACLE" and word[1] in said:
            said[word[1]].append(line.split(" ", 2)[2])
    if seen != set(images):
        raise RuntimeError("not all disks came up in the guest:\n" + serial[-3000:])
    return answers, said
