/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What a virtual machine has said, as plain text. */
#include "tools/qmp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text screen of VGA: 25 rows of 80 cells, a character and a colour each. */
#define VGA_ADDRESS 0xb8000
#define VGA_COLUMNS 80
#define VGA_ROWS    25

static char *read_file(const char *path, size_t extra, size_t *n)
{
	FILE *f = fopen(path, "re");
	size_t room = 65536;
	char *buf = malloc(room + extra);

	*n = 0;
	while (f && buf) {
		size_t got = fread(buf + *n, 1, room - *n, f);
		char *more;

		if (!got)
			break;
		*n += got;
		if (*n < room)
			continue;
		more = realloc(buf, room * 2 + extra);
		if (!more)
			break;
		buf = more;
		room *= 2;
	}
	if (f)
		fclose(f);
	return buf;
}

/*
 * Take out terminal controls (ECMA-48: ESC [ parameters letter). A cursor that is
 * placed somewhere ends the line.
 */
static size_t plain(char *text, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0x1b && i + 1 < n && text[i + 1] == '[') {
			for (i += 2; i < n && !isalpha((unsigned char)text[i]); i++)
				;
			if (i < n && (text[i] == 'H' || text[i] == 'J') && out &&
			    text[out - 1] != '\n')
				text[out++] = '\n';
		} else if (c == 0x1b) {
			i++;
		} else if (c == '\n' || (c >= 0x20 && c < 0x7f)) {
			text[out++] = (char)c;
		}
	}
	return out;
}

static size_t add_screen(struct qemu *q, char *out)
{
	size_t n, used = 0;
	char *cells;

	if (!qmp_memory(q, VGA_ADDRESS, VGA_COLUMNS * VGA_ROWS * 2, q->vga))
		return 0;
	cells = read_file(q->vga, 0, &n);
	out[used++] = '\n';
	for (unsigned i = 0; cells && i < VGA_COLUMNS * VGA_ROWS && 2 * i < n; i++) {
		unsigned char c = (unsigned char)cells[2 * i];

		out[used++] = c >= 0x20 && c < 0x7f ? (char)c : ' ';
		if (i % VGA_COLUMNS == VGA_COLUMNS - 1)
			out[used++] = '\n';
	}
	free(cells);
	return used;
}

char *qemu_text(struct qemu *q)
{
	size_t n;
	char *text = read_file(q->serial, VGA_ROWS * (VGA_COLUMNS + 1) + 2, &n);

	if (!text)
		return NULL;
	n = plain(text, n);
	if (!q->uefi && q->pid)
		n += add_screen(q, text + n);
	text[n] = 0;
	return text;
}
