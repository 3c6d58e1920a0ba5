/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t asked;
static bool held;

static void note(int number)
{
	asked = 1;
}

void stop_watch(void)
{
	struct sigaction action = {.sa_handler = note}, old;

	sigemptyset(&action.sa_mask);
	/* One that is ignored (nohup) stays so. */
	for (unsigned i = 0; i < SIGNALS; i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

bool stop_asked(void)
{
	return asked;
}

void stop_hold(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < SIGNALS; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	held = true;
}

void stop_hold_child(void)
{
	if (held)
		setpgid(0, 0);
}

bool stop_is_held(void)
{
	sigset_t set;

	if (sigpending(&set))
		return false;
	for (unsigned i = 0; i < SIGNALS; i++)
		if (sigismember(&set, signals[i]) == 1)
			return true;
	return false;
}
