# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Boot disk images in QEMU, read the serial line until a text comes, take screenshots.

TCG always: KVM hangs under OVMF on hosts where it is itself emulated. Images are
opened with snapshot=on, so a boot never changes them and two boots may share them.
"""

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import png

# Code and fresh variables. Secure: keys enrolled that everybody has the private half of.
OVMF = {"uefi": (("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
                 ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd")),
        "uefi-secure": (("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
                         "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"),),
        "uefi-ia32": (("/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd",
                       "/usr/share/OVMF/OVMF32_VARS_4M.fd"),)}
# What the builds of OVMF for Secure Boot do not start without.
SMM_ARGS = ["-global", "driver=cfi.pflash01,property=secure,value=on",
            "-global", "ICH9-LPC.disable_s3=1"]
CONTROLLERS = ("ide", "ahci", "virtio-blk", "nvme")
UEFI_CONTROLLERS = ("virtio-blk", "nvme", "nvme-4kn", "ahci")
EVERY = -1  # in place of a sector that fails
# Terminal control sequences: OVMF's serial console is a terminal, each word placed by one.
_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>78c])")


@dataclass
class Drive:
    """A disk of the machine. bad: sectors (512 bytes) that give EIO when read; bad_writes: when written.

    EVERY in place of a sector: all of them.

    iops: requests a second that it answers, 0 for as many as it can; Monitor.unthrottle().
    read_bps: bytes a second that it reads, likewise.
    controller: where it hangs, when not where the others do.
    served: what serves the disk in place of the file `path`: nbd.Disks.url().
    """
    path: str
    bad: tuple = ()
    iops: int = 0
    bad_writes: tuple = ()
    served: dict = None
    read_bps: int = 0
    controller: str = None


@dataclass
class Boot:
    """What came of a boot."""
    serial: str           # all of the serial line, without control sequences
    found: bool           # the text waited for came
    seconds: float
    raw: bytes = b""
    marks: list = field(default_factory=list)  # the texts of `marks` that came


def _drive_args(n, drive, controller, firmware, writable):
    # a disk that is served hears of flushes, too
    cache = "writeback" if drive.served else "unsafe"
    options = [f"if=none,id=d{n},format=raw,cache={cache}"]
    if not writable:
        options.append("snapshot=on")
    if drive.iops:
        options.append(f"throttling.iops-total={drive.iops}")
    if drive.read_bps:
        options.append(f"throttling.bps-read={drive.read_bps}")
    served = drive.served or {"driver": "file", "filename": drive.path}
    faults = [("read", s) for s in drive.bad] + [("write", s) for s in drive.bad_writes]
    if faults:
        options.append("file.driver=blkdebug")
        options += [f"file.image.{key}={value}" for key, value in served.items()]
        for i, (kind, sector) in enumerate(faults):
            options.append(f"file.inject-error.{i}.event={kind}_aio,file.inject-error.{i}.errno=5,"
                           f"file.inject-error.{i}.iotype={kind},"
                           + ("" if sector == EVERY else f"file.inject-error.{i}.sector={sector},")
                           + f"file.inject-error.{i}.once=off")
    else:
        options += [f"file.{key}={value}" for key, value in served.items()]
    if not controller.startswith("nvme"):  # which has no such property
        options.append("rerror=report,werror=report")

    # OVMF drops boot entries when it sees a bootindex; SeaBIOS takes its drive order from it.
    index = f",bootindex={n + 1}" if firmware == "bios" else ""
    device = {"ide": f"ide-hd,bus=ide.{n % 2},unit={n // 2},drive=d{n}{index}",
              "ahci": f"ide-hd,bus=ahci.{n},drive=d{n}{index}",
              "ahci-each": f"ide-hd,bus=ahci{n}.0,drive=d{n}{index}",
              "usb": f"usb-storage,bus=usb.0,drive=d{n}{index}",
              "virtio-blk": f"virtio-blk-pci,drive=d{n}{index}",
              "nvme": f"nvme,serial=nvme{n},drive=d{n}{index}",
              "nvme-4kn": f"nvme,serial=nvme{n},drive=d{n}{index},logical_block_size=4096,"
                          "physical_block_size=4096"}[controller]
    return ["-drive", ",".join(options), "-device", device]


def command(drives, firmware, controller, writable=False, memory_mib=None, variables=None,
            keep_variables=False):
    """The QEMU command line, serial on stdout.

    variables: UEFI's, a file that stays as it is unless keep_variables.
    """
    uefi = firmware != "bios"
    q35 = uefi and controller != "ide"  # q35's ide.0 is AHCI's
    smm = firmware in ("uefi-secure", "uefi-ia32")
    args = ["qemu-system-x86_64", "-machine",
            ("q35,smm=on," if smm else "q35," if q35 else "pc,") + "accel=tcg",
            "-cpu", "qemu64", "-m", str(memory_mib or (256 if uefi else 128)), "-nodefaults",
            "-no-reboot", "-no-user-config", "-display", "none", "-vga", "std",
            "-serial", "stdio"]
    if uefi:
        code, fresh = ovmf(firmware)
        args += SMM_ARGS if smm else []
        args += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
                 "-drive", f"if=pflash,format=raw,unit=1,file={variables or fresh}"
                           f",snapshot={'off' if keep_variables else 'on'}"]
    kinds = {controller, *(drive.controller for drive in drives)}
    if "ahci" in kinds:
        args += ["-device", "ahci,id=ahci"]
    if "usb" in kinds:
        args += ["-device", "qemu-xhci,id=usb"]
    for n, drive in enumerate(drives):
        if controller == "ahci-each":  # a controller for each disk
            args += ["-device", f"ahci,id=ahci{n}"]
        args += _drive_args(n, drive, drive.controller or controller, firmware, writable)
    return args


def ovmf(firmware="uefi"):
    for pair in OVMF[firmware]:
        if all(os.path.exists(p) for p in pair):
            return pair
    raise FileNotFoundError("no OVMF firmware: " + ", ".join(p for x in OVMF[firmware] for p in x))


def plain(raw):
    """Serial bytes as text: control sequences out, one newline for each run of line ends."""
    text = _ESCAPE.sub("", raw.decode("latin-1").replace("\0", ""))
    return re.sub(r"[\r\n]+", "\n", text)


class Monitor:
    """QMP, as far as it is needed, and the keyboards: the machine's own and the serial line."""

    def __init__(self, path):
        self.path, self.file = path, None
        self.serial = None  # a file that goes to the machine's COM1

    def _connect(self):
        if self.file:
            return
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(10)
        link.connect(str(self.path))
        self.file = link.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, verb, **arguments):
        self._connect()
        self.file.write(json.dumps({"execute": verb, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("QEMU went away")
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"QMP {verb}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def screen(self, out, trim=False):
        """The screen as a PNG, the machine standing still meanwhile."""
        ppm = Path(str(self.path) + ".ppm")
        self.ask("stop")
        self.ask("screendump", filename=str(ppm))
        self.ask("cont")
        data = ppm.read_bytes()
        ppm.unlink()
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_bytes(png.from_ppm(data, trim))

    def vga_text(self):
        """What the VGA text screen (80 x 25) shows; for what never gets to serial."""
        dump = Path(str(self.path) + ".vga")
        self.ask("pmemsave", val=0xB8000, size=4000, filename=str(dump))
        data = dump.read_bytes()
        dump.unlink()
        rows = (data[row:row + 160:2].decode("cp437").replace("\0", " ").rstrip()
                for row in range(0, 4000, 160))
        return "\n".join(rows).rstrip()

    def key(self, name):
        """A key pressed and let go, by QEMU's name: "1", "ret", "spc", "f12"."""
        self.ask("send-key", keys=[{"type": "qcode", "data": name}])

    def hold(self, name, down=True):
        """A key pressed and held; down=False lets it go."""
        self.ask("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}])

    def type(self, text):
        """Characters on the serial line."""
        self.serial.write(text.encode())
        self.serial.flush()

    def unthrottle(self):
        """All disks as fast as they can, from now on."""
        none = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
        for n in range(len(self.reads())):
            self.ask("block_set_io_throttle", device=f"d{n}", **none)

    def reads(self):
        """(served, failed) read requests of each drive so far, in the order of the drives."""
        stats = {s["device"]: s["stats"] for s in self.ask("query-blockstats")}
        return [(stats[name]["rd_operations"], stats[name]["failed_rd_operations"])
                for name in sorted(stats) if re.fullmatch(r"d\d+", name)]


def _end(machine):
    """End QEMU and wait until it is gone: it holds locks on the images until then."""
    machine.terminate()  # timeout hands it on and waits for QEMU
    try:
        machine.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()


def boot(drives, firmware="bios", controller=None, until=(), timeout_s=60, marks=None,
         at_end=None, writable=False, keep=None, extra=(), memory_mib=None, variables=None,
         keep_variables=False):
    """Boot and read the serial line until one of the texts in `until` comes.

    marks: {text: function of a Monitor}, called once, when that text has come on serial.
    at_end: function of a Monitor, called before the machine is ended.
    keep: a file that gets the serial line, for whoever looks into a failure.
    extra: more of QEMU's command line.
    """
    drives = [d if isinstance(d, Drive) else Drive(str(d)) for d in drives]
    controller = controller or ("ide" if firmware == "bios" else "virtio-blk")
    until = (until,) if isinstance(until, str) else tuple(until)
    wanted = dict(marks or {})
    with tempfile.TemporaryDirectory(prefix="mirrorboot-qemu-") as tmp:
        monitor = Monitor(Path(tmp) / "qmp")
        args = ["timeout", "-k", "2", str(int(timeout_s) + 5),
                *command(drives, firmware, controller, writable, memory_mib, variables, keep_variables),
                *extra, "-qmp", f"unix:{monitor.path},server=on,wait=off"]
        started = time.monotonic()
        errors = open(Path(tmp) / "stderr", "w+b")
        machine = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=errors, start_new_session=True)
        monitor.serial = machine.stdin
        raw, found, passed = bytearray(), False, []
        try:
            with selectors.DefaultSelector() as ready:
                ready.register(machine.stdout, selectors.EVENT_READ)
                while not found:
                    left = started + timeout_s - time.monotonic()
                    if left <= 0 or not ready.select(left):
                        break
                    piece = os.read(machine.stdout.fileno(), 65536)
                    if not piece:  # QEMU has ended, or is just about to
                        machine.wait(10)
                        break
                    raw += piece
                    text = plain(bytes(raw))
                    for mark in [m for m in wanted if m in text]:
                        wanted.pop(mark)(monitor)
                        passed.append(mark)
                    found = any(u in text for u in until)
            seconds = time.monotonic() - started
            if at_end and machine.poll() is None:
                at_end(monitor)
        finally:
            failed = not found and machine.poll() not in (None, 0)
            _end(machine)
            machine.stdin.close()
            machine.stdout.close()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
        errors.close()
    if failed:
        raise RuntimeError("QEMU: " + said.strip())
    if keep:
        Path(keep).parent.mkdir(parents=True, exist_ok=True)
        Path(keep).write_bytes(bytes(raw))
    return Boot(plain(bytes(raw)), found, seconds, bytes(raw), passed)
