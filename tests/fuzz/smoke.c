/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Runs a fuzz target over seed files and a bounded number of mutations of each,
 * always the same ones: what a fuzzer found once stays found without one.
 *
 * usage: TARGET [-m MUTATIONS] [-s] DIR|FILE...
 *
 * -s: no mutations; a line for each file that says what became of it. What fails is left in
 * a file beside the program: TARGET.input.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_MAX  65536
#define MUTATIONS 300
#define LIMIT_S   120 /* for a seed and all its mutations; in the end SIGALRM */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
extern char fuzz_said[];

static uint64_t state;
static int mutations = MUTATIONS, saying, files;
static uint8_t seed[SEED_MAX], data[SEED_MAX];

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

static size_t mutate(size_t n)
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

/* ---- the input that fails is kept ---- */

void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

static const char *program, *current;
static const uint8_t *input;
static size_t input_bytes;

static void keep(void)
{
	char name[4096];
	FILE *f;

	if (!input)
		return;
	snprintf(name, sizeof(name), "%s.input", program);
	f = fopen(name, "wb");
	if (f) {
		fwrite(input, 1, input_bytes, f);
		fclose(f);
	}
	fprintf(stderr, "%s: failed at %s or a mutation of it; the input is %s\n", program, current,
		name);
	input = NULL;
}

static void on_signal(int number)
{
	keep();
	_exit(128 + number);
}

static void run(const uint8_t *bytes, size_t n)
{
	input = bytes;
	input_bytes = n;
	LLVMFuzzerTestOneInput(bytes, n);
	input = NULL;
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		return -1;
	}
	n = fread(seed, 1, sizeof(seed), f);
	fclose(f);
	files++;
	current = path;
	alarm(LIMIT_S);
	fuzz_said[0] = '\0';
	run(seed, n);
	if (saying) {
		printf("%s\t%s\n", path, fuzz_said);
		return 0;
	}
	/* The same whichever files there are beside this one. */
	state = 88172645463325252u;
	for (int i = 0; i < mutations; i++) {
		memcpy(data, seed, n);
		run(data, mutate(n));
	}
	return 0;
}

static int run_path(const char *path)
{
	struct dirent **names;
	struct stat st;
	int count, failed = 0;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return run_file(path);
	count = scandir(path, &names, NULL, alphasort);
	if (count < 0) {
		perror(path);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && run_file(file) < 0)
			failed = -1;
		free(names[i]);
	}
	free(names);
	return failed;
}

int main(int argc, char **argv)
{
	int option;

	program = argv[0];
	signal(SIGABRT, on_signal);
	signal(SIGALRM, on_signal);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep);
	while ((option = getopt(argc, argv, "m:s")) > 0) {
		if (option == 'm')
			mutations = atoi(optarg);
		else if (option == 's')
			saying = 1;
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		if (run_path(argv[i]) < 0)
			return 1;
	if (files == 0) {
		fprintf(stderr, "usage: %s [-m MUTATIONS] [-s] DIR|FILE... (no file to run)\n",
			argv[0]);
		return 2;
	}
	if (!saying)
		printf("%s: %d seeds, %d mutations each\n", argv[0], files, mutations);
	return 0;
}
