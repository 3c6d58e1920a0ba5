/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Writing what makes a disk a dynamic disk. */
#include "tools/ldm_init.h"

#include "common/ldm_db.h"
#include "common/mbrtab.h"
#include "tools/ldm_txn.h"
#include "tools/run.h"
#include "tools/say.h"

#include <libfdisk/libfdisk.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SECTOR         512u
#define TOC_FIRST      2u
#define TOC_SECOND     2045u
#define CONFIG_START   17u
#define CONFIG_SECTORS 1481u
#define LOG_START      1498u
#define LOG_SECTORS    224u
#define HEAD_SECOND    1856u
#define HEAD_LAST      2047u
#define HEAD_MBR_LBA   6u
#define KLOG_PAGES     2u

static const char host_guid[] = "1b77da20-c717-11d0-a5be-00a0c91db73c"; /* Windows' own */

static void put_text(uint8_t *to, const char *text)
{
	memcpy(to, text, strlen(text));
}

/* PRIVHEAD and TOCBLOCK: the sum of all bytes. */
static void put_sum(uint8_t *block)
{
	uint32_t sum = 0;

	ldm_put_be(block + 8, 4, 0);
	for (unsigned i = 0; i < SECTOR; i++)
		sum += block[i];
	ldm_put_be(block + 8, 4, sum);
}

static void make_head(uint8_t *b, const struct ldm_fresh *f, const char *group_text,
		      const char *group_name)
{
	memset(b, 0, SECTOR);
	put_text(b, "PRIVHEAD");
	ldm_put_be(b + 0x0c, 2, 2);
	ldm_put_be(b + 0x0e, 2, f->minor);
	ldm_put_be(b + 0x10, 8, ldm_txn_time());
	ldm_put_be(b + 0x18, 8, 1);
	ldm_put_be(b + 0x20, 8, HEAD_LAST);
	ldm_put_be(b + 0x28, 8, HEAD_SECOND);
	put_text(b + 0x30, f->disk_text);
	put_text(b + 0x70, host_guid);
	put_text(b + 0xb0, group_text);
	put_text(b + 0xf0, group_name);
	ldm_put_be(b + 0x10f, 4, SECTOR);
	ldm_put_be(b + 0x11b, 8, f->public_lba);
	ldm_put_be(b + 0x123, 8, f->public_sectors);
	ldm_put_be(b + 0x12b, 8, f->private_lba);
	ldm_put_be(b + 0x133, 8, LDM_PRIVATE_SECTORS);
	ldm_put_be(b + 0x13b, 8, TOC_FIRST);
	ldm_put_be(b + 0x143, 8, TOC_SECOND);
	ldm_put_be(b + 0x14b, 4, 1);
	ldm_put_be(b + 0x14f, 4, 1);
	ldm_put_be(b + 0x153, 8, CONFIG_SECTORS);
	ldm_put_be(b + 0x15b, 8, LOG_SECTORS);
	put_sum(b);
}

unsigned ldm_head_minor(const struct ldm_copy *c)
{
	uint8_t b[DISK_SECTOR_BYTES];

	if (disk_read(c->disk, c->head.second_lba, 1, b) != ST_OK || memcmp(b, "PRIVHEAD", 8) != 0)
		return LDM_HEAD_MINOR;
	return (unsigned)b[0x0e] << 8 | b[0x0f];
}

static void make_region(uint8_t *b, const char *name, uint64_t start, uint64_t sectors)
{
	put_text(b, name);
	ldm_put_be(b + 0x0a, 8, start);
	ldm_put_be(b + 0x12, 8, sectors);
	ldm_put_be(b + 0x1a, 2, 6);
	ldm_put_be(b + 0x1c, 2, 1);
}

static void make_toc(uint8_t *b)
{
	memset(b, 0, SECTOR);
	put_text(b, "TOCBLOCK");
	ldm_put_be(b + 0x0c, 8, 1);
	make_region(b + 0x24, "config", CONFIG_START, CONFIG_SECTORS);
	make_region(b + 0x24 + 34, "log", LOG_START, LOG_SECTORS);
	put_sum(b);
}

