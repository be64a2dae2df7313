// SPDX-License-Identifier: GPL-2.0
/* How many items there are of each size, in steps of 32 bytes ("stats sizes"), if it is wanted. */
#include "state.h"

#define KMC_SIZES_STEP	32	/* items.c, item_stats_sizes_add() */

static u32 kmc_sizes_buckets(const struct kmc_store *store)
{
	return store->core->settings.item_size_max / KMC_SIZES_STEP + 1;
}

int kmc_sizes_init(struct kmc_store *store)
{
	if (!store->core->settings.track_sizes)
		return 0;
	store->sizes = kvcalloc(kmc_sizes_buckets(store), sizeof(*store->sizes), KMC_GFP);
	return store->sizes ? 0 : -ENOMEM;
}

void kmc_sizes_exit(struct kmc_store *store)
{
	kvfree(store->sizes);
}

void kmc_sizes_add(struct kmc_store *store, const struct kmc_item *item, int change)
{
	u64 size = kmc_item_nominal(store, item->nkey, item->client_flags, item->nbytes);

	size = DIV_ROUND_UP(size, KMC_SIZES_STEP);
	if (size < kmc_sizes_buckets(store))
		atomic_add(change, &store->sizes[size]);
}

bool kmc_store_tracks_sizes(const struct kmc_store *store)
{
	return store->sizes;
}

bool kmc_store_next_size(const struct kmc_store *store, u32 *bytes, u32 *items, u32 *looks)
{
	u32 bucket = *bytes / KMC_SIZES_STEP, buckets = kmc_sizes_buckets(store);

	while (*looks && ++bucket < buckets) {
		(*looks)--;
		*items = (u32)atomic_read(&store->sizes[bucket]);
		*bytes = bucket * KMC_SIZES_STEP;
		if (*items)
			return true;
	}
	return false;
}
