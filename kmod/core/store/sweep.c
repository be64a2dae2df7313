// SPDX-License-Identifier: GPL-2.0
#include "state.h"

/**
 * struct kmc_sweeper - one step
 * @order, @handle: the nearest item behind the sweep's place; @handle 0: none yet
 */
struct kmc_sweeper {
	struct kmc_store *store;
	const struct kmc_sweep *sweep;
	u64 classes;
	u64 order;
	u32 handle;
};

static bool kmc_sweep_before(u64 order, u32 handle, u64 than, u32 than_handle)
{
	return order < than || (order == than && handle < than_handle);
}

static bool kmc_sweep_wants(const struct kmc_sweeper *sweeper, const struct kmc_item *item)
{
	const struct kmc_store *store = sweeper->store;

	return sweeper->classes >> kmc_item_class(item) & 1 &&
	       kmc_expiry_verdict(&store->expiry, item->generation, item->exptime, kmc_store_now(store)) ==
	       KMC_MISS_NONE;
}

/* Under the stripe lock, for each item of the bucket. */
static void kmc_sweep_look(void *ctx, u32 handle)
{
	struct kmc_sweeper *sweeper = ctx;
	struct kmc_item *item = kmc_item_at(&sweeper->store->slab, handle);
	u64 order;

	if (!kmc_sweep_wants(sweeper, item))
		return;
	order = kmc_index_order(kmc_item_as_key(sweeper->store, item).hash);
	if (!kmc_sweep_before(sweeper->sweep->at, sweeper->sweep->handle, order, handle))
		return;
	if (!sweeper->handle || kmc_sweep_before(order, handle, sweeper->order, sweeper->handle)) {
		sweeper->order = order;
		sweeper->handle = handle;
	}
}

/* The item was found a moment ago; the chunk may be another's by now. */
static bool kmc_sweep_visit(const struct kmc_sweeper *sweeper,
			    bool (*visit)(void *ctx, struct kmc_item *item), void *ctx)
{
	struct kmc_store *store = sweeper->store;
	u64 hash = kmc_index_order(sweeper->order);
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);
	struct kmc_item *item;
	bool took = false;

	spin_lock(&stripe->lock);
	if (kmc_index_has(store, hash, sweeper->handle)) {
		item = kmc_item_at(&store->slab, sweeper->handle);
		if (kmc_item_as_key(store, item).hash == hash && kmc_sweep_wants(sweeper, item))
			took = visit(ctx, item);
	}
	spin_unlock(&stripe->lock);
	return took;
}

bool kmc_store_sweep(struct kmc_store *store, struct kmc_sweep *sweep, u64 classes,
		     bool (*visit)(void *ctx, struct kmc_item *item), void *ctx)
{
	struct kmc_sweeper sweeper = { .store = store, .sweep = sweep, .classes = classes };
	struct kmc_walk walk = { .position = sweep->at };

	kmc_assert_bh_off();
	if (sweep->done)
		return false;
	kmc_index_step(store, &walk, kmc_sweep_look, &sweeper);
	if (!sweeper.handle) {
		sweep->at = walk.position;
		sweep->handle = 0;
		sweep->done = walk.done;
		return false;
	}
	if (!kmc_sweep_visit(&sweeper, visit, ctx))
		return false;
	sweep->at = sweeper.order;
	sweep->handle = sweeper.handle;
	return true;
}
