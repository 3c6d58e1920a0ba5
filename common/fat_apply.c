/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: the items of a plan, as many at a time as the free clusters are for. */
#include "common/fat_apply.h"

#include "common/mem.h"
#include "common/range.h"

/* Bytes on their way into a new chain; clusters in a row are one write. */
struct stream {
	struct fat_plan *p;
	struct fat_out *o;
	uint32_t first, last, in_cluster;
	uint32_t run_sector, run_sectors;
	const uint8_t *run;
};

static bool is_of(const struct fat_node *n, bool last)
{
	return (n->action == FAT_CREATE || n->action == FAT_REPLACE || n->action == FAT_TOUCH) &&
	       !(n->flags & FAT_NODE_LAST) == !last;
}

static bool has_content(const struct fat_node *n)
{
	return n->action == FAT_CREATE || n->action == FAT_REPLACE;
}

static enum status fail(struct fat_plan *p, uint32_t node, enum status st)
{
	if (p->why == FAT_FINE && st == ST_FULL)
		p->why = FAT_NO_ROOM;
	fat_plan_path(p, &p->from, node);
	return st;
}

static enum status add_cluster(struct stream *s, bool folder)
{
	uint32_t cluster;
	enum status st = fat_out_take(s->o, folder, 0, &cluster);

	/* In the order of the FAT: each of its sectors is written once. */
	if (st == ST_OK && s->last)
		st = fat_out_link(s->o, s->last, cluster);
	if (st == ST_OK)
		st = fat_out_link(s->o, cluster, fat_out_end_mark(s->o));
	if (!s->last)
		s->first = cluster;
	s->last = cluster;
	s->in_cluster = 0;
	return st;
}

static enum status put_run(struct stream *s)
{
	enum status st = ST_OK;

	if (s->run_sectors)
		st = fat_out_put(s->o, s->run_sector, s->run_sectors, s->run);
	s->run_sectors = 0;
	return st;
}

/* Whole sectors. */
static enum status put_bytes(struct stream *s, const uint8_t *from, uint32_t bytes)
{
	const struct fat *f = s->o->f;
	uint32_t cluster_bytes = 1u << f->cluster_shift;

	while (bytes) {
		enum status st = ST_OK;
		uint32_t sector, n;

		if (!s->last || s->in_cluster == cluster_bytes)
			st = add_cluster(s, false);
		if (st != ST_OK)
			return st;
		n = (uint32_t)min_u64(bytes, cluster_bytes - s->in_cluster);
		sector = fat_cluster_sector(f, s->last) + (s->in_cluster >> f->sector_shift);
		if (s->run_sectors && s->run_sector + s->run_sectors != sector)
			st = put_run(s);
		if (st != ST_OK)
			return st;
		if (!s->run_sectors) {
			s->run_sector = sector;
			s->run = from;
		}
		s->run_sectors += n >> f->sector_shift;
		s->in_cluster += n;
		from += n;
		bytes -= n;
	}
	return put_run(s);
}

/* The next bytes of the content; what is behind them, up to a whole sector, is zero. */
static enum status get_bytes(struct fat_plan *p, const struct fat_node *n, struct fat_file *file,
			     uint8_t *to, uint32_t *got)
{
	enum status st = ST_OK;

	if (n->data) {
		*got = (uint32_t)min_u64(p->half_bytes, file->bytes - file->at);
		memcpy(to, (const uint8_t *)n->data + file->at, *got);
		file->at += *got;
	} else {
		st = fat_file_read(p->from.fat, file, to, p->half_bytes, got);
	}
	if (st == ST_OK)
		memset(to + *got, 0, (0u - *got) & (DISK_SECTOR_BYTES - 1));
	else
		p->why_source = true;
	return st;
}

static enum status tell(struct fat_plan *p, enum fat_phase phase, uint32_t bytes)
{
	uint64_t *done = phase == FAT_WRITING ? &p->written_bytes : &p->read_back_bytes;

	*done += bytes;
	if (!p->options.progress ||
	    p->options.progress(p->options.ctx, phase, *done, p->write_bytes))
		return ST_OK;
	p->why = FAT_STOPPED;
	return ST_READONLY;
}

static enum status write_file(struct fat_plan *p, struct fat_out *o, struct fat_node *n)
{
	struct stream s = {.p = p, .o = o};
	struct fat_file file = {.bytes = le32_get(n->raw.bytes), .cluster = n->cluster};
	uint32_t mask = (1u << o->f->sector_shift) - 1, got = 0;
	enum status st = ST_OK;

	while (file.at < file.bytes && st == ST_OK) {
		st = get_bytes(p, n, &file, p->buf, &got);
		if (st == ST_OK)
			st = put_bytes(&s, p->buf, (got + mask) & ~mask);
		if (st == ST_OK)
			st = tell(p, FAT_WRITING, got);
	}
	n->new_cluster = s.first;
	return st;
}

/* Its first cluster, with "." and ".." in it. */
static enum status make_folder(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	struct fat_node *n = &p->from.node[node];
	struct stream s = {.p = p, .o = o};
	enum status st = add_cluster(&s, true);

	if (st != ST_OK)
		return st;
	n->new_cluster = n->put_cluster = s.first;
	n->put_slot = 2;
	n->flags |= FAT_NODE_FRESH | FAT_NODE_TAIL;
	if (o->rehearse)
		return ST_OK;
	st = fat_place_zeroes(p, o, s.first);
	fat_place_dots(p, node, p->buf);
	return st == ST_OK ? fat_out_put_sector(o, fat_cluster_sector(o->f, s.first), p->buf) : st;
}

