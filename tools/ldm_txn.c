/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/ldm_txn.h"

#include "common/ldm_db.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILETIME_1970 116444736000000000ULL /* 100 ns from 1601 on */

uint64_t ldm_txn_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return FILETIME_1970 + (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
}

/* ---- a change ---- */

void ldm_change_init(struct ldm_change *ch, const struct ldm_group *g, unsigned news)
{
	uint64_t next = g->tid;

	memset(ch, 0, sizeof(*ch));
	for (unsigned i = 0; i < g->raws.count; i++) {
		const struct ldm_record *r = &g->raws.raw[i].rec;
		if (r->object.id > next)
			next = r->object.id;
	}
	/* Windows takes both from one counter. */
	ch->next = (uint32_t)next + 1;
	ch->tid = next + 1 + news;
	ch->full = ch->tid > UINT32_MAX;
}

struct ldm_out *ldm_change_add(struct ldm_change *ch)
{
	if (ch->adds == LDM_CHANGES) {
		ch->full = true;
		return &ch->add[0];
	}
	return &ch->add[ch->adds++];
}

void ldm_change_drop(struct ldm_change *ch, const struct ldm_raw *r)
{
	if (ch->drops == LDM_CHANGES)
		ch->full = true;
	else
		ch->drop[ch->drops++] = r;
}

/* ---- writing ---- */

static bool failed(const struct ldm_copy *c, const char *what, uint64_t lba)
{
	say_about(c->host->path, "%s at LBA %llu; the update is not finished: run this again", what,
		  (unsigned long long)lba);
	return false;
}

/* The sectors that differ, those in a row at once. */
static bool put_region(const struct ldm_copy *c, uint64_t lba, uint8_t *now, const uint8_t *want,
		       size_t bytes, bool *wrote)
{
	size_t sector = (size_t)1 << c->disk->shift, n;

	for (size_t at = 0; at < bytes; at += n) {
		n = sector;
		if (!memcmp(now + at, want + at, sector))
			continue;
		while (at + n < bytes && memcmp(now + at + n, want + at + n, sector))
			n += sector;
		if (c->disk->write(c->disk, lba + (at >> c->disk->shift),
				   (uint32_t)(n >> c->disk->shift), want + at) != ST_OK)
			return failed(c, "could not be written", lba + (at >> c->disk->shift));
		memcpy(now + at, want + at, n);
		*wrote = true;
	}
	return true;
}

static bool put_image(struct ldm_copy *c, const struct ldm_image *want)
{
	bool wrote = false;

	if (!put_region(c, c->head.config_lba, c->now.config, want->config, want->config_bytes,
			&wrote) ||
	    !put_region(c, c->head.log_lba, c->now.log, want->log, want->log_bytes, &wrote))
		return false;
	if (wrote && c->disk->flush(c->disk) != ST_OK)
		return failed(c, "could not be flushed", c->head.config_lba);
	return true;
}

/* A disk that says "written" and has not is found here. */
static bool is_there(const struct ldm_copy *c)
{
	struct ldm_image img;
	enum status st = ldm_image_read(&img, c->disk, &c->head);
	bool same = st == ST_OK && img.config_bytes == c->now.config_bytes &&
		    img.log_bytes == c->now.log_bytes &&
		    !memcmp(img.config, c->now.config, img.config_bytes) &&
		    !memcmp(img.log, c->now.log, img.log_bytes);

	ldm_image_free(&img);
	return same || failed(c,
			      st == ST_IO ? "could not be read back"
					  : "what was read back is not what was written",
			      c->head.config_lba);
}

/* The disks of a group that are written to, in their order. */
struct disks {
	unsigned count;
	struct ldm_copy *copy[SURVEY_DISKS];
};

static void list_disks(struct disks *d, struct ldm_groups *gs, const struct ldm_group *g,
		       uint64_t first)
{
	d->count = 0;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < gs->copies; i++)
			if (gs->of[i] == (unsigned)(g - gs->group) &&
			    gs->copy[i].standing == LDM_CURRENT && (first >> i & 1) != pass)
				d->copy[d->count++] = &gs->copy[i];
}

