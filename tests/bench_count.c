/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A plugin for QEMU's TCG that counts the guest's instructions by where they lie.
 *
 *   -plugin bench_count.so,out=FILE,mark=ADDR...,range=LO-HI...,wait_us=N,profile=FILE,late=1
 *
 * Each time the instruction at a marked address is about to run, a line goes to
 * `out`: the address, all instructions so far, and those inside each range. A range
 * of one instruction counts how often that runs: how often a function is entered.
 * Ranges lie in what real mode reaches. The first mark also clears what was counted before, and
 * starts the waiting below. Addresses are linear. Each turn of a REP is an instruction, as it is to
 * -icount.
 *
 * late=1: what comes before the first mark runs at full speed, and the counting begins
 * a moment after it. What lies between the first two marks is not counted whole then.
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
#define ADD_U64    0

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
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr,
						uint64_t imm);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned vcpu, void *data), int flags,
					  void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned vcpu, uint32_t info, uint64_t vaddr,
						 void *data),
				      int flags, int rw, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t id, void *data), void *data);
void qemu_plugin_reset(uint64_t id, void (*cb)(uint64_t id));
int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv);

extern const int qemu_plugin_version;
const int qemu_plugin_version = 1;

#define MARKS   4
#define RANGES  8
#define LOW_END 0x110000u   /* what real mode reaches */
#define DEVICES 0x80000000u /* no memory of the guest lies above, in 32 bits or 64 */

struct range {
	uint64_t lo, hi;
};

static uint64_t mark[MARKS];
static struct range range[RANGES];
static unsigned marks, ranges, wait_us;
static uint64_t total, by_addr[LOW_END];
static bool started, must_wait, late;
static uint64_t plugin_id;
static FILE *out;
static const char *profile;

static void clear(void)
{
	started = true;
	total = 0;
	memset(by_addr, 0, sizeof(by_addr));
}

static void register_all(uint64_t id);

static void on_mark(unsigned vcpu, void *data)
{
	if (!started) {
		clear();
		if (late)
			qemu_plugin_reset(plugin_id, register_all);
	}
	fprintf(out, "%jx %ju", (uintmax_t)(uintptr_t)data, (uintmax_t)total);
	for (unsigned i = 0; i < ranges; i++) {
		uint64_t sum = 0;

		for (uint64_t a = range[i].lo; a < range[i].hi; a++)
			sum += by_addr[a];
		fprintf(out, " %ju", (uintmax_t)sum);
	}
	fputc('\n', out);
	fflush(out);
}

/* Before what comes next looks at the device again. */
static void on_wait(unsigned vcpu, void *data)
{
	if (must_wait) {
		must_wait = false;
		usleep(wait_us);
	}
}

static void on_port(unsigned vcpu, void *data)
{
	must_wait = started && wait_us;
}

static void on_memory(unsigned vcpu, uint32_t info, uint64_t vaddr, void *data)
{
	struct qemu_plugin_hwaddr *haddr;

	if (vaddr < DEVICES || !started || !wait_us)
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
	bool after_port = false, count = started || !late;

	if (count)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_wait, CB_NO_REGS, NULL);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t addr = qemu_plugin_insn_vaddr(insn);

		if (after_port)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_wait, CB_NO_REGS, NULL);
		/* Calls come before sums: a mark's own instruction counts to what comes after it.
		 */
		for (unsigned m = 0; m < marks; m++)
			if (mark[m] == addr)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, CB_NO_REGS,
								       (void *)(uintptr_t)addr);
		if (!count)
			continue;
		qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD_U64, &total, 1);
		if (addr < LOW_END)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD_U64, &by_addr[addr],
								   1);
		qemu_plugin_register_vcpu_mem_cb(insn, on_memory, CB_NO_REGS, MEM_RW, NULL);
		after_port =
			is_port_access(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
		if (after_port)
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

static void register_all(uint64_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
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
	if (strcmp(text, "late=1") == 0) {
		late = true;
		return true;
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
		r->hi = strtoull(end + 1, &end, 0);
		return *end == '\0' && r->hi <= LOW_END;
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
	plugin_id = id;
	register_all(id);
	return 0;
}
