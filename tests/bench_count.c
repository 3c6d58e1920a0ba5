/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A plugin for QEMU's TCG that counts the guest's instructions by where they lie.
 *
 *   -plugin bench_count.so,out=FILE,mark=ADDR...,range=LO-HI...,wait_us=N,profile=FILE
 *
 * Each time the instruction at a marked address is about to run, a line goes to
 * `out`: the address, all instructions so far, and those inside each range. A range
 * of one instruction counts how often that runs: how often a function is entered.
 * The first mark also clears what was counted before, and starts the waiting below.
 * Addresses are linear. Each turn of a REP is an instruction, as it is to -icount.
 *
 * How often a guest polls before the disk has answered depends on the host's mood.
 * So after each access to a port or a device's registers the guest stands still for
 * N us of the host's time, and finds the disk ready the first time that it looks.
 *
 * qemu-plugin.h is not in every distribution, so what is used of version 1 of the
 * interface (QEMU 4.2 to 8.2) is declared here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_info_t;

#define CB_NO_REGS 0
#define MEM_RW     3

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *haddr);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned vcpu, void *data), int flags,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned vcpu, uint32_t info, uint64_t vaddr,
						 void *data),
				      int flags, int rw, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t id, void *data), void *data);
int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv);

extern const int qemu_plugin_version;
const int qemu_plugin_version = 1;

#define MARKS   4
#define RANGES  8
#define LOW_END 0x110000u /* what real mode reaches */
#define VGA     0xa0000u
#define VGA_END 0xc0000u

struct range {
	uint64_t lo, bytes, count;
};

static uint64_t mark[MARKS];
static struct range range[RANGES];
static unsigned marks, ranges, wait_us;
static uint64_t total, by_addr[LOW_END];
static bool started, must_wait;
static FILE *out;
static const char *profile;

static void on_insn(unsigned vcpu, void *data)
{
	uint64_t addr = (uintptr_t)data;

	if (must_wait) {
		must_wait = false;
		usleep(wait_us);
	}
	total++;
	for (unsigned i = 0; i < ranges; i++)
		range[i].count += addr - range[i].lo < range[i].bytes;
	if (addr < LOW_END)
		by_addr[addr]++;
}

static void on_mark(unsigned vcpu, void *data)
{
	if (!started) {
		started = true;
		total = 0;
		memset(by_addr, 0, sizeof(by_addr));
		for (unsigned i = 0; i < ranges; i++)
			range[i].count = 0;
	}
	fprintf(out, "%jx %ju", (uintmax_t)(uintptr_t)data, (uintmax_t)total);
	for (unsigned i = 0; i < ranges; i++)
		fprintf(out, " %ju", (uintmax_t)range[i].count);
	fputc('\n', out);
	fflush(out);
}

static void on_port(unsigned vcpu, void *data)
{
	must_wait = started && wait_us;
}

static void on_memory(unsigned vcpu, uint32_t info, uint64_t vaddr, void *data)
{
	struct qemu_plugin_hwaddr *haddr;

	if (!started || !wait_us || (vaddr >= VGA && vaddr < VGA_END))
		return;
	haddr = qemu_plugin_get_hwaddr(info, vaddr);
	if (haddr && qemu_plugin_hwaddr_is_io(haddr))
		must_wait = true;
}

/* IN and OUT, after any prefixes of real-mode code; not INS and OUTS, which move data. */
static bool is_port_access(const uint8_t *code, size_t n_bytes)
{
	while (n_bytes > 1 && (*code == 0x66 || *code == 0x67)) {
		code++;
		n_bytes--;
	}
	return (*code & 0xf4) == 0xe4; /* E4..E7, EC..EF */
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t addr = qemu_plugin_insn_vaddr(insn);
		void *data = (void *)(uintptr_t)addr;

		/* A mark first: its own instruction counts to what comes after it. */
		for (unsigned m = 0; m < marks; m++)
			if (mark[m] == addr)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, CB_NO_REGS,
								       data);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, CB_NO_REGS, data);
		qemu_plugin_register_vcpu_mem_cb(insn, on_memory, CB_NO_REGS, MEM_RW, NULL);
		if (is_port_access(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_port, CB_NO_REGS, NULL);
	}
}

/* Every address below LOW_END that ran, and how often. */
static void on_exit_of_qemu(uint64_t id, void *data)
{
	FILE *f = profile ? fopen(profile, "w") : NULL;

	for (uint32_t a = 0; f && a < LOW_END; a++)
		if (by_addr[a])
			fprintf(f, "%x %ju\n", a, (uintmax_t)by_addr[a]);
	if (f)
		fclose(f);
}

static bool option(const char *text)
{
	char *end;

	if (strncmp(text, "out=", 4) == 0) {
		out = fopen(text + 4, "w");
		return out != NULL;
	}
	if (strncmp(text, "profile=", 8) == 0) {
		profile = strdup(text + 8);
		return profile != NULL;
	}
	if (strncmp(text, "wait_us=", 8) == 0) {
		wait_us = (unsigned)strtoul(text + 8, &end, 0);
		return *end == '\0';
	}
	if (strncmp(text, "mark=", 5) == 0 && marks < MARKS) {
		mark[marks++] = strtoull(text + 5, &end, 0);
		return *end == '\0';
	}
	if (strncmp(text, "range=", 6) == 0 && ranges < RANGES) {
		struct range *r = &range[ranges++];

		r->lo = strtoull(text + 6, &end, 0);
		if (*end != '-')
			return false;
		r->bytes = strtoull(end + 1, &end, 0) - r->lo;
		return *end == '\0';
	}
	return false;
}

int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!option(argv[i])) {
			fprintf(stderr, "bench_count: can't use the option %s\n", argv[i]);
			return -1;
		}
	}
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
