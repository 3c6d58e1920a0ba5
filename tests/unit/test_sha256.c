/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/sha256.h"

#include <stdio.h>
#include <string.h>

/* In pieces of this many bytes. */
static void hash(const void *data, size_t bytes, size_t piece, uint8_t out[SHA256_BYTES])
{
	const uint8_t *p = data;
	struct sha256 s;

	sha256_init(&s);
	for (size_t at = 0; at < bytes; at += piece)
		sha256_add(&s, p + at, bytes - at < piece ? bytes - at : piece);
	sha256_end(&s, out);
}

static void check(const uint8_t hash_is[SHA256_BYTES], const char *expected)
{
	char text[2 * SHA256_BYTES + 1];

	for (unsigned i = 0; i < SHA256_BYTES; i++)
		sprintf(text + 2 * i, "%02x", hash_is[i]);
	assert_string_equal(text, expected);
}

/* NIST's examples for FIPS 180-4. */
static void published(void **state)
{
	static const struct {
		const char *text, *hash;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqk"
		 "lmnopqrlmnopqrsmnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};
	static uint8_t million[1000000];
	uint8_t out[SHA256_BYTES];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hash(rows[i].text, strlen(rows[i].text), 1000, out);
		check(out, rows[i].hash);
	}
	memset(million, 'a', sizeof(million));
	hash(million, sizeof(million), sizeof(million), out);
	check(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/*
 * hashlib's word for lengths 0..200, byte j of length n being 7n + 13j: the hash of their
 * hashes. All the same in whatever pieces it is given.
 */
static void lengths(void **state)
{
	for (size_t piece = 1; piece <= 201; piece++) {
		uint8_t data[200], all[201 * SHA256_BYTES], out[SHA256_BYTES];

		for (unsigned n = 0; n <= 200; n++) {
			for (unsigned j = 0; j < n; j++)
				data[j] = (uint8_t)(n * 7 + j * 13);
			hash(data, n, piece, all + n * SHA256_BYTES);
		}
		hash(all, sizeof(all), sizeof(all), out);
		check(out, "079934be498caaf99cc2e74b0a0cc406a5138a515f6b805006aea71dd6a1a8d7");
	}
}

/* 512 MiB and a little: the length in bits does not fit 32 of them. Zeroes, as hashlib has it. */
static void long_message(void **state)
{
	static const uint8_t zeroes[1 << 20];
	uint8_t out[SHA256_BYTES];
	struct sha256 s;

	sha256_init(&s);
	for (unsigned i = 0; i < 512; i++)
		sha256_add(&s, zeroes, sizeof(zeroes));
	sha256_add(&s, zeroes, 3);
	sha256_end(&s, out);
	check(out, "403a955183d83bd37bd31dde74eb3b713fcf99b6ba1a87fa91aa5befe4f51280");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(lengths),
		cmocka_unit_test(long_message),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
