/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_ldm.h"

#include <stdio.h>
#include <string.h>

void ldmt_be(uint8_t *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0; value >>= 8)
		to[i] = (uint8_t)value;
}

/* ---- records ---- */

void ldmt_fixed(struct ldmt_record *r, uint64_t value, unsigned bytes)
{
	assert_true(r->n + bytes <= LDMT_RECORD_BYTES);
	ldmt_be(r->b + r->n, value, bytes);
	r->n += bytes;
}

/* Windows writes 0 as a length of 1, and no leading zeros but one where the top bit is set. */
void ldmt_var(struct ldmt_record *r, uint64_t value)
{
	unsigned bytes = 1;

	while (bytes < 8 && value >> (8 * bytes - 1))
		bytes++;
	ldmt_fixed(r, bytes, 1);
	ldmt_fixed(r, value, bytes);
}

static void raw(struct ldmt_record *r, const void *bytes, size_t n)
{
	assert_true(r->n + n <= LDMT_RECORD_BYTES);
	memcpy(r->b + r->n, bytes, n);
	r->n += (unsigned)n;
}

void ldmt_text(struct ldmt_record *r, const char *text)
{
	ldmt_fixed(r, strlen(text), 1);
	raw(r, text, strlen(text));
}

void ldmt_start(struct ldmt_record *r, unsigned status, unsigned flags, unsigned kind, uint64_t id,
		const char *name)
{
	memset(r, 0, sizeof(*r));
	ldmt_fixed(r, status, 2);
	ldmt_fixed(r, flags, 1);
	ldmt_fixed(r, kind, 1);
	ldmt_fixed(r, 0, 4);
	ldmt_var(r, id);
	ldmt_text(r, name);
}

void ldmt_end(struct ldmt_record *r)
{
	ldmt_be(r->b + 4, r->n - 8, 4);
}

