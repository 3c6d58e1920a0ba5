# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A Debian system on two disks, as an administrator has it.

The system is made by mmdebstrap from Debian's archive: systemd, the archive's oldest kernel, and its newest
one as a package that waits in /srv/upgrade. A Linux guest puts it on the disks:

    1 EFI system partition   FAT; GRUB for UEFI on the first disk's, nothing on the second's
    2 BIOS boot partition    GRUB for BIOS, on both disks
    3 /boot                  md RAID1, metadata 1.2
    4 /                      md RAID1, metadata 1.2, with a bitmap

so the same disks start on BIOS and on UEFI. Both steps are kept in a folder, by what they are made of.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time

import gptdisk
import linux

SUITE = "bookworm"
PACKAGES = ["systemd-sysv", "udev", "dbus", "kmod", "procps", "initramfs-tools", "busybox-static", "zstd",
            "mdadm", "e2fsprogs", "dosfstools", "efibootmgr", "grub-efi-amd64", "grub-pc-bin"]
DISK_MIB = 2048
LOADER = "/EFI/debian/grubx64.efi"
ESP_UUID = ("6D62-0001", "6D62-0002")
BOOT_UUID = "6d620000-0000-4000-8000-00000000b007"
ROOT_UUID = "6d620000-0000-4000-8000-000000004007"
ARRAY = {"boot": "6d620000:00000000:00000000:0000b007", "root": "6d620000:00000000:00000000:00004007"}

# In mmdebstrap's hook: $1 is the new system's root. The initramfs is small, and made quickly by a slow machine.
MAKE = f"""\
set -eu
root=$1
cat >"$root/etc/fstab" <<'END'
UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1
UUID={BOOT_UUID} /boot ext4 defaults 0 2
UUID={ESP_UUID[0]} /boot/efi vfat umask=0077,nofail 0 1
END
cat >"$root/etc/mdadm/mdadm.conf" <<'END'
HOMEHOST <system>
MAILADDR root
ARRAY /dev/md/boot metadata=1.2 UUID={ARRAY["boot"]} name=story:boot
ARRAY /dev/md/root metadata=1.2 UUID={ARRAY["root"]} name=story:root
END
cat >"$root/etc/default/grub" <<'END'
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_DISABLE_OS_PROBER=true
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0 no_timer_check"
GRUB_TERMINAL=console
END
printf 'MODULES=list\\nCOMPRESS=zstd\\nCOMPRESSLEVEL=1\\n' >"$root/etc/initramfs-tools/conf.d/story"
printf 'virtio_pci\\nvirtio_blk\\next4\\nraid1\\n' >>"$root/etc/initramfs-tools/modules"
echo story >"$root/etc/hostname"
# a shell on the serial line that edits no lines
mkdir -p "$root/etc/systemd/system/serial-getty@ttyS0.service.d"
cat >"$root/etc/systemd/system/serial-getty@ttyS0.service.d/story.conf" <<'END'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I dumb
END
chroot "$root" usermod --shell /bin/sh root
cat >"$root/root/.profile" <<'END'
PS1= PS2= PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
stty -echo
dmesg -n 1
echo "STORY-""SHELL"
END
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim mdcheck_start mdcheck_continue; do
	ln -sf /dev/null "$root/etc/systemd/system/$timer.timer"
done
kernels=$(chroot "$root" apt-cache pkgnames linux-image- |
	grep -E '^linux-image-[0-9.]+-[0-9]+-cloud-amd64$' | sort -V)
old=$(echo "$kernels" | head -n 1)
new=$(echo "$kernels" | tail -n 1)
[ "$old" != "$new" ] || {{ echo "the archive has one kernel only: $old" >&2; exit 1; }}
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$old"
# the package as it is, but for xz, which takes minutes on an emulated machine
mkdir -p "$root/srv/upgrade"
chroot "$root" sh -eu -c "cd /srv/upgrade
	apt-get -o APT::Sandbox::User=root download $new
	dpkg-deb -R *.deb unpacked
	rm *.deb
	dpkg-deb --root-owner-group -Znone -b unpacked $new.deb
	rm -r unpacked"
"""

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /new
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m || echo "INSTALL-FAILED insmod $m"; done
mount -t tmpfs -o size=90% none /new
tar -x -f /dev/vdc -C /new || echo "INSTALL-FAILED tar"
cp /install.sh /new/install.sh
for d in proc sys dev; do mount --bind /$d /new/$d; done
chroot /new /bin/sh -eu /install.sh && echo INSTALL-DONE
echo INSTALL-END
poweroff -f
"""

INSTALL = f"""\
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
say() {{ echo "INSTALL $(cut -d' ' -f1 /proc/uptime) $*"; }}
rm /install.sh
modprobe -a raid1 vfat nls_ascii nls_cp437 ext4 || true
say arrays
mdadm --create /dev/md127 --run --homehost=story --name=boot --uuid={ARRAY["boot"]} --metadata=1.2 \\
	--level=1 --raid-devices=2 --assume-clean --bitmap=none /dev/vda3 /dev/vdb3
