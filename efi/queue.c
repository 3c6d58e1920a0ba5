/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/queue.h"

#include "efi/bootrecord.h"

#define POLL_US  100
#define DRAIN_US (60u * 1000 * 1000) /* longer than any disk that still answers */

enum state { FREE, FLYING, LANDED };

struct slot {
	EFI_BLOCK_IO2_TOKEN token; /* what the leg's disk gets */
	EFI_BLOCK_IO2_TOKEN *caller;
	uint64_t lba;
	uint32_t n;
	void *buf;
	uint8_t v, leg;
	volatile uint8_t state; /* enum state; from FLYING to LANDED at TPL_NOTIFY */
};

static struct {
	const struct share *share;
	const struct efidisks *disks;
	struct slot *slot; /* QUEUE_SLOTS; NULL: nothing is queued */
	EFI_EVENT landed, at_exit;
	EFI_EXIT_BOOT_SERVICES exit; /* the firmware's; NULL: it is in its place */
	bool over;                   /* boot services end: nothing is finished any more */
} queue;

void queue_finish(EFI_BLOCK_IO2_TOKEN *token, EFI_STATUS status)
{
	token->TransactionStatus = status;
	uefi_bs->SignalEvent(token->Event);
}

/* The disk's part is done. What it gave is kept only while its leg is still trusted. */
static void finish(struct slot *s)
{
	struct vdisk_set *set = queue.share->set;
	struct vdisk_leg *leg = &set->leg[s->leg];
	EFI_BLOCK_IO2_TOKEN *caller = s->caller;
	EFI_STATUS status = s->token.TransactionStatus;

	if (status != EFI_SUCCESS)
		vdisk_latch(set, leg);
	if (leg->latched != VDISK_GOOD)
		status = vdisk_read(set, s->v, queue.disks->disk, s->lba, s->n, s->buf) == ST_OK
				 ? EFI_SUCCESS
				 : EFI_DEVICE_ERROR;
	s->state = FREE;
	bootrecord_watch(set);
	queue_finish(caller, status);
}

static void finish_landed(void)
{
	for (unsigned i = 0; queue.slot && !queue.over && i < QUEUE_SLOTS; i++)
		if (queue.slot[i].state == LANDED)
			finish(&queue.slot[i]);
}

/*
 * At TPL_NOTIFY, where nothing that takes time may be done, and where whoever waits in
 * queue_drain() is interrupted.
 */
static VOID EFIAPI on_landing(EFI_EVENT event, VOID *context)
{
	struct slot *s = context;

	/* A driver that tells it twice must not end a request that was ended. */
	if (s->state != FLYING)
		return;
	s->state = LANDED;
	if (!queue.over)
		uefi_bs->SignalEvent(queue.landed);
}

static VOID EFIAPI on_landed(EFI_EVENT event, VOID *context)
{
	EFI_TPL old = efidisk_lock();

	finish_landed();
	efidisk_unlock(old);
}

static bool under_way(void)
{
	for (unsigned i = 0; queue.slot && i < QUEUE_SLOTS; i++)
		if (queue.slot[i].state != FREE)
			return true;
	return false;
}

bool queue_drain(void)
{
	for (uint32_t us = 0; under_way(); us += POLL_US) {
		EFI_TPL old = efidisk_lock();

		finish_landed();
		efidisk_unlock(old);
		if (us >= DRAIN_US)
			return false;
		if (under_way())
			uefi_bs->Stall(POLL_US);
	}
	return true;
}

/*
 * What a disk reads after boot services have ended would be written into memory that is
 * somebody's else. When firmware tells it, timers have stopped and drivers that need them
 * can't end a request any more (EDK2's NVMe); its event before that (UEFI 2.10, "before exit
 * boot services") is not signalled by OVMF 2022.11. So the call itself is ours.
 */
static EFI_STATUS EFIAPI our_exit(EFI_HANDLE image, UINTN map_key)
{
	queue_drain();
	return queue.exit(image, map_key);
}

static void hook_exit(void)
{
	if (queue.exit)
		return;
	queue.exit = uefi_bs->ExitBootServices;
	uefi_bs->ExitBootServices = our_exit;
	uefi_services_changed();
}

/* Who has put another in front of ours goes on calling it: with nothing queued it passes on. */
static void unhook_exit(void)
{
	if (queue.exit == NULL || uefi_bs->ExitBootServices != our_exit)
		return;
	uefi_bs->ExitBootServices = queue.exit;
	uefi_services_changed();
	queue.exit = NULL;
}

