/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which item goes first: a list for each slab class (and, later, for each segment of it).
 *
 * An access does not move its item, it only notes it in the ring of its CPU, and that at most once in a
 * window of 64 seconds: an item moves to the warm end when it is used in another window than last time
 * (memcached moves it at most once in ITEM_UPDATE_INTERVAL, 60 seconds, and keeps the time of the last
 * move for that; ours is then free to be the time of the last access). Rings are emptied by upkeep. What
 * is found at the cold end with its note still waiting is moved instead of evicted.
 *
 * Locks: a list's lock protects its links and its counts. It is taken within a stripe lock, never around
 * one: eviction notes who is coldest, lets go of the list, takes the stripe, and looks whether the item is
 * still there. A ring is filled by its own CPU with BH off and emptied under the drain lock.
 */
#ifndef KMC_LRU_H
#define KMC_LRU_H

#include "../kernel.h"
#include "../stats.h"

struct kmc_store;
struct kmc_item;

#define KMC_LRU_SEGMENTS	1
#define KMC_LRU_WINDOW_BITS	6	/* log2 of seconds */
#define KMC_LRU_TRIES		50	/* at the cold end, for one chunk: memcached's 10 pulls of 5 */
#define KMC_RING_SIZE		1024

struct kmc_lru {
	spinlock_t lock;
	u32 head, tail;
	u64 items;
	u64 bytes;
} ____cacheline_aligned_in_smp;

/* An item that was used: its handle, and enough of its hash to find its bucket. */
struct kmc_bump {
	u32 handle;
	u32 hash;
};

struct kmc_ring {
	u32 head;	/* next to write: the CPU's own */
	u32 tail;	/* next to read: under the drain lock */
	struct kmc_bump bumps[KMC_RING_SIZE];
};

/**
 * struct kmc_lrus - all lists and rings
 * @lists: by class and segment
 * @drain: protects the tails of the rings
 */
struct kmc_lrus {
	struct kmc_lru lists[KMC_CLASSES_MAX][KMC_LRU_SEGMENTS];
	struct kmc_ring __percpu *rings;
	spinlock_t drain;
};

/* Process context. */
int kmc_lru_init(struct kmc_store *store);
void kmc_lru_exit(struct kmc_store *store);

/* Stripe lock. Link: at the warm end. Unlink: @handle is back in the item's @next. */
void kmc_lru_link(struct kmc_store *store, struct kmc_item *item, u32 handle);
void kmc_lru_unlink(struct kmc_store *store, struct kmc_item *item, u32 handle);

/* @item, which has the class of @old, takes its place in the list. Stripe lock; @handle is back in @old's
 * @next.
 */
void kmc_lru_replace(struct kmc_store *store, struct kmc_item *old, u32 handle, struct kmc_item *item,
		     u32 new_handle);

/* The item was used by a client: note it, and that it was fetched if it was. BH off; the item is held, or
 * was just validated.
 */
void kmc_lru_access(struct kmc_store *store, struct kmc_item *item, u32 handle, u64 hash, bool fetched);

/**
 * kmc_lru_evict - let go of something, so that a chunk of @class may become free
 * BH off, no lock held. Expired items go first as far as they are seen.
 * Return: whether an item was unlinked.
 */
bool kmc_lru_evict(struct kmc_store *store, u32 class);

/* Empty the rings, @most notes of each. Return: whether there are more. BH off, no lock held. */
bool kmc_lru_drain(struct kmc_store *store, u32 most);

/* Add the class's items and their bytes. BH off. */
void kmc_lru_totals(struct kmc_store *store, u32 class, u64 *items, u64 *bytes);

/* Seconds since the item at the cold end was used. BH off. */
u32 kmc_lru_age(struct kmc_store *store, u32 class);

#endif
