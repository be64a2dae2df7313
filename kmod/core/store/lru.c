// SPDX-License-Identifier: GPL-2.0
#include "state.h"

static struct kmc_lru *kmc_lru(struct kmc_store *store, u32 class)
{
	return &store->lrus.lists[class][0];
}

int kmc_lru_init(struct kmc_store *store)
{
	struct kmc_lrus *lrus = &store->lrus;
	u32 class, segment;

	for (class = 0; class < KMC_CLASSES_MAX; class++)
		for (segment = 0; segment < KMC_LRU_SEGMENTS; segment++)
			spin_lock_init(&lrus->lists[class][segment].lock);
	spin_lock_init(&lrus->drain);
	lrus->rings = alloc_percpu_gfp(struct kmc_ring, GFP_KERNEL_ACCOUNT);
	return lrus->rings ? 0 : -ENOMEM;
}

void kmc_lru_exit(struct kmc_store *store)
{
	free_percpu(store->lrus.rings);
}

static void kmc_lru_push(struct kmc_store *store, struct kmc_lru *lru, struct kmc_item *item, u32 handle)
{
	lockdep_assert_held(&lru->lock);
	item->prev = 0;
	item->next = lru->head;
	if (lru->head)
		kmc_item_at(&store->slab, lru->head)->prev = handle;
	else
		lru->tail = handle;
	lru->head = handle;
}

static void kmc_lru_pull(struct kmc_store *store, struct kmc_lru *lru, struct kmc_item *item)
{
	lockdep_assert_held(&lru->lock);
	if (item->prev)
		kmc_item_at(&store->slab, item->prev)->next = item->next;
	else
		lru->head = item->next;
	if (item->next)
		kmc_item_at(&store->slab, item->next)->prev = item->prev;
	else
		lru->tail = item->prev;
}

void kmc_lru_link(struct kmc_store *store, struct kmc_item *item, u32 handle)
{
	struct kmc_lru *lru = kmc_lru(store, kmc_item_class(item));

	spin_lock(&lru->lock);
	kmc_lru_push(store, lru, item, handle);
	lru->items++;
	lru->bytes += kmc_item_bytes(item);
	spin_unlock(&lru->lock);
}

void kmc_lru_unlink(struct kmc_store *store, struct kmc_item *item, u32 handle)
{
	struct kmc_lru *lru = kmc_lru(store, kmc_item_class(item));

	spin_lock(&lru->lock);
	kmc_lru_pull(store, lru, item);
	item->next = handle;
	lru->items--;
	lru->bytes -= kmc_item_bytes(item);
	spin_unlock(&lru->lock);
}

void kmc_lru_replace(struct kmc_store *store, struct kmc_item *old, u32 handle, struct kmc_item *item,
		     u32 new_handle)
{
	struct kmc_lru *lru = kmc_lru(store, kmc_item_class(old));

	spin_lock(&lru->lock);
	item->prev = old->prev;
	item->next = old->next;
	WRITE_ONCE(item->class, old->class);
	if (item->prev)
		kmc_item_at(&store->slab, item->prev)->next = new_handle;
	else
		lru->head = new_handle;
	if (item->next)
		kmc_item_at(&store->slab, item->next)->prev = new_handle;
	else
		lru->tail = new_handle;
	old->next = handle;
	spin_unlock(&lru->lock);
}

/* To the warm end; list lock. What else happens to @seen meanwhile may get lost: it is a hint. */
static void kmc_lru_move(struct kmc_store *store, struct kmc_lru *lru, struct kmc_item *item, u32 handle)
{
	u32 seen = READ_ONCE(item->seen);

	if (seen & KMC_SEEN_ACTIVE)
		WRITE_ONCE(item->seen, seen & ~KMC_SEEN_ACTIVE);
	if (lru->head == handle)
		return;
	kmc_lru_pull(store, lru, item);
	kmc_lru_push(store, lru, item, handle);
}

