# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What loaders see where: members with and without metadata, volumes, arrays of whole disks,
legs at different places, several mirrors on the same disks, many disks.

GRUB is the witness. Where it is to know nothing of mirrors it has no md modules, and is
told which devices to look at.
"""

import re
import struct
from functools import lru_cache

import pytest

import cli
import diskimage
import envdisk
import filesystem
import grub
import mdmember
import qemu
import scenario
import screen
from test_bios import poke

PLAIN_MODULES = ["biosdisk", "part_msdos", "part_gpt", "ext2", "terminal", "serial", "cat", "echo",
                 "hashsum", "gcry_sha256", "test", "ls"]
LOOK = """\
echo "GRUB: look ({0})"
cat ({0})/marker
echo
hashsum --hash sha256 ({0})/payload
echo "GRUB: looked"
"""
FRESH = ("2", "ok")
INSIDE_LBA = 2048  # of the partition inside an array that has a table


@lru_cache(maxsize=None)
def plain_core(*devices):
    """A core.img that knows no mirrors, and looks at the file systems on these devices."""
    commands = "".join(LOOK.format(d) for d in devices)
    return grub.mkimage("i386-pc", PLAIN_MODULES, "serial --unit=0 --speed=115200\n"
                        'terminal_output serial\necho\necho "GRUB: started"\n'
                        f'{commands}echo "{grub.DONE}"\n')


def looks(serial):
    """{device: (generation, "ok" or "BAD")}; None where there was no file system to read."""
    seen = {}
    for device, said in re.findall(r"GRUB: look \((.*?)\)(.*?)GRUB: looked", serial, re.S):
        marker = re.search(r"generation (\d+)", said)
        digest = re.search(r"\b[0-9a-f]{64}\b", said)
        good = marker and digest and digest[0] == filesystem.payload_sha256(int(marker[1]))
        seen[device] = (marker[1], "ok" if good else "BAD") if marker else None
    return seen


def write_config(folder, text):
    path = folder / "mirrorboot.conf"
    path.write_text(text)
    return ("--config", path)


def boot(drives, controller=None, **kw):
    controller = controller or ("ide" if len(drives) <= 2 else "ahci")  # two fit on QEMU's IDE
    return qemu.boot(drives, "bios", controller, until=grub.DONE, timeout_s=120, **kw)


def partition_disks(folder, members, core=None, config="", before=((), ()), loaders=("grub",) * 2):
    """Disks with mirrorboot, each with a member in its last partition; where those start."""
    paths, starts = [], []
    for n, member in enumerate(members):
        paths.append(folder / f"{'abcd'[n]}.img")
        starts.append(diskimage.mbr_disk(paths[n], member, loaders[n], before[n], core=core))
    cli.install(*paths, options=write_config(folder, config))
    return paths, starts


@pytest.fixture(scope="module")
def stale():
    """The members of the stale pair: generation 1 on leg a, 2 on leg b."""
    pair = scenario.PAIRS["stale"]
    return [scenario.member(pair.a, 1), scenario.member(pair.b, 2)]


# ---- members = contents, boot-disk, volumes -----------------------------------------------------

@pytest.mark.parametrize("base", ["fresh disk", "stale disk"])
def test_contents(tmp_path, stale, base):
    """md 1.2 for a GRUB that knows no md: a plain file system where the partition starts."""
    loaders = ("grub", "grub" if base == "fresh disk" else None)
    paths, _ = partition_disks(tmp_path, stale, plain_core("hd0,msdos1", "hd1"),
                               "members = contents\n", loaders=loaders)
    got = boot(paths)
    assert looks(got.serial) == {"hd0,msdos1": FRESH, "hd1": None}, got.serial
    moved = "is the boot disk instead" in screen.text(got.serial)
    assert moved == (base == "stale disk"), got.serial


def test_raw_members_are_not_read_without_md(tmp_path, stale):
    """Without `contents`: if this GRUB finds the file system too, the test above is none."""
    paths, _ = partition_disks(tmp_path, stale, plain_core("hd0,msdos1"))
    got = boot(paths)
    assert got.found and looks(got.serial) == {"hd0,msdos1": None}, got.serial


def test_contents_of_both_disks(tmp_path, stale):
    """Other partitions keep the stale disk in sight; its member shows the fresh data all the same."""
    core = plain_core("hd0,msdos2", "hd1,msdos2")
    paths, _ = partition_disks(tmp_path, stale, core, "members = contents\n",
                               before=((2048,), (4096,)))
    got = boot(paths)
    assert looks(got.serial) == {"hd0,msdos2": FRESH, "hd1,msdos2": FRESH}, got.serial


def test_contents_written(tmp_path):
    """save_env into the plain file system: on both legs, each at its own place, and nothing else."""
    pair = scenario.PAIRS["in-sync"]
    members = envdisk.with_filesystem([mdmember.fixture(pair.a), mdmember.fixture(pair.b)])
    old_env = envdisk.env_of(members[0])
    members[1] = mdmember.with_data_at(members[1], 2048 + 264)
    core = envdisk.core_img("hd0,msdos1", ("after",))
    paths, starts = partition_disks(tmp_path, members, core, "members = contents\n",
                                    before=((), (6144,)))
    got = boot(paths, writable=True)
    assert "GRUB: value is after" in got.serial, got.serial
    for path, start, member in zip(paths, starts, members):
        now = path.read_bytes()[start * 512:start * 512 + len(member)]
        env = envdisk.env_of(now)
        assert envdisk.listed(env) == envdisk.value("after")
        assert now.replace(env, old_env) == member


def test_volumes(tmp_path, stale):
    """One more disk: the file system itself. The boot disk stays what it was, md and all."""
    core = plain_core("hd0,msdos1", "hd1", "hd2")
    paths, _ = partition_disks(tmp_path, stale, core, "volumes = yes\n")
    got = boot(paths)
    assert looks(got.serial) == {"hd0,msdos1": None, "hd1": FRESH, "hd2": None}, got.serial


def bootable_contents(size_s512, generation, core):
    """An array's contents with a partition table, GRUB in the gap, and our file system."""
    fs = filesystem.make(size_s512 - INSIDE_LBA, generation)
    image = bytearray(INSIDE_LBA * 512) + fs
    struct.pack_into("<B3xB3xII", image, 446, 0x80, 0x83, INSIDE_LBA, len(fs) // 512)
    image[510:512] = b"\x55\xaa"
    image[512:512 + len(core)] = grub.place_core(core, 1)
    code = grub.boot_code(1)
    image[:len(code)] = code
    return bytes(image)


def members_with_table(core):
    pair = scenario.PAIRS["stale"]
    size = mdmember.Superblock(mdmember.fixture(pair.b)).size_s512
    return [mdmember.compose(name, bootable_contents(size, generation, core))
            for name, generation in ((pair.a, 1), (pair.b, 2))]


def test_boot_disk_volume(tmp_path):
    """80h is the mirror's contents; its own boot code, told absolute sectors, is what starts."""
    members = members_with_table(plain_core("hd0,msdos1", "hd1,msdos1"))
    paths, _ = partition_disks(tmp_path, members, plain_core("hd9"), "boot-disk = volume\n")
    got = boot(paths)
    assert looks(got.serial) == {"hd0,msdos1": FRESH, "hd1,msdos1": None}, got.serial


# ---- arrays of whole disks ----------------------------------------------------------------------

def shim_disk(shelf, folder, config=""):
    """A disk that mirrorboot starts from and that is no member: its partition is empty."""
    disks = shelf.copy(shelf.bare("in-sync"))
    folder.mkdir(exist_ok=True)
    cli.install(*disks.paths, options=write_config(folder, config))
    poke(disks.paths[0], disks.member_lba[0], bytes(mdmember.MEMBER_S512 * 512))
    return disks.paths[0]


def write_disks(folder, images):
    paths = [folder / f"whole{n}.img" for n in range(len(images))]
    for path, image in zip(paths, images):
        path.write_bytes(image)
    return paths


def test_whole_disks(shelf, tmp_path):
    """The table is inside the array: its volume is 80h without being asked for."""
    core = plain_core("hd0,msdos1", "hd1,msdos1", "hd2,msdos1")
    legs = write_disks(tmp_path, members_with_table(core))
    got = boot([shim_disk(shelf, tmp_path), *legs])
    assert looks(got.serial) == {"hd0,msdos1": FRESH, "hd1,msdos1": None,
                                 "hd2,msdos1": None}, got.serial
    assert "(mirror " in screen.text(got.serial), got.serial


def test_gpt_inside(shelf, tmp_path):
    """The same with the GPT and the file system that were made on a real md device."""
    core = plain_core("hd0,gpt1")
    members = []
    for leg in "ab":
        member = bytearray(mdmember.fixture(f"md1.2-gpt-inside-{leg}"))
        at = mdmember.Superblock(bytes(member)).data_s512 * 512
        first_free = 34  # behind the partition entries; the partition starts at 2048
        member[at:at + 440] = grub.boot_code(first_free)[:440]
        placed = grub.place_core(core, first_free)
        assert len(placed) <= (INSIDE_LBA - first_free) * 512
        member[at + first_free * 512:at + first_free * 512 + len(placed)] = placed
        members.append(bytes(member))
    legs = write_disks(tmp_path, members)
    drives = [qemu.Drive(str(p)) for p in (shim_disk(shelf, tmp_path), *legs)]
    sb = mdmember.Superblock(members[0])
    drives[1].bad = (sb.data_s512 + INSIDE_LBA + 2,)  # the file system's own superblock, on leg a
    failed = []
    got = boot(drives, marks={grub.DONE: lambda m: failed.append(m.reads()[1][1])})
    assert "GPT-IN-MD" in got.serial, got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"


@pytest.mark.parametrize("config", ["", "boot-disk = disk\n"])
def test_whole_disks_as_disks(shelf, tmp_path, config):
    """No boot sector inside, or told so: our own disk's loader starts, and has the chosen leg's
    disk as it is, for the md in GRUB."""
    pair = scenario.PAIRS["stale"]
    legs = write_disks(tmp_path, [scenario.member(pair.a, 1), scenario.member(pair.b, 2)])
    got = boot([shim_disk(shelf, tmp_path, config), *legs])
    assert grub.what_it_read(got.serial) == FRESH, got.serial
    assert ("has no boot sector" in screen.text(got.serial)) == (config == ""), got.serial


# ---- skewed legs --------------------------------------------------------------------------------

@pytest.mark.parametrize("fresh", [0, 1])
@pytest.mark.parametrize("base", [0, 1])
def test_skewed(tmp_path, stale, fresh, base):
    """Disk 1's member starts elsewhere and has its data elsewhere; either can be the fresh one,
    and either be the disk that its data are read through."""
    members = [stale[1 - fresh], mdmember.with_data_at(stale[fresh], 2048 + 264)]
    loaders = ["grub" if n == base else None for n in (0, 1)]
    paths, starts = partition_disks(tmp_path, members, before=((), (6144,)), loaders=loaders)
    assert starts[0] != starts[1]
    if base == 1:
        paths.reverse()
    got = boot(paths)
    assert grub.what_it_read(got.serial) == FRESH, got.serial


@pytest.mark.parametrize("bad", [0, 1])
def test_skewed_failover(tmp_path, bad):
    """Both in sync: each fails in mid-file, the other goes on at its own places."""
    pair = scenario.PAIRS["in-sync"]
    a, b = scenario.member(pair.a, 2), scenario.member(pair.b, 2)
    paths, starts = partition_disks(tmp_path, [a, mdmember.with_data_at(b, 2048 + 264)],
                                    before=((), (6144,)))
    sb = mdmember.Superblock(a)
    at = starts[0] + sb.data_s512 + filesystem.middle_s512(sb.size_s512)
    drives = [qemu.Drive(str(p)) for p in paths]
    drives[0].bad = (at,)
    if bad:  # leg a is read first: without it, b alone is
        drives = [drives[1]]
    got = boot(drives)
    assert grub.what_it_read(got.serial) == FRESH, got.serial


# ---- several mirrors ----------------------------------------------------------------------------

def test_best_legs_on_different_disks(tmp_path):
    """md 1.0 is fresh on disk b, md 0.90 on disk a: each is read from where it is fresh."""
    first, second = scenario.PAIRS["stale-1.0"], scenario.PAIRS["stale-0.90"]
    firsts = [scenario.member(first.a, 1), scenario.member(first.b, 2)]
    seconds = [scenario.member(second.b, 2), scenario.member(second.a, 1)]
    core = plain_core("hd0,msdos1", "hd0,msdos2", "hd1")
    paths = []
    for n in (0, 1):
        paths.append(tmp_path / f"{'ab'[n]}.img")
        diskimage.mbr_disk(paths[n], seconds[n], before=(len(firsts[n]) // 512,), core=core)
        poke(paths[n], diskimage.FIRST_LBA, firsts[n])
    cli.install(*paths)
    for order in (paths, paths[::-1]):
        got = boot(order)
        assert looks(got.serial) == {"hd0,msdos1": FRESH, "hd0,msdos2": FRESH, "hd1": None}, got.serial


def test_mirror_on_disks_of_its_own(shelf, tmp_path):
    """A second mirror on two more disks: one of them is shown, with what is fresh; not both."""
    pair = scenario.PAIRS["stale-1.0"]
    core = plain_core("hd0,msdos1", "hd1,msdos1", "hd2")
    paths, _ = partition_disks(tmp_path, [scenario.member("md0.90-insync-" + leg, 2)
                                          for leg in "ab"], core)
    for name, generation in ((pair.a, 1), (pair.b, 2)):
        paths.append(tmp_path / f"{name}.img")
        diskimage.mbr_disk(paths[-1], scenario.member(name, generation), None)
    got = boot(paths)
    assert looks(got.serial) == {"hd0,msdos1": FRESH, "hd1,msdos1": FRESH, "hd2": None}, got.serial


# ---- three legs, sixteen disks --------------------------------------------------------------------

@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_three_legs(tmp_path, order):
    """One that fails in mid-file, one that is stale, and the one that is left: write-mostly."""
    names = [f"md1.2-3way-badblock-wm-ff-{leg}" for leg in "abc"]
    a, b, c = (scenario.member(name, generation) for name, generation in zip(names, (2, 1, 2)))
    sb = mdmember.Superblock(b)
    b = mdmember.changed(b, {200: ("<Q", sb.events - 4)})
    paths, starts = partition_disks(tmp_path, [a, b, c], before=((), (), ()),
                                    loaders=("grub",) * 3)
    drives = [qemu.Drive(str(p)) for p in paths]
    drives[0].bad = (starts[0] + sb.data_s512 + filesystem.middle_s512(sb.size_s512),)
    failed = []
    got = boot([drives[n] for n in order],
               marks={grub.DONE: lambda m: failed.append(m.reads()[order.index(0)][1])})
    assert grub.what_it_read(got.serial) == FRESH, got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"
    legs = cli.status(*paths)["mirrors"][0]["legs"]
    assert [leg["verdict"] for leg in legs] == ["in-sync", "stale", "in-sync"]


def test_sixteen_disks(shelf, tmp_path):
    """The mirror is on the last two; mirrorboot is on the first, where SeaBIOS looks."""
    blank = tmp_path / "blank.img"
    blank.write_bytes(bytes(1 << 20))
    legs = shelf.bare("stale").paths
    paths = [shim_disk(shelf, tmp_path), *[blank] * 13, *legs]
    got = boot(paths, controller="virtio-blk")
    assert grub.what_it_read(got.serial) == FRESH, got.serial
    text = screen.text(got.serial)
    assert "disk 8fh as 80h" in text and "8eh is hidden" in text, got.serial
