/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/efi/blockio.h"

#define BUF_BYTES   (64u * 1024)
#define MANY        64 /* tokens at once: more than there is room for */
#define MANY_BYTES  4096u
#define LONG_BYTES  (8u * 1024 * 1024)
#define WAIT_US     (20u * 1000 * 1000)
#define STILL_QUIET ((EFI_STATUS)0x5151)

/* How a request is made. */
enum way { BIO, EX_NO_TOKEN, EX_NO_EVENT, EX_EVENT, WAYS };
static const char *const way_name[WAYS] = {"", " ex", " ex-blocking", " ex-event"};

enum where { DATA, BEYOND, FAR_BEYOND, LAST, HIGHEST };
enum buffer { GOOD, NOTHING, ODD };

static const struct row {
	const char *name;
	EFI_STATUS should;
	uint32_t blocks;
	int32_t more_bytes;
	uint8_t where, buffer;
	uint8_t bad_media;
	bool volume_only; /* on a disk it is the firmware's driver that answers */
} rows[] = {
	{"one block", EFI_SUCCESS, 1, 0, DATA, GOOD, 0, false},
	{"16 blocks", EFI_SUCCESS, 16, 0, DATA, GOOD, 0, false},
	{"media + 1", EFI_MEDIA_CHANGED, 1, 0, DATA, GOOD, 1, false},
	{"media + 5", EFI_MEDIA_CHANGED, 1, 0, DATA, GOOD, 5, false},
	{"media, beyond", EFI_MEDIA_CHANGED, 1, 0, BEYOND, GOOD, 1, true},
	{"media, size", EFI_MEDIA_CHANGED, 1, 1, DATA, GOOD, 1, false},
	{"media, nothing", EFI_MEDIA_CHANGED, 0, 0, DATA, GOOD, 1, true},
	{"media, NULL", EFI_MEDIA_CHANGED, 1, 0, DATA, NOTHING, 1, false},
	{"media, odd", EFI_MEDIA_CHANGED, 1, 0, DATA, ODD, 1, false},
	{"1 byte", EFI_BAD_BUFFER_SIZE, 0, 1, DATA, GOOD, 0, false},
	{"block - 1", EFI_BAD_BUFFER_SIZE, 1, -1, DATA, GOOD, 0, false},
	{"block + 1", EFI_BAD_BUFFER_SIZE, 1, 1, DATA, GOOD, 0, false},
	{"2 blocks - 1", EFI_BAD_BUFFER_SIZE, 2, -1, DATA, GOOD, 0, false},
	{"3 blocks + 1", EFI_BAD_BUFFER_SIZE, 3, 1, DATA, GOOD, 0, false},
	{"beyond", EFI_INVALID_PARAMETER, 1, 0, BEYOND, GOOD, 0, true},
	{"far beyond", EFI_INVALID_PARAMETER, 1, 0, FAR_BEYOND, GOOD, 0, true},
	{"over the end", EFI_INVALID_PARAMETER, 2, 0, LAST, GOOD, 0, true},
	{"wraps", EFI_INVALID_PARAMETER, 2, 0, HIGHEST, GOOD, 0, true},
	{"NULL", EFI_INVALID_PARAMETER, 1, 0, DATA, NOTHING, 0, false},
	{"odd buffer", EFI_INVALID_PARAMETER, 1, 0, DATA, ODD, 0, false},
	{"nothing", EFI_SUCCESS, 0, 0, DATA, GOOD, 0, false},
	{"nothing, NULL", EFI_SUCCESS, 0, 0, DATA, NOTHING, 0, true},
	{"nothing, beyond", EFI_SUCCESS, 0, 0, FAR_BEYOND, GOOD, 0, true},
};

struct flight {
	EFI_BLOCK_IO2_TOKEN token;
	volatile unsigned signals;
	volatile EFI_STATUS at_signal; /* the token's status then */
};

static VOID EFIAPI on_signal(EFI_EVENT event, VOID *context)
{
	struct flight *f = context;

	f->signals++;
	f->at_signal = f->token.TransactionStatus;
}

static void flight_init(struct flight *f)
{
	memset(f, 0, sizeof(*f));
	f->token.TransactionStatus = STILL_QUIET;
	f->at_signal = STILL_QUIET;
	uefi_bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_signal, f, &f->token.Event);
}

static void flight_wait(struct flight *f)
{
	for (unsigned us = 0; us < WAIT_US && f->signals == 0; us += 1000)
		uefi_bs->Stall(1000);
	uefi_bs->Stall(50); /* for one signal too many */
	uefi_bs->CloseEvent(f->token.Event);
}