/* Note in this CPU's ring that the item was used. false: the ring is full. */
static bool kmc_lru_note(struct kmc_store *store, u32 handle, u64 hash)
{
	struct kmc_ring *ring = this_cpu_ptr(store->lrus.rings);
	u32 head = ring->head;
	u32 waiting = head - smp_load_acquire(&ring->tail);
	struct kmc_bump *bump = &ring->bumps[head % KMC_RING_SIZE];

	if (waiting >= KMC_RING_SIZE)
		return false;
	bump->handle = handle;
	bump->hash = (u32)hash;
	smp_store_release(&ring->head, head + 1);
	if (waiting == KMC_RING_SIZE / 2)
		kmc_store_wake(store);
	return true;
}

void kmc_lru_access(struct kmc_store *store, struct kmc_item *item, u32 handle, u64 hash, bool fetched)
{
	u32 now = kmc_store_now(store) & KMC_SEEN_TIME;
	u32 old = READ_ONCE(item->seen);
	u32 seen = old;

	kmc_assert_bh_off();
	if (fetched)
		seen |= KMC_SEEN_FETCHED;
	if ((old & KMC_SEEN_TIME) >> KMC_LRU_WINDOW_BITS == now >> KMC_LRU_WINDOW_BITS)
		seen = (seen & ~KMC_SEEN_TIME) | now;
	else if (kmc_lru_note(store, handle, hash))
		seen = (seen & ~KMC_SEEN_TIME) | now | KMC_SEEN_ACTIVE;
	else	/* with the old time, so that the next access tries again */
		kmc_count(&store->core->stats, lru_bumps_dropped);
	if (seen != old)
		WRITE_ONCE(item->seen, seen);
}

/* One note: the item may be gone since, or another may be there that does not mind. */
static void kmc_lru_bump(struct kmc_store *store, struct kmc_bump bump)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, bump.hash);

	spin_lock(&stripe->lock);
	if (kmc_index_has(store, bump.hash, bump.handle)) {
		struct kmc_item *item = kmc_item_at(&store->slab, bump.handle);
		struct kmc_lru *lru = kmc_lru(store, kmc_item_class(item));

		spin_lock(&lru->lock);
		kmc_lru_move(store, lru, item, bump.handle);
		spin_unlock(&lru->lock);
	}
	spin_unlock(&stripe->lock);
}

bool kmc_lru_drain(struct kmc_store *store, u32 most)
{
	struct kmc_lrus *lrus = &store->lrus;
	bool more = false;
	int cpu;

	/* The drain lock is not held around a stripe lock: each note is taken out under it by itself. */
	for_each_possible_cpu(cpu) {
		struct kmc_ring *ring = per_cpu_ptr(lrus->rings, cpu);
		struct kmc_bump bump;
		u32 n;

		for (n = 0; n <= most; n++) {
			spin_lock(&lrus->drain);
			if (ring->tail == smp_load_acquire(&ring->head)) {
				spin_unlock(&lrus->drain);
				break;
			}
			if (n == most) {
				spin_unlock(&lrus->drain);
				more = true;
				break;
			}
			bump = ring->bumps[ring->tail % KMC_RING_SIZE];
			smp_store_release(&ring->tail, ring->tail + 1);
			spin_unlock(&lrus->drain);
			kmc_lru_bump(store, bump);
		}
	}
	return more;
}

/* Who is at the cold end. Those that were used since they were last moved get there late, if @spare. */
static u32 kmc_lru_coldest(struct kmc_store *store, struct kmc_lru *lru, bool spare, u64 *hash)
{
	u32 handle, spared;

	spin_lock(&lru->lock);
	for (spared = 0; (handle = lru->tail); spared++) {
		struct kmc_item *item = kmc_item_at(&store->slab, handle);

		if (!spare || spared == KMC_LRU_TRIES || !(READ_ONCE(item->seen) & KMC_SEEN_ACTIVE)) {
			*hash = kmc_item_as_key(store, item).hash;
			break;
		}
		kmc_lru_move(store, lru, item, handle);
	}
	spin_unlock(&lru->lock);
	return handle;
}

