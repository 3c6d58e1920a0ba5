/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* QEMU's command line. */
#include "tools/qemu.h"
#include "tools/run.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Firmware as Debian, Ubuntu, Fedora and Arch install it: code and a template of its variables. */
static const struct {
	const char *code, *vars;
} ovmf[] = {
	{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
	{"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
	{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
	{"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
};

static int find_ovmf(void)
{
	for (unsigned i = 0; i < sizeof(ovmf) / sizeof(ovmf[0]); i++)
		if (!access(ovmf[i].code, R_OK) && !access(ovmf[i].vars, R_OK))
			return (int)i;
	return -1;
}

bool qemu_available(bool uefi, const char **what)
{
	*what = QEMU_PROGRAM " was not found: install qemu-system-x86";
	if (!run_exists(QEMU_PROGRAM))
		return false;
	*what = "no UEFI firmware for QEMU was found: install ovmf";
	return !uefi || find_ovmf() >= 0;
}

static void __attribute__((format(printf, 2, 3))) add(struct qemu_args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (a->count + 1 < sizeof(a->arg) / sizeof(a->arg[0]) &&
	    vasprintf(&a->arg[a->count], fmt, ap) >= 0)
		a->arg[++a->count] = NULL;
	else
		a->full = true;
	va_end(ap);
}

void qemu_args_free(struct qemu_args *a)
{
	for (unsigned i = 0; i < a->count; i++)
		free(a->arg[i]);
}

/* In QEMU's option syntax a comma is written twice. */
static void escape(char out[2 * PATH_MAX], const char *path)
{
	char real[PATH_MAX];
	size_t n = 0;

	/* An absolute path, so that "a:b" is no protocol. */
	if (!realpath(path, real))
		snprintf(real, sizeof(real), "%s", path);
	for (const char *p = real; *p; p++) {
		if (*p == ',')
			out[n++] = ',';
		out[n++] = *p;
	}
	out[n] = 0;
}

/*
 * virtio-blk: of QEMU's disks the one whose read errors OVMF hands on. What is
 * written goes to a snapshot; when that has no room left, the machine gets an error.
 */
static void add_disk(struct qemu_args *a, const struct qemu_machine *m, unsigned i)
{
	const struct hostdisk *h = &m->set->host[i];
	char path[2 * PATH_MAX], boot[32] = "", size[64] = "";

	escape(path, h->path);
	/*
	 * OVMF connects only what has a bootindex, so it gets none. SeaBIOS starts from the
	 * first disk alone: one that can't be read goes to the end, where a BIOS that goes on
	 * to the next, or somebody in its boot menu, would leave it.
	 */
	if (!m->uefi)
		snprintf(boot, sizeof(boot), ",bootindex=%u",
			 i == m->unreadable ? m->set->count + 1 : i + 1);
	if (h->shift == 12)
		snprintf(size, sizeof(size), ",logical_block_size=4096,physical_block_size=4096");
	add(a, "-drive");
	/* The disk itself is not even opened where it can't be read anyway. */
	if (i == m->unreadable)
		add(a,
		    "if=none,id=d%u,format=raw,file.driver=blkdebug,file.image.driver=null-co,"
		    "file.image.size=%llu,file.inject-error.0.event=read_aio,"
		    "file.inject-error.0.errno=5,file.inject-error.0.once=off",
		    i, (unsigned long long)h->bytes);
	else
		/* Past the page cache, as hostdisk.c reads: md's superblocks are old in there. */
		add(a, "if=none,id=d%u,format=raw,snapshot=on%s,file=%s", i,
		    h->bounce ? ",cache=none" : "", path);
	add(a, "-device");
	add(a, "virtio-blk-pci,drive=d%u,rerror=report,werror=report%s%s", i, boot, size);
}

static bool copy_file(const char *from, const char *to)
{
	char buf[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = -1;

	while (in >= 0 && out >= 0 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			break;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return n == 0;
}

static bool add_firmware(struct qemu_args *a, struct qemu *q)
{
	char vars[2 * PATH_MAX];
	int i = find_ovmf();

	if (i < 0 || !copy_file(ovmf[i].vars, q->vars)) {
		snprintf(q->why, sizeof(q->why), "the firmware's variables could not be copied");
		return false;
	}
	escape(vars, q->vars);
	add(a, "-drive");
	add(a, "if=pflash,format=raw,unit=0,readonly=on,file=%s", ovmf[i].code);
	add(a, "-drive");
	add(a, "if=pflash,format=raw,unit=1,file=%s", vars);
	return true;
}

bool qemu_args_make(struct qemu_args *a, struct qemu *q, const struct qemu_machine *m,
		    int socket_fd)
{
	char serial[2 * PATH_MAX];
	/*
	 * -cpu max: distributions of today do not start on QEMU's oldest, which is its default.
	 * Without five-level page tables, which not every firmware's build knows.
	 */
	static const char *const fixed[] = {
		QEMU_PROGRAM,
		"-machine",
		"q35,accel=tcg",
		"-cpu",
		"max,la57=off",
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-vga",
		"std",
		"-action",
		"reboot=shutdown,shutdown=pause",
	};

	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(a, "%s", fixed[i]);
	add(a, "-m");
	add(a, "%u", m->memory_mib);
	add(a, "-chardev");
	add(a, "socket,id=qmp,fd=%d", socket_fd);
	add(a, "-mon");
	add(a, "chardev=qmp,mode=control");
	close(open(q->serial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	escape(serial, q->serial);
	add(a, "-chardev");
	add(a, "file,id=serial,path=%s", serial);
	add(a, "-serial");
	add(a, "chardev:serial");
	if (q->uefi && !add_firmware(a, q))
		return false;
	for (unsigned i = 0; i < m->set->count; i++)
		if (!(m->detached >> i & 1))
			add_disk(a, m, i);
	if (a->full)
		snprintf(q->why, sizeof(q->why), "there are too many disks, or no memory");
	return !a->full;
}
