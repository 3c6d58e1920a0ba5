/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What mutated sources ask, at each place that has a mutant. */
#ifndef TESTS_MUTATE_MUTANT_H
#define TESTS_MUTATE_MUTANT_H

extern int mutant_on;                  /* 0: none */
extern unsigned char mutant_reached[]; /* by number */

#define MUTANT(number) (mutant_reached[number] = 1, __builtin_expect(mutant_on == (number), 0))

#endif