void ldm_fresh_image(struct ldm_image *img, const char *group_name, const char *group_text)
{
	memset(img, 0, sizeof(*img));
	img->config_bytes = CONFIG_SECTORS * SECTOR;
	img->log_bytes = LOG_SECTORS * SECTOR;
	img->slots = CONFIG_SECTORS * SECTOR / LDM_SLOT_BYTES;
	img->config = calloc(1, img->config_bytes);
	img->log = calloc(1, img->log_bytes);
	if (!img->config || !img->log)
		abort();
	put_text(img->config, "VMDB");
	ldm_image_put(img, LDM_AT_SLOTS, 4, img->slots);
	ldm_image_put(img, 0x08, 4, LDM_SLOT_BYTES);
	ldm_image_put(img, 0x0c, 4, LDM_SLOT_FIRST * LDM_SLOT_BYTES);
	ldm_image_put(img, LDM_AT_STATUS, 2, LDM_DB_NEW);
	ldm_image_put(img, 0x12, 2, 4);
	ldm_image_put(img, 0x14, 2, 10);
	put_text(img->config + 0x16, group_name);
	put_text(img->config + 0x35, group_text);
	ldm_image_put(img, LDM_AT_TIME, 8, ldm_txn_time());
	for (uint32_t i = LDM_SLOT_FIRST; i < img->slots; i++) {
		put_text(img->config + (size_t)i * LDM_SLOT_BYTES, "VBLK");
		ldm_put_be(img->config + (size_t)i * LDM_SLOT_BYTES + 4, 4, i);
	}
	for (unsigned i = 0; i < KLOG_PAGES; i++) {
		uint8_t *page = img->log + (size_t)i * SECTOR;

		put_text(page, "KLOG");
		ldm_put_be(page + 0x10, 4, KLOG_PAGES);
		ldm_put_be(page + 0x14, 4, i);
	}
}

static bool failed(const struct ldm_copy *c, const char *what)
{
	say_about(c->host->path, "%s; it is not a dynamic disk yet: run this again", what);
	return false;
}

/* Type 42h from the first track to the private region; the boot code stays. */
static bool write_mbr(const struct ldm_copy *c, const struct ldm_fresh *f)
{
	static const uint8_t zero[(LDM_MBR_PUBLIC_LBA - 1) * SECTOR];
	struct mbr_sector m;
	uint32_t signature;

	if (disk_read(c->disk, 0, 1, &m) != ST_OK ||
	    getrandom(&signature, sizeof(signature), 0) != (ssize_t)sizeof(signature))
		return failed(c, "LBA 0 could not be read");
	if (le32_get(m.disk_signature) == 0)
		m.disk_signature = le32_of(signature);
	memset(m.entry, 0, sizeof(m.entry));
	m.entry[0] = (struct mbr_entry){
		.chs_first = {1, 1, 0},
		.type = LDM_MBR_TYPE,
		.chs_last = {0xfe, 0xff, 0xff},
		.start_lba = le32_of((uint32_t)f->public_lba),
		.sectors = le32_of((uint32_t)f->public_sectors),
	};
	m.signature = le16_of(MBR_SIGNATURE);
	/* A GPT that was there before would be believed: LBA 1 is cleared before the table. */
	if (c->disk->write(c->disk, 1, HEAD_MBR_LBA - 1, zero) != ST_OK ||
	    c->disk->write(c->disk, HEAD_MBR_LBA + 1, LDM_MBR_PUBLIC_LBA - HEAD_MBR_LBA - 1,
			   zero) != ST_OK ||
	    c->disk->flush(c->disk) != ST_OK || c->disk->write(c->disk, 0, 1, &m) != ST_OK ||
	    c->disk->flush(c->disk) != ST_OK)
		return failed(c, "its partition table could not be written");
	return true;
}

