/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Linked into a test program that has mutants in it. Before main() it takes orders on
 * MUTANT_ORDERS, one a line, and runs each in a child:
 *
 *   MUTANT MILLISECONDS TEST:MILLISECONDS,TEST:MILLISECONDS,... | *
 *
 * The tests are cmocka's, numbered as they come; a program without them is run whole.
 * The answer on MUTANT_ANSWERS is "WAIT_STATUS CPU_US TEST": the test that failed, or how many
 * there are. Without a mutant (0) the child writes what it reached into the file that
 * MUTANT_REACHED names.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "mutant.h"
#include "mutants.h" /* made: how many there are */

#define TESTS_MAX 4096

int mutant_on;
unsigned char mutant_reached[MUTANTS + 1];

/* Shared with the parent: the test that runs, behind the last one how many there are. */
static unsigned *seen;
static unsigned wanted_ms[TESTS_MAX];
static int all_wanted, reached_fd = -1;

static void write_reached(void)
{
	if (reached_fd >= 0 && pwrite(reached_fd, mutant_reached, sizeof(mutant_reached), 0) < 0)
		_exit(99);
}

static void limit(int what, rlim_t most)
{
	struct rlimit r = {most, most};

	setrlimit(what, &r);
}

/* Of CPU time: how busy the machine is doesn't matter. */
static void limit_ms(long ms)
{
	struct itimerval t = {.it_value = {ms / 1000, ms % 1000 * 1000}};

	setitimer(ITIMER_PROF, &t, NULL);
}

static void begin(int mutant, long ms, char *tests)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 1u << 28);
#ifndef __SANITIZE_ADDRESS__
	limit(RLIMIT_AS, 4ull << 30);
#endif
	limit_ms(ms);
	alarm(300);
	all_wanted = *tests == '*';
	for (char *at = tests; !all_wanted && *at;) {
		unsigned long n = strtoul(at, &at, 10);

		if (n < TESTS_MAX && *at == ':')
			wanted_ms[n] = (unsigned)strtoul(at + 1, &at, 10);
		if (*at == ',')
			at++;
		else
			break;
	}
	if (mutant == 0)
		atexit(write_reached);
	mutant_on = mutant;
}

__attribute__((constructor)) static void serve(void)
{
	const char *orders = getenv("MUTANT_ORDERS"), *answers = getenv("MUTANT_ANSWERS");
	const char *reached = getenv("MUTANT_REACHED");
	FILE *in, *out;
	static char line[1 << 16], tests[1 << 16];
	int mutant, status;
	long ms;

	if (!orders || !answers)
		return;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	in = fdopen(atoi(orders), "r");
	out = fdopen(atoi(answers), "w");
	if (seen == MAP_FAILED || !in || !out)
		_exit(98);
	while (fgets(line, sizeof(line), in)) {
		struct rusage use;
		pid_t child;

		if (sscanf(line, "%d %ld %65535s", &mutant, &ms, tests) != 3)
			_exit(97);
		*seen = 0;
		child = fork();
		if (child < 0)
			_exit(96);
		if (child == 0) {
			if (mutant == 0 && reached)
				reached_fd = open(reached, O_WRONLY | O_CREAT | O_TRUNC, 0600);
			begin(mutant, ms, tests);
			return;
		}
		if (wait4(child, &status, 0, &use) < 0)
			_exit(95);
		fprintf(out, "%d %ld %u\n", status,
			(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000l +
				use.ru_utime.tv_usec + use.ru_stime.tv_usec,
			*seen);
		fflush(out);
	}
	_exit(0);
}

#ifndef WITHOUT_TESTS
typedef int group_run(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction,
		      CMFixtureFunction);

/* In place of cmocka's: the tests that are wanted, one after the other, up to one that fails. */
int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
			    CMFixtureFunction setup, CMFixtureFunction teardown)
{
	group_run *real = (group_run *)dlsym(RTLD_NEXT, "_cmocka_run_group_tests");
	static unsigned number;

	if (!seen)
		return real(name, tests, count, setup, teardown);
	for (size_t i = 0; i < count; i++, number++) {
		*seen = number;
		if (!all_wanted && number < TESTS_MAX && wanted_ms[number])
			limit_ms(wanted_ms[number]);
		if (all_wanted || (number < TESTS_MAX && wanted_ms[number]))
			if (real(name, &tests[i], 1, setup, teardown) != 0)
				_exit(1);
	}
	*seen = number;
	return 0;
}
#endif