/* Timers do not run, and memory is no longer ours: what is under way is never heard of again. */
static VOID EFIAPI on_exit(EFI_EVENT event, VOID *context)
{
	queue.over = true;
}

static bool create_events(void)
{
	for (unsigned i = 0; i < QUEUE_SLOTS; i++)
		if (uefi_bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, on_landing, &queue.slot[i],
					 &queue.slot[i].token.Event) != EFI_SUCCESS)
			return false;
	return uefi_bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_landed, NULL,
				    &queue.landed) == EFI_SUCCESS &&
	       uefi_bs->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, on_exit, NULL,
				    &queue.at_exit) == EFI_SUCCESS;
}

static void close(EFI_EVENT *event)
{
	if (*event)
		uefi_bs->CloseEvent(*event);
	*event = NULL;
}

void queue_start(const struct share *sh, const struct efidisks *disks)
{
	queue.share = sh;
	queue.disks = disks;
	queue.over = false;
	queue.slot = uefi_alloc(QUEUE_SLOTS * sizeof(*queue.slot));
	if (queue.slot && !create_events())
		queue_stop();
	if (queue.slot)
		hook_exit();
}

bool queue_stop(void)
{
	if (!queue_drain())
		return false;
	unhook_exit();
	close(&queue.at_exit);
	close(&queue.landed);
	for (unsigned i = 0; queue.slot && i < QUEUE_SLOTS; i++)
		close(&queue.slot[i].token.Event);
	uefi_free(queue.slot);
	queue.slot = NULL;
	return true;
}

static unsigned load_of(unsigned leg)
{
	unsigned disk = queue.share->set->leg[leg].disk, load = 0;

	for (unsigned i = 0; i < QUEUE_SLOTS; i++)
		load += queue.slot[i].state == FLYING &&
			queue.share->set->leg[queue.slot[i].leg].disk == disk;
	return load;
}

/* The leg with the least to do, on a disk that can read like this. VDISK_NO_LEG: none. */
static unsigned pick_leg(unsigned v, const struct vdisk_place *p, const void *buf)
{
	const struct vdisk_set *set = queue.share->set;
	unsigned best = VDISK_NO_LEG, best_load = 0;
	uint8_t leg[VDISK_EXTENT_LEGS];
	unsigned count = share_legs(queue.share, v, p, leg);

	for (unsigned i = 0; i < count; i++) {
		const struct efidisk *e = &queue.disks->efi[set->leg[leg[i]].disk];
		unsigned load = load_of(leg[i]);

		if (!e->read_ex || ((uintptr_t)buf & e->align_mask) != 0 ||
		    (best != VDISK_NO_LEG && load >= best_load))
			continue;
		best = leg[i];
		best_load = load;
	}
	return best;
}

static struct slot *find_slot(void)
{
	for (unsigned i = 0; queue.slot && !queue.over && i < QUEUE_SLOTS; i++)
		if (queue.slot[i].state == FREE)
			return &queue.slot[i];
	return NULL;
}

static bool start(unsigned v, uint64_t lba, uint32_t n, void *buf, EFI_BLOCK_IO2_TOKEN *token)
{
	const struct vdisk_set *set = queue.share->set;
	unsigned shift = set->vdisk[v].shift, leg;
	struct slot *s = find_slot();
	const struct efidisk *e;
	struct vdisk_place p;

	if (!s || n > EFIDISK_CHUNK_BYTES >> shift ||
	    !vdisk_locate(set, &set->vdisk[v], lba, n, &p) || p.n < n)
		return false;
	leg = pick_leg(v, &p, buf);
	if (leg == VDISK_NO_LEG)
		return false;
	e = &queue.disks->efi[set->leg[leg].disk];
	s->caller = token;
	s->v = (uint8_t)v;
	s->leg = (uint8_t)leg;
	s->lba = lba;
	s->n = n;
	s->buf = buf;
	s->token.TransactionStatus = EFI_NOT_READY;
	s->state = FLYING;
	if (e->read_ex(e->bio2, e->media_id, set->leg[leg].start_lba + p.pos, &s->token,
		       (UINTN)n << shift, buf) == EFI_SUCCESS)
		return true;
	s->state = FREE;
	return false;
}

bool queue_read(unsigned v, uint64_t lba, uint32_t n, void *buf, EFI_BLOCK_IO2_TOKEN *token)
{
	EFI_TPL old = efidisk_lock();
	bool started = start(v, lba, n, buf, token);

	efidisk_unlock(old);
	return started;
}
