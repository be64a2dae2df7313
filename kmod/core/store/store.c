// SPDX-License-Identifier: GPL-2.0
/* The store as a whole: made, kept up, counted, walked, taken down. */
#include "state.h"

#define KMC_GROW_STEPS	512	/* buckets at a time */
#define KMC_DRAIN_STEPS	256	/* notes of each CPU at a time */
#define KMC_IDLE	HZ	/* jiffies between looks when nothing is to do */

int kmc_store_create(struct kmc_core *core)
{
	struct kmc_store *store = kvzalloc(sizeof(*store), KMC_GFP);
	int err;

	kmc_assert_process();
	if (!store)
		return -ENOMEM;
	store->core = core;
	atomic64_set(&store->cas, 1);	/* the first value given out is 2, as memcached's */
	kmc_expiry_init(store);
	kmc_mover_init(store);
	kmc_crawl_init(store);
	err = kmc_index_init(store);
	if (err)
		goto free_store;
	err = kmc_lru_init(store);
	if (err)
		goto exit_index;
	err = kmc_slab_init(store);
	if (err)
		goto exit_lru;
	err = kmc_sizes_init(store);
	if (err)
		goto exit_slab;
	err = kmc_slab_provide(store);
	if (err)
		goto exit_sizes;
	core->store = store;
	return 0;

exit_sizes:
	kmc_sizes_exit(store);
exit_slab:
	kmc_slab_exit(store);
exit_lru:
	kmc_lru_exit(store);
exit_index:
	kmc_index_exit(store);
free_store:
	kvfree(store);
	return err;
}

void kmc_store_destroy(struct kmc_store *store)
{
	if (!store)
		return;
	kmc_assert_process();
	kmc_automove_exit(store);
	kmc_mover_exit(store);
	kmc_sizes_exit(store);
	kmc_slab_exit(store);
	kmc_lru_exit(store);
	kmc_index_exit(store);
	store->core->store = NULL;
	kvfree(store);
}

int kmc_store_provide(struct kmc_store *store)
{
	kmc_crawl_catch_up(store);
	if (READ_ONCE(store->index.full))
		while (kmc_index_grow(store, KMC_GROW_STEPS))
			;
	return kmc_slab_provide(store);
}

bool kmc_store_drain(struct kmc_store *store)
{
	bool more;

	kmc_assert_process();
	local_bh_disable();
	more = kmc_lru_drain(store, KMC_DRAIN_STEPS);
	local_bh_enable();
	return more;
}

unsigned long kmc_store_maintain(struct kmc_store *store)
{
	unsigned long pause = KMC_IDLE;
	bool more;

	kmc_assert_process();
	if (kmc_slab_provide(store)) {
		local_bh_disable();
		kmc_count(&store->core->stats, malloc_fails);
		local_bh_enable();
	}
	more = kmc_index_grow(store, KMC_GROW_STEPS);
	more |= kmc_store_drain(store);
	if (store->core->settings.lru_maintainer)
		pause = kmc_lru_juggle(store);
	pause = min(pause, kmc_crawl(store));
	pause = min(pause, kmc_mover_step(store));
	return more ? 0 : pause;
}

void kmc_store_totals(struct kmc_store *store, struct kmc_store_totals *totals)
{
	struct kmc_index_totals index;
	u32 class;

	*totals = (struct kmc_store_totals){
		.total_malloced = store->core->settings.initial_malloc +
				  (u64)kmc_slab_pages(&store->slab) * KMC_PAGE_SIZE,
		.pooled_pages = READ_ONCE(store->slab.pooled),
		.reserved_pages = READ_ONCE(store->slab.reserved),
		.incoming_bytes = (u64)atomic64_read(&store->incoming),
		.reclaimed_pages = READ_ONCE(store->slab.reclaimed),
		.moving = kmc_mover_running(store),
		.last_busy = kmc_mover_last_busy(store),
	};
	for (class = 1; class <= store->slab.last; class++)
		kmc_lru_totals(store, class, &totals->curr_items, &totals->bytes);
	kmc_index_totals(store, &index);
	totals->hash_bytes = index.bytes;
	totals->hash_power_level = index.power;
	totals->hash_is_expanding = index.growing;
	totals->lru_crawler_running = kmc_store_crawls(store);
}

enum kmc_move_answer kmc_store_reassign(struct kmc_store *store, s32 from, s32 to)
{
	return kmc_mover_request(store, from, to, true);
}

void kmc_store_set_limit(struct kmc_store *store, u64 bytes)
{
	WRITE_ONCE(store->core->settings.memory_limit, bytes);
	kmc_slab_limit_changed(store);
}

u32 kmc_store_spare(const struct kmc_store *store)
{
	return kmc_slab_spare(store);
}

bool kmc_store_shrinks(const struct kmc_store *store)
{
	return READ_ONCE(store->slab.shrinking);
}

void kmc_store_press(struct kmc_store *store, u32 pages)
{
	kmc_slab_press(store, pages);
}

u32 kmc_store_trim(struct kmc_store *store, u32 pages)
{
	return kmc_slab_trim(store, pages);
}

bool kmc_store_class(struct kmc_store *store, u32 class, u32 *last, struct kmc_class_totals *totals)
{
	struct kmc_slab_class *slab_class = &store->slab.classes[class];
	u32 segment;

	*last = store->slab.last;
	if (!class || class > store->slab.last)
		return false;
	*totals = (struct kmc_class_totals){
		.chunk_size = slab_class->chunk_size,
		.chunks_per_page = slab_class->per_page,
	};
	spin_lock(&slab_class->lock);
	totals->pages = slab_class->pages;
	totals->free_chunks = slab_class->free_chunks;
	spin_unlock(&slab_class->lock);
	totals->chunks = (u64)totals->pages * totals->chunks_per_page;
	totals->used_chunks = totals->chunks - totals->free_chunks;
	kmc_lru_totals(store, class, &totals->items, &totals->mem_requested);
	for (segment = 0; segment < KMC_SEGMENTS; segment++) {
		totals->number[segment] = READ_ONCE(kmc_lru(store, class, segment)->items);
		totals->age[segment] = kmc_lru_age(store, class, segment);
	}
	totals->evicted_time = READ_ONCE(kmc_lru(store, class, KMC_COLD)->evicted_time);
	return true;
}

void kmc_store_reset(struct kmc_store *store)
{
	u32 class;

	for (class = 1; class <= store->slab.last; class++)
		WRITE_ONCE(kmc_lru(store, class, KMC_COLD)->evicted_time, 0);
}

struct kmc_walker {
	struct kmc_store *store;
	void (*visit)(void *ctx, struct kmc_item *item);
	void *ctx;
};

static void kmc_walker_visit(void *ctx, u32 handle)
{
	struct kmc_walker *walker = ctx;

	walker->visit(walker->ctx, kmc_item_at(&walker->store->slab, handle));
}

void kmc_store_walk(struct kmc_store *store, struct kmc_walk *walk,
		    void (*visit)(void *ctx, struct kmc_item *item), void *ctx)
{
	struct kmc_walker walker = { store, visit, ctx };

	kmc_index_step(store, walk, kmc_walker_visit, &walker);
}
