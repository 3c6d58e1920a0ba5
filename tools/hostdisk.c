/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/hostdisk.h"
#include "tools/say.h"
#include "tools/status_ldm.h"
#include "tools/sysblock.h"
#include "common/range.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_TRIES    30
#define LOCK_PAUSE_US 100000
#define BOUNCE_BYTES  (1u << 20)
#define DIRECT_ALIGN  4096

static bool read_all(int fd, void *buf, size_t n, off_t off)
{
	while (n) {
		ssize_t got = pread(fd, buf, n, off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		buf = (char *)buf + got;
		n -= (size_t)got;
		off += got;
	}
	return true;
}

static bool write_all(int fd, const void *buf, size_t n, off_t off)
{
	while (n) {
		ssize_t put = pwrite(fd, buf, n, off);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		buf = (const char *)buf + put;
		n -= (size_t)put;
		off += put;
	}
	return true;
}

static enum status host_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	const struct hostdisk *h = d->ctx;
	uint8_t *to = buf;
	off_t off;
	size_t left, part;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	off = (off_t)(lba << d->shift);
	left = (size_t)n << d->shift;
	if (!h->bounce)
		return read_all(h->fd, to, left, off) ? ST_OK : ST_IO;
	for (; left; left -= part, to += part, off += (off_t)part) {
		part = left < BOUNCE_BYTES ? left : BOUNCE_BYTES;
		if (!read_all(h->fd, h->bounce, part, off))
			return ST_IO;
		memcpy(to, h->bounce, part);
	}
	return ST_OK;
}

static enum status host_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	const struct hostdisk *h = d->ctx;
	const uint8_t *from = buf;
	off_t off;
	size_t left, part;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	off = (off_t)(lba << d->shift);
	left = (size_t)n << d->shift;
	if (!h->bounce)
		return write_all(h->fd, from, left, off) ? ST_OK : ST_IO;
	for (; left; left -= part, from += part, off += (off_t)part) {
		part = left < BOUNCE_BYTES ? left : BOUNCE_BYTES;
		memcpy(h->bounce, from, part);
		if (!write_all(h->fd, h->bounce, part, off))
			return ST_IO;
	}
	return ST_OK;
}

/* After a flush an image's pages are dropped, so that reading back reads the medium. */
static enum status host_flush(const struct disk *d)
{
	const struct hostdisk *h = d->ctx;

	if (fsync(h->fd))
		return ST_IO;
	if (!h->bounce)
		posix_fadvise(h->fd, 0, 0, POSIX_FADV_DONTNEED);
	return ST_OK;
}

/* Block devices: size and logical sector size by the kernel. */
static bool size_of_block(struct hostdisk *h)
{
	int sector = 0;

	if (ioctl(h->fd, BLKGETSIZE64, &h->bytes) || ioctl(h->fd, BLKSSZGET, &sector)) {
		say_about(h->path, "%s", strerror(errno));
		return false;
	}
	for (h->shift = DISK_SHIFT_MIN; h->shift <= DISK_SHIFT_MAX; h->shift++)
		if (1 << h->shift == sector)
			return true;
	say_about(h->path, "sectors of %d bytes are not supported", sector);
	return false;
}

static bool check_size(const struct hostdisk *h)
{
	uint64_t odd = h->bytes & ((1u << h->shift) - 1);

	if (!h->bytes)
		say_about(h->path, "is empty");
	else if (odd)
		say_about(h->path,
			  "is no disk image: its size, %llu bytes, is not a multiple of %u",
			  (unsigned long long)h->bytes, 1u << h->shift);
	else if (h->bytes < HOSTDISK_MIN_BYTES)
		say_about(h->path, "too small to hold a mirror (%llu bytes)",
			  (unsigned long long)h->bytes);
	else
		return true;
	return false;
}

/* udev has a shared lock while it looks at a disk: after each that was opened for writing. */
static bool lock_whole(const struct hostdisk *h)
{
	for (unsigned i = 0; flock(h->fd, LOCK_EX | LOCK_NB); i++) {
		if (!h->block || errno != EWOULDBLOCK || i == LOCK_TRIES)
			return false;
		usleep(LOCK_PAUSE_US);
	}
	return true;
}

/* QEMU and others lock images by byte ranges (fcntl), not by flock. */
static bool lock(const struct hostdisk *h)
{
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (!lock_whole(h)) {
		say_about(h->path, "is locked by another program; nothing was written");
		return false;
	}
	if (!h->block && !fcntl(h->fd, F_OFD_GETLK, &range) && range.l_type != F_UNLCK) {
		say_about(h->path, "is in use by another program; nothing was written");
		return false;
	}
	return true;
}

/* Linux opens such a device for writing all the same; it is each write that fails. */
static bool may_write(const struct hostdisk *h)
{
	int read_only = 0;

	if (!ioctl(h->fd, BLKROGET, &read_only) && read_only) {
		say_about(h->path, "is read-only (see \"blockdev --getro\"); nothing was written");
		return false;
	}
	return true;
}

