/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* install --trust: which members the configuration names, and which it should. */
#ifndef TOOLS_INSTALL_TRUST_H
#define TOOLS_INSTALL_TRUST_H

#include "tools/install_plan.h"

/*
 * Put the list that is wanted into in->bios_config and in->esp_config: a new one, none, or the
 * one that is installed. After it has been settled what they are without. False: said why.
 */
bool install_trust_plan(struct install *in);

/* What this configuration asks of a stage2 (enum variant_family). */
unsigned install_trust_families(const char *config);

/* How many are named; members that are here and are not. */
void install_trust_print(const struct install *in);

void install_trust_free(struct install *in);

#endif
