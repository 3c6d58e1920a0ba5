/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The plan of a clone: what would be written, and whether it may be. */
#include "efi/clone.h"

/* ---- the source ------------------------------------------------------------------------------ */

static bool may_believe(const struct cloneside *s)
{
	const struct espfiles_file *bad = espfiles_damaged(&s->files);
	struct text *out = s->bar->out;

	if (s->files.status == ST_UNSUPPORTED) {
		cloneside_say(s, "its manifest was written by a newer mirrorboot: use that one");
		return false;
	}
	if (bad == NULL)
		return true;
	cloneside_say_begin(s);
	text_str(out, bad->f.path);
	text_char(out, ' ');
	if (bad->status != ST_OK)
		text_str(out, cloneside_fault(bad->status));
	else
		text_str(out, "is damaged: size and time are as they were, what is in it is not. "
			      "Install it again, or touch it if it is as it should be");
	text_char(out, '\n');
	return false;
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static const EFI_GUID rng_guid = {
	0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}};

struct rng {
	EFI_STATUS(EFIAPI *info)(struct rng *rng, UINTN *bytes, EFI_GUID *list);
	EFI_STATUS(EFIAPI *get)(struct rng *rng, EFI_GUID *algorithm, UINTN bytes, UINT8 *to);
};

/* Another than any before, anywhere: of random numbers where there are any, else of what differs.
 */
static struct guid new_set(const struct cloneside *s)
{
	struct {
		EFI_TIME time;
		uint64_t count, tsc;
		struct guid partition;
		uint8_t random[16];
	} seed;
	uint8_t sha256[SHA256_BYTES];
	EFI_GUID guid = rng_guid;
	struct rng *rng = NULL;
	struct sha256 sum;
	struct guid g;

	memset(&seed, 0, sizeof(seed));
	if (uefi_bs->LocateProtocol(&guid, NULL, (void **)&rng) == EFI_SUCCESS)
		rng->get(rng, NULL, sizeof(seed.random), seed.random);
	uefi_rt->GetTime(&seed.time, NULL);
	uefi_bs->GetNextMonotonicCount(&seed.count);
	seed.tsc = read_tsc();
	seed.partition = s->esp->uuid;
	sha256_init(&sum);
	sha256_add(&sum, &seed, sizeof(seed));
	sha256_end(&sum, sha256);
	memcpy(g.b, sha256, sizeof(g.b));
	guid_mark_random(&g);
	return g;
}

/* ---- generations ----------------------------------------------------------------------------- */

static void say_newer(const struct clone *c, const struct cloneside *to)
{
	cloneside_say_begin(to);
	text_str(c->out, "is newer than ");
	esplist_say(&c->list, c->side[0].esp, c->out);
	text_str(c->out, " (generation ");
	text_u64(c->out, to->files.old.generation);
	text_str(c->out, ", there ");
	text_u64(c->out, c->side[0].files.old.generation);
	text_str(c->out, "): clone the other way, or say --force\n");
}

static bool plan_generation(struct clone *c)
{
	struct espgen_esp from = cloneside_facts(&c->side[0], false), to[ESPLIST_MAX];
	struct guid fresh = new_set(&c->side[0]);
	unsigned which;

	for (unsigned i = 1; i < c->count; i++)
		to[i - 1] = cloneside_facts(&c->side[i], c->differs[i]);
	switch (espgen_plan(&c->gen, &from, to, c->count - 1, &fresh, c->args->force, &which)) {
	case ESPGEN_SOURCE_CUT:
		cloneside_say(&c->side[0],
			      "its last update was cut: it may hold files of two generations. "
			      "Clone the other way, or say --force");
		return false;
	case ESPGEN_TARGET_NEWER: say_newer(c, &c->side[which + 1]); return false;
	default: break;
	}
	for (unsigned i = 1; i < c->count; i++)
		c->manifest[i] = espgen_needed(&c->gen, &to[i - 1]);
	c->renew_source = c->gen.source && !c->side[0].esp->leg && c->side[0].esp->d->write;
	for (uint32_t i = 0; i < c->side[0].files.count; i++)
		c->fat_time = espgen_time(c->fat_time, &c->side[0].files.file[i].f);
	if (!c->fat_time)
		c->fat_time = ESPGEN_NO_TIME;
	return true;
}

