/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/path.h"

#define TYPE_HARDWARE  1
#define TYPE_MESSAGING 3
#define TYPE_MEDIA     4
#define TYPE_END       0x7f

#define HARDWARE_PCI    1
#define MESSAGING_ATAPI 1
#define MESSAGING_SCSI  2
#define MESSAGING_USB   5
#define MESSAGING_SATA  18
#define MESSAGING_NVME  23
#define MESSAGING_SD    26
#define MESSAGING_EMMC  29
#define MEDIA_HD        1
#define MEDIA_FILE      4

static size_t node_bytes(const struct path_node *n)
{
	return le16_get(n->bytes);
}

static bool is_end(const struct path_node *n)
{
	return n->type == TYPE_END || node_bytes(n) < sizeof(*n);
}

bool path_valid(const void *path, size_t bytes)
{
	const uint8_t *p = path;

	while (bytes >= sizeof(struct path_node)) {
		const struct path_node *n = (const void *)p;
		size_t len = node_bytes(n);

		if (len < sizeof(*n) || len > bytes)
			return false;
		if (n->type == TYPE_END)
			return true;
		p += len;
		bytes -= len;
	}
	return false;
}

size_t path_bytes(const void *path)
{
	size_t bytes = 0;

	for (const struct path_node *n = path_first(path); n; n = path_next(n))
		bytes += node_bytes(n);
	return bytes;
}

const struct path_node *path_first(const void *path)
{
	return is_end(path) ? NULL : path;
}

const struct path_node *path_next(const struct path_node *node)
{
	return path_first((const uint8_t *)node + node_bytes(node));
}

const void *path_after(const void *path, const void *prefix)
{
	size_t bytes = path_bytes(prefix);

	if (path_bytes(path) < bytes || memcmp(path, prefix, bytes) != 0)
		return NULL;
	return (const uint8_t *)path + bytes;
}

const struct path_hd *path_last_hd(const void *path)
{
	const struct path_hd *hd = NULL;

	for (const struct path_node *n = path_first(path); n; n = path_next(n))
		if (n->type == TYPE_MEDIA && n->subtype == MEDIA_HD && node_bytes(n) == sizeof(*hd))
			hd = (const void *)n;
	return hd;
}

bool path_hd_same(const struct path_hd *a, const struct path_hd *b)
{
	if (a->signature_type != b->signature_type ||
	    memcmp(a->signature, b->signature, sizeof(a->signature)) != 0)
		return false;
	/* A GUID names one partition; an MBR signature names the disk. */
	return a->signature_type == PATH_SIGNATURE_GUID ||
	       le32_get(a->number) == le32_get(b->number);
}

bool path_file(const void *path, CHAR16 file[PATH_CHARS])
{
	size_t used = 0;

	for (const struct path_node *n = path_first(path); n; n = path_next(n)) {
		const uint8_t *p = (const uint8_t *)n + sizeof(*n);
		size_t chars = (node_bytes(n) - sizeof(*n)) / 2;

		if (n->type != TYPE_MEDIA || n->subtype != MEDIA_FILE)
			continue;
		for (size_t i = 0; i <= chars; i++) {
			/* A backslash between nodes, and before the first. */
			CHAR16 c = '\\';

			if (i > 0)
				c = (CHAR16)(p[2 * i - 2] | p[2 * i - 1] << 8);
			if (c == 0)
				break;
			if (c == '/')
				c = '\\';
			if (c == '\\' && used > 0 && file[used - 1] == '\\')
				continue;
			if (used + 1 >= PATH_CHARS)
				return false;
			file[used++] = c;
		}
	}
	file[used] = 0;
	return used > 1;
}

void *path_with_file(const void *device, const CHAR16 *file)
{
	size_t device_bytes = device ? path_bytes(device) : 0, chars = 1, file_bytes;
	struct path_node node = {TYPE_MEDIA, MEDIA_FILE, {{0}}};
	const struct path_node end = {TYPE_END, 0xff, {{sizeof(end), 0}}};
	uint8_t *path;

	while (file[chars - 1])
		chars++;
	file_bytes = chars * sizeof(CHAR16);
	node.bytes = le16_of((uint16_t)(sizeof(node) + file_bytes));
	path = uefi_alloc(device_bytes + sizeof(node) + file_bytes + sizeof(end));
	if (path == NULL)
		return NULL;
	memcpy(path, device, device_bytes);
	memcpy(path + device_bytes, &node, sizeof(node));
	memcpy(path + device_bytes + sizeof(node), file, file_bytes);
	memcpy(path + device_bytes + sizeof(node) + file_bytes, &end, sizeof(end));
	return path;
}