static EFI_STATUS ex(const struct target *t, bool write, UINT32 media, uint64_t lba,
		     EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, void *buf)
{
	return write ? t->bio2->WriteBlocksEx(t->bio2, media, lba, token, bytes, buf)
		     : t->bio2->ReadBlocksEx(t->bio2, media, lba, token, bytes, buf);
}

/* One request. What its token says too much or too little turns into an odd status. */
static EFI_STATUS ask(const struct target *t, enum way way, bool write, UINT32 media, uint64_t lba,
		      UINTN bytes, void *buf)
{
	EFI_BLOCK_IO2_TOKEN blocking = {NULL, STILL_QUIET};
	struct flight f;
	EFI_STATUS status;

	if (way == BIO)
		return write ? t->bio->WriteBlocks(t->bio, media, lba, bytes, buf)
			     : t->bio->ReadBlocks(t->bio, media, lba, bytes, buf);
	if (way == EX_NO_TOKEN)
		return ex(t, write, media, lba, NULL, bytes, buf);
	if (way == EX_NO_EVENT)
		return ex(t, write, media, lba, &blocking, bytes, buf);
	flight_init(&f);
	status = ex(t, write, media, lba, &f.token, bytes, buf);
	if (status != EFI_SUCCESS) {
		uefi_bs->Stall(50);
		uefi_bs->CloseEvent(f.token.Event);
		/* Refused at once: not a word later. */
		return f.signals == 0 ? status : 0x7001;
	}
	flight_wait(&f);
	if (f.signals != 1)
		return 0x7002;
	return f.at_signal != STILL_QUIET ? f.at_signal : 0x7003;
}

static void say_row(const struct target *t, const struct row *r, enum way way, bool write,
		    EFI_STATUS is, EFI_STATUS should)
{
	char name[80];
	struct text_buffer b;

	text_buffer_init(&b, name, sizeof(name));
	text_str(&b.text, t->name);
	text_str(&b.text, write ? " write" : " read");
	text_str(&b.text, way_name[way]);
	text_str(&b.text, ": ");
	text_str(&b.text, r->name);
	expect(name, is, should);
}

static uint64_t lba_of(const struct target *t, const struct row *r, bool write)
{
	switch (r->where) {
	case BEYOND: return t->media->LastBlock + 1;
	case FAR_BEYOND: return t->media->LastBlock + 100;
	case LAST: return t->media->LastBlock;
	case HIGHEST: return UINT64_MAX;
	default: return write ? t->free_lba : t->lba;
	}
}

static void run_row(const struct target *t, const struct row *r, bool write, uint8_t *buf)
{
	UINT32 align = t->media->IoAlign;
	UINTN bytes = r->blocks * t->media->BlockSize + (UINTN)(intptr_t)r->more_bytes;
	uint8_t *at = r->buffer == NOTHING ? NULL : r->buffer == ODD ? buf + align / 2 : buf;
	EFI_STATUS should = r->should;

	if (r->volume_only && t->member_lba)
		return;
	if (r->buffer == ODD && align <= 1 && !r->bad_media)
		return; /* no buffer is odd */
	/* A disk is writable beside its members: there, only what could be done is refused. */
	if (write && t->read_only && bytes > 0 && !r->bad_media &&
	    (t->media->ReadOnly || should == EFI_SUCCESS))
		should = EFI_WRITE_PROTECTED;
	for (unsigned way = 0; way < (t->bio2 ? WAYS : EX_NO_TOKEN); way++)
		say_row(t, r, way, write,
			ask(t, way, write, t->media->MediaId + r->bad_media, lba_of(t, r, write),
			    bytes, at),
			should);
}

static void name_and_say(const struct target *t, const char *what, bool good, uint64_t shown)
{
	char name[80];
	struct text_buffer b;

	text_buffer_init(&b, name, sizeof(name));
	text_str(&b.text, t->name);
	text_char(&b.text, ' ');
	text_str(&b.text, what);
	said(name, good, shown);
}

/* Both protocols, at places all over the data: the same bytes. */
static void compare(const struct target *t, uint8_t *buf)
{
	uint64_t blocks = t->end_lba - t->lba, step = blocks / 61;
	UINTN bytes = 2 * t->media->BlockSize;
	unsigned wrong = 0;

	for (unsigned i = 0; i < 60; i++) {
		uint64_t lba = t->lba + i * step;

		memset(buf, 0x11, bytes);
		memset(buf + BUF_BYTES / 2, 0x22, bytes);
		if (ask(t, BIO, false, t->media->MediaId, lba, bytes, buf) != EFI_SUCCESS ||
		    ask(t, i & 1 ? EX_EVENT : EX_NO_TOKEN, false, t->media->MediaId, lba, bytes,
			buf + BUF_BYTES / 2) != EFI_SUCCESS ||
		    memcmp(buf, buf + BUF_BYTES / 2, bytes) != 0)
			wrong++;
	}
	name_and_say(t, "both protocols the same", wrong == 0, wrong);
}