static bool put_all(const struct disks *d, const struct ldm_image *want)
{
	for (unsigned i = 0; i < d->count; i++)
		if (!put_image(d->copy[i], want))
			return false;
	return true;
}

static bool all_there(const struct disks *d)
{
	for (unsigned i = 0; i < d->count; i++)
		if (!is_there(d->copy[i]))
			return false;
	return true;
}

/* ---- the steps ---- */

static void drop_later(struct ldm_image *img, unsigned goes)
{
	struct ldm_raws all;

	if (!ldm_image_records(img, &all))
		return;
	for (unsigned i = 0; i < all.count; i++)
		if (all.raw[i].slot[0] && all.raw[i].rec.status == goes)
			ldm_image_drop(img, &all.raw[i], true);
	ldm_raws_free(&all);
}

/* From a committed state to a clean one, as all disks have the same. */
static bool activate(const struct disks *d, struct ldm_image *img)
{
	drop_later(img, LDM_RAW_LEAVING);
	if (!put_all(d, img))
		return false;
	ldm_image_settle(img, true);
	if (!put_all(d, img))
		return false;
	ldm_image_clean(img, true);
	return put_all(d, img) && all_there(d);
}

static bool prepare(struct ldm_image *img, const struct ldm_change *ch)
{
	for (unsigned i = 0; i < ch->drops; i++)
		ldm_image_set_status(img, ch->drop[i], LDM_RAW_LEAVING);
	for (unsigned i = 0; i < ch->adds; i++)
		if (ch->add[i].full ||
		    !ldm_image_add(img, ch->add[i].data, ch->add[i].bytes, LDM_RAW_COMING, 512))
			return false;
	ldm_image_put(img, LDM_AT_STATUS, 2, LDM_DB_CHANGE);
	ldm_image_put(img, LDM_AT_PENDING, 8, ch->tid);
	ldm_image_put(img, LDM_AT_TIME, 8, ldm_txn_time());
	ldm_image_count(img, LDM_AT_PENDING_COUNTS, LDM_RAW_COMING);
	return true;
}

static bool run_steps(const struct disks *d, struct ldm_image *base, struct ldm_image *img,
		      const struct ldm_change *ch)
{
	/* VMDB is alone in the first 512 bytes, and says so before any record changes. */
	memcpy(base->config, img->config, LDM_SLOT_FIRST * LDM_SLOT_BYTES);
	if (!put_all(d, base) || !put_all(d, img))
		return false;
	ldm_image_log_commit(img, ldm_image_get(img, LDM_AT_COMMITTED, 8), ch->tid);
	if (!put_all(d, img) || !all_there(d))
		return false;
	ldm_image_put(img, LDM_AT_STATUS, 2, LDM_DB_COMMIT);
	return put_all(d, img) && activate(d, img);
}

bool ldm_txn_run(struct ldm_groups *gs, struct ldm_group *g, const struct ldm_change *ch,
		 uint64_t first)
{
	struct ldm_image base = {0}, img = {0};
	struct disks d;
	bool done = false;

	list_disks(&d, gs, g, first);
	ldm_image_assign(&base, &gs->copy[g->best].settled);
	ldm_image_assign(&img, &base);
	if (!all_there(&d))
		say_note("the disks have changed since the plan was made; nothing was written");
	else if (ch->full || !prepare(&img, ch))
		say_note(
			"the database of the disk group has no room for this; nothing was written");
	else
		done = run_steps(&d, &base, &img, ch);
	for (unsigned i = 0; done && i < d.count; i++) {
		ldm_image_assign(&d.copy[i]->settled, &img);
		d.copy[i]->tid = ch->tid;
	}
	if (done) {
		g->tid = ch->tid;
		ldm_raws_free(&g->raws);
		ldm_image_records(&img, &g->raws);
	}
	ldm_image_free(&base);
	ldm_image_free(&img);
	return done;
}

