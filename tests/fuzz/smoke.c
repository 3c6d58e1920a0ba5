/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Runs a fuzz target over seed files and a bounded number of mutations of each,
 * always the same ones: what a fuzzer found once stays found without one.
 *
 * usage: TARGET DIR
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX  65536
#define MUTATIONS 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t state = 88172645463325252u;

static uint32_t next_random(void) /* xorshift64 */
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* Values that break arithmetic, put where a field may be. */
static const uint64_t edges[] = {
	0,          1,          2,          0x7f,       0xff,      0xfffe,         0xffff,
	0x7fffffff, 0x80000000, 0xffffffff, UINT64_MAX, INT64_MAX, UINT64_MAX - 7, 1ull << 55,
	0x0100};

static size_t mutate(uint8_t *data, size_t n)
{
	unsigned times = 1 + next_random() % 4;

	while (n > 8 && times--) {
		size_t at = next_random() % n;
		uint64_t edge = edges[next_random() % (sizeof(edges) / sizeof(edges[0]))];
		size_t width = (size_t)1 << (next_random() % 4);

		switch (next_random() % 4) {
		case 0: data[at] ^= (uint8_t)(1u << (next_random() % 8)); break;
		case 1: data[at] = (uint8_t)next_random(); break;
		case 2:
			if (width <= n - at)
				memcpy(data + at, &edge, width);
			break;
		default:
			if (next_random() % 8 == 0)
				n = at + 1;
			break;
		}
	}
	return n;
}

static int run_file(const char *path)
{
	static uint8_t seed[SEED_MAX], data[SEED_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		return -1;
	}
	n = fread(seed, 1, sizeof(seed), f);
	fclose(f);
	LLVMFuzzerTestOneInput(seed, n);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		memcpy(data, seed, n);
		LLVMFuzzerTestOneInput(data, mutate(data, n));
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int count, run = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	count = scandir(argv[1], &names, NULL, alphasort); /* sorted: the mutations depend on it */
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			if (run_file(path) < 0)
				return 1;
			run++;
		}
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	if (run == 0) {
		fprintf(stderr, "%s: no seeds in %s\n", argv[0], argv[1]);
		return 1;
	}
	printf("%s: %d seeds, %d mutations each\n", argv[0], run, MUTATIONS);
	return 0;
}
