/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An item: header, key, value, in one chunk of a slab page (or, above slab_chunk_max, in several).
 *
 * Who may write which field, and when:
 *   links		under the LRU lock of the item's class
 *   ref		refcount_t; the index holds one while the item is linked. 0: the chunk is free.
 *   seen		anyone who holds or has just validated the item, without lock: READ_ONCE, WRITE_ONCE.
 *			It shares its word with nothing that a lockless reader needs for its bounds.
 *   all others	by the owner before it is linked; then under the stripe lock, in a write section
 *
 * Use the accessors: the layout is on a budget of bytes and may change.
 */
#ifndef KMC_ITEM_H
#define KMC_ITEM_H

#include "../kernel.h"

/* struct kmc_item.flags */
#define KMC_ITEM_LINKED		(1U << 0)
#define KMC_ITEM_CHUNKED	(1U << 1)	/* the value lies in chunks, the first is named behind the key */
#define KMC_ITEM_STALE		(1U << 2)	/* meta commands */
#define KMC_ITEM_WON		(1U << 3)

/* struct kmc_item.seen: seconds on the cache's clock, and what happened since it was stored */
#define KMC_SEEN_FETCHED	(1U << 31)
#define KMC_SEEN_ACTIVE		(1U << 30)
#define KMC_SEEN_TIME		(KMC_SEEN_ACTIVE - 1)

struct kmc_item {
	u32 prev, next;		/* handles of the neighbours in the LRU */
	refcount_t ref;
	u32 seen;
	u32 exptime;
	u32 nbytes;
	u32 client_flags;
	u8 nkey;
	u8 class;
	u16 flags;
	u64 cas;
	u8 data[];		/* key, then value (or struct kmc_chunk's handle) */
};

#endif
