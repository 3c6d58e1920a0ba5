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

#define FLAG_ZERO          0x40
#define TICKS_FOR(seconds) ((seconds)*91u / 5) /* 18.2 a second */

struct console {
	struct text text;
	bool vga, serial;
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

/* A key that is waiting, or 0. INT 16h AH=01h: ZF=1 none. AH=00h: AL character, AH scan code. */
static char key_waiting(void)
{
	struct regs r = {.eax = 0x0100};

	bios_int(0x16, &r);
	if (!(r.flags & FLAG_ZERO)) {
		r = (struct regs){0};
		bios_int(0x16, &r);
		return (char)r.eax ? (char)r.eax : 1;
	}
	if (console.serial && (in8(UART_STATUS) & UART_RECEIVED)) {
		char c = (char)in8(UART_DATA);

		return c ? c : 1;
	}
	return 0;
}

char console_key(unsigned seconds)
{
	uint32_t tick = bda32(BDA_TICKS), passed = 0;

	/* Ticks are counted, not subtracted: the BIOS sets them to 0 at midnight. */
	while (seconds == CONSOLE_FOREVER || passed < TICKS_FOR(seconds)) {
		char c = key_waiting();

		if (c)
			return c;
		if (bda32(BDA_TICKS) != tick) {
			tick = bda32(BDA_TICKS);
			passed++;
		}
	}
	return 0;
}