/* One step of recovery, on all disks: what each has, changed. */
static bool each(const struct disks *d, void (*step)(struct ldm_copy *c, struct ldm_image *img))
{
	struct ldm_image img = {0};
	bool fine = true;

	for (unsigned i = 0; i < d->count && fine; i++) {
		ldm_image_assign(&img, &d->copy[i]->now);
		step(d->copy[i], &img);
		fine = put_image(d->copy[i], &img);
	}
	ldm_image_free(&img);
	return fine;
}

static void step_commit(struct ldm_copy *c, struct ldm_image *img)
{
	if (c->forward)
		ldm_image_put(img, LDM_AT_STATUS, 2, LDM_DB_COMMIT);
}

static void step_drop_later(struct ldm_copy *c, struct ldm_image *img)
{
	if (c->cut)
		drop_later(img, c->forward ? LDM_RAW_LEAVING : LDM_RAW_COMING);
}

static void step_settle(struct ldm_copy *c, struct ldm_image *img)
{
	if (c->cut)
		ldm_image_settle(img, c->forward);
	ldm_image_log_assign(img, &c->settled);
}

bool ldm_txn_recover(struct ldm_groups *gs, struct ldm_group *g)
{
	struct ldm_image want = {0};
	struct disks d;
	bool done;

	list_disks(&d, gs, g, UINT64_C(1) << g->best);
	ldm_image_assign(&want, &gs->copy[g->best].settled);
	for (unsigned i = 0; i < d.count; i++)
		ldm_image_log_assign(&d.copy[i]->settled, &want);
	/* VMDB comes last: copies that call themselves clean are compared to the byte. */
	done = each(&d, step_commit) && each(&d, step_drop_later) && each(&d, step_settle) &&
	       put_all(&d, &want) && all_there(&d);
	for (unsigned i = 0; done && i < d.count; i++) {
		ldm_image_assign(&d.copy[i]->settled, &want);
		d.copy[i]->cut = d.copy[i]->forward = false;
		d.copy[i]->state = LDM_DB_CLEAN;
	}
	if (done)
		g->cut = g->forward = false;
	ldm_image_free(&want);
	return done;
}

/* ---- one disk ---- */

bool ldm_txn_forget(struct ldm_copy *c)
{
	struct ldm_image img = {0};
	bool done;

	ldm_image_assign(&img, &c->now);
	if (ldm_image_get(&img, LDM_AT_STATUS, 2) != LDM_DB_NEW)
		ldm_image_put(&img, LDM_AT_STATUS, 2, LDM_DB_STALE);
	done = put_image(c, &img);
	if (done) {
		c->standing = LDM_UNFILLED;
		c->state = (unsigned)ldm_image_get(&img, LDM_AT_STATUS, 2);
	}
	ldm_image_free(&img);
	return done;
}

bool ldm_txn_fill(struct ldm_copy *c, const struct ldm_image *want)
{
	struct ldm_image img = {0};
	bool done = false;

	if (want->config_bytes != c->now.config_bytes || want->log_bytes != c->now.log_bytes) {
		say_about(c->host->path, "its database has another size than that of its group");
		return false;
	}
	ldm_image_assign(&img, want);
	ldm_image_put(&img, LDM_AT_STATUS, 2, ldm_image_get(&c->now, LDM_AT_STATUS, 2));
	if (ldm_txn_forget(c)) {
		ldm_image_put(&img, LDM_AT_STATUS, 2, ldm_image_get(&c->now, LDM_AT_STATUS, 2));
		done = put_image(c, &img) && is_there(c) && put_image(c, want) && is_there(c);
	}
	if (done) {
		ldm_image_assign(&c->settled, want);
		c->standing = LDM_CURRENT;
		c->tid = ldm_image_get(want, LDM_AT_COMMITTED, 8);
		c->state = LDM_DB_CLEAN;
		c->cut = c->forward = false;
	}
	ldm_image_free(&img);
	return done;
}
