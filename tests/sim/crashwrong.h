/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Something is wrong after a cut: a failure, or, with a flush left out, what was looked for. */
#ifndef TESTS_SIM_CRASHWRONG_H
#define TESTS_SIM_CRASHWRONG_H

#include <setjmp.h>
#include <stdbool.h>

/* looking: it is no failure, and leads to found. name: the scene; what: the cut. */
void __attribute__((format(printf, 5, 6), noreturn))
crashwrong(bool looking, jmp_buf found, const char *name, const char *what, const char *fmt, ...);

/* For scenes: structs that have name, looking and found. */
#define CRASHWRONG(scene, what, ...)                                                               \
	crashwrong((scene)->looking, (scene)->found, (scene)->name, what, __VA_ARGS__)

#endif
