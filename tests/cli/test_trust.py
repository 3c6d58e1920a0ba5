# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install --trust: which members are named, who keeps the list, and what is said of the others."""

import json
import pathlib
import struct

import pytest

from areas import config_of
from disks import digest, esp_tree, fixture, gpt_disk, mbr_disk, run, sectors, write_sparse

A, B = "md1.2-insync-a", "md1.2-insync-b"


def uuid(name):
    raw = fixture(name)[4096 + 168:4096 + 184]
    return ":".join(raw[i:i + 4].hex() for i in range(0, 16, 4))


def digests(*paths):
    return [digest(x) for x in paths or "ab"]


def config_on_esp(path):
    return dict(esp_tree(path))["EFI/mirrorboot/mirrorboot.conf"].decode()


def listed(text):
    return [line.split()[2] for line in text.splitlines() if line.startswith("trust")]


@pytest.fixture
def pinned(box):
    mbr_disk("a", A)
    mbr_disk("b", B)
    r = run("install", "--trust", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    assert "trusted: 2 members, and no others" in r.stdout
    return box


def status(*disks):
    r = run("status", "--json", *disks)
    return r.returncode, json.loads(r.stdout)


def legs(answer):
    return {leg["disk"]: leg for leg in answer["mirrors"][0]["legs"] if leg["disk"]}


def test_the_list_is_of_the_members_that_are_here(pinned):
    assert listed(config_of("a")) == [uuid(A), uuid(B)] and config_of("a") == config_of("b")
    code, answer = status("a", "b")
    assert code == 0 and answer["mirrors"][0]["state"] == "healthy"
    assert {d: (leg["trusted"], leg["device_uuid"]) for d, leg in legs(answer).items()} == {
        "a": (True, uuid(A)), "b": (True, uuid(B))}
    assert run("verify", "a", "b").returncode == 0


def test_none_unless_asked_for(box):
    mbr_disk("a", A)
    mbr_disk("b", B)
    assert run("install", "--yes", "a", "b").returncode == 0
    assert listed(config_of("a")) == []
    _, answer = status("a", "b")
    assert {leg["trusted"] for leg in legs(answer).values()} == {None}


def test_it_is_kept_until_it_is_taken_out(pinned):
    before = digests()
    assert run("install", "--yes", "a", "b").returncode == 0 and digests() == before
    pathlib.Path("new").write_text("timeout = 7\n")
    assert run("install", "--yes", "--config", "new", "a", "b").returncode == 0
    assert listed(config_of("b")) == [uuid(A), uuid(B)] and "timeout = 7\n" in config_of("b")
    r = run("install", "--no-trust", "--yes", "a", "b")
    assert r.returncode == 0 and "every disk is trusted" in r.stdout
    assert config_of("a") == config_of("b") == "timeout = 7\n"


def test_a_config_that_has_a_list_of_its_own(pinned):
    pathlib.Path("new").write_text(f"trust = {uuid(B)} # only that\n")
    r = run("install", "--yes", "--config", "new", "a", "b")
    assert listed(config_of("a")) == [uuid(B)]
    assert "warning: a: its leg of mirror t:boot is not trusted" in r.stdout
    assert 'run "mirrorboot install --trust a b"' in r.stdout


@pytest.mark.parametrize("text, words", [
    ("trust = sda\n", 'line 1: bad value "sda"'),
    ("trust =\n", "line 1: bad value"),
    ("\ntrust = 00000000-0000-0000-0000-000000000000\n", "line 2: bad value"),
    ("trust = " + "10" * 16 + "\n" + "trust = " + "20" * 15 + "\n", "line 2: bad value"),
])
def test_a_list_that_is_wrong_is_not_installed(box, text, words):
    mbr_disk("a", A)
    pathlib.Path("conf").write_text(text)
    before = digests("a")
    r = run("install", "--yes", "--config", "conf", "a")
    assert r.returncode == 2 and words in r.stderr and digests("a") == before


# ---- a disk that is not named --------------------------------------------------------------------

@pytest.fixture
def replaced(box):
    """b was trusted; a died, and c was added in its place. Nobody has said so here."""
    mbr_disk("b", "md1.2-replaced-b")
    mbr_disk("c", "md1.2-replaced-c")
    assert run("install", "--trust", "--yes", "b").returncode == 0
    return box


def test_replaced_and_forgotten(replaced):
    code, answer = status("b", "c")
    (mirror,) = answer["mirrors"]
    assert code == 1 and mirror["state"] == "degraded"
    c = legs(answer)["c"]
    assert (c["verdict"], c["reason_code"], c["trusted"]) == ("untrusted", "not-trusted", False)
    assert c["index"] == max(leg["index"] for leg in mirror["legs"])
    assert mirror["legs"][mirror["chosen"]]["disk"] == "b"
    assert answer["verdict"]["text"].endswith("1 of 2 legs up to date; 1 more is not trusted.")
    (advice,) = [a for a in answer["advice"] if "not one of the disks trusted" in a["warning"]]
    assert advice["next"] == "mirrorboot install --trust b c" and advice["level"] == "drift"
    text = run("status", "b", "c").stdout
    assert "next: mirrorboot install --trust b c" in text
    assert "A disk that is not trusted is not used. If it is yours" in text
    r = run("status", "--nagios", "b", "c")
    assert r.returncode == 1 and "untrusted: not one of the disks trusted at install" in r.stdout
    r = run("verify", "b", "c")
    assert r.returncode == 1
    assert ('c: partition 1 (mirror t:boot) is not one of the disks trusted at install: no boot reads '
            'it: run "mirrorboot install --trust b c"') in r.stdout


def test_add_says_that_it_is_not_named_and_the_next_command_mends_it(replaced):
    r = run("install", "--add", "--yes", "b", "c")
    assert r.returncode == 0, r.stderr
    assert "warning: c: its leg of mirror t:boot is not trusted" in r.stdout
    assert run("install", "--trust", "--yes", "b", "c").returncode == 0
    assert sorted(listed(config_of("c"))) == sorted(
        [uuid("md1.2-replaced-b"), uuid("md1.2-replaced-c")])
    assert status("b", "c")[0] == 0 and run("verify", "b", "c").returncode == 0


def test_a_third_disk_beside_a_whole_mirror(pinned):
    """All that is trusted is in sync; the one too many is a warning, not a fault of the mirror."""
    data = bytearray(fixture(B))
    data[4096 + 168:4096 + 184] = b"\xee" * 16
    superblock_sum(data)
    write_member("c", bytes(data))
    code, answer = status("a", "b", "c")
    assert code == 1 and answer["mirrors"][0]["state"] == "healthy"
    assert answer["verdict"]["text"] == (
        "DRIFT: all legs are up to date, and a disk is here that is not trusted.")
    r = run("status", "--nagios", "a", "b", "c")
    assert r.returncode == 1 and r.stdout.startswith("MIRRORBOOT WARNING - ")


def superblock_sum(data):
    size = 256 + 2 * struct.unpack_from("<I", data, 4096 + 220)[0]
    struct.pack_into("<I", data, 4096 + 216, 0)
    words = sum(struct.unpack_from(f"<{size // 4}I", data, 4096))
    struct.pack_into("<I", data, 4096 + 216, ((words & 0xFFFFFFFF) + (words >> 32)) & 0xFFFFFFFF)


def write_member(path, data):
    mbr_disk(path, B)
    write_sparse(path, data, 2048 * 512)


def newer(path):
    """As an attacker would make it: the array's UUID, another device, more events than all."""
    data = bytearray(fixture(B))
    data[4096 + 168:4096 + 184] = b"\xee" * 16
    struct.pack_into("<Q", data, 4096 + 200, 10 ** 6)
    superblock_sum(data)
    write_member(path, bytes(data))


def test_one_that_claims_to_be_newer(pinned):
    newer("evil")
    _, answer = status("evil", "a")
    assert answer["mirrors"][0]["legs"][answer["mirrors"][0]["chosen"]]["disk"] == "a"
    # It would be the only one on a new list: nobody is to do that half asleep.
    before = digests("evil", "a")
    r = run("install", "--trust", "--yes", "evil", "a")
    assert r.returncode == 3 and digests("evil", "a") == before
    assert "evil: is not trusted, and says that a, which is, is out of date" in r.stderr
    assert "say --no-trust first" in r.stderr


def test_none_of_them_is_named(pinned):
    """As with a list on the disks that are left of which none is here."""
    pathlib.Path("conf").write_text("trust = " + "77" * 16 + "\n")
    run("install", "--yes", "--config", "conf", "a", "b")
    code, answer = status("a", "b")
    assert code == 3 and answer["mirrors"][0]["state"] == "untrusted"
    assert answer["boot"]["action"] == "untrusted"
    assert "--no-trust" in answer["boot"]["text"]
    assert answer["verdict"]["state"] == "untrusted"
    assert run("status", "--nagios", "a", "b").returncode == 2


# ---- what can't be named -------------------------------------------------------------------------

def test_md_0_90(box):
    for x in "ab":
        mbr_disk(x, "md0.90-insync-" + x)
    before = digests()
    r = run("install", "--trust", "--yes", "a", "b")
    assert r.returncode == 3 and digests() == before
    assert "is md-0.90, which has no device UUIDs" in r.stderr


def test_split_brain(box):
    for x in "ab":
        mbr_disk(x, "md1.2-splitbrain-" + x)
    before = digests()
    r = run("install", "--trust", "--yes", "a", "b")
    assert r.returncode == 3 and "is in conflict with another leg" in r.stderr
    assert digests() == before


def test_what_takes_part_is_named(box):
    """One that is being rebuilt, too: else it would be a stranger when it is done. Not a stale one."""
    for x in "ab":
        mbr_disk(x, "md1.2-recovering-" + x)
    assert run("install", "--trust", "--yes", "a", "b").returncode == 0
    assert sorted(listed(config_of("a"))) == sorted(uuid("md1.2-recovering-" + x) for x in "ab")


def test_a_stale_leg_is_not_named(box):
    for x in "ab":
        mbr_disk(x, "md1.2-legA-failed-" + x)
    assert run("install", "--trust", "--yes", "a", "b").returncode == 0
    assert listed(config_of("a")) == [uuid("md1.2-legA-failed-b")]
    _, answer = status("a", "b")
    assert legs(answer)["a"]["trusted"] is False


def test_no_room_for_the_list(box):
    mbr_disk("a", A)
    pathlib.Path("conf").write_text("#" * 2040 + "\n")
    assert run("install", "--yes", "--config", "conf", "a").returncode == 0
    before = digests("a")
    r = run("install", "--trust", "--yes", "a")
    assert r.returncode == 3 and digests("a") == before
    assert "would be longer than 2048 bytes" in r.stderr


def test_where_there_is_little_room(box):
    """The smallest stage2 knows no list: it is not put there with one."""
    mbr_disk("a", A, start=63)
    assert run("install", "--yes", "a").returncode == 0
    before = digests("a")
    r = run("install", "--trust", "--yes", "a")
    assert r.returncode == 3 and digests("a") == before
    assert 'does not know "trust ="' in r.stderr


@pytest.mark.parametrize("options, words", [
    (["--trust", "--no-trust"], "exclude each other"),
    (["--add", "--trust"], "--add does as on the disks"),
    (["--add", "--no-trust"], "--add does as on the disks"),
])
def test_options_that_contradict(box, options, words):
    mbr_disk("a", A)
    r = run("install", *options, "--yes", "a")
    assert r.returncode == 2 and words in r.stderr


# ---- UEFI ----------------------------------------------------------------------------------------

def test_on_the_esp(box):
    for x in "ab":
        gpt_disk(x, f"md1.2-insync-{x}", esp=True)
    assert run("install", "--uefi", "--trust", "--yes", "a", "b").returncode == 0
    assert listed(config_on_esp("a")) == [uuid(A), uuid(B)]
    assert config_on_esp("b") == config_on_esp("a")
    _, answer = status("a", "b")
    assert {leg["trusted"] for leg in legs(answer).values()} == {True}
    assert run("install", "--uefi", "--no-trust", "--yes", "a", "b").returncode == 0
    assert listed(config_on_esp("a")) == []


def test_lists_that_differ(box):
    for x in "ab":
        gpt_disk(x, f"md1.2-insync-{x}", esp=True)
    assert run("install", "--uefi", "--trust", "--yes", "a", "b").returncode == 0
    assert run("install", "--uefi", "--no-trust", "--yes", "b").returncode == 0
    r = run("verify", "a", "b")
    assert r.returncode == 1
    assert ('b: its configuration does not trust the same disks as that of a: run "mirrorboot install '
            '--trust a b"') in r.stdout


def test_a_damaged_config_is_not_trusted_either(pinned):
    """A sector of it is lost: what is left of the other disk's counts."""
    start = [lba for lba in range(1, 2048) if sectors("a", lba)[:8] == b"MIRRBOOT"][0]
    with open("a", "r+b") as f:
        f.seek((start + 2) * 512)
        f.write(b"\0" * 512)
    _, answer = status("a", "b")
    assert {leg["trusted"] for leg in legs(answer).values()} == {True}
