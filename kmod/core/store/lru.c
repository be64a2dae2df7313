// SPDX-License-Identifier: GPL-2.0
#include "state.h"

struct kmc_lru *kmc_lru(struct kmc_store *store, u32 class, enum kmc_lru_segment segment)
{
	return &store->lrus.lists[class][segment];
}

int kmc_lru_init(struct kmc_store *store)
{
	struct kmc_lrus *lrus = &store->lrus;
	u32 class, segment;

	for (class = 0; class < KMC_CLASSES_MAX; class++)
		for (segment = 0; segment < KMC_SEGMENTS; segment++)
			spin_lock_init(&lrus->lists[class][segment].lock);
	spin_lock_init(&lrus->drain);
	lrus->rings = alloc_percpu_gfp(struct kmc_ring, KMC_GFP);
	return lrus->rings ? 0 : -ENOMEM;
}

void kmc_lru_exit(struct kmc_store *store)
{
	free_percpu(store->lrus.rings);
}

enum kmc_lru_segment kmc_lru_entry(const struct kmc_store *store, u32 deadline)
{
	const struct kmc_settings *settings = &store->core->settings;

	/* No deadline, and one that has passed, wrap around to a long life, as in memcached. */
	if (READ_ONCE(settings->temp_lru) &&
	    deadline - kmc_store_now(store) <= READ_ONCE(settings->temporary_ttl))
		return KMC_TEMP;
	return READ_ONCE(settings->lru_segmented) ? KMC_HOT : KMC_COLD;
}

static __always_inline void kmc_lru_hang(struct kmc_store *store, struct kmc_lru *lru, struct kmc_item *item,
					 u32 handle)
{
	lockdep_assert_held(&lru->lock);
	item->prev = 0;
	item->next = lru->head;
	if (lru->head)
		kmc_item_at(&store->slab, lru->head)->prev = handle;
	else
		WRITE_ONCE(lru->tail, handle);
	lru->head = handle;
}

static void kmc_lru_push(struct kmc_store *store, struct kmc_lru *lru, struct kmc_item *item, u32 handle)
{
	kmc_lru_hang(store, lru, item, handle);
	lru->items++;
	WRITE_ONCE(lru->bytes, lru->bytes + kmc_item_bytes(item));
}

static __always_inline void kmc_lru_unhang(struct kmc_store *store, struct kmc_lru *lru, struct kmc_item *item)
{
	lockdep_assert_held(&lru->lock);
	if (item->prev)
		kmc_item_at(&store->slab, item->prev)->next = item->next;
	else
		lru->head = item->next;
	if (item->next)
		kmc_item_at(&store->slab, item->next)->prev = item->prev;
	else
		WRITE_ONCE(lru->tail, item->prev);
}

static void kmc_lru_pull(struct kmc_store *store, struct kmc_lru *lru, struct kmc_item *item)
{
	kmc_lru_unhang(store, lru, item);
	lru->items--;
	WRITE_ONCE(lru->bytes, lru->bytes - kmc_item_bytes(item));
}

/* Lock the list that an item is in. */
static struct kmc_lru *kmc_lru_hold(struct kmc_store *store, const struct kmc_item *item)
	__acquires(&lru->lock)
{
	struct kmc_lru *lru;
	u8 class;

	for (;;) {
		class = READ_ONCE(item->class);
		lru = kmc_lru(store, class & KMC_ITEM_CLASS, class >> KMC_ITEM_SEGMENT);
		spin_lock(&lru->lock);
		if (likely(class == READ_ONCE(item->class)))
			return lru;
		spin_unlock(&lru->lock);
	}
}

void kmc_lru_link(struct kmc_store *store, struct kmc_item *item, u32 handle)
{
	struct kmc_lru *lru = kmc_lru_hold(store, item);

	kmc_lru_push(store, lru, item, handle);
	spin_unlock(&lru->lock);
}

void kmc_lru_unlink(struct kmc_store *store, struct kmc_item *item, u32 handle)
{
	struct kmc_lru *lru = kmc_lru_hold(store, item);

	kmc_lru_pull(store, lru, item);
	item->next = handle;
	spin_unlock(&lru->lock);
}

void kmc_lru_renew(struct kmc_store *store, struct kmc_item *old, u32 handle, struct kmc_item *item,
		   u32 new_handle)
{
	struct kmc_lru *lru = kmc_lru_hold(store, old);
	bool same = READ_ONCE(item->class) == READ_ONCE(old->class);

	if (same) {
		kmc_lru_unhang(store, lru, old);
		kmc_lru_hang(store, lru, item, new_handle);
		WRITE_ONCE(lru->bytes, lru->bytes + kmc_item_bytes(item) - kmc_item_bytes(old));
	} else {
		kmc_lru_pull(store, lru, old);
	}
	old->next = handle;
	spin_unlock(&lru->lock);
	if (!same)
		kmc_lru_link(store, item, new_handle);
}

void kmc_lru_replace(struct kmc_store *store, struct kmc_item *old, u32 handle, struct kmc_item *item,
		     u32 new_handle)
{
	struct kmc_lru *lru = kmc_lru_hold(store, old);

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
		WRITE_ONCE(lru->tail, new_handle);
	old->next = handle;
	spin_unlock(&lru->lock);
}

void kmc_lru_move(struct kmc_store *store, struct kmc_item *item, u32 handle, enum kmc_lru_segment to)
{
	u32 class = kmc_item_class(item);
	u32 seen = READ_ONCE(item->seen);

	/* What else happens to it meanwhile may get lost: it is a hint. */
	if (seen & KMC_SEEN_ACTIVE)
		WRITE_ONCE(item->seen, seen & ~KMC_SEEN_ACTIVE);
	kmc_lru_pull(store, kmc_lru(store, class, kmc_item_segment(item)), item);
	WRITE_ONCE(item->class, (u8)(class | to << KMC_ITEM_SEGMENT));
	kmc_lru_push(store, kmc_lru(store, class, to), item, handle);
}

