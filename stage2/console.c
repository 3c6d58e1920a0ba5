/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/console.h"

#include "common/config.h"
#include "stage2/bios.h"

#define COM1 0x3f8
enum {
	UART_DATA,
	UART_INTERRUPTS,
	UART_FIFO,
	UART_LINE,
	UART_MODEM,
	UART_STATUS,
	UART_MODEM_STATUS,
	UART_SCRATCH
};
#define UART_DLAB     0x80
#define UART_8N1      0x03
#define UART_DTR_RTS  0x03
#define UART_ROOM     0x20
#define UART_RECEIVED 0x01
#define UART_WAIT     200000 /* polls; a character takes 87 us */

#define FLAG_ZERO      0x40
#define ESCAPE         27
#define NO_CHARACTER   1  /* a key that has none */
#define SEQUENCE_CHARS 16 /* of an escape sequence that we go along with */

struct console {
	struct text text;
	bool vga, serial;
	uint32_t tick; /* the last that was seen */
};

static struct console console;

static void out8(unsigned reg, uint8_t value)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(value), "d"(COM1 + reg));
}

static uint8_t in8(unsigned reg)
{
	uint8_t value;

	__asm__ volatile("inb %w1, %b0" : "=a"(value) : "d"(COM1 + reg));
	return value;
}

/* Set COM1 up. False: there is no such port. */
static bool serial_open(void)
{
	out8(UART_SCRATCH, 0x5a);
	if (in8(UART_SCRATCH) != 0x5a)
		return false;
	out8(UART_INTERRUPTS, 0);
	out8(UART_LINE, UART_DLAB | UART_8N1);
	out8(UART_DATA, 1); /* 115200 / 1 */
	out8(UART_INTERRUPTS, 0);
	out8(UART_LINE, UART_8N1);
	out8(UART_FIFO, 1);
	out8(UART_MODEM, UART_DTR_RTS);
	return true;
}

static void serial_put(char c)
{
	for (unsigned i = 0; i < UART_WAIT; i++) {
		if (in8(UART_STATUS) & UART_ROOM) {
			out8(UART_DATA, (uint8_t)c);
			return;
		}
	}
	console.serial = false; /* stuck: do not wait for it again */
}

/* INT 10h AH=0Eh: AL character, BH page, BL colour. */
static void vga_put(char c)
{
	struct regs r = {.eax = 0x0e00 | (uint8_t)c, .ebx = 7};

	bios_int(0x10, &r);
}

static void console_put(struct text *t, char c)
{
	if (c == '\n')
		console_put(t, '\r');
	if (console.vga)
		vga_put(c);
	if (console.serial)
		serial_put(c);
}

struct text *console_init(uint8_t which)
{
	console.text.put = console_put;
	console.vga = which & CONFIG_VGA;
	console.serial = (which & CONFIG_SERIAL) && serial_open();
	return &console.text;
}

static bool serial_has_char(void)
{
	return in8(UART_STATUS) & UART_RECEIVED;
}

/* The next of an escape sequence: it comes soon, or there is none. */
static bool serial_next(char *c)
{
	for (unsigned i = 0; i < UART_WAIT; i++) {
		if (serial_has_char()) {
			*c = (char)in8(UART_DATA);
			return true;
		}
	}
	return false;
}

/*
 * A character from COM1. An escape sequence - a cursor key, or a terminal's answer to a
 * question of the firmware's - is taken whole, for one key without a character: a menu
 * must not take its digits for a person's. "ESC [" or "ESC O", up to a letter or the like.
 */
static char serial_get(void)
{
	char c = (char)in8(UART_DATA);

	if (c == ESCAPE && serial_next(&c) && c != ESCAPE) {
		if (c == '[' || c == 'O')
			for (unsigned i = 0; i < SEQUENCE_CHARS && serial_next(&c) && c < '@'; i++)
				;
		return NO_CHARACTER;
	}
	return c ? c : NO_CHARACTER;
}

/* A key that is waiting, or 0. INT 16h AH=01h: ZF=1 none. AH=00h: AL character, AH scan code. */
static char key_waiting(void)
{
	struct regs r = {.eax = 0x0100};

	bios_int(0x16, &r);
	if (!(r.flags & FLAG_ZERO)) {
		r = (struct regs){0};
		bios_int(0x16, &r);
		return (char)r.eax ? (char)r.eax : NO_CHARACTER;
	}
	return console.serial && serial_has_char() ? serial_get() : 0;
}

char console_key_in(unsigned *ticks)
{
	/* Also while keys come without a pause: noise on a serial line must not stop the time. */
	for (;;) {
		uint32_t now = bda32(BDA_TICKS);
		char c;

		/* Ticks are counted, not subtracted: the BIOS sets them to 0 at midnight. */
		if (now != console.tick && *ticks > 0)
			--*ticks;
		console.tick = now;
		c = key_waiting();
		if (c || *ticks == 0)
			return c;
		bios_idle();
	}
}

char console_key(unsigned seconds)
{
	unsigned ticks = CONSOLE_TICKS(seconds);
	char c;

	do
		c = console_key_in(&ticks);
	while (!c && seconds == CONSOLE_FOREVER);
	return c;
}

bool console_shift(void)
{
	return bda8(BDA_SHIFT) & 3;
}
