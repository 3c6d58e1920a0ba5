/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/measure.h"

#include "common/wire.h"

#define EV_EVENT_TAG 6 /* TCG PC Client Platform Firmware Profile 1.06, 10.4.1 */

#define DESCRIPTION "mirrorboot.conf"

/* TCG EFI Protocol Specification 1.00, 6.3: EFI_TCG2_EVENT, packed; then what the log tells. */
struct event {
	le32 bytes;
	le32 header_bytes;
	le16 header_version;
	le32 pcr;
	le32 type;
	/* TCG_PCClientTaggedEvent */
	le32 tag;
	le32 description_bytes;
	uint8_t description[2 * sizeof(DESCRIPTION)]; /* UCS-2, with its NUL */
};
#define HEADER_BYTES 14
_Static_assert(offsetof(struct event, tag) == 4 + HEADER_BYTES, "EFI_TCG2_EVENT is packed");

/* The same, 6.4: EFI_TCG2_BOOT_SERVICE_CAPABILITY, which is not. */
struct capability {
	UINT8 bytes;
	UINT8 structure_version[2], protocol_version[2];
	UINT32 hashes, log_formats;
	BOOLEAN tpm_present;
	UINT16 command_bytes_max, response_bytes_max;
	UINT32 manufacturer, bank_count, banks;
};
_Static_assert(sizeof(struct capability) == 36, "EFI_TCG2_BOOT_SERVICE_CAPABILITY is 36 bytes");

struct tcg2 {
	EFI_STATUS(EFIAPI *get_capability)(struct tcg2 *tcg2, struct capability *c);
	void *get_event_log;
	EFI_STATUS(EFIAPI *hash_log_extend)
	(struct tcg2 *tcg2, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 bytes,
	 struct event *event);
	/* Others follow that we do not call. */
};

static const EFI_GUID tcg2_guid = {
	0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};

static struct tcg2 *find_tpm(void)
{
	struct capability c = {.bytes = sizeof(c)};
	EFI_GUID guid = tcg2_guid;
	void *tcg2;

	if (uefi_bs->LocateProtocol(&guid, NULL, &tcg2) != EFI_SUCCESS ||
	    ((struct tcg2 *)tcg2)->get_capability(tcg2, &c) != EFI_SUCCESS || !c.tpm_present)
		return NULL;
	return tcg2;
}

bool measure_config(const char *text, size_t bytes)
{
	struct event e = {.bytes = le32_of(sizeof(e)),
			  .header_bytes = le32_of(HEADER_BYTES),
			  .header_version = le16_of(1),
			  .pcr = le32_of(MEASURE_PCR),
			  .type = le32_of(EV_EVENT_TAG),
			  .tag = le32_of(MEASURE_TAG),
			  .description_bytes = le32_of(sizeof(e.description))};
	struct tcg2 *tpm = find_tpm();

	if (tpm == NULL)
		return true;
	for (size_t i = 0; i < sizeof(DESCRIPTION); i++)
		e.description[2 * i] = (uint8_t)DESCRIPTION[i];
	return tpm->hash_log_extend(tpm, 0, (EFI_PHYSICAL_ADDRESS)(uintptr_t)text, bytes, &e) ==
	       EFI_SUCCESS;
}