static bool write_gpt(const struct ldm_copy *c, const struct ldm_fresh *f)
{
	struct fdisk_context *cxt = fdisk_new_context();
	struct fdisk_script *script = cxt ? fdisk_new_script(cxt) : NULL;
	char text[640], path[32];
	FILE *in;
	bool done;

	run_fd_path(c->host->fd, path);
	snprintf(text, sizeof(text),
		 "label: gpt\nfirst-lba: 34\nunit: sectors\n"
		 "start=%llu, size=%u, type=5808C8AA-7E8F-42E0-85D2-E1E90434CFB3, "
		 "name=\"LDM metadata partition\"\n"
		 "start=%llu, size=%llu, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE, "
		 "name=\"Microsoft reserved partition\"\n"
		 "start=%llu, size=%llu, type=AF9B60A0-1431-4F62-BC68-3311714A69AD, "
		 "name=\"LDM data partition\"\n",
		 (unsigned long long)f->private_lba, LDM_PRIVATE_SECTORS,
		 (unsigned long long)f->msr_lba, (unsigned long long)f->msr_sectors,
		 (unsigned long long)f->public_lba, (unsigned long long)f->public_sectors);
	in = fmemopen(text, strlen(text), "r");
	if (script && in) {
		fdisk_disable_dialogs(cxt, 1);
		fdisk_save_user_sector_size(cxt, SECTOR, SECTOR);
	}
	done = script && in && !fdisk_script_read_file(script, in) &&
	       !fdisk_assign_device(cxt, path, 0) && !fdisk_apply_script(cxt, script) &&
	       !fdisk_write_disklabel(cxt) && c->disk->flush(c->disk) == ST_OK;
	if (in)
		fclose(in);
	fdisk_unref_script(script);
	if (cxt) {
		fdisk_deassign_device(cxt, 0);
		fdisk_unref_context(cxt);
	}
	return done || failed(c, "its partition table could not be written");
}

static bool write_private(const struct ldm_copy *c, const struct ldm_fresh *f,
			  const struct ldm_image *img, const char *group_text,
			  const char *group_name)
{
	uint8_t *b = calloc(LDM_PRIVATE_SECTORS, SECTOR), head[SECTOR];
	bool done;

	if (!b)
		abort();
	make_head(head, f, group_text, group_name);
	make_toc(b + TOC_FIRST * SECTOR);
	make_toc(b + TOC_SECOND * SECTOR);
	memcpy(b + CONFIG_START * SECTOR, img->config, img->config_bytes);
	memcpy(b + LOG_START * SECTOR, img->log, img->log_bytes);
	memcpy(b + HEAD_SECOND * SECTOR, head, SECTOR);
	memcpy(b + HEAD_LAST * SECTOR, head, SECTOR);
	done = c->disk->write(c->disk, f->private_lba, LDM_PRIVATE_SECTORS, b) == ST_OK &&
	       (f->gpt || c->disk->write(c->disk, HEAD_MBR_LBA, 1, head) == ST_OK) &&
	       c->disk->flush(c->disk) == ST_OK;
	free(b);
	return done || failed(c, "its database could not be written");
}

bool ldm_fresh_write(struct ldm_groups *gs, unsigned disk, const struct ldm_fresh *f,
		     const struct guid *group, const char *group_name)
{
	struct ldm_copy *c = &gs->copy[disk];
	char group_text[GUID_TEXT_BYTES];
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	struct ldm_image img;
	bool done;

	ldm_guid_text(group, group_text);
	ldm_fresh_image(&img, group_name, group_text);
	/* A table without a PRIVHEAD is of no dynamic disk, nor is a PRIVHEAD without a table. */
	done = (!f->gpt || write_gpt(c, f)) && write_private(c, f, &img, group_text, group_name) &&
	       (f->gpt || write_mbr(c, f));
	ldm_image_free(&img);
	if (!done)
		return false;
	ldm_image_free(&c->now);
	if (part_read(c->disk, &list, buf) != ST_OK ||
	    ldm_head_read(c->disk, &list, &c->head, buf) != ST_OK ||
	    ldm_image_read(&c->now, c->disk, &c->head) != ST_OK)
		return failed(c, "what was read back is not what was written");
	c->standing = LDM_UNFILLED;
	c->state = LDM_DB_NEW;
	return true;
}
