/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When an item is gone though nobody deleted it: its deadline, and flushes.
 *
 * Flushes are numbered. An item carries the number (its low byte) of the flushes that had happened when
 * it was linked, and lives while that is the number of today. So a flush costs nothing, is exact within
 * a second, and what it killed is reaped later, by lookups and by upkeep. memcached compares the time of
 * the last access with that of the flush (settings.oldest_live) and must walk its lists for the items of
 * the same second.
 *
 * A byte can tell flushes apart as long as upkeep has gone through the whole index once in 250 of them.
 */
#ifndef KMC_EXPIRE_H
#define KMC_EXPIRE_H

#include "../kernel.h"
#include "item.h"

struct kmc_store;

#define KMC_FLUSHES_MAX	250	/* that may wait for upkeep */

/**
 * struct kmc_expiry - clock and flushes
 * @start: of the clock, in the kernel's monotonic seconds
 * @flushes: number of flushes in the upper half, in the lower the second of one to come (0: none). Read
 *	without lock as one word.
 * @lock: for writing @flushes and @reaped
 * @reaped: no item of a flush number below this one is left
 * @walk: of the pass through the index that upkeep is at, begun at flush number @pass
 * @deadlines: items with a deadline may be there
 * @looked: jiffies when upkeep last made a step
 */
struct kmc_expiry {
	s64 start;
	u64 flushes;
	spinlock_t lock;
	u32 reaped;
	u32 pass;
	u64 position;
	bool walking;
	bool deadlines;
	unsigned long looked;
};

void kmc_expiry_init(struct kmc_store *store);

/* The flush number for an item that is linked now. */
u8 kmc_expiry_generation(const struct kmc_store *store, u32 now);

/* Whether, and why, an item is gone. @generation, @exptime: of the item. */
enum kmc_miss kmc_expiry_verdict(const struct kmc_store *store, u8 generation, u32 exptime, u32 now);

/* An item with this deadline was linked. */
static inline void kmc_expiry_note(struct kmc_expiry *expiry, u32 exptime)
{
	if (exptime && !READ_ONCE(expiry->deadlines))
		WRITE_ONCE(expiry->deadlines, true);
}

/* Some steps of reaping what is dead. Process context, one caller. Return: whether it is in a hurry. */
bool kmc_expiry_reap(struct kmc_store *store);

/* Reap what flushes have left until a flush can be taken again. Process context. */
void kmc_expiry_catch_up(struct kmc_store *store);

#endif
