// SPDX-License-Identifier: GPL-2.0
/*
 * The straight way for what most sets are: a small value that lies there whole, over a live item whose slot is the
 * first with its tag. Nobody knows of the new item before it is linked, so whatever else turns up is left to the
 * caller's other way (kmc_item_alloc(), kmc_store_link_as()), as if nothing had been tried.
 */
#include "find.h"
#include "siphash13.h"

/* Key and value; late readers may be looking at these bytes. */
static __always_inline void kmc_put_fill(struct kmc_item *item, const struct kmc_put *put)
{
	kmc_copy(kmc_copy(item->data, put->key, put->nkey), put->value, put->nbytes);
}

/* An item that nobody can find yet, if a chunk of its class is free. As kmc_item_alloc() makes them. */
static __always_inline struct kmc_item *kmc_put_make(struct kmc_store *store, const struct kmc_put *put, u32 *handle)
{
	u64 nominal = kmc_item_nominal(store, put->nkey, put->client_flags, put->nbytes);
	struct kmc_item *item;
	u32 class;

	/* All settings let an item be that large, in one piece. In flat mode the dead are reclaimed first. */
	if (nominal > KMC_CLASS_SMALL || !READ_ONCE(store->core->settings.lru_segmented))
		return NULL;
	class = kmc_slab_class(&store->slab, nominal);
	item = kmc_slab_alloc(store, class, (u32)sizeof(*item) + put->nkey + put->nbytes, false, handle);
	if (IS_ERR(item))
		return NULL;
	item->prev = 0;
	WRITE_ONCE(item->exptime, put->deadline);
	WRITE_ONCE(item->nbytes, put->nbytes);
	WRITE_ONCE(item->client_flags, put->client_flags);
	WRITE_ONCE(item->nkey, (u8)put->nkey);
	WRITE_ONCE(item->class, (u8)(class | kmc_lru_entry(store, put->deadline) << KMC_ITEM_SEGMENT));
	WRITE_ONCE(item->flags, 0);
	kmc_put_fill(item, put);
	return item;
}

/* The slot of a live item with this key, if it is the first with its tag. Stripe lock. */
static __always_inline u32 *kmc_put_slot(struct kmc_store *store, const struct kmc_key *key, u32 now,
					 struct kmc_item **old)
{
	struct kmc_bucket *bucket = kmc_place(&store->index, key->hash).bucket;
	u64 match = kmc_word_match(bucket->tags_low, kmc_tag(key->hash));
	struct kmc_found found;
	u32 *slot;

	if (!match)
		return NULL;
	slot = &bucket->handle[__ffs64(match) / 8];
	found.handle = *slot;
	found.item = kmc_chunk_at(&store->slab, found.handle, &found.size);
	if (!kmc_item_is(found, key))
		return NULL;
	*old = found.item;
	return kmc_expiry_verdict(&store->expiry, found.item->generation, found.item->exptime, now) == KMC_MISS_NONE ?
	       slot : NULL;
}

/* @item, which has @handle, in the place of the live one with its key. Return: that, which lost the index' reference. */
static __always_inline struct kmc_item *kmc_put_link(struct kmc_store *store, const struct kmc_key *key,
						     struct kmc_item *item, u32 handle, u32 now)
{
	static const struct kmc_change none;
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	struct kmc_item *old = NULL;
	u32 *slot, old_handle;

	spin_lock(&stripe->lock);
	slot = kmc_put_slot(store, key, now, &old);
	if (!slot) {
		spin_unlock(&stripe->lock);
		return NULL;
	}
	old_handle = *slot;
	kmc_link_prepare(store, item, &none, now);
	write_seqcount_begin(&stripe->sequence);
	WRITE_ONCE(*slot, handle);
	WRITE_ONCE(old->flags, old->flags & ~KMC_ITEM_LINKED);
	write_seqcount_end(&stripe->sequence);
	kmc_lru_renew(store, old, old_handle, item, handle);
	kmc_sizes_count(store, old, -1);
	kmc_sizes_count(store, item, 1);
	spin_unlock(&stripe->lock);
	return old;
}

bool kmc_put_key(struct kmc_store *store, const struct kmc_put *put, u32 *class)
{
	struct kmc_linking how = { .mode = KMC_SET, .quiet = true };
	struct kmc_item *item, *old;
	struct kmc_key key;
	bool stored;
	u32 handle;

	kmc_assert_bh_off();
	item = kmc_put_make(store, put, &handle);
	if (!item)
		return false;
	/* Of the item's own bytes: those that came may lie where their sender still writes (splice). */
	key.data = kmc_item_key(item);
	key.len = put->nkey;
	key.hash = kmc_siphash13(&store->index.key, key.data, key.len);
	*class = kmc_item_class(item);
	old = kmc_put_link(store, &key, item, handle, put->now);
	if (likely(old)) {
		kmc_count(&store->core->stats, total_items);
		kmc_item_drop(store, old);
		return true;
	}
	stored = kmc_store_link_as(store, &key, item, &how) == KMC_STORED;
	kmc_item_drop(store, item);
	return stored;
}