/* More tokens than there is room for; flush: wait for them by a flush, not by their events. */
static void many(const struct target *t, bool flush)
{
	static struct flight f[MANY];
	uint8_t *buf = uefi_alloc_pages(MANY * MANY_BYTES), *one = uefi_alloc_pages(MANY_BYTES);
	uint32_t per = MANY_BYTES / t->media->BlockSize;
	unsigned refused = 0, signals = 0, status = 0, wrong = 0;

	for (unsigned i = 0; i < MANY; i++) {
		flight_init(&f[i]);
		refused += ex(t, false, t->media->MediaId, t->lba + i * per, &f[i].token,
			      MANY_BYTES, buf + i * MANY_BYTES) != EFI_SUCCESS;
	}
	if (flush)
		t->bio2->FlushBlocksEx(t->bio2, NULL);
	for (unsigned i = 0; i < MANY; i++) {
		if (flush)
			uefi_bs->CloseEvent(f[i].token.Event);
		else
			flight_wait(&f[i]);
		signals += f[i].signals != 1;
		status += f[i].at_signal != EFI_SUCCESS;
		t->bio->ReadBlocks(t->bio, t->media->MediaId, t->lba + i * per, MANY_BYTES, one);
		wrong += memcmp(one, buf + i * MANY_BYTES, MANY_BYTES) != 0;
	}
	name_and_say(t, flush ? "flush: none refused" : "many: none refused", refused == 0,
		     refused);
	name_and_say(t, flush ? "flush: all signalled by then" : "many: one signal each",
		     signals == 0, signals);
	name_and_say(t, flush ? "flush: status" : "many: status before signal", status == 0,
		     status);
	name_and_say(t, flush ? "flush: bytes" : "many: bytes", wrong == 0, wrong);
	uefi_free_pages(buf, MANY * MANY_BYTES);
	uefi_free_pages(one, MANY_BYTES);
}

/* A long read is cut up by whoever answers it: the bytes are those of short ones. */
static void long_read(const struct target *t, uint8_t *buf)
{
	UINTN block = t->media->BlockSize;
	uint64_t room = (t->end_lba - t->lba) * block;
	UINTN bytes = room < LONG_BYTES ? (UINTN)room : LONG_BYTES;
	uint8_t *all = uefi_alloc_pages(bytes);
	unsigned wrong = 0;

	/* Several times: whether it is cut depends on what came before. */
	for (unsigned turn = 0; turn < 4; turn++) {
		memset(all, 0x33, bytes);
		if (t->bio->ReadBlocks(t->bio, t->media->MediaId, t->lba, bytes, all) !=
		    EFI_SUCCESS)
			wrong++;
		for (UINTN at = 0; at < bytes; at += BUF_BYTES) {
			UINTN n = bytes - at < BUF_BYTES ? bytes - at : BUF_BYTES;

			if (turn > 0 && (at / BUF_BYTES & 15) != turn)
				continue;
			t->bio->ReadBlocks(t->bio, t->media->MediaId, t->lba + at / block, n, buf);
			wrong += memcmp(all + at, buf, n) != 0;
		}
	}
	name_and_say(t, "long read", wrong == 0, wrong);
	uefi_free_pages(all, bytes);
}

static void flushes(const struct target *t)
{
	EFI_STATUS should = t->media->ReadOnly ? EFI_WRITE_PROTECTED : EFI_SUCCESS;
	struct flight f;
	EFI_STATUS status;

	name_and_say(t, "flush", t->bio->FlushBlocks(t->bio) == EFI_SUCCESS, 0);
	if (!t->bio2 || t->member_lba)
		return;
	status = t->bio2->FlushBlocksEx(t->bio2, NULL);
	name_and_say(t, "flush ex", status == should, status);
	flight_init(&f);
	status = t->bio2->FlushBlocksEx(t->bio2, &f.token);
	name_and_say(t, "flush ex-event", status == should, status);
	if (status == EFI_SUCCESS) {
		flight_wait(&f);
		name_and_say(t, "flush ex-event: signal",
			     f.signals == 1 && f.at_signal == EFI_SUCCESS, f.signals);
	}
	if (!t->media->ReadOnly)
		many(t, true);
	status = t->bio2->Reset(t->bio2, FALSE);
	name_and_say(t, "reset ex", status == EFI_SUCCESS, status);
}

