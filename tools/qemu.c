/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/qemu.h"
#include "tools/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1ull << 20)

/* What the machine writes, a disk: as much as booting takes, and the rest of the room is left. */
#define SNAPSHOT_MAX_BYTES (1024 * MIB)
#define SNAPSHOT_MIN_BYTES (16 * MIB)

/* Where QEMU puts snapshots, and how large each may become. */
static bool snapshot_room(struct qemu *q, const struct qemu_machine *m, rlim_t *max_bytes)
{
	const char *dir = getenv("TMPDIR");
	struct statvfs fs;
	uint64_t room;

	if (!dir || !*dir || !strcmp(dir, "/tmp"))
		dir = "/var/tmp"; /* as QEMU has it */
	if (statvfs(dir, &fs)) {
		snprintf(q->why, sizeof(q->why), "%.300s: %s", dir, strerror(errno));
		return false;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize / (m->set->count + 1);
	if (room < SNAPSHOT_MIN_BYTES) {
		snprintf(q->why, sizeof(q->why),
			 "%.300s has too little room for what the machine writes: TMPDIR may name "
			 "another folder",
			 dir);
		return false;
	}
	*max_bytes = room < SNAPSHOT_MAX_BYTES ? room : SNAPSHOT_MAX_BYTES;
	return true;
}

static void child(const struct qemu *q, struct qemu_args *a, int socket_fd, pid_t parent,
		  rlim_t max_bytes)
{
	struct rlimit limit = {max_bytes, max_bytes};
	int null = open("/dev/null", O_RDWR);

	/* Not to outlive us, however we end; a terminal's ^C is for us to act on. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0);
	/* A write beyond it is an error, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(q->errors >= 0 ? q->errors : null, STDERR_FILENO);
	fcntl(socket_fd, F_SETFD, 0);
	execvp(a->arg[0], a->arg);
	_exit(127);
}

void qemu_last_error(const struct qemu *q, char *text, size_t size)
{
	char buf[2048], *line;
	off_t end = q->errors >= 0 ? lseek(q->errors, 0, SEEK_END) : 0;
	off_t from = end > (off_t)sizeof(buf) - 1 ? end - (off_t)sizeof(buf) + 1 : 0;
	ssize_t n = end > 0 ? pread(q->errors, buf, (size_t)(end - from), from) : 0;

	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == ' '))
		n--;
	buf[n > 0 ? n : 0] = 0;
	line = strrchr(buf, '\n');
	snprintf(text, size, "%s", line ? line + 1 : buf);
}

/* Why it did not even answer. */
static void say_no_start(struct qemu *q)
{
	char error[300];

	qemu_last_error(q, error, sizeof(error));
	snprintf(q->why, sizeof(q->why), error[0] ? "QEMU did not start: %s" : "QEMU did not start",
		 error);
}

static bool start(struct qemu *q, const struct qemu_machine *m, int socket_fd)
{
	struct qemu_args args = {0};
	pid_t parent = getpid();
	rlim_t max_bytes;
	bool ok = snapshot_room(q, m, &max_bytes) && qemu_args_make(&args, q, m, socket_fd);

	if (ok) {
		q->errors = memfd_create("mirrorboot", MFD_CLOEXEC);
		q->pid = fork();
		if (!q->pid)
			child(q, &args, socket_fd, parent, max_bytes);
		ok = q->pid > 0;
		if (!ok)
			snprintf(q->why, sizeof(q->why), "%s", strerror(errno));
	}
	qemu_args_free(&args);
	return ok;
}

bool qemu_start(struct qemu *q, const struct qemu_machine *m)
{
	int pair[2];
	bool ok;

	memset(q, 0, sizeof(*q));
	q->uefi = m->uefi;
	q->qmp = q->errors = -1;
	snprintf(q->serial, sizeof(q->serial), "%s/%s.serial.txt", m->dir, m->name);
	snprintf(q->vars, sizeof(q->vars), "%s/%s.vars", m->dir, m->name);
	snprintf(q->vga, sizeof(q->vga), "%s/%s.vga", m->dir, m->name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		snprintf(q->why, sizeof(q->why), "%s", strerror(errno));
		return false;
	}
	ok = start(q, m, pair[1]);
	close(pair[1]);
	q->qmp = pair[0];
	if (ok && !qmp_hello(q)) {
		say_no_start(q);
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

const char *qemu_screenshot(struct qemu *q, const char *base)
{
	char file[4300];

	snprintf(file, sizeof(file), "%s.png", base);
	if (qmp_screendump(q, file, "png"))
		return ".png";
	snprintf(file, sizeof(file), "%s.ppm", base);
	return qmp_screendump(q, file, NULL) ? ".ppm" : NULL;
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
	if (q->errors >= 0)
		close(q->errors);
	q->qmp = q->errors = -1;
	unlink(q->vars);
	unlink(q->vga);
}
