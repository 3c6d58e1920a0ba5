/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/console.h"
#include "efi/uefi.h"

#define LINE_CHARS 96

static struct {
	struct text text;
	CHAR16 line[LINE_CHARS + 3]; /* room for CR, LF and the NUL */
	unsigned used;
} console;

void console_flush(void)
{
	if (console.used == 0)
		return;
	console.line[console.used] = 0;
	console.used = 0;
	if (uefi_st->ConOut)
		uefi_st->ConOut->OutputString(uefi_st->ConOut, console.line);
}

static void console_put(struct text *t, char c)
{
	if (c == '\n')
		console.line[console.used++] = '\r';
	console.line[console.used++] = (unsigned char)c;
	if (c == '\n' || console.used >= LINE_CHARS)
		console_flush();
}

struct text *console_init(void)
{
	console.text.put = console_put;
	console.text.column = 0;
	console.used = 0;
	if (uefi_st->ConOut)
		uefi_st->ConOut->ClearScreen(uefi_st->ConOut);
	return &console.text;
}

void console_forget_keys(void)
{
	EFI_INPUT_KEY key;

	/* Bounded: a stuck key may repeat for ever. */
	for (unsigned i = 0; uefi_st->ConIn && i < 64; i++)
		if (uefi_st->ConIn->ReadKeyStroke(uefi_st->ConIn, &key) != EFI_SUCCESS)
			break;
}

#define POLL_US     20000u
#define POLLS_PER_S (1000000u / POLL_US)

/* What the firmware arms when it starts a boot option. */
#define WATCHDOG_S 300

char console_key(unsigned seconds)
{
	EFI_INPUT_KEY key;
	unsigned polls = seconds * POLLS_PER_S;
	char answer = 0;

	console_flush();
	if (uefi_st->ConIn == NULL && seconds == CONSOLE_FOREVER)
		return 1; /* nobody can ever press one */

	/* A person may take longer than the firmware's watchdog. */
	uefi_bs->SetWatchdogTimer(0, 0, 0, NULL);
	for (unsigned i = 0; seconds == CONSOLE_FOREVER || i < polls; i++) {
		if (uefi_st->ConIn &&
		    uefi_st->ConIn->ReadKeyStroke(uefi_st->ConIn, &key) == EFI_SUCCESS) {
			CHAR16 c = key.UnicodeChar;

			answer = c > 0 && c < 127 ? (char)c : 1;
			break;
		}
		uefi_bs->Stall(POLL_US);
	}
	uefi_bs->SetWatchdogTimer(WATCHDOG_S, 0, 0, NULL);
	return answer;
}
