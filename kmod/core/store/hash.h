/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index: keys to handles.
 *
 * Buckets of one cache line: twelve tags of a byte each, twelve handles, and the number of a further
 * bucket for the few that spill. Spilled ones come from a pool behind the buckets, an eighth as many.
 * The index is meant to hold eight items in a bucket: then 6 % of them spill, and it has 9 bytes an item.
 *
 * Growth doubles the buckets while the index serves: one bucket after the other is split into the two of
 * the larger table that have its number in their low bits. Buckets below @moved are in the next table.
 *
 * Locks: a stripe is named by the lowest bits of the hash; there are at most as many stripes as buckets
 * of the smallest table, so that a bucket, and the two that it splits into, belong to one stripe whatever
 * the size. Under its lock, and in a write section of its sequence count, buckets and what they name
 * change. Within that, the pool of spilled buckets has a lock of its own.
 *
 * Readers without the lock (BH off) may read anything torn. They follow only what is within bounds, not
 * more often than KMC_HOPS_MAX, and ask the sequence count before they believe.
 * A table goes back to the system after a grace period.
 */
#ifndef KMC_HASH_H
#define KMC_HASH_H

#include "../kernel.h"

struct kmc_item;
struct kmc_store;
struct kmc_key;
struct kmc_walk;

#define KMC_BUCKET_SLOTS	12
#define KMC_BUCKET_FILL_BITS	3	/* log2 of the items that a bucket is meant for */

/* What -o hashpower says, in items. 32: more than 128 GiB of the smallest items. */
#define KMC_HASHPOWER_MIN	12
#define KMC_HASHPOWER_MAX	32

/**
 * struct kmc_bucket - up to twelve items
 * @tags_low, @tags_high: tag of slot n in bits 8n to 8n+7 of both together
 * @spill: number + 1 of a further bucket in the pool, 0: none
 * @handle: 0: the slot is free
 */
struct kmc_bucket {
	u64 tags_low;
	u32 tags_high;
	u32 spill;
	u32 handle[KMC_BUCKET_SLOTS];
} __aligned(64);

/**
 * struct kmc_table - one size of the index
 * @power: log2 of the items it is meant for
 * @buckets: @mask + 1 of them, then @spills spilled ones; constant
 * @next: the table that this one is moving to. Set once.
 * @moved: buckets that are there already. Written by whoever grows, in the bucket's write section.
 * @lock: protects @free (chain of spilled buckets through @spill) and @fresh (those never used)
 */
struct kmc_table {
	u32 power;
	u32 spills;
	u64 mask;
	struct kmc_bucket *buckets;
	struct kmc_table *next;
	u64 moved;
	spinlock_t lock;
	u32 free, fresh;
};

/**
 * struct kmc_stripe - access to the buckets whose numbers end in its own
 * @items: in its buckets; written under @lock
 */
struct kmc_stripe {
	spinlock_t lock;
	seqcount_spinlock_t sequence;
	u64 items;
} ____cacheline_aligned_in_smp;

/**
 * struct kmc_index - all of it
 * @key: of the hash; secret
 * @table: where to look first; replaced by its next when all is moved
 * @grow: held by whoever grows; protects @old and @cookie
 * @old, @cookie: a table that waits for readers
 * @full: an item found no room. A hint.
 * @stuck: and growing does not help
 */
struct kmc_index {
	siphash_key_t key;
	struct kmc_table __rcu *table;
	struct mutex grow;
	struct kmc_table *old;
	unsigned long cookie;
	bool full;
	bool stuck;
	u32 stripe_mask;
	struct kmc_stripe *stripes;
};

/* Process context. */
int kmc_index_init(struct kmc_store *store);
void kmc_index_exit(struct kmc_store *store);

u64 kmc_hash(const struct kmc_store *store, const u8 *data, u32 len);

static inline struct kmc_stripe *kmc_stripe(const struct kmc_index *index, u64 hash)
{
	return &index->stripes[hash & index->stripe_mask];
}

/**
 * struct kmc_found - what the index has for a key
 * @item: NULL: nothing
 * @size: bytes of its chunk, at least a header and the key
 */
struct kmc_found {
	struct kmc_item *item;
	u32 handle;
	u32 size;
};

/* The item with this key. Stripe lock. */
struct kmc_found kmc_index_find(const struct kmc_store *store, const struct kmc_key *key);

/* Whether the item is in the index. Stripe lock. */
bool kmc_index_has(const struct kmc_store *store, u64 hash, u32 handle);

/* Stripe lock, write section. Insert: the key must not be there; false: there is no room. Replace and
 * remove: @old, @handle must be there.
 */
bool kmc_index_insert(struct kmc_store *store, u64 hash, u32 handle);
void kmc_index_replace(struct kmc_store *store, u64 hash, u32 old, u32 handle);
void kmc_index_remove(struct kmc_store *store, u64 hash, u32 handle);

/* Some handle of the bucket that this hash belongs to, from the @nth on: for making room. Stripe lock. */
u32 kmc_index_neighbour(const struct kmc_store *store, u64 hash, u32 nth);

/**
 * kmc_index_grow - begin to grow if there are too many items, go on if it has begun
 * @buckets: to move at most
 * Process context, any number of callers. Return: whether there is more to move.
 */
bool kmc_index_grow(struct kmc_store *store, u32 buckets);

/**
 * kmc_index_step - the next bucket of a walk, under its stripe lock
 * @visit: called once for each handle in it, which it may remove
 */
void kmc_index_step(struct kmc_store *store, struct kmc_walk *walk,
		    void (*visit)(void *ctx, u32 handle), void *ctx);

/* Where the items of a hash stand in a walk: those of one bucket lie together, whatever the index' size. */
u64 kmc_index_order(u64 hash);

/* For statistics. BH off. */
struct kmc_index_totals {
	u64 bytes;
	u32 power;
	bool growing;
};

void kmc_index_totals(const struct kmc_store *store, struct kmc_index_totals *totals);

/* Buckets of the table that is looked at first: the steps of a walk. BH off. */
u64 kmc_index_buckets(const struct kmc_store *store);

#endif