/* The notes want to be read. */
static void kmc_lru_call(struct kmc_store *store)
{
	const struct kmc_core_ops *ops = store->core->ops;

	if (ops->notes)
		ops->notes(store->core);
	else
		ops->wake(store->core);
}

/* Note in this CPU's ring that the item was used. false: the ring is full. */
static bool kmc_lru_note(struct kmc_store *store, u32 handle, u64 hash)
{
	struct kmc_ring *ring = this_cpu_ptr(store->lrus.rings);
	u32 head = ring->head;
	u32 waiting = head - smp_load_acquire(&ring->tail);
	struct kmc_bump *bump = &ring->bumps[head % KMC_RING_SIZE];

	if (waiting >= KMC_RING_SIZE) {
		kmc_count(&store->core->stats, lru_bumps_dropped);
		return false;
	}
	bump->handle = handle;
	bump->hash = (u32)hash;
	smp_store_release(&ring->head, head + 1);
	if (waiting == KMC_RING_SIZE / 2)
		kmc_lru_call(store);
	return true;
}

/* What becomes of @seen with an access in segmented mode: the second one makes active. */
static u32 kmc_lru_mark(struct kmc_store *store, u32 handle, u64 hash, enum kmc_lru_segment segment, u32 seen)
{
	if (!(seen & KMC_SEEN_FETCHED))
		return seen | KMC_SEEN_FETCHED;
	if (!(seen & KMC_SEEN_ACTIVE) && (segment != KMC_COLD || kmc_lru_note(store, handle, hash)))
		return seen | KMC_SEEN_ACTIVE;
	return seen;
}

/* The same in flat mode. A note that found no room leaves the old time, so that the next access tries again. */
static u32 kmc_lru_mark_flat(struct kmc_store *store, u32 handle, u64 hash, u32 seen, u32 now)
{
	u32 then = seen & KMC_SEEN_TIME;

	if (then >> KMC_LRU_WINDOW_BITS == now >> KMC_LRU_WINDOW_BITS)
		return (seen & ~KMC_SEEN_TIME) | now;
	if (kmc_lru_note(store, handle, hash))
		return (seen & ~KMC_SEEN_TIME) | now | KMC_SEEN_ACTIVE;
	return seen;
}

void kmc_lru_access_at(struct kmc_store *store, struct kmc_item *item, u32 handle, u64 hash,
		       enum kmc_lru_segment segment, bool fetched, u32 now)
{
	u32 old = READ_ONCE(item->seen);
	u32 seen = old;

	kmc_assert_bh_off();
	now &= KMC_SEEN_TIME;
	if (READ_ONCE(store->core->settings.lru_segmented)) {
		if (fetched)
			seen = kmc_lru_mark(store, handle, hash, segment, seen);
		seen = (seen & ~KMC_SEEN_TIME) | now;
	} else {
		if (fetched)
			seen |= KMC_SEEN_FETCHED;
		seen = kmc_lru_mark_flat(store, handle, hash, seen, now);
	}
	if (seen != old)
		WRITE_ONCE(item->seen, seen);
}

void kmc_lru_access(struct kmc_store *store, struct kmc_item *item, u32 handle, u64 hash,
		    enum kmc_lru_segment segment, bool fetched)
{
	kmc_lru_access_at(store, item, handle, hash, segment, fetched, kmc_store_now(store));
}

/* The lock of warm is outside that of cold. The item may have been moved since it was looked at. */
static void kmc_lru_warm_up(struct kmc_store *store, struct kmc_item *item, u32 handle)
{
	struct kmc_lru *warm = kmc_lru(store, kmc_item_class(item), KMC_WARM);
	struct kmc_lru *cold = kmc_lru(store, kmc_item_class(item), KMC_COLD);

	spin_lock(&warm->lock);
	spin_lock_nested(&cold->lock, SINGLE_DEPTH_NESTING);
	if (kmc_item_segment(item) == KMC_COLD) {
		kmc_lru_move(store, item, handle, KMC_WARM);
		kmc_count_in(&store->core->stats, kmc_item_class(item), moves_to_warm);
	}
	spin_unlock(&cold->lock);
	spin_unlock(&warm->lock);
}

/* One note: the item may be gone since, or another may be there that does not mind. */
static void kmc_lru_bump(struct kmc_store *store, struct kmc_bump bump)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, bump.hash);
	struct kmc_item *item;
	struct kmc_lru *lru;

	spin_lock(&stripe->lock);
	if (!kmc_index_has(store, bump.hash, bump.handle))
		goto out;
	item = kmc_item_at(&store->slab, bump.handle);
	if (READ_ONCE(store->core->settings.lru_segmented)) {
		kmc_lru_warm_up(store, item, bump.handle);
		goto out;
	}
	lru = kmc_lru_hold(store, item);
	kmc_lru_move(store, item, bump.handle, kmc_item_segment(item));
	spin_unlock(&lru->lock);
out:
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

u32 kmc_lru_age(struct kmc_store *store, u32 class, enum kmc_lru_segment segment)
{
	struct kmc_lru *lru = kmc_lru(store, class, segment);
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
	u32 segment;

	for (segment = 0; segment < KMC_SEGMENTS; segment++) {
		struct kmc_lru *lru = kmc_lru(store, class, segment);

		spin_lock(&lru->lock);
		*items += lru->items;
		*bytes += lru->bytes;
		spin_unlock(&lru->lock);
	}
}
