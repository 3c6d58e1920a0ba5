# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Linux and other things to boot, from the distribution's own packages.

They are downloaded with apt-get (nothing is installed: some of them would change the boot
menu of the machine that runs this) and cached under BUILD/oracle. The initramfs is made
here: busybox, a few modules, a script.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

KERNELS = ["linux-image-amd64", "linux-image-virtual", "linux-image-generic"]
OTHERS = ["mdadm", "busybox-static", "memtest86+"]
# Of the packages, what can be needed: the programs, and the folders that hold modules.
WANTED = ["./sbin/mdadm", "./usr/sbin/mdadm", "./bin/busybox", "./usr/bin/busybox",
          "./boot/vmlinuz*", "./boot/memtest86+x64.bin", "*/modules.builtin",
          "*/kernel/drivers/md/*", "*/kernel/drivers/virtio/*", "*/kernel/drivers/block/*",
          "*/kernel/drivers/nvme/*", "*/kernel/block/*", "*/kernel/drivers/ata/*",
          "*/kernel/drivers/scsi/*",
          "*/kernel/drivers/firmware/edd*", "*/kernel/fs/*", "*/kernel/lib/*",
          "*/kernel/crypto/*", "*/kernel/arch/x86/crypto/*"]


class Unavailable(Exception):
    """The packages can't be had here."""


def _run(args, **kw):
    return subprocess.run(args, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"},
                          stdin=subprocess.DEVNULL, **kw)


# ---- packages ------------------------------------------------------------------------------

def _depends(package, pattern):
    out = _run(["apt-cache", "depends", package]).stdout
    return re.findall(r"^\s*Depends: (%s)$" % pattern, out, re.M)


def _kernel_packages():
    for name in KERNELS:
        image = _depends(name, r"linux-image-[0-9]\S*")
        if image:
            return [image[0], *_depends(image[0], r"linux-modules-[0-9]\S*")]
    return []


def _resolve():
    kernel = _kernel_packages()
    return [*kernel, *OTHERS] if kernel else []


def refresh_lists():
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        _run([*sudo, "apt-get", "update"], timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        pass


def _has_all(names):
    return all(any(n.startswith(other + "_") for n in names) for other in OTHERS)


def _download(folder):
    """The .deb files, from the cache or from the distribution."""
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "complete"
    if done.exists() and _has_all(done.read_text().split()):
        return [folder / name for name in done.read_text().split()]
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get here to download a kernel with")
    said = "apt-cache knows no kernel package"
    for attempt in (1, 2):
        packages = _resolve()
        if packages:
            for old in folder.glob("*.deb"):
                old.unlink()
            try:
                # as root apt wants to download as the user _apt, who may not write here
                got = _run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                            *packages], cwd=folder, timeout=900)
            except subprocess.TimeoutExpired:
                raise Unavailable("apt-get download did not end in 15 minutes") from None
            if got.returncode == 0:
                names = sorted(p.name for p in folder.glob("*.deb"))
                done.write_text("\n".join(names) + "\n")
                return [folder / name for name in names]
            said = (got.stderr.strip().splitlines() or ["apt-get download failed"])[-1]
        if attempt == 1:
            refresh_lists()
    raise Unavailable(said)


def _unpack(deb, folder):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as tar:
        # not check=True: a pattern that matches nothing is an error to tar, not to us
        subprocess.run(["tar", "-x", "-C", str(folder), "--no-same-owner", "--wildcards", *WANTED],
                       stdin=tar.stdout, capture_output=True)


