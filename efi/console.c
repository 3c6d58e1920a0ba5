/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/console.h"
#include "efi/uefi.h"

#define LINE_CHARS 96

static struct {
	struct text text;
	CHAR16 line[LINE_CHARS + 3]; /* room for CR, LF and the NUL */
	unsigned used;
	EFI_EVENT timer; /* signalled each tick; NULL: there is none (yet) */
	char next;       /* a key that was read and not wanted yet, or 0 */
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
	/* Names of files are somebody's: what moves a terminal's cursor is not printed. */
	console.line[console.used++] = c == '\n' || (c >= ' ' && c < 127) ? c : '?';
	if (c == '\n' || console.used >= LINE_CHARS)
		console_flush();
}

struct text *console_init(bool command)
{
	console.text.put = console_put;
	console.text.column = 0;
	console.used = 0;
	/* A disk that fails may need half a minute for each read; a person, longer. */
	uefi_bs->SetWatchdogTimer(0, 0, 0, NULL);
	if (!command && uefi_st->ConOut)
		uefi_st->ConOut->ClearScreen(uefi_st->ConOut);
	return &console.text;
}

/* ---- keys ------------------------------------------------------------------------------------ */

#define ESCAPE         27
#define NO_CHARACTER   1  /* a key that has none */
#define SEQUENCE_CHARS 16 /* of an escape sequence that we go along with */
#define FORGOTTEN_KEYS 64

static char character_of(const EFI_INPUT_KEY *key)
{
	if (key->ScanCode == SCAN_ESC)
		return ESCAPE;
	return key->UnicodeChar > 0 && key->UnicodeChar < 127 ? (char)key->UnicodeChar
							      : NO_CHARACTER;
}

static char read_key(void)
{
	EFI_INPUT_KEY key;

	if (console.next) {
		char c = console.next;

		console.next = 0;
		return c;
	}
	if (uefi_st->ConIn == NULL ||
	    uefi_st->ConIn->ReadKeyStroke(uefi_st->ConIn, &key) != EFI_SUCCESS)
		return 0;
	return character_of(&key);
}

/*
 * A key that is waiting, or 0. The firmware knows the escape sequences of a terminal's
 * keys, but not a terminal's answer to a question: that arrives as single keys, and a
 * menu must not take its digits for a person's. "ESC [" or "ESC O", up to a letter or
 * the like, is one key without a character.
 */
static char key_waiting(void)
{
	char c = read_key();

	if (c != ESCAPE)
		return c;
	c = read_key();
	if (c != '[' && c != 'O') {
		console.next = c;
		return ESCAPE;
	}
	for (unsigned i = 0; i < SEQUENCE_CHARS; i++) {
		c = read_key();
		if (c == 0 || c >= '@')
			break;
	}
	return NO_CHARACTER;
}

/* ---- time ------------------------------------------------------------------------------------ */

#define TICK_100NS 549254u /* of the BIOS's clock, so that both firmwares count alike */

static void close_timer(void)
{
	if (console.timer)
		uefi_bs->CloseEvent(console.timer);
	console.timer = NULL;
}

static void open_timer(void)
{
	if (console.timer || uefi_bs->CreateEvent(EVT_TIMER, TPL_CALLBACK, NULL, NULL,
						  &console.timer) != EFI_SUCCESS)
		return;
	if (uefi_bs->SetTimer(console.timer, TimerPeriodic, TICK_100NS) != EFI_SUCCESS)
		close_timer();
}

/* Has a tick passed since this was asked last? */
static bool tick_passed(void)
{
	return console.timer && uefi_bs->CheckEvent(console.timer) == EFI_SUCCESS;
}

/* Waiting for the event lets the processor sleep. */
static void wait_for_tick(void)
{
	UINTN index;

	if (console.timer == NULL ||
	    uefi_bs->WaitForEvent(1, &console.timer, &index) != EFI_SUCCESS)
		uefi_bs->Stall(TICK_100NS / 10);
}

char console_key_in(unsigned *ticks)
{
	char c;

	console_flush();
	open_timer();
	/* Also while keys come without a pause: noise on a serial line must not stop the time. */
	if (tick_passed() && *ticks > 0)
		--*ticks;
	while (!(c = key_waiting()) && *ticks > 0) {
		wait_for_tick();
		--*ticks;
	}
	return c;
}

char console_key(unsigned seconds)
{
	unsigned ticks = CONSOLE_TICKS(seconds);
	char c;

	if (uefi_st->ConIn == NULL && seconds == CONSOLE_FOREVER) {
		wait_for_tick();
		return NO_CHARACTER; /* nobody can ever press one */
	}
	do
		c = console_key_in(&ticks);
	while (!c && seconds == CONSOLE_FOREVER);
	return c;
}

void console_forget_keys(void)
{
	unsigned none = 0;

	/* Bounded: a stuck key may repeat for ever. */
	for (unsigned i = 0; i < FORGOTTEN_KEYS && console_key_in(&none); i++)
		;
}

bool console_shift(void)
{
	EFI_GUID guid = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL_GUID;
	EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *in = NULL;
	EFI_KEY_DATA key = {0};

	/* Not every keyboard can say. */
	if (uefi_st->ConsoleInHandle == NULL || console.next ||
	    uefi_bs->HandleProtocol(uefi_st->ConsoleInHandle, &guid, (void **)&in) != EFI_SUCCESS)
		return false;
	/* The only way to ask takes a key, if there is one; else it is the state of now. */
	if (in->ReadKeyStrokeEx(in, &key) == EFI_SUCCESS)
		console.next = character_of(&key.Key);
	return key.KeyState.KeyShiftState & EFI_SHIFT_STATE_VALID &&
	       key.KeyState.KeyShiftState & (EFI_LEFT_SHIFT_PRESSED | EFI_RIGHT_SHIFT_PRESSED);
}

void console_close(void)
{
	console_flush();
	close_timer();
}
