/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/bar.h"

#include "efi/console.h"

#define BAR_CHARS  40
#define WHAT_CHARS 15
#define DRAW_100NS 3000000u

/* Without 64-bit division. */
static unsigned percent_of(uint64_t done, uint64_t of)
{
	while (of >> 24) {
		of >>= 1;
		done >>= 1;
	}
	if (of == 0 || done >= of)
		return 100;
	return (uint32_t)done * 100 / (uint32_t)of;
}

static void draw(struct bar *b, unsigned percent)
{
	b->shown = true;
	b->percent = percent;
	text_str(b->out, "\r");
	b->out->column = 0;
	text_str(b->out, "  ");
	text_str(b->out, b->what);
	text_tab(b->out, WHAT_CHARS);
	text_char(b->out, '[');
	for (unsigned i = 0; i < BAR_CHARS; i++)
		text_char(b->out, i * 100 < percent * BAR_CHARS ? '#' : '.');
	text_str(b->out, "] ");
	text_u64(b->out, percent);
	text_str(b->out, " %");
	console_flush();
}

static void begin(struct bar *b, const char *what)
{
	bar_end(b);
	b->what = what;
	b->percent = 0;
	if (uefi_bs->CreateEvent(EVT_TIMER, 0, NULL, NULL, &b->timer) != EFI_SUCCESS)
		b->timer = NULL;
	else
		uefi_bs->SetTimer(b->timer, TimerPeriodic, DRAW_100NS);
}

void bar_at(struct bar *b, const char *what, uint64_t done, uint64_t of)
{
	unsigned percent = percent_of(done, of);

	if (b->what != what)
		begin(b, what);
	if (b->timer && uefi_bs->CheckEvent(b->timer) != EFI_SUCCESS &&
	    !(b->shown && percent == 100))
		return;
	if (!b->shown || percent != b->percent)
		draw(b, percent);
}

void bar_end(struct bar *b)
{
	if (b->timer)
		uefi_bs->CloseEvent(b->timer);
	if (b->shown)
		text_char(b->out, '\n');
	b->timer = NULL;
	b->what = NULL;
	b->shown = false;
}