static void guid_text(char text[64], const uint8_t b[16])
{
	memset(text, 0, 64);
	snprintf(text, 64, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

static void guid_of(char text[64], uint8_t byte)
{
	uint8_t b[16];

	memset(b, byte, sizeof(b));
	guid_text(text, b);
}

void ldmt_volume(struct ldmt_record *r, unsigned status, const struct ldm_volume *v)
{
	char state[14] = "";

	memcpy(state, v->state, strnlen(v->state, sizeof(state)));
	ldmt_start(r, status, v->hint[0] ? 0x02 : 0, 0x51, v->id, v->name);
	ldmt_text(r, v->type);
	ldmt_text(r, "");
	raw(r, state, sizeof(state));
	ldmt_fixed(r, v->read_policy, 1);
	ldmt_var(r, 0xffffffff); /* its number: as long as Windows makes it */
	ldmt_fixed(r, v->flags, 4);
	ldmt_var(r, v->components);
	ldmt_fixed(r, 7, 8);
	ldmt_fixed(r, 0, 8);
	ldmt_var(r, v->size_s512);
	ldmt_fixed(r, 0, 4);
	ldmt_fixed(r, v->part_type, 1);
	raw(r, &v->guid, 16);
	if (v->hint[0])
		ldmt_text(r, v->hint);
	ldmt_end(r);
}

void ldmt_component(struct ldmt_record *r, unsigned status, const struct ldm_component *c)
{
	ldmt_start(r, status, c->columns ? 0x10 : 0, 0x32, c->id, c->name);
	ldmt_text(r, c->state);
	ldmt_fixed(r, c->layout, 1);
	ldmt_fixed(r, c->flags, 4);
	ldmt_var(r, c->partitions);
	ldmt_fixed(r, 7, 8);
	ldmt_fixed(r, 0, 8);
	ldmt_var(r, c->volume);
	ldmt_var(r, 0);
	if (c->columns) {
		ldmt_var(r, c->stripe_s512);
		ldmt_var(r, c->columns);
	}
	ldmt_end(r);
}

void ldmt_partition(struct ldmt_record *r, unsigned status, const struct ldm_partition *p)
{
	ldmt_start(r, status, 0x40 | (p->column ? 0x08 : 0), 0x33, p->id, p->name);
	ldmt_fixed(r, p->flags, 4);
	ldmt_fixed(r, 7, 8);
	ldmt_fixed(r, p->start_s512, 8);
	ldmt_fixed(r, p->offset_s512, 8);
	ldmt_var(r, p->size_s512);
	ldmt_var(r, p->component);
	ldmt_var(r, p->disk);
	if (p->column)
		ldmt_var(r, p->column);
	ldmt_var(r, 0);
	ldmt_end(r);
}

void ldmt_disk(struct ldmt_record *r, unsigned status, const struct ldm_disk *d)
{
	char guid[64];

	guid_text(guid, d->guid.b);
	ldmt_start(r, status, 0, 0x34, d->id, d->name);
	ldmt_text(r, guid);
	ldmt_text(r, d->device);
	ldmt_fixed(r, d->flags, 4);
	ldmt_fixed(r, 7, 8);
	ldmt_end(r);
}

void ldmt_group(struct ldmt_record *r, bool raw_guids, unsigned flags)
{
	char guid[64];

	ldmt_start(r, 0, flags, raw_guids ? 0x45 : 0x35, 1, "TestDg0");
	guid_of(guid, 0xd0);
	if (raw_guids)
		for (unsigned i = 0; i < 32; i++)
			ldmt_fixed(r, 0xd0, 1);
	else
		ldmt_text(r, guid);
	ldmt_fixed(r, 0, 4);
	ldmt_fixed(r, 7, 8);
	for (unsigned i = 0; i < 2 && (flags & 0x08); i++)
		ldmt_var(r, i);
	if (flags & 0x10)
		ldmt_var(r, 300);
	ldmt_end(r);
}

/* ---- a database ---- */

void ldmt_open(struct ldmt_db *db)
{
	memset(db, 0, sizeof(*db));
	db->group = 0xd0;
	db->committed = db->pending = 100;
	db->status = 1;
	for (unsigned i = 4; i < LDMT_SLOTS; i++) {
		memcpy(db->config + 128 * i, "VBLK", 4);
		ldmt_be(db->config + 128 * i + 4, i, 4);
	}
	for (unsigned i = 0; i < 2; i++) {
		memcpy(db->log + 512 * i, "KLOG", 4);
		ldmt_be(db->log + 512 * i + 4, 99, 8);
		ldmt_be(db->log + 512 * i + 16, 2, 4);
		ldmt_be(db->log + 512 * i + 20, i, 4);
	}
	ldmt_log(db, 0, 0, 3);
	db->slot = 4;
	db->piece_group = 1;
}

void ldmt_log(struct ldmt_db *db, unsigned page, unsigned entry, unsigned status)
{
	uint8_t *e = db->log + 512 * page + 24 + 24 * entry;

	e[0] = (uint8_t)status;
	ldmt_be(e + 1, 99, 8);
	ldmt_be(e + 9, 100, 8);
}

void ldmt_put(struct ldmt_db *db, unsigned slot, uint32_t group, unsigned piece, unsigned pieces,
	      const uint8_t *payload)
{
	uint8_t *b = db->config + 128 * slot;

	assert_true(slot < LDMT_SLOTS);
	ldmt_be(b + 8, group, 4);
	ldmt_be(b + 12, piece, 2);
	ldmt_be(b + 14, pieces, 2);
	memcpy(b + 16, payload, 112);
}

void ldmt_add(struct ldmt_db *db, const struct ldmt_record *r)
{
	unsigned pieces = (r->n + 111) / 112, type = (r->b[3] & 15) - 1u;

	db->piece_group++;
	for (unsigned i = 0; i < pieces; i++)
		ldmt_put(db, db->slot++, db->piece_group, i, pieces, r->b + 112 * i);
	if (type >= 4)
		return;
	db->count[type] += r->b[1] != 2;
	db->pending_count[type] += r->b[1] != 1;
}

static void set_name(char *to, size_t size, const char *text)
{
	memset(to, 0, size);
	memcpy(to, text, strlen(text));
}
#define NAME(to, text) set_name(to, sizeof(to), text)

void ldmt_mirror(struct ldmt_group *g)
{
	memset(g, 0, sizeof(*g));
	g->volumes = 1;
	g->components = g->partitions = g->disks = 2;
	g->volume[0] = (struct ldm_volume){.id = 4,
					   .name = "Volume1",
					   .type = "gen",
					   .state = "ACTIVE",
					   .hint = "C:",
					   .read_policy = 3,
					   .part_type = 7,
					   .flags = 0x11,
					   .components = 2,
					   .size_s512 = 4096};
	memset(&g->volume[0].guid, 0x70, 16);
	for (unsigned i = 0; i < 2; i++) {
		g->component[i] = (struct ldm_component){.id = 20 + i,
							 .state = "ACTIVE",
							 .layout = LDM_CONCATENATED,
							 .volume = 4,
							 .partitions = 1};
		NAME(g->component[i].name, i ? "Volume1-02" : "Volume1-01");
		g->partition[i] = (struct ldm_partition){.id = 30 + i,
							 .component = 20 + i,
							 .disk = 11 + i,
							 .start_s512 = 128 * (i + 1),
							 .size_s512 = 4096};
		NAME(g->partition[i].name, i ? "Disk2-01" : "Disk1-01");
		g->disk[i] = (struct ldm_disk){.id = 11 + i};
		NAME(g->disk[i].name, i ? "Disk2" : "Disk1");
		memset(&g->disk[i].guid, 0x11 + (int)i, 16);
	}
}

void ldmt_make(struct ldmt_group *g)
{
	struct ldmt_record r;

	ldmt_open(&g->db);
	ldmt_group(&r, false, 0);
	ldmt_add(&g->db, &r);
	for (unsigned i = 0; i < g->disks; i++) {
		ldmt_disk(&r, 0, &g->disk[i]);
		ldmt_add(&g->db, &r);
	}
	for (unsigned i = 0; i < g->partitions; i++) {
		ldmt_partition(&r, 0, &g->partition[i]);
		ldmt_add(&g->db, &r);
	}
	for (unsigned i = 0; i < g->components; i++) {
		ldmt_component(&r, 0, &g->component[i]);
		ldmt_add(&g->db, &r);
	}
	for (unsigned i = 0; i < g->volumes; i++) {
		ldmt_volume(&r, 0, &g->volume[i]);
		ldmt_add(&g->db, &r);
	}
}

/* ---- a disk ---- */

struct ldmt_place ldmt_place(const struct memdisk *m, bool gpt)
{
	unsigned per = 1u << (m->disk.shift - 9);
	struct ldmt_place p = {.private_sectors = 2048 / per};

	p.private_lba = gpt ? 128 / per : m->disk.sectors - p.private_sectors;
	p.public_lba = (LDMT_PUBLIC_S512 + (gpt ? 3072u : 0)) / per;
	if (per == 1) {
		p = (struct ldmt_place){p.private_lba, 2048, p.public_lba, 17,   1481,
					1498,          224,  {1, 2046},    1856, 2047};
	} else {
		p.toc[1] = 1; /* 0 and 1 take turns; the copies lie before the last sectors */
		p.toc[0] = (uint32_t)p.private_sectors - 4;
		p.config = 2;
		p.config_sectors = (1481 + per - 1) / per;
		p.log = p.config + p.config_sectors;
		p.log_sectors = 2;
		p.second = (uint32_t)p.private_sectors - 24;
		p.primary = (uint32_t)p.private_sectors - 1;
	}
	return p;
}

void ldmt_resum(uint8_t *block)
{
	uint32_t sum = 0;

	memset(block + 8, 0, 4);
	for (unsigned i = 0; i < 512; i++)
		sum += block[i];
	ldmt_be(block + 8, sum, 4);
}

static void put_head(uint8_t *b, const struct memdisk *m, const struct ldmt_place *p,
		     const struct ldmt_db *db, uint8_t disk_guid, bool gpt)
{
	uint64_t end = gpt ? m->disk.sectors - 64 : p->private_lba;

	memset(b, 0, 512);
	memcpy(b, "PRIVHEAD", 8);
	ldmt_be(b + 0x0c, 2, 2);
	ldmt_be(b + 0x0e, 12, 2);
	ldmt_be(b + 0x18, 5, 8);
	ldmt_be(b + 0x20, p->primary, 8);
	ldmt_be(b + 0x28, p->second, 8);
	guid_of((char *)b + 0x30, disk_guid);
	guid_of((char *)b + 0x70, 0x1b);
	guid_of((char *)b + 0xb0, db->group);
	memcpy(b + 0xf0, "TestDg0", 7);
	ldmt_be(b + 0x10f, 1u << m->disk.shift, 4);
	ldmt_be(b + 0x11b, p->public_lba, 8);
	ldmt_be(b + 0x123, end - p->public_lba, 8);
	ldmt_be(b + 0x12b, p->private_lba, 8);
	ldmt_be(b + 0x133, p->private_sectors, 8);
	ldmt_be(b + 0x13b, p->toc[0], 8);
	ldmt_be(b + 0x143, p->toc[1], 8);
	ldmt_be(b + 0x14b, 1, 4);
	ldmt_be(b + 0x14f, 1, 4);
	ldmt_be(b + 0x153, p->config_sectors, 8);
	ldmt_be(b + 0x15b, p->log_sectors, 8);
	ldmt_resum(b);
}

static void put_toc(uint8_t *b, const struct ldmt_place *p, unsigned sequence, unsigned log_flags)
{
	memset(b, 0, 512);
	memcpy(b, "TOCBLOCK", 8);
	ldmt_be(b + 0x0c, sequence, 8);
	memcpy(b + 0x24, "config", 6);
	ldmt_be(b + 0x24 + 10, p->config, 8);
	ldmt_be(b + 0x24 + 18, p->config_sectors, 8);
	ldmt_be(b + 0x24 + 28, 1, 2);
	memcpy(b + 0x46, "log", 3);
	ldmt_be(b + 0x46 + 8, log_flags, 2);
	ldmt_be(b + 0x46 + 10, p->log, 8);
	ldmt_be(b + 0x46 + 18, p->log_sectors, 8);
	ldmt_be(b + 0x46 + 28, 1, 2);
	ldmt_resum(b);
}

static void put_vmdb(uint8_t *b, const struct ldmt_db *db)
{
	memcpy(b, "VMDB", 4);
	ldmt_be(b + 4, LDMT_SLOTS, 4);
	ldmt_be(b + 8, 128, 4);
	ldmt_be(b + 12, 512, 4);
	ldmt_be(b + 16, db->status, 2);
	ldmt_be(b + 18, 4, 2);
	ldmt_be(b + 20, 10, 2);
	memcpy(b + 0x16, "TestDg0", 7);
	guid_of((char *)b + 0x35, db->group);
	ldmt_be(b + 0x75, db->committed, 8);
	ldmt_be(b + 0x7d, db->pending, 8);
	for (unsigned i = 0; i < 4; i++) {
		ldmt_be(b + 0x85 + 4 * i, db->count[i], 4);
		ldmt_be(b + 0xa1 + 4 * i, db->pending_count[i], 4);
	}
	ldmt_be(b + 0xbd, 0x01cd90240123, 8);
}

static void put_table(struct memdisk *m, const struct ldmt_place *p, bool gpt)
{
	if (!gpt) {
		/* In the last entry: Windows' own is the first. */
		memdisk_mbr(m, 4, 0x42, (uint32_t)p->public_lba,
			    (uint32_t)(m->disk.sectors - p->public_lba));
		return;
	}
	memdisk_mbr(m, 1, MBR_PROTECTIVE, 1, (uint32_t)m->disk.sectors - 1);
	for (unsigned i = 0; i < 2; i++) {
		struct gpt_spec s = gpt_spec(m, i == 1);

		put_gpt_entry(m, &s, 0, &gpt_type_ldm_metadata, p->private_lba,
			      p->private_lba + p->private_sectors - 1);
		put_gpt_entry(m, &s, 2, &gpt_type_ldm_data, p->public_lba, m->disk.sectors - 65);
		put_gpt_header(m, &s);
	}
}

void ldmt_write(struct memdisk *m, const struct ldmt_db *db, uint8_t disk_guid, bool gpt)
{
	struct ldmt_place p = ldmt_place(m, gpt);
	unsigned other = m->disk.shift == 9 ? 3 : 1;
	uint64_t at = p.private_lba;

	put_table(m, &p, gpt);
	put_head(memdisk_at(m, at + p.primary), m, &p, db, disk_guid, gpt);
	put_head(memdisk_at(m, at + p.second), m, &p, db, disk_guid, gpt);
	if (!gpt)
		put_head(memdisk_at(m, 6), m, &p, db, disk_guid, gpt);
	for (unsigned i = 0; i < 2; i++) {
		put_toc(memdisk_at(m, at + p.toc[i]), &p, 5, 0);
		put_toc(memdisk_at(m, at + (p.toc[i] ^ other)), &p, 4, 8);
	}
	memcpy(memdisk_at(m, at + p.config), db->config, sizeof(db->config));
	put_vmdb(memdisk_at(m, at + p.config), db);
	memcpy(memdisk_at(m, at + p.log), db->log, sizeof(db->log));
}

void ldmt_disk_open(struct memdisk *m, const struct ldmt_db *db, uint8_t disk_guid, bool gpt,
		    unsigned shift)
{
	memdisk_open(m, LDMT_SECTORS >> (shift - 9), shift);
	ldmt_write(m, db, disk_guid, gpt);
}