/* ---- targets --------------------------------------------------------------------------------- */

/* The manifest that is written last must fit, too. */
static bool manifest_fits(const struct clone *c, unsigned i, uint64_t room_after)
{
	const struct cloneside *s = &c->side[i];
	uint64_t a = espfiles_manifest_bytes(&c->side[0].files);
	uint64_t b = espfiles_manifest_bytes(&s->files);
	uint64_t need = (a > b ? a : b) + 3 * (1ull << s->fat.cluster_shift);
	uint64_t old = s->files.status == ST_OK ? s->files.old.end : 0;

	if (room_after + old >= need)
		return true;
	cloneside_say_begin(s);
	text_str(c->out, "there is too little room for the manifest (");
	text_u64(c->out, need >> 10);
	text_str(c->out, " KiB)\n");
	return false;
}

static void show_head(const struct clone *c, const struct cloneside *s, const char *before)
{
	text_str(c->out, before);
	esplist_say(&c->list, s->esp, c->out);
	text_str(c->out, " on disk ");
	text_u64(c->out, s->esp->disk);
	text_str(c->out, " (FAT");
	text_u64(c->out, s->fat.type);
	text_str(c->out, ", ");
	text_size(c->out, disk_s512(s->esp->d, s->esp->sectors));
	text_char(c->out, ')');
}

static bool plan_target(struct clone *c, unsigned i, uint64_t *room_after)
{
	struct cloneside *s = &c->side[i];

	if (!cloneside_look(s))
		return false;
	if (s->files.status == ST_UNSUPPORTED) {
		cloneside_say(s, "its manifest was written by a newer mirrorboot: use that one");
		return false;
	}
	if (!clonedelta_make(&c->delta, &c->side[0], s, &c->options))
		return false;
	c->differs[i] = !fat_plan_is_empty(&c->delta.plan);
	*room_after = clonedelta_room_after(&c->delta);
	show_head(c, s, "To ");
	text_str(c->out, c->differs[i] ? ":\n" : ": no file to write\n");
	if (c->differs[i]) {
		clonedelta_show(&c->delta, c->out);
		text_char(c->out, '\n');
	}
	clonedelta_free(&c->delta);
	return true;
}

bool clone_plan(struct clone *c)
{
	uint64_t room_after[ESPLIST_MAX] = {0};
	bool fine = true;

	if (!cloneside_look(&c->side[0]))
		return false;
	show_head(c, &c->side[0], "From ");
	text_str(c->out, ": ");
	text_u64(c->out, c->side[0].files.count);
	text_str(c->out, " files, ");
	text_size(c->out, c->side[0].files.bytes >> 9);
	text_char(c->out, '\n');
	for (unsigned i = 1; i < c->count; i++) {
		if (plan_target(c, i, &room_after[i]))
			continue;
		fine = false;
		if (c->delta.plan.why_source)
			break; /* the others would say the same */
	}
	if (!fine || !may_believe(&c->side[0]) || !plan_generation(c))
		return false;
	for (unsigned i = 1; i < c->count; i++)
		fine &= !c->manifest[i] || manifest_fits(c, i, room_after[i]);
	if (fine && !clone_is_empty(c)) {
		text_str(c->out, "Then their manifests, generation ");
		text_u64(c->out, c->gen.generation);
		text_str(c->out, c->renew_source ? "; that of the source first.\n" : ".\n");
	}
	if (fine && c->gen.source && !c->renew_source)
		cloneside_say(&c->side[0],
			      "its manifest is not up to date, and is not written here (it is "
			      "read-only, or a leg of a mirror): \"mirrorboot esp manifest\" does "
			      "it");
	return fine;
}

bool clone_is_empty(const struct clone *c)
{
	for (unsigned i = 1; i < c->count; i++)
		if (c->manifest[i] || c->differs[i])
			return false;
	return !c->renew_source;
}