@contextmanager
def lock(folder):
    """Tests run in several processes; one downloads, the others wait for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def prepare(folder):
    """Download and unpack; returns the folder with the files. Raises Unavailable."""
    folder = Path(folder)
    with lock(folder):
        debs = _download(folder / "debs")
        root = folder / "root"
        done = root / "complete"
        stamp = "\n".join([*(d.name for d in debs), *WANTED])
        if not done.exists() or done.read_text() != stamp:
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir(parents=True)
            for deb in debs:
                _unpack(deb, root)
            done.write_text(stamp)
    return root


def _only(root, pattern, what):
    found = next((p for p in sorted(root.glob(pattern)) if p.is_file()), None)
    if not found:
        raise Unavailable(f"the packages have no {what} where it is expected")
    return found


def kernel(root):
    return _only(root, "boot/vmlinuz*", "kernel")


def memtest(root):
    return _only(root, "boot/memtest86+x64.bin", "memtest86+")


def program(root, name):
    return _only(root, f"**/bin/{name}" if name == "busybox" else f"**/sbin/{name}", name)


# ---- what an initramfs is made of ----------------------------------------------------------

def _module_bytes(path):
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dqc", str(path)], check=True, capture_output=True).stdout
    if path.suffix == ".xz":
        return subprocess.run(["xz", "-dc", str(path)], check=True, capture_output=True).stdout
    return path.read_bytes()


def modules(root, names):
    """(file name, bytes) of the modules wanted and those they need, in loading order."""
    files, builtin = {}, set()
    for path in root.rglob("*.ko*"):
        files[path.name.split(".ko")[0].replace("-", "_")] = path
    for path in root.rglob("modules.builtin"):
        builtin |= {Path(line).name.split(".ko")[0].replace("-", "_")
                    for line in path.read_text().split()}
    order = {}

    def add(name):
        if name in order or name in builtin:
            return
        if name not in files:
            if name == "crc32c_generic":  # gone, or part of another, in new kernels
                return
            raise Unavailable(f"the kernel package has no module {name}")
        data = _module_bytes(files[name])
        needs = re.search(rb"\0depends=([^\0]*)\0", data)
        for need in (needs[1].decode().split(",") if needs else []):
            if need:
                add(need.replace("-", "_"))
        order[name] = data

    for name in names:
        add(name)
    return [(name + ".ko", data) for name, data in order.items()]


def _libraries(path):
    """The shared libraries of a program, as this system has them (same distribution)."""
    out = _run(["ldd", str(path)]).stdout
    return sorted({Path(p) for p in re.findall(r"(/\S+)", out) if ".so" in p})


def _cpio(entries):
    """A newc archive of (name, mode, data)."""
    out = bytearray()
    for ino, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs(root, script, module_names=(), programs=(), files=()):
    """busybox, /init, modules (their order in /modules/order), programs with their libraries.

    programs: paths, put into /sbin. files: {name: bytes}.
    """
    entries, folders = [], set()

    def put(name, mode, data):
        for folder in reversed(Path(name).parents):
            if str(folder) not in (".", "/") and folder not in folders:
                folders.add(folder)
                entries.append((str(folder), 0o040755, b""))
        entries.append((name, mode, data))

    put("init", 0o100755, script.encode())
    put("bin/busybox", 0o100755, program(root, "busybox").read_bytes())
    for path in programs:
        put(f"sbin/{path.name}", 0o100755, path.read_bytes())
        for library in _libraries(path):
            put(str(library).lstrip("/"), 0o100755, library.read_bytes())
    wanted = modules(root, module_names)
    put("modules/order", 0o100644, "\n".join(name for name, _ in wanted).encode() + b"\n")
    for name, data in wanted:
        put("modules/" + name, 0o100644, data)
    for name, data in dict(files).items():
        put(name, 0o100644, data)
    put("dev/console", 0o020600, b"")
    return _cpio(entries)


def run(root, initrd, end, drives=(), timeout_s=240, append="", extra=()):
    """Boot the kernel on its own (QEMU loads it) and wait for the text `end` on its serial line.

    drives: what QEMU's -drive wants of each further to "if=virtio,format=raw": vda, vdb ...
    extra: more of QEMU's command line. Returns the serial line.
    """
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-initrd-") as f:
        f.write(initrd)
        f.flush()
        args = ["timeout", "-k", "2", str(timeout_s), "qemu-system-x86_64", "-machine", "q35",
                "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
                "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                "-serial", "stdio", "-kernel", str(kernel(root)), "-initrd", f.name,
                "-append", f"console=ttyS0 quiet panic=-1 {append}"]
        for drive in drives:
            args += ["-drive", "if=virtio,format=raw," + drive]
        args += extra
        got = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True)
    serial = got.stdout.decode("latin-1").replace("\r", "")
    if end not in serial:
        raise RuntimeError("the guest did not come to its end:\n" + serial[-3000:]
                           + got.stderr.decode(errors="replace")[-500:])
    return serial
