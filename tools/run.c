/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/run.h"
#include "tools/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(char *const *argv, const int *keep_fd, int out, int err)
{
	int null = open("/dev/null", O_RDONLY);

	stop_hold_child();
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	/* What we open is close-on-exec, so only the kept ones need a word. */
	for (; keep_fd && *keep_fd >= 0; keep_fd++)
		fcntl(*keep_fd, F_SETFD, 0);
	setenv("LC_ALL", "C", 1);
	execvp(argv[0], argv);
	_exit(127);
}

static bool take_out(struct run_output *r, int fd, size_t *room)
{
	ssize_t got;

	if (*room - r->out_bytes < 65536) {
		uint8_t *more = realloc(r->out, *room * 2);

		if (!more)
			return false;
		r->out = more;
		*room *= 2;
	}
	got = read(fd, r->out + r->out_bytes, *room - r->out_bytes - 1);
	if (got > 0)
		r->out_bytes += (size_t)got;
	return got > 0 || (got < 0 && errno == EINTR);
}

/* Only the last lines of stderr are of use. */
static bool take_err(struct run_output *r, int fd)
{
	char buf[256];
	ssize_t got = read(fd, buf, sizeof(buf));
	size_t used = strlen(r->err), drop;

	if (got <= 0)
		return got < 0 && errno == EINTR;
	if (used + (size_t)got >= sizeof(r->err)) {
		drop = used + (size_t)got - (sizeof(r->err) - 1);
		memmove(r->err, r->err + drop, used - drop + 1);
		used -= drop;
	}
	memcpy(r->err + used, buf, (size_t)got);
	r->err[used + (size_t)got] = 0;
	return true;
}

static void collect(struct run_output *r, int out, int err)
{
	struct pollfd p[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	size_t room = 1 << 17;

	r->out = malloc(room);
	while (r->out && (p[0].fd >= 0 || p[1].fd >= 0)) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents && !take_out(r, out, &room))
			p[0].fd = -1;
		if (p[1].revents && !take_err(r, err))
			p[1].fd = -1;
	}
	if (r->out)
		r->out[r->out_bytes] = 0;
}

bool run_command(char *const *argv, const int *keep_fd, struct run_output *r)
{
	int out[2], err[2], status = 0;
	pid_t pid;

	memset(r, 0, sizeof(*r));
	r->exit_code = 127;
	if (pipe2(out, O_CLOEXEC))
		return false;
	if (pipe2(err, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	pid = fork();
	if (!pid)
		child(argv, keep_fd, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (pid > 0)
		collect(r, out[0], err[0]);
	close(out[0]);
	close(err[0]);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	r->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	r->err[strcspn(r->err, "\n")] = 0;
	return !r->exit_code && r->out;
}

int run_memory_file(const void *data, size_t n_bytes)
{
	int fd = memfd_create("mirrorboot", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, data, n_bytes) != (ssize_t)n_bytes) {
		close(fd);
		return -1;
	}
	return fd;
}

void run_fd_path(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

bool run_exists(const char *program)
{
	const char *dirs = getenv("PATH");
	char path[4096];

	while (dirs && *dirs) {
		size_t n = strcspn(dirs, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)n, dirs, program);
		if (!access(path, X_OK))
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}
