/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An item: header, key, value, in one chunk of a slab page (or, above slab_chunk_max, in several).
 *
 * Who may write which field, and when:
 *   links, segment	in the LRU: under the lock of its list, a change of segment under those of both lists.
 *			Not in the LRU: @next is the item's own handle, so that whoever holds the last
 *			reference can give the chunk back.
 *   ref		refcount_t; the index holds one while the item is linked. 0: the chunk is free.
 *   seen		anyone who holds or has just validated the item, without lock: READ_ONCE, WRITE_ONCE.
 *			It shares its word with nothing that a lockless reader needs for its bounds. Such a
 *			write may come late and hit the chunk's next user: so every user of a chunk, also
 *			struct kmc_chunk, leaves this word to it, and nobody trusts what it says.
 *   nobody		keeps the address of an item, or of a chunk, without a reference, or from one read side
 *			of RCU to the next: the mover may put the item elsewhere (mover.h)
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
#define KMC_ITEM_STALE		(1U << 2)	/* a client said that the value is outdated */
#define KMC_ITEM_WON		(1U << 3)	/* a client was told that it is the one to renew it */
#define KMC_ITEM_BINARY		(1U << 4)	/* its key came in base64; stays with the key */

#define KMC_ITEM_INCOMING	(1U << 5)	/* large, counted, and not linked yet */

/* struct kmc_item.seen: seconds on the cache's clock, and what happened since it was stored */
#define KMC_SEEN_FETCHED	(1U << 31)
#define KMC_SEEN_ACTIVE		(1U << 30)	/* used again since it was last moved in the LRU */
#define KMC_SEEN_TIME		(KMC_SEEN_ACTIVE - 1)

/* struct kmc_item.class: the slab class that "stats" counts the item under, and in the two upper bits the
 * segment of its LRU, as memcached's slabs_clsid.
 */
#define KMC_ITEM_CLASS		63U
#define KMC_ITEM_SEGMENT	6	/* bits to shift by */

/**
 * enum kmc_lru_segment - the LRUs of a slab class
 * @KMC_HOT: new items
 * @KMC_WARM: items that were used more than once
 * @KMC_COLD: the others; who is evicted is taken from here. In flat mode there are no others.
 * @KMC_TEMP: items of short life; never evicted
 */
enum kmc_lru_segment {
	KMC_HOT,
	KMC_WARM,
	KMC_COLD,
	KMC_TEMP,
	KMC_SEGMENTS
};

struct kmc_item {
	u32 prev, next;		/* handles of the neighbours in the LRU */
	refcount_t ref;
	u32 seen;
	u32 exptime;
	u32 nbytes;
	u32 client_flags;
	u8 nkey;
	u8 class;
	u8 flags;
	u8 generation;		/* of flushes; see expire.h */
	u64 cas;
	u8 data[];		/* key, then value (or, at the next multiple of 4, a chunk's handle) */
};

/**
 * struct kmc_chunk - a piece of a value that lies in chunks
 * @owner: handle of the item, for whoever wants to move the chunk
 * @next: handle of the chunk after this, 0: the last. At the place of struct kmc_item.next.
 * @ref: KMC_CHUNK_REF, by which the chunk is told from an item and from a free one
 * @seen: not ours, see struct kmc_item
 */
#define KMC_CHUNK_REF	(1 << 30)	/* more than anybody can hold of an item */

struct kmc_chunk {
	u32 owner, next;
	refcount_t ref;
	u32 seen;
	u8 data[];
};

static_assert(sizeof(struct kmc_item) == 40);
static_assert(sizeof(struct kmc_chunk) == 16);
static_assert(offsetof(struct kmc_item, next) == offsetof(struct kmc_chunk, next));
static_assert(offsetof(struct kmc_item, ref) == offsetof(struct kmc_chunk, ref));
static_assert(offsetof(struct kmc_item, seen) == offsetof(struct kmc_chunk, seen));

static inline u32 kmc_item_class(const struct kmc_item *item)
{
	return READ_ONCE(item->class) & KMC_ITEM_CLASS;
}

static inline enum kmc_lru_segment kmc_item_segment(const struct kmc_item *item)
{
	return READ_ONCE(item->class) >> KMC_ITEM_SEGMENT;
}

static inline bool kmc_item_chunked(const struct kmc_item *item)
{
	return READ_ONCE(item->flags) & KMC_ITEM_CHUNKED;
}

/* Before it is linked. */
static inline void kmc_item_mark(struct kmc_item *item, u32 flags)
{
	WRITE_ONCE(item->flags, (u8)(item->flags | flags));
}

static inline u8 *kmc_item_key(struct kmc_item *item)
{
	return item->data;
}

/* Of an item that does not lie in chunks; others need a cursor. */
static inline u8 *kmc_item_value(struct kmc_item *item)
{
	return item->data + item->nkey;
}

/* Of an item that lies in chunks: where the first one's handle is. */
static inline u32 *kmc_item_first(struct kmc_item *item)
{
	return (u32 *)(item->data + ALIGN((u32)item->nkey, (u32)sizeof(u32)));
}

#endif