static enum status rehearse_file(struct fat_out *o, struct fat_node *n)
{
	enum status st = ST_OK;

	for (uint32_t i = fat_node_clusters(o->f, n); i && st == ST_OK; i--)
		st = fat_out_take(o, false, 0, &n->new_cluster);
	return st;
}

/* All of it that is not to be seen yet. */
static enum status stage(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	struct fat_node *n = &p->from.node[node];
	enum status st = ST_OK;

	if (!has_content(n))
		return ST_OK;
	n->new_cluster = 0;
	if (fat_node_is_folder(n))
		st = make_folder(p, o, node);
	else
		st = o->rehearse ? rehearse_file(o, n) : write_file(p, o, n);
	if (st == ST_OK && n->action == FAT_CREATE)
		st = fat_place_take(p, o, node);
	return st;
}

static enum status read_back(struct fat_plan *p, struct fat_out *o, const struct fat_node *n)
{
	struct fat_file file = {.bytes = le32_get(n->raw.bytes), .cluster = n->cluster};
	struct fat_file new = {.bytes = file.bytes, .cluster = n->new_cluster};
	uint32_t got, back;
	enum status st = ST_OK;

	while (new.at < new.bytes && st == ST_OK) {
		st = get_bytes(p, n, &file, p->buf, &got);
		if (st == ST_OK)
			st = fat_file_read(o->f, &new, p->buf + p->half_bytes, p->half_bytes,
					   &back);
		if (st == ST_OK && (got != back || memcmp(p->buf, p->buf + p->half_bytes, got))) {
			o->differs = true;
			st = ST_CORRUPT;
		}
		if (st == ST_OK)
			st = tell(p, FAT_READING_BACK, got);
	}
	return st;
}

enum status fat_apply_free(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	for (uint32_t i = node; i < p->to.node[node].end; i++) {
		uint32_t cluster = p->to.node[i].cluster;

		while (cluster) {
			uint32_t next;
			enum status st = fat_out_follow(o, cluster, &next);

			if (st != ST_OK)
				return st;
			fat_out_give(o, cluster);
			cluster = next;
		}
	}
	return ST_OK;
}

static enum status each(struct fat_plan *p, struct fat_out *o, uint32_t from, uint32_t end,
			bool last,
			enum status (*what)(struct fat_plan *, struct fat_out *, uint32_t))
{
	for (uint32_t i = from; i < end; i++) {
		enum status st = is_of(&p->from.node[i], last) ? what(p, o, i) : ST_OK;

		if (st != ST_OK)
			return fail(p, i, st);
	}
	return ST_OK;
}

static enum status check_content(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	const struct fat_node *n = &p->from.node[node];

	return has_content(n) && !fat_node_is_folder(n) ? read_back(p, o, n) : ST_OK;
}

static enum status switch_over(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	return p->from.node[node].action == FAT_CREATE ? fat_place_commit(p, o, node)
						       : fat_place_change(p, o, node);
}

static enum status free_old(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	const struct fat_node *n = &p->from.node[node];

	return n->action == FAT_REPLACE ? fat_apply_free(p, o, n->match) : ST_OK;
}

/* Nodes that were staged. */
static enum status commit(struct fat_plan *p, struct fat_out *o, uint32_t from, uint32_t end,
			  bool last)
{
	enum status st = ST_OK;

	if (!o->rehearse) {
		st = fat_out_flush(o);
		if (st == ST_OK)
			st = each(p, o, from, end, last, check_content);
		if (st == ST_OK)
			st = each(p, o, from, end, last, switch_over);
		if (st == ST_OK)
			st = fat_out_flush(o);
	}
	return st == ST_OK ? each(p, o, from, end, last, free_old) : st;
}

static enum status fits(struct fat_plan *p, struct fat_out *o, uint32_t node, bool *fit)
{
	const struct fat_node *n = &p->from.node[node];
	uint32_t grow = 0, need = has_content(n) ? fat_node_clusters(o->f, n) : 0;
	enum status st = n->action == FAT_CREATE ? fat_place_need(p, o, node, &grow) : ST_OK;

	*fit = need <= o->free && grow <= o->free - need;
	if (!*fit)
		p->missing_bytes = ((uint64_t)need + grow - o->free) << o->f->cluster_shift;
	return st;
}

static enum status batches(struct fat_plan *p, struct fat_out *o, bool last)
{
	uint32_t from = 1;

	for (uint32_t i = 1; i < p->from.count; i++) {
		enum status st;
		bool fit;

		if (!is_of(&p->from.node[i], last))
			continue;
		st = fits(p, o, i, &fit);
		if (st == ST_OK && !fit) {
			st = commit(p, o, from, i, last);
			if (st != ST_OK)
				return st;
			from = i;
			st = fits(p, o, i, &fit);
		}
		if (st == ST_OK)
			st = fit ? stage(p, o, i) : ST_FULL;
		if (st != ST_OK)
			return fail(p, i, st);
	}
	return commit(p, o, from, p->from.count, last);
}

enum status fat_apply_new(struct fat_plan *p, struct fat_out *o)
{
	enum status st = batches(p, o, false);

	return st == ST_OK ? batches(p, o, true) : st;
}