/* memcached's lru_pull_tail() counts so. */
static void kmc_lru_count(struct kmc_store *store, const struct kmc_item *item, bool dead)
{
	struct kmc_stats *stats = &store->core->stats;
	u32 class = kmc_item_class(item);
	u32 seen = READ_ONCE(item->seen);

	if (dead) {
		kmc_count_in(stats, class, reclaimed);
		if (!(seen & KMC_SEEN_FETCHED))
			kmc_count_in(stats, class, expired_unfetched);
		return;
	}
	kmc_count_in(stats, class, evicted);
	if (item->exptime)
		kmc_count_in(stats, class, evicted_nonzero);
	if (!(seen & KMC_SEEN_FETCHED))
		kmc_count_in(stats, class, evicted_unfetched);
	if (seen & KMC_SEEN_ACTIVE)
		kmc_count_in(stats, class, evicted_active);
}

enum kmc_letting_go {
	KMC_LET_GO,
	KMC_IN_USE,
	KMC_NOT_ALLOWED,
};

static enum kmc_letting_go kmc_lru_let_go(struct kmc_store *store, u32 handle, u64 hash)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);
	enum kmc_letting_go result = KMC_IN_USE;
	struct kmc_item *item;
	struct kmc_lru *lru;
	bool dead;

	spin_lock(&stripe->lock);
	if (!kmc_index_has(store, hash, handle))
		goto out;
	item = kmc_item_at(&store->slab, handle);
	if (refcount_read(&item->ref) != 1) {
		kmc_count_in(&store->core->stats, kmc_item_class(item), lrutail_reflocked);
		lru = kmc_lru(store, kmc_item_class(item));
		spin_lock(&lru->lock);
		kmc_lru_move(store, lru, item, handle);
		spin_unlock(&lru->lock);
		goto out;
	}
	dead = kmc_expiry_verdict(store, item->generation, item->exptime, kmc_store_now(store)) !=
	       KMC_MISS_NONE;
	if (!dead && !store->core->settings.evict) {
		result = KMC_NOT_ALLOWED;
		goto out;
	}
	kmc_lru_count(store, item, dead);
	kmc_item_unlink(store, hash, item, handle);
	result = KMC_LET_GO;
out:
	spin_unlock(&stripe->lock);
	if (result == KMC_LET_GO)
		kmc_item_put(store, item);
	return result;
}

bool kmc_lru_evict(struct kmc_store *store, u32 class)
{
	struct kmc_lru *lru = kmc_lru(store, class);
	bool spare = store->core->settings.evict;
	u32 tries, handle;
	u64 hash;

	kmc_assert_bh_off();
	for (tries = 0; tries < KMC_LRU_TRIES; tries++) {
		handle = kmc_lru_coldest(store, lru, spare && tries < KMC_LRU_TRIES / 2, &hash);
		/* Heads and tails of values that lie in chunks are listed under the largest class. */
		if (!handle) {
			lru = kmc_lru(store, store->slab.last);
			handle = kmc_lru_coldest(store, lru, spare, &hash);
		}
		if (!handle)
			return false;
		switch (kmc_lru_let_go(store, handle, hash)) {
		case KMC_LET_GO:
			return true;
		case KMC_NOT_ALLOWED:
			return false;
		case KMC_IN_USE:
			break;
		}
	}
	return false;
}

u32 kmc_lru_age(struct kmc_store *store, u32 class)
{
	struct kmc_lru *lru = kmc_lru(store, class);
	u32 now = kmc_store_now(store) & KMC_SEEN_TIME;
	u32 age = 0;

	spin_lock(&lru->lock);
	if (lru->tail) {
		u32 time = READ_ONCE(kmc_item_at(&store->slab, lru->tail)->seen) & KMC_SEEN_TIME;

		age = now > time ? now - time : 0;
	}
	spin_unlock(&lru->lock);
	return age;
}

void kmc_lru_totals(struct kmc_store *store, u32 class, u64 *items, u64 *bytes)
{
	struct kmc_lru *lru = kmc_lru(store, class);

	spin_lock(&lru->lock);
	*items += lru->items;
	*bytes += lru->bytes;
	spin_unlock(&lru->lock);
}
