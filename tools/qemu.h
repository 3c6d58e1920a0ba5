/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A virtual machine for the drill: QEMU with the disks as a snapshot, so that
 * nothing is ever written to them. Always TCG: KVM does not work on many hosts,
 * and its presence does not tell.
 */
#ifndef TOOLS_QEMU_H
#define TOOLS_QEMU_H

#include "tools/hostdisk.h"

#define QEMU_ALL 0xffu /* no disk is detached */

struct qemu {
	pid_t pid;    /* 0: not running */
	int qmp;      /* QEMU's control socket */
	bool stopped; /* the machine has reset or powered off */
	bool uefi;
	char serial[4200], vars[4200], vga[4200]; /* files */
	char line[8192];                          /* of QMP, not yet complete */
	size_t line_used;
	char why[400];
};

/* Is there QEMU, and OVMF if uefi? False: *what is missing. */
bool qemu_available(bool uefi, const char **what);

/* Start it; its files are DIR/NAME.*. False: q->why. */
bool qemu_start(struct qemu *q, const struct hostset *set, unsigned detached, bool uefi,
		const char *dir, const char *name);

/*
 * What the machine has said: the serial line without terminal controls, and on
 * BIOS what is on the text screen now. To be freed.
 */
char *qemu_text(struct qemu *q);

/* Still running? Asks QEMU, which may have ended. */
bool qemu_alive(struct qemu *q);

/* A picture of the screen to BASE.png (BASE.ppm where QEMU can't). */
void qemu_screenshot(struct qemu *q, const char *base);

/* Kill it and wait for its end; the files stay but for vars and vga. */
void qemu_stop(struct qemu *q);

#endif