static bool open_one(struct hostdisk *h, unsigned sector_size, bool write)
{
	struct stat st;

	/* Not opened before we know what it is: opening a FIFO would wait for ever. */
	if (stat(h->path, &st)) {
		say_about(h->path, "%s", strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		say_about(h->path, S_ISDIR(st.st_mode) ? "is a directory, not a disk or an image"
						       : "is not a disk or an image");
		return false;
	}
	h->block = S_ISBLK(st.st_mode);
	h->rdev = h->block ? st.st_rdev : 0;
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	if (h->block)
		h->fd = open(h->path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_DIRECT);
	if (h->block && h->fd >= 0 && posix_memalign(&h->bounce, DIRECT_ALIGN, BOUNCE_BYTES))
		h->bounce = NULL;
	if (h->fd < 0)
		h->fd = open(h->path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (h->fd < 0) {
		say_about(h->path, "%s", strerror(errno));
		return false;
	}
	if (h->block)
		return size_of_block(h) && check_size(h) && (!write || (may_write(h) && lock(h)));
	h->bytes = (uint64_t)st.st_size;
	h->shift = sector_size == 4096 ? 12 : 9;
	return check_size(h) && (!write || lock(h));
}

/*
 * A disk given twice is a slip of the hand, and would look like a healthy
 * mirror. Asked before any is opened or locked.
 */
static bool given_twice(char **path, int count)
{
	struct stat a, b;

	for (int i = 1; i < count; i++) {
		if (stat(path[i], &a))
			continue;
		sysblock_backing(&a);
		for (int k = 0; k < i; k++) {
			if (stat(path[k], &b))
				continue;
			sysblock_backing(&b);
			if (S_ISBLK(a.st_mode) ? S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev
					       : a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
				say_about(path[i], "is the same disk as %s", path[k]);
				return true;
			}
		}
	}
	return false;
}

struct hostset *hostset_open(char **path, int count, unsigned sector_size, bool write,
			     int *exit_status)
{
	struct hostset *set;
	bool fine = true;

	*exit_status = EXIT_USAGE;
	if (count > SURVEY_DISKS) {
		say_note("%d disks were given; the limit is %d", count, SURVEY_DISKS);
		return NULL;
	}
	if (given_twice(path, count))
		return NULL;
	*exit_status = EXIT_FAILED;
	set = calloc(1, sizeof(*set));
	if (!set) {
		say_note("out of memory");
		return NULL;
	}
	set->writable = write;
	for (int i = 0; i < count; i++) {
		struct hostdisk *h = &set->host[i];

		h->path = path[i];
		h->fd = -1;
		set->count++;
		if (!open_one(h, sector_size, write)) {
			fine = false;
			continue;
		}
		set->disk[i] = (struct disk){
			.read = host_read,
			.write = write ? host_write : NULL,
			.flush = write ? host_flush : NULL,
			.ctx = h,
			.sectors = h->bytes >> h->shift,
			.shift = h->shift,
		};
	}
	if (fine)
		return set;
	hostset_close(set);
	return NULL;
}

void hostset_close(struct hostset *set)
{
	if (!set)
		return;
	for (unsigned i = 0; i < set->count; i++) {
		if (set->host[i].fd >= 0)
			close(set->host[i].fd);
		free(set->host[i].bounce);
	}
	free(set);
}

static bool has_member(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->member_count; i++)
		if (s->member[i].disk == disk)
			return true;
	return false;
}

int hostset_survey(struct hostset *set)
{
	const struct survey *s = &set->survey;

	survey_run_trusted(&set->survey, set->disk, set->count, &set->trust);
	if (s->mirror_count)
		return EXIT_DONE;
	for (unsigned i = 0; i < set->count; i++) {
		const struct survey_disk *f = &s->found[i];
		const char *path = set->host[i].path;
		char *dynamic = status_ldm_sentence(set, i);

		if (f->status == ST_IO || f->io_error)
			say_about(path, "could not be read");
		else if (has_member(s, i))
			say_about(path, "holds a part of an array that is no mirror we can use");
		else if (f->status == ST_CORRUPT)
			say_about(path, "its partition table is damaged, and no mirror was found");
		else if (dynamic)
			say_about(path, "%s", dynamic);
		else if (f->table == PART_TABLE_NONE)
			say_about(path,
				  "no mirror found: no partition table and no mirror's metadata");
		else
			say_about(path, "no mirror found on it or in its partitions");
		free(dynamic);
	}
	return EXIT_FAILED;
}

int hostset_find(const struct hostset *set, const char *path)
{
	struct stat st;
	uint64_t start;
	dev_t whole;

	if (stat(path, &st))
		return -1;
	for (unsigned i = 0; i < set->count; i++) {
		const struct hostdisk *h = &set->host[i];

		if (S_ISBLK(st.st_mode) && h->block &&
		    (st.st_rdev == h->rdev ||
		     (sysblock_partition(st.st_rdev, &whole, &start) && whole == h->rdev)))
			return (int)i;
		if (!S_ISBLK(st.st_mode) && !h->block && st.st_dev == h->dev && st.st_ino == h->ino)
			return (int)i;
		/* The image under a loop device, too: it would lose its name to another file. */
		if (!S_ISBLK(st.st_mode) && h->block && sysblock_is_over(h->rdev, &st))
			return (int)i;
	}
	return -1;
}
