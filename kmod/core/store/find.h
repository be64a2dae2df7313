/* SPDX-License-Identifier: GPL-2.0 */
/* From a key to its item: the part of the index that every lookup goes through, without a call. */
#ifndef KMC_FIND_H
#define KMC_FIND_H

#include "state.h"
#include "../bytes.h"

/* Where an item with this hash belongs, as of now. */
struct kmc_place {
	struct kmc_table *table;
	struct kmc_bucket *bucket;
};

static inline u8 kmc_tag(u64 hash)
{
	return hash >> 56;
}

static __always_inline struct kmc_place kmc_place(const struct kmc_index *index, u64 hash)
{
	struct kmc_place place = { .table = rcu_dereference_bh(index->table) };
	struct kmc_table *next = smp_load_acquire(&place.table->next);
	u64 number = hash & place.table->mask;

	if (next && number < READ_ONCE(place.table->moved)) {
		place.table = next;
		number = hash & next->mask;
	}
	place.bucket = &place.table->buckets[number];
	return place;
}

/* The bucket that @bucket spills into, or NULL. */
static inline struct kmc_bucket *kmc_spilled(const struct kmc_table *table, const struct kmc_bucket *bucket)
{
	u32 number = READ_ONCE(bucket->spill);

	if (likely(!number) || unlikely(number > table->spills))
		return NULL;
	return &table->buckets[table->mask + number];
}

static __always_inline bool kmc_item_is(struct kmc_found found, const struct kmc_key *key)
{
	const struct kmc_item *item = found.item;

	return item && READ_ONCE(item->nkey) == key->len && key->len <= found.size - sizeof(*item) &&
	       kmc_same(item->data, key->data, key->len);
}

/* The item with this key, in the slots from @first on whose tags are marked in @match. */
static __always_inline struct kmc_found kmc_bucket_find(const struct kmc_slab *slab, const struct kmc_bucket *bucket,
							 u32 first, u64 match, const struct kmc_key *key)
{
	struct kmc_found found;

	for (; match; match &= match - 1) {
		found.handle = READ_ONCE(bucket->handle[first + __ffs64(match) / 8]);
		if (!found.handle)
			continue;
		found.item = kmc_chunk_at(slab, found.handle, &found.size);
		if (kmc_item_is(found, key))
			return found;
	}
	return (struct kmc_found){ };
}

/*
 * Spilled buckets that a reader without the lock follows. Few chains have more than one: 64 need 780 items where eight
 * are meant to be. But a bucket that it has just come to may be given back, and then leads through all that are free:
 * millions, in a large table.
 */
#define KMC_HOPS_MAX	64

/*
 * The item with this key, not further than @hops spilled buckets away. Under the stripe lock, or unbelieved.
 * Return: false: there are more.
 */
static __always_inline bool kmc_find(const struct kmc_store *store, const struct kmc_key *key, u32 hops,
				     struct kmc_found *found)
{
	struct kmc_place place = kmc_place(&store->index, key->hash);
	struct kmc_bucket *bucket = place.bucket;
	u8 tag = kmc_tag(key->hash);

	for (;;) {
		*found = kmc_bucket_find(&store->slab, bucket, 0, kmc_word_match(READ_ONCE(bucket->tags_low), tag),
					 key);
		if (likely(found->item))
			return true;
		*found = kmc_bucket_find(&store->slab, bucket, 8,
					 kmc_word_match(READ_ONCE(bucket->tags_high), tag) & U32_MAX, key);
		if (found->item)
			return true;
		bucket = kmc_spilled(place.table, bucket);
		if (likely(!bucket))
			return true;
		if (!hops--)
			return false;
	}
}

#endif
