/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/qemu.h"
#include "tools/qmp.h"
#include "tools/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "qemu-system-x86_64"

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
	*what = "qemu-system-x86_64 was not found: install qemu-system-x86";
	if (!run_exists(QEMU))
		return false;
	*what = "no UEFI firmware for QEMU was found: install ovmf";
	return !uefi || find_ovmf() >= 0;
}

struct args {
	unsigned count;
	char *arg[200];
};

static void __attribute__((format(printf, 2, 3))) add(struct args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (a->count + 1 < sizeof(a->arg) / sizeof(a->arg[0]) &&
	    vasprintf(&a->arg[a->count], fmt, ap) >= 0)
		a->arg[++a->count] = NULL;
	va_end(ap);
}

static void free_args(struct args *a)
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

static void add_disk(struct args *a, const struct hostdisk *h, unsigned i, bool uefi)
{
	char path[2 * PATH_MAX], boot[32] = "", size[64] = "";

	escape(path, h->path);
	/* OVMF connects only what has a bootindex, so it gets none. */
	if (!uefi)
		snprintf(boot, sizeof(boot), ",bootindex=%u", i + 1);
	if (h->shift == 12)
		snprintf(size, sizeof(size), ",logical_block_size=4096,physical_block_size=4096");
	add(a, "-drive");
	add(a, "if=none,id=d%u,format=raw,snapshot=on,file=%s", i, path);
	add(a, "-device");
	add(a, "virtio-blk-pci,drive=d%u%s%s", i, boot, size);
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

static bool add_firmware(struct args *a, struct qemu *q)
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

static bool make_args(struct args *a, struct qemu *q, const struct hostset *set, unsigned detached,
		      int socket_fd)
{
	char serial[2 * PATH_MAX];
	static const char *const fixed[] = {
		QEMU,
		"-machine",
		"q35,accel=tcg",
		"-m",
		"256",
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
	for (unsigned i = 0; i < set->count; i++)
		if (i != detached)
			add_disk(a, &set->host[i], i, q->uefi);
	return true;
}

static void child(struct args *a, int socket_fd)
{
	int null = open("/dev/null", O_RDWR);

	/* Not to outlive us, however we end. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	fcntl(socket_fd, F_SETFD, 0);
	execvp(a->arg[0], a->arg);
	_exit(127);
}

bool qemu_start(struct qemu *q, const struct hostset *set, unsigned detached, bool uefi,
		const char *dir, const char *name)
{
	struct args args = {0};
	int pair[2];
	bool ok;

	memset(q, 0, sizeof(*q));
	q->uefi = uefi;
	q->qmp = -1;
	snprintf(q->serial, sizeof(q->serial), "%s/%s.serial.txt", dir, name);
	snprintf(q->vars, sizeof(q->vars), "%s/%s.vars", dir, name);
	snprintf(q->vga, sizeof(q->vga), "%s/%s.vga", dir, name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		snprintf(q->why, sizeof(q->why), "%s", strerror(errno));
		return false;
	}
	ok = make_args(&args, q, set, detached, pair[1]);
	if (ok) {
		q->pid = fork();
		if (!q->pid)
			child(&args, pair[1]);
		ok = q->pid > 0;
	}
	close(pair[1]);
	free_args(&args);
	q->qmp = pair[0];
	if (ok && !qmp_hello(q)) {
		snprintf(q->why, sizeof(q->why), "QEMU did not start");
		ok = false;
	}
	if (!ok)
		qemu_stop(q);
	return ok;
}

bool qemu_alive(struct qemu *q)
{
	if (!q->pid)
		return false;
	if (waitpid(q->pid, NULL, WNOHANG) == q->pid) {
		q->pid = 0;
		return false;
	}
	qmp_status(q);
	return !q->stopped;
}

void qemu_screenshot(struct qemu *q, const char *base)
{
	char file[4300];

	snprintf(file, sizeof(file), "%s.png", base);
	if (qmp_screendump(q, file, "png"))
		return;
	snprintf(file, sizeof(file), "%s.ppm", base);
	qmp_screendump(q, file, NULL);
}

void qemu_stop(struct qemu *q)
{
	if (q->pid > 0) {
		kill(q->pid, SIGKILL);
		while (waitpid(q->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	q->pid = 0;
	if (q->qmp >= 0)
		close(q->qmp);
	q->qmp = -1;
	unlink(q->vars);
	unlink(q->vga);
}
