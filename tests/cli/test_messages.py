# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""docs/failures.md explains every sentence that a source can say, and none that is gone."""

import re

import pytest

import sentences
from sentences import plain, words

BOGUS = '''
/* a comment says "this is not said to anybody" */
_Static_assert(sizeof(x) == 4, "this is not said either");
static const char *const why[] = {"the bogus disk has no moon",
				  [BAD] = "the second bogus moon is gone"};
static const char *const dead_ends[] = {"No bogus device was found", NULL};
static const struct command cmd_bogus = { .help = "this is help for the bogus moon" };
int work(void)
{
	if (!strcmp(line, "is compared with a moon"))
		say_about(path, "%s has %llu bogus moons in " /* in two */ "its %s orbit", a, b, c);
	return open_it("/no/such/path", "not a sentence");
}
static void bogus_usage(void)
{
	printf("this is a bogus usage\\n");
}
'''


@pytest.fixture(scope="module")
def doc():
    messages, prose = sentences.explained()
    assert len(messages) > 250
    return "\n".join([plain(m) for m in messages] + [plain(prose)])


def test_sentences_are_taken_out():
    assert [fixed for _, fixed in sentences.fixed(sentences.literals(BOGUS))] == [
        "the bogus disk has no moon", "the second bogus moon is gone", "bogus moons in its"]
    said = {str(path) for path in sentences.said()}
    assert len(said) > 80
    assert {"mbr/mbr.asm", "stage2/main.c", "common/report.c", "efi/chain.c", "tools/job.c"} <= said


def test_every_message_is_explained(doc):
    missing = [f'{path}: "{literal}"' for path, list_ in sentences.said().items()
               for literal, fixed in list_ if fixed not in doc]
    assert not missing, (
        f"{len(missing)} messages are not in docs/failures.md. Each needs a row in the table of "
        "its command: in the first column the message with its words as they are (N, DISK and the "
        "like for what differs; <br> between several), then what it means and what to do:\n  "
        + "\n  ".join(missing))


def covered(message, said, whole):
    """Is every word of it in some source, in a run of four that stands there, or in a shorter one
    that is all of a piece (", not closed")? One word between two may be a name or a state."""
    word = message.split()
    found = [False] * len(word)
    for n, where in (2, whole), (3, whole), (min(4, len(word)), said):
        for i in range(len(word) - n + 1):
            if plain(" ".join(word[i:i + n])) in where:
                found[i:i + n] = [True] * n
    left = "".join("\0" if f else w + " " for f, w in zip(found, word))
    return all(len(words(part)) < 2 for part in left.split("\0"))


# What stands for something else in a message: N, DISK, NAME (size), "...", Boot####, 80h, [code]
PLACE = re.compile(r"\[[a-z0-9-]+\]|\.\.\.|\\?(?!A [a-z])\b[A-Z][A-Z0-9]*\b|Boot####|\b\d+h?\b")
# Of these, what is a word of the message itself: "no EFI system partition", "its LBA 0".
NAMES = re.compile(r"AND|BIOS|CHS|CPU|EFI|FAT|GPT|GRUB|GUID|KLOG|LBA|LDM|MBR|MiB|OVMF|PCR|QEMU|"
                   r"SHA|TPM|UEFI|VM")


def is_said(message, said, whole):
    """What stands in it as it is, by parts between places; and between messages of one cell."""
    text = PLACE.sub(lambda m: m[0] if NAMES.fullmatch(m[0]) else "\0", message.replace("`", ""))
    return any(all(covered(part, said, whole) for part in re.split(between, text)
                   if len(words(part)) >= 3) for between in ("\0| / ", "\0| / |; "))


def gone(messages):
    found = {plain(p) for path in sentences.C_SOURCES
             for kind, text in sentences.tokens(path.read_text()) if kind == "text"
             for p in sentences.pieces(text)}
    other = [plain(p.read_text().replace("\\", "")) for p in sentences.OTHER_SOURCES]
    said = "\n".join([*found, *other])
    return [m for m in messages if not is_said(m, said, found)]


def test_no_explained_message_is_gone():
    stale = gone(sentences.explained()[0])
    assert not stale, ("docs/failures.md explains what no source says (any more): take these rows "
                       "out, or give them the source's words:\n  " + "\n  ".join(stale))


def test_a_message_that_is_gone_is_found():
    assert gone(["the config is damaged", "DISK: the moon of the config is damaged",
                 "no room to present the volume of N moons"]) == [
        "DISK: the moon of the config is damaged"]
    for message in ("the bogus moon is gone since N days", "ends before N sectors of it are read",
                    "could be seen on none of the other disks"):
        assert gone([message]) == [message]


def test_every_reason_has_its_code():
    names = set(re.findall(r'\[REASON_\w+\] = "([a-z-]+)"',
                           (sentences.TOP / "common/reason_name.c").read_text())) - {"none"}
    assert len(names) > 30
    assert names == set(re.findall(r"`\[([a-z-]+)\]`", sentences.DOC.read_text()))


def test_what_is_to_be_typed_fits_a_terminal():
    blocks = re.findall(r"^```\n(.*?)^```", sentences.DOC.read_text(), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > 30 and max(map(len, lines)) <= 71  # the manual page indents by 9


def test_sections_that_the_tool_names_are_there():
    named = {name for path in sentences.C_SOURCES
             for name in re.findall(r'READ\("([A-Z ]+)"\)', path.read_text())}
    headings = re.findall(r"^## (.*)", sentences.DOC.read_text(), re.M)
    assert "SPLIT BRAIN" in named <= {h.upper() for h in headings}
