/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A next loader for tests: says which one it is, whether Secure Boot is on, and
 * what the TPM has in its PCRs and its event log.
 */
#include "common/range.h"
#include "common/text.h"
#include "common/wire.h"
#include "efi/uefi.h"

/* A test writes a word over the dots, before it signs the file. */
#define LABEL_CHARS 16
static const volatile char label[] = "WITNESS-LABEL:................";

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

static void put(struct text *t, char c)
{
	CHAR16 s[3] = {(unsigned char)c, 0, 0};

	if (c == '\n') {
		s[0] = '\r';
		s[1] = '\n';
	}
	uefi_st->ConOut->OutputString(uefi_st->ConOut, s);
}

static struct text out = {.put = put};

static void say_hex(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_hex(&out, p[i], 2);
	text_char(&out, '\n');
}

static void say_who(void)
{
	text_str(&out, "\nWITNESS: label ");
	for (unsigned i = 0; i < LABEL_CHARS; i++) {
		char c = label[sizeof(label) - 1 - LABEL_CHARS + i];

		if (c != '.')
			text_char(&out, c);
	}
	text_char(&out, '\n');
}

static void say_secure_boot(void)
{
	CHAR16 name[] = L"SecureBoot";
	EFI_GUID guid = uefi_global_variable;
	UINT8 on = 0;
	UINTN bytes = sizeof(on);

	text_str(&out, "WITNESS: SecureBoot ");
	if (uefi_rt->GetVariable(name, &guid, NULL, &bytes, &on) == EFI_SUCCESS)
		text_u64(&out, on);
	else
		text_str(&out, "unknown");
	text_char(&out, '\n');
}

/* ---- the TPM --------------------------------------------------------------------------------- */

#define LOG_CRYPTO_AGILE 2
#define ALG_SHA256       0x0b
#define SHA256_BYTES     32
#define PCRS             24

struct tcg2 {
	void *get_capability;
	EFI_STATUS(EFIAPI *get_event_log)
	(struct tcg2 *tcg2, UINT32 format, EFI_PHYSICAL_ADDRESS *first, EFI_PHYSICAL_ADDRESS *last,
	 BOOLEAN *truncated);
	void *hash_log_extend;
	EFI_STATUS(EFIAPI *submit)
	(struct tcg2 *tcg2, UINT32 in_bytes, UINT8 *in, UINT32 out_bytes, UINT8 *out);
};

static const EFI_GUID tcg2_guid = {
	0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};

/* TPM2_PCR_Read of one PCR of the SHA-256 bank (TPM 2.0 part 3, 22.4). */
static void say_pcr(struct tcg2 *tpm, unsigned pcr)
{
	UINT8 command[] = {0x80, 0x01, 0, 0, 0, 20,         0, 0, 0x01, 0x7e,
			   0,    0,    0, 1, 0, ALG_SHA256, 3, 0, 0,    0};
	UINT8 answer[128] = {0};

	command[17 + pcr / 8] = (UINT8)(1u << (pcr & 7));
	text_str(&out, "WITNESS: PCR ");
	text_u64(&out, pcr);
	text_char(&out, ' ');
	/* header 10, update counter 4, selection 10, digest count 4, its size 2 */
	if (tpm->submit(tpm, sizeof(command), command, sizeof(answer), answer) == EFI_SUCCESS &&
	    answer[27] == 1 && answer[29] == SHA256_BYTES)
		say_hex(answer + 30, SHA256_BYTES);
	else
		text_str(&out, "unreadable\n");
}

static unsigned digest_bytes(unsigned algorithm)
{
	switch (algorithm) {
	case 0x04: return 20;
	case 0x0b:
	case 0x12: return 32;
	case 0x0c: return 48;
	case 0x0d: return 64;
	default: return 0;
	}
}

/* TCG_PCR_EVENT2: pcr, type, digest count, digests, event size, event. NULL: no more. */
static const uint8_t *say_event(const uint8_t *p)
{
	unsigned pcr = le32_get(*(const le32 *)p), count = le32_get(*(const le32 *)(p + 8));
	uint32_t type = le32_get(*(const le32 *)(p + 4)), bytes;
	const uint8_t *sha256 = NULL;

	p += 12;
	for (unsigned i = 0; i < count; i++) {
		unsigned algorithm = le16_get(*(const le16 *)p);

		if (algorithm == ALG_SHA256)
			sha256 = p + 2;
		if (digest_bytes(algorithm) == 0)
			return NULL;
		p += 2 + digest_bytes(algorithm);
	}
	bytes = le32_get(*(const le32 *)p);
	text_str(&out, "WITNESS: event ");
	text_u64(&out, pcr);
	text_char(&out, ' ');
	text_hex(&out, type, 8);
	text_char(&out, ' ');
	say_hex(sha256, sha256 ? SHA256_BYTES : 0);
	text_str(&out, "WITNESS: data ");
	say_hex(p + 4, bytes < 40 ? bytes : 40);
	return p + 4 + bytes;
}

static void say_log(struct tcg2 *tpm)
{
	EFI_PHYSICAL_ADDRESS first, last;
	BOOLEAN truncated;
	const uint8_t *p;

	if (tpm->get_event_log(tpm, LOG_CRYPTO_AGILE, &first, &last, &truncated) != EFI_SUCCESS ||
	    first == 0 || truncated) {
		text_str(&out, "WITNESS: no event log\n");
		return;
	}
	/* The first is a TCG_PCR_EVENT: pcr, type, SHA-1, size. */
	p = (const uint8_t *)(uintptr_t)first;
	p += 32 + le32_get(*(const le32 *)(p + 28));
	while (p && (EFI_PHYSICAL_ADDRESS)(uintptr_t)p <= last)
		p = say_event(p);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	EFI_GUID guid = tcg2_guid;
	void *tpm;

	uefi_init(image, st);
	say_who();
	say_secure_boot();
	if (uefi_bs->LocateProtocol(&guid, NULL, &tpm) == EFI_SUCCESS) {
		for (unsigned i = 0; i < PCRS; i++)
			say_pcr(tpm, i);
		say_log(tpm);
	} else {
		text_str(&out, "WITNESS: no TPM\n");
	}
	text_str(&out, "WITNESS: done\n");
	for (;;)
		uefi_bs->Stall(1000000);
}