static void bus_text(const struct path_node *n, struct text *out)
{
	const uint8_t *p = (const uint8_t *)n + sizeof(*n);

	switch (n->subtype) {
	case MESSAGING_ATAPI:
		text_str(out, "IDE ");
		text_u64(out, p[0] * 2u + p[1]);
		break;
	case MESSAGING_SCSI:
		text_str(out, "SCSI ");
		text_u64(out, p[0]);
		break;
	case MESSAGING_SATA:
		text_str(out, "SATA ");
		text_u64(out, p[0]);
		break;
	case MESSAGING_NVME: text_str(out, "NVMe"); break;
	case MESSAGING_USB: text_str(out, "USB"); break;
	case MESSAGING_SD: text_str(out, "SD"); break;
	case MESSAGING_EMMC: text_str(out, "eMMC"); break;
	default: text_str(out, "other bus"); break;
	}
}

void path_short(const void *path, struct text *out)
{
	const struct path_node *pci = NULL, *bus = NULL;
	bool both;

	for (const struct path_node *n = path_first(path); n; n = path_next(n)) {
		if (n->type == TYPE_HARDWARE && n->subtype == HARDWARE_PCI && node_bytes(n) >= 6)
			pci = n;
		if (n->type == TYPE_MESSAGING && node_bytes(n) >= 6)
			bus = n;
	}
	/* A bus with one disk a controller needs the controller's place too. */
	both = bus == NULL || bus->subtype == MESSAGING_NVME;
	if (bus)
		bus_text(bus, out);
	if (pci && both) {
		const uint8_t *p = (const uint8_t *)pci + sizeof(*pci);

		text_str(out, bus ? " " : "PCI ");
		text_hex(out, p[1], 2);
		text_char(out, '.');
		text_hex(out, p[0], 1);
	} else if (bus == NULL) {
		text_str(out, "?");
	}
}

bool path_from_ascii(CHAR16 *to, size_t to_chars, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < to_chars; i++)
		to[i] = (unsigned char)from[i];
	to[i] = 0;
	return from[i] == '\0';
}

#define SURROGATE_HIGH 0xd800u
#define SURROGATE_LOW  0xdc00u
#define SURROGATE_END  0xe000u

bool path_to_utf8(const CHAR16 *file, char *to, size_t room, size_t *bytes)
{
	for (*bytes = 0; *file; file++) {
		uint32_t c = *file;
		unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : 2;

		if (c >= SURROGATE_HIGH && c < SURROGATE_END) {
			if (c >= SURROGATE_LOW || file[1] < SURROGATE_LOW ||
			    file[1] >= SURROGATE_END)
				return false;
			c = 0x10000 + ((c - SURROGATE_HIGH) << 10 | (*++file - SURROGATE_LOW));
			more = 3;
		}
		if (room - *bytes < more + 1)
			return false;
		to[(*bytes)++] = (char)(more == 0 ? c : (0xff00u >> (more + 1)) | c >> 6 * more);
		while (more--)
			to[(*bytes)++] = (char)(0x80 | (c >> 6 * more & 0x3f));
	}
	return true;
}

bool path_from_utf8(const char *from, size_t bytes, CHAR16 *to, size_t to_chars)
{
	const uint8_t *p = (const uint8_t *)from;
	size_t n = 0;

	to[0] = 0;
	while (bytes > 0) {
		unsigned more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
		uint32_t c = more == 0 ? *p : *p & 0x3fu >> more;

		if (bytes < more + 1 || (*p >= 0x80 && *p < 0xc2) || *p >= 0xf5)
			return false;
		for (unsigned i = 1; i <= more; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i] & 0x3f);
		}
		p += more + 1;
		bytes -= more + 1;
		if (to_chars - n < (c >= 0x10000 ? 3u : 2u))
			return false;
		if (c >= 0x10000) {
			to[n++] = (CHAR16)(SURROGATE_HIGH | (c - 0x10000) >> 10);
			c = SURROGATE_LOW | (c & 0x3ff);
		}
		to[n++] = (CHAR16)c;
		to[n] = 0;
	}
	return true;
}

static CHAR16 upper(CHAR16 c)
{
	return c >= 'a' && c <= 'z' ? (CHAR16)(c - 'a' + 'A') : c;
}

bool path_file_same(const CHAR16 *a, const CHAR16 *b)
{
	while (*a && upper(*a) == upper(*b)) {
		a++;
		b++;
	}
	return *a == 0 && *b == 0;
}

bool path_file_in(const CHAR16 *file, const char *folder)
{
	while (*folder && upper(*file) == upper((unsigned char)*folder)) {
		file++;
		folder++;
	}
	return *folder == '\0';
}

bool path_file_ends(const CHAR16 *file, const char *end)
{
	size_t chars = 0, n = 0;

	while (file[chars])
		chars++;
	while (end[n])
		n++;
	return chars >= n && path_file_in(file + chars - n, end);
}

void path_file_text(const CHAR16 *file, struct text *out)
{
	for (; *file; file++)
		text_char(out, *file >= ' ' && *file < 127 ? (char)*file : '?');
}
