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
#include "store.h"

struct kmc_store;

#define KMC_FLUSHES_MAX	250	/* that may wait for upkeep */

/**
 * struct kmc_expiry - clock and flushes
 * @start: of the clock, in the kernel's monotonic seconds; a test may move it
 * @still: the clock stands here, 0: it goes
 * @shift: seconds by which @start was moved
 * @flushes: number of flushes in the upper half, in the lower the second of one to come (0: none). Read
 *	without lock as one word.
 * @lock: for writing @flushes and @reaped
 * @reaped: no item of a flush number below this one is left
 * @deadlines: items with a deadline may be there
 */
struct kmc_expiry {
	s64 start;
	s64 shift;
	u32 still;
	u64 flushes;
	spinlock_t lock;
	u32 reaped;
	bool deadlines;
};

void kmc_expiry_init(struct kmc_store *store);

/* The flush number for an item that is linked now. */
u8 kmc_expiry_generation(const struct kmc_store *store, u32 now);

/* struct kmc_expiry.flushes in its parts. */
struct kmc_flushes {
	u32 number;
	u32 at;
};

static inline struct kmc_flushes kmc_flushes(const struct kmc_expiry *expiry)
{
	u64 word = READ_ONCE(expiry->flushes);

	return (struct kmc_flushes){ .number = (u32)(word >> 32), .at = (u32)word };
}

/* Seconds on the cache's own clock. */
static inline u32 kmc_expiry_now(const struct kmc_expiry *expiry)
{
	u32 still = READ_ONCE(expiry->still);

	return unlikely(still) ? still : (u32)(ktime_get_seconds() - READ_ONCE(expiry->start));
}

/* Whether, and why, an item is gone. @generation, @exptime: of the item. */
static inline enum kmc_miss kmc_expiry_verdict(const struct kmc_expiry *expiry, u8 generation, u32 exptime, u32 now)
{
	struct kmc_flushes flushes = kmc_flushes(expiry);

	if (generation != (u8)(flushes.number + (flushes.at && now >= flushes.at)))
		return KMC_MISS_FLUSHED;
	if (exptime && exptime <= now)
		return KMC_MISS_EXPIRED;
	return KMC_MISS_NONE;
}

/* An item with this deadline was linked. */
static inline void kmc_expiry_note(struct kmc_expiry *expiry, u32 exptime)
{
	if (exptime && !READ_ONCE(expiry->deadlines))
		WRITE_ONCE(expiry->deadlines, true);
}

/* The flush number that a pass through the index which begins now will have reaped all before; and that it
 * has. Process context.
 */
u32 kmc_expiry_pass(struct kmc_store *store);
void kmc_expiry_passed(struct kmc_store *store, u32 pass);

/* Whether flush numbers are getting scarce: a pass cannot wait. */
bool kmc_expiry_tight(const struct kmc_store *store, u32 number);

#endif
