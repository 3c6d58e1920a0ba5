/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A virtual machine for the drill: QEMU with the disks as a snapshot, so that
 * nothing is ever written to them. Always TCG: KVM does not work on many hosts,
 * and its presence does not tell. No network: what is started believes that it is
 * this machine.
 */
#ifndef TOOLS_QEMU_H
#define TOOLS_QEMU_H

#include "tools/hostdisk.h"

#define QEMU_PROGRAM "qemu-system-x86_64"
#define QEMU_NONE    0xffu /* no disk is unreadable */

/* What is to be started. */
struct qemu_machine {
	const struct hostset *set;
	bool uefi;
	uint32_t detached;   /* a bit a disk */
	unsigned unreadable; /* this disk answers each read with an error */
	unsigned memory_mib;
	const char *dir; /* its files are DIR/NAME.* */
	const char *name;
};

struct qemu {
	pid_t pid;    /* 0: not running */
	int qmp;      /* QEMU's control socket */
	int errors;   /* what QEMU itself says */
	bool stopped; /* the machine has reset or powered off */
	bool uefi;
	char serial[4200], vars[4200], vga[4200]; /* files */
	char line[8192];                          /* of QMP, not yet complete */
	size_t line_used;
	char why[400];
};

/* Is there QEMU, and OVMF if uefi? False: *what is missing. */
bool qemu_available(bool uefi, const char **what);

/* Start it. False: q->why. */
bool qemu_start(struct qemu *q, const struct qemu_machine *m);

/*
 * What the machine has said: the serial line without terminal controls, and on
 * BIOS what is on the text screen now. To be freed.
 */
char *qemu_text(struct qemu *q);

/* Still running? Asks QEMU, which may have ended. */
bool qemu_alive(struct qemu *q);

/* The last that QEMU itself said, an error most likely: "" when it said nothing. */
void qemu_last_error(const struct qemu *q, char *text, size_t size);

/* A picture of the screen: ".png" or, where QEMU can't, ".ppm" behind BASE. NULL: none. */
const char *qemu_screenshot(struct qemu *q, const char *base);

/* Kill it and wait for its end; the files stay but for vars and vga. */
void qemu_stop(struct qemu *q);

/* ---- between qemu.c and qemu_args.c ---- */

struct qemu_args {
	unsigned count;
	char *arg[320];
	bool full;
};

/* The command line. False: q->why. */
bool qemu_args_make(struct qemu_args *a, struct qemu *q, const struct qemu_machine *m,
		    int socket_fd);
void qemu_args_free(struct qemu_args *a);

#endif