mdadm --create /dev/md126 --run --homehost=story --name=root --uuid={ARRAY["root"]} --metadata=1.2 \\
	--level=1 --raid-devices=2 --assume-clean --bitmap=internal /dev/vda4 /dev/vdb4
mke2fs -q -t ext4 -U {BOOT_UUID} -L boot /dev/md127
mke2fs -q -t ext4 -U {ROOT_UUID} -L root /dev/md126
mkfs.vfat -n ESP-A -i {ESP_UUID[0].replace("-", "")} /dev/vda1 >/dev/null
mkfs.vfat -n ESP-B -i {ESP_UUID[1].replace("-", "")} /dev/vdb1 >/dev/null
say copy
mkdir -p /target
mount /dev/md126 /target
mkdir -p /target/boot
mount /dev/md127 /target/boot
cp -ax /. /target/ 2>/dev/null || true
rm -rf /target/target
mkdir -p /target/boot/efi
mount /dev/vda1 /target/boot/efi
for d in proc sys dev; do mkdir -p /target/$d; mount --bind /$d /target/$d; done
# as udev would
mkdir -p /dev/disk/by-uuid /dev/md
ln -sf ../../md126 /dev/disk/by-uuid/{ROOT_UUID}
ln -sf ../../md127 /dev/disk/by-uuid/{BOOT_UUID}
ln -sf ../md126 /dev/md/root
ln -sf ../md127 /dev/md/boot
say grub
chroot /target grub-install --target=i386-pc /dev/vda
chroot /target grub-install --target=i386-pc /dev/vdb
chroot /target grub-install --target=x86_64-efi --efi-directory=/boot/efi --bootloader-id=debian --no-nvram
chroot /target update-grub
grep -c {ROOT_UUID} /target/boot/grub/grub.cfg
say sync
umount /target/boot/efi /target/proc /target/sys /target/dev /target/boot /target
mdadm --stop /dev/md127
mdadm --stop /dev/md126
sync
say end
"""

WANTED = ["./boot/vmlinuz*", "./bin/busybox", "./usr/bin/busybox", "./usr/lib/modules/*"]


def digest(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def depends(deb):
    """The packages that a package needs, the first where there is a choice."""
    out = subprocess.run(["dpkg-deb", "-f", str(deb), "Depends"], check=True, capture_output=True, text=True).stdout
    return sorted({re.match(r"[^\s(|:]+", word.strip())[0] for word in out.split(",") if word.strip()})


def _forget(folder, pattern, keep):
    for old in folder.glob(pattern):
        if old != keep:
            old.unlink()


def esp(disk):
    """The EFI system partition of a disk."""
    said = subprocess.run(["/usr/sbin/sgdisk", "-i", "1", str(disk)], check=True, capture_output=True, text=True).stdout
    first, last = (int(re.search(rf"{word} sector: (\d+)", said)[1]) for word in ("First", "Last"))
    guid = re.search(r"unique GUID: (\S+)", said)[1]
    return gptdisk.Part(1, gptdisk.ESP, guid, first, last - first + 1, first * 512)


def root(folder, packages, say=print):
    """The system as a tar archive. packages: further ones. Raises linux.Unavailable."""
    packages = sorted({*PACKAGES, *packages})
    tar = folder / f"debian-{digest(SUITE, packages, MAKE)}.tar"
    if tar.exists():
        return tar
    if not shutil.which("mmdebstrap"):
        raise linux.Unavailable("there is no mmdebstrap here (tools/packages-story.txt)")
    folder.mkdir(parents=True, exist_ok=True)
    say(f"making a Debian system with mmdebstrap ({SUITE}; downloads about 150 MB) ...")
    script, part, log = folder / "make.sh", folder / f"{os.getpid()}.part.tar", folder / "mmdebstrap.log"
    script.write_text(MAKE)
    args = ["mmdebstrap", "--mode=auto", "--variant=apt", "--include=" + ",".join(packages),
            "--aptopt=Apt::Install-Recommends \"false\"", "--aptopt=Acquire::Retries \"3\"",
            *(f"--dpkgopt=path-exclude=/usr/share/{d}/*" for d in ("man", "locale", "doc", "info")),
            f"--customize-hook=sh {script.resolve()} \"$1\"", SUITE, str(part)]
    started = time.monotonic()
    with open(log, "w") as f:
        done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT)
    if done.returncode:
        part.unlink(missing_ok=True)
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise linux.Unavailable(f"mmdebstrap could not make a Debian system; {log} ends with:\n{tail}")
    part.rename(tar)
    _forget(folder, "debian-*.tar", tar)
    say(f"  {tar.stat().st_size >> 20} MiB in {time.monotonic() - started:.0f} s")
    return tar


def _partition(path):
    with open(path, "wb") as f:
        f.truncate(DISK_MIB << 20)
    subprocess.run(["/usr/sbin/sgdisk", "-n", "1:1M:+64M", "-t", "1:EF00", "-n", "2:0:+1M", "-t", "2:EF02",
                    "-n", "3:0:+256M", "-t", "3:FD00", "-n", "4:0:-1M", "-t", "4:FD00", str(path)],
                   check=True, capture_output=True)


def _guest(folder, tar, disks, timeout_s):
    boot = folder / "boot"
    shutil.rmtree(boot, ignore_errors=True)
    boot.mkdir()
    subprocess.run(["tar", "-x", "-f", str(tar), "-C", str(boot), "--no-same-owner", "--wildcards", *WANTED],
                   capture_output=True)
    initrd = linux.initramfs(boot, INIT, ["virtio_pci", "virtio_blk"], files={"install.sh": INSTALL.encode()})
    drives = [*(f"cache=unsafe,file={d}" for d in disks), f"snapshot=on,file={tar}"]
    serial = linux.run(boot, initrd, "INSTALL-END", drives, timeout_s, "no_timer_check",
                       ["-m", "1536"])
    (folder / "install.log").write_text(serial)
    shutil.rmtree(boot)
    if "INSTALL-DONE" not in serial or "INSTALL-FAILED" in serial:
        raise RuntimeError(f"the system could not be put on the disks; {folder / 'install.log'} ends with:\n"
                           + "\n".join(serial.splitlines()[-25:]))


def disks(folder, tar, say=print, timeout_s=1800):
    """The two disks with the system on them: not to be written to."""
    name = digest(tar.name, INIT, INSTALL, DISK_MIB)
    made = [folder / f"installed-{name}-{letter}.img" for letter in "ab"]
    if all(d.exists() for d in made):
        return made
    say("putting it on two disks (a Linux guest; md, GRUB for BIOS and UEFI) ...")
    started = time.monotonic()
    parts = [folder / f"{os.getpid()}-{letter}.part" for letter in "ab"]
    try:
        for path in parts:
            _partition(path)
        _guest(folder, tar, parts, timeout_s)
        for path, to in zip(parts, made):
            path.rename(to)
    finally:
        for path in parts:
            path.unlink(missing_ok=True)
    for old in folder.glob("installed-*.img"):
        if old not in made:
            old.unlink()
    say(f"  done in {time.monotonic() - started:.0f} s")
    return made
