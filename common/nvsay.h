/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What is said of boot entries and of plans, on Linux and in a firmware alike. UTF-8. */
#ifndef COMMON_NVSAY_H
#define COMMON_NVSAY_H

#include "common/nvverb.h"
#include "common/nvwrite.h"
#include "common/text.h"

/* What could harm a terminal left out. */
void nvsay_name(const struct bootentry *e, struct text *out);
/* The file that is started, or a word for what is started else. Is it a file? */
bool nvsay_target(const struct bootentry *e, struct text *out);
void nvsay_number(unsigned number, struct text *out); /* "Boot0001" */
void nvsay_guid(const struct guid *guid, struct text *out);

/* "Clone boot entries for partition 2 of b (GUID):" */
void nvsay_title(const char *what, const struct nvpart *part, struct text *out);

/* The plan, a line each; what is to be known of it; what was done. */
void nvsay_plan(const struct nvplan *p, struct text *out);
void nvsay_note(const struct nvplan *p, const struct nvnote *n, struct text *out); /* no newline */
void nvsay_notes(const struct nvplan *p, struct text *out);
void nvsay_done(const struct nvplan *p, struct text *out);

/* Why there is no plan; why it could not be carried out. One or two lines. */
void nvsay_fail(const struct nvplan *p, const struct nvfail *f, struct text *out);
void nvsay_fault(const struct nvfault *f, const struct nvstore *s, struct text *out);

#endif