static void media(const struct target *t)
{
	const EFI_BLOCK_IO_MEDIA *m = t->media;

	name_and_say(t, "one media", !t->bio2 || t->bio2->Media == t->bio->Media, 0);
	if (t->member_lba)
		return;
	name_and_say(t, "align", (m->IoAlign & (m->IoAlign - 1)) == 0, m->IoAlign);
	name_and_say(t, "present", m->MediaPresent && !m->RemovableMedia && !m->LogicalPartition,
		     0);
	name_and_say(t, "physical block",
		     t->bio->Revision < EFI_BLOCK_IO_PROTOCOL_REVISION2 ||
			     (m->LogicalBlocksPerPhysicalBlock > 0 &&
			      m->LowestAlignedLba < m->LogicalBlocksPerPhysicalBlock),
		     m->LogicalBlocksPerPhysicalBlock);
	name_and_say(t, "reset", t->bio->Reset(t->bio, FALSE) == EFI_SUCCESS, 0);
}

void run_cases(const struct target *t)
{
	uint8_t *buf = uefi_alloc_pages(BUF_BYTES);

	media(t);
	for (unsigned write = 0; write < 2; write++)
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_row(t, &rows[i], write, buf);
	long_read(t, buf);
	if (t->bio2) {
		compare(t, buf);
		many(t, false);
	}
	flushes(t);
	uefi_free_pages(buf, BUF_BYTES);
}

void run_many(const struct target *t)
{
	many(t, false);
}

void run_long(const struct target *t)
{
	uint8_t *buf = uefi_alloc_pages(BUF_BYTES);

	long_read(t, buf);
	uefi_free_pages(buf, BUF_BYTES);
}

static bool same(const struct target *a, const struct target *b, uint8_t *buf, UINTN bytes)
{
	uint8_t *other = buf + BUF_BYTES / 2;

	return ask(a, BIO, false, a->media->MediaId, a->free_lba, bytes, buf) == EFI_SUCCESS &&
	       ask(b, BIO, false, b->media->MediaId, b->free_lba, bytes, other) == EFI_SUCCESS &&
	       memcmp(buf, other, bytes) == 0;
}

/* What is written by one is read by the other; what is refused leaves no trace. */
void run_both(const struct target *volume, const struct target *disk)
{
	UINTN block = disk->media->BlockSize, bytes = 8192;
	uint8_t *buf = uefi_alloc_pages(BUF_BYTES), *before = uefi_alloc_pages(BUF_BYTES);
	uint64_t edge = disk->member_lba - 8;
	EFI_STATUS status;

	said("volume and disk the same", same(volume, disk, buf, bytes), 0);

	/* From the partition before into the member's metadata. */
	disk->bio->ReadBlocks(disk->bio, disk->media->MediaId, edge, 16 * block, before);
	memset(buf, 0x99, 16 * block);
	status = ask(disk, BIO, true, disk->media->MediaId, edge, 16 * block, buf);
	expect("straddling write", status, EFI_WRITE_PROTECTED);
	disk->bio->ReadBlocks(disk->bio, disk->media->MediaId, edge, 16 * block, buf);
	said("nothing of it written", memcmp(buf, before, 16 * block) == 0, 0);

	if (!volume->media->ReadOnly) {
		memset(buf, 0x5a, bytes);
		expect("volume write",
		       ask(volume, BIO, true, volume->media->MediaId, volume->free_lba, bytes, buf),
		       EFI_SUCCESS);
		said("disk has it", same(volume, disk, buf, bytes) && buf[0] == 0x5a, buf[0]);
		memset(buf, 0xc3, bytes);
		expect("disk write",
		       ask(disk, disk->bio2 ? EX_EVENT : BIO, true, disk->media->MediaId,
			   disk->free_lba, bytes, buf),
		       EFI_SUCCESS);
		said("volume has it", same(volume, disk, buf, bytes) && buf[0] == 0xc3, buf[0]);
		/* From a buffer that no disk's driver takes as it is. */
		memset(buf, 0x3c, bytes);
		if (volume->media->IoAlign <= 1)
			expect("odd buffer write",
			       ask(volume, BIO, true, volume->media->MediaId, volume->free_lba,
				   block, buf + 1),
			       EFI_SUCCESS);
	}
	uefi_free_pages(buf, BUF_BYTES);
	uefi_free_pages(before, BUF_BYTES);
}
