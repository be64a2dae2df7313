/* SPDX-License-Identifier: GPL-2.0 */
/* The store from inside: what its files share. */
#ifndef KMC_STATE_H
#define KMC_STATE_H

#include "store.h"
#include "slab.h"
#include "hash.h"
#include "lru.h"
#include "expire.h"
#include "mover.h"
#include "automove.h"
#include "crawl.h"

/**
 * struct kmc_store - the items of one cache
 * @core: whose store it is
 * @cas: the last CAS value given out
 * @sizes: items by size, or NULL; see sizes.c
 * @incoming: bytes of values above KMC_INCOMING_MIN that were announced and are not linked yet
 * The rest has its rules in the header of its type.
 */
struct kmc_store {
	struct kmc_core *core;
	struct kmc_index index;
	struct kmc_slab slab;
	struct kmc_lrus lrus;
	struct kmc_expiry expiry;
	struct kmc_mover mover;
	struct kmc_automove automove;
	struct kmc_crawler crawler;
	atomic_t *sizes;
	atomic64_t cas ____cacheline_aligned_in_smp;
	atomic64_t incoming;
};

/* Upkeep is wanted. BH off. */
static inline void kmc_store_wake(struct kmc_store *store)
{
	store->core->ops->wake(store->core);
}

/* A value so large is counted while it comes in: smaller ones are bounded by the number of connections. */
#define KMC_INCOMING_MIN	16384

/* It came, or it will not come: count it no more. The owner's, or stripe lock. */
void kmc_item_arrived(struct kmc_store *store, struct kmc_item *item);

/* Bytes that an item really takes, without what its chunks are too large. */
u32 kmc_item_bytes(const struct kmc_item *item);

/* Bytes of an item in front of its value, or what stands for it. */
u32 kmc_item_head(u32 nkey, bool chunked);

/* Process context. */
int kmc_sizes_init(struct kmc_store *store);
void kmc_sizes_exit(struct kmc_store *store);

/* An item came (@change is 1) or went (-1). Stripe lock. */
void kmc_sizes_add(struct kmc_store *store, const struct kmc_item *item, int change);

static inline void kmc_sizes_count(struct kmc_store *store, const struct kmc_item *item, int change)
{
	if (unlikely(store->sizes))
		kmc_sizes_add(store, item, change);
}

/* An item's key as lookups want it. */
struct kmc_key kmc_item_as_key(const struct kmc_store *store, struct kmc_item *item);

/* Take a linked item out of the index and its list. Stripe lock; the index' reference becomes the
 * caller's.
 */
void kmc_item_unlink(struct kmc_store *store, u64 hash, struct kmc_item *item, u32 handle);

/* The live item with this key, and its handle, or NULL and why. A dead one is unlinked and counted.
 * Stripe lock.
 */
struct kmc_item *kmc_item_seek(struct kmc_store *store, const struct kmc_key *key, u32 *handle,
			       enum kmc_miss *miss);

/* The same for a client who asked for this key: who watches is told. */
struct kmc_item *kmc_item_find(struct kmc_store *store, const struct kmc_key *key, u32 *handle,
			       enum kmc_miss *miss);

/* Times that somebody else may be faster between two looks at an item, before the caller has to wait. */
#define KMC_SWAPS_MAX	16

/**
 * struct kmc_swap - an item in the place of another
 * @old: which the caller holds
 * @item: keeps the deadline of @old unless @change says otherwise, and that its key came in base64
 * @as_old: also what clients have done with it: that it was fetched, is stale, has been won
 * @cas_out, @deadline_out: of @item as it was linked: a moment later others may have changed it
 */
struct kmc_swap {
	struct kmc_item *old, *item;
	const struct kmc_change *change;
	bool as_old;
	u64 cas_out;
	u32 deadline_out;
};

/* Do it, if @swap->old is still the present one; else KMC_AGAIN. BH off, no lock held. */
enum kmc_store_status kmc_item_swap(struct kmc_store *store, const struct kmc_key *key, struct kmc_swap *swap);

/* The CAS value for what is changed now. */
u64 kmc_cas_for(struct kmc_store *store, const struct kmc_change *change);

/* What an item gets when it is linked; nobody sees it yet. Stripe lock. @now: on the cache's clock */
void kmc_link_prepare(struct kmc_store *store, struct kmc_item *item, const struct kmc_change *change, u32 now);

/* kmc_item_put() with BH off. */
void kmc_item_drop(struct kmc_store *store, struct kmc_item *item);

/* What kmc_item_alloc()'s errors are called. */
enum kmc_store_status kmc_store_error(long err);

#endif
