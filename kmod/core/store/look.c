// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups that mark what they find: a new deadline, or that it was this one that won. Two who look at the
 * same time never both win: the flag is read and set under one stripe lock.
 */
#include "state.h"

static void kmc_look_mark(struct kmc_store *store, u64 hash, struct kmc_item *item,
			  const struct kmc_look *look)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);

	lockdep_assert_held(&stripe->lock);
	write_seqcount_begin(&stripe->sequence);
	if (look->touch)
		WRITE_ONCE(item->exptime, look->deadline);
	if (look->won)
		WRITE_ONCE(item->flags, item->flags | KMC_ITEM_WON);
	write_seqcount_end(&stripe->sequence);
	kmc_expiry_note(&store->expiry, item->exptime);
}

struct kmc_item *kmc_store_look(struct kmc_store *store, const struct kmc_key *key,
				struct kmc_look *look, enum kmc_miss *miss)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	struct kmc_item *item;
	u32 handle;

	kmc_assert_bh_off();
	spin_lock(&stripe->lock);
	item = kmc_item_find(store, key, &handle, miss);
	if (item) {
		refcount_inc(&item->ref);
		look->cas = item->cas;
		look->exptime = item->exptime;
		look->seen = READ_ONCE(item->seen);
		look->flags = item->flags;
		look->won = kmc_look_wins(look, item->flags, item->exptime);
		if (look->touch || look->won)
			kmc_look_mark(store, key->hash, item, look);
		if (!look->unseen)
			kmc_lru_access(store, item, handle, key->hash, kmc_item_segment(item), true);
	}
	spin_unlock(&stripe->lock);
	return item;
}
