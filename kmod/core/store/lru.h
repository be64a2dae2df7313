/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which item goes first: for each slab class four lists, memcached's segments (enum kmc_lru_segment).
 *
 * Items enter hot, or temp if their life is short. At hot's tail they go warm if they are active (used
 * twice since they were stored, or once since they were last moved), else cold, as soon as hot takes more than
 * its share or the item is older than hot may be. Warm's tail stays in warm while it is active, else it
 * goes cold by the same rule. Cold's tail goes warm if it is active, else whoever needs memory evicts
 * it. In flat mode everything is in cold, in the order of use.
 *
 * An access moves nothing. It sets a bit; an item in cold is besides noted in the ring of its CPU, and
 * upkeep moves it to warm. In flat mode the note is taken at most once in a window of 64 seconds, when an
 * item is used in another window than last time (memcached moves it at most once in ITEM_UPDATE_INTERVAL, 60
 * seconds, and keeps the time of the last move for that; ours is then free to be the time of the last access).
 *
 * Locks: a list's lock protects its links, its counts, and that an item's segment is this one. An item
 * changes its segment under both locks, taken in the order of enum kmc_lru_segment, and without its stripe
 * lock; so whoever takes an item out, under the stripe lock, looks at the segment, locks, and looks
 * again. A list's lock is taken within a stripe lock, never around one: who is to leave the cache is noted,
 * the list let go of, the stripe taken, and then it is seen whether the item is still there. A ring is filled by
 * its own CPU with BH off and emptied under the drain lock.
 */
#ifndef KMC_LRU_H
#define KMC_LRU_H

#include "../kernel.h"
#include "../stats.h"
#include "item.h"

struct kmc_store;

#define KMC_LRU_WINDOW_BITS	6	/* log2 of seconds, in flat mode */
#define KMC_RING_SIZE		1024

/**
 * struct kmc_lru - one list
 * @evicted_time: seconds for which the last item that was evicted from here had not been used
 */
struct kmc_lru {
	spinlock_t lock;
	u32 head, tail;
	u32 evicted_time;
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
 * @sleep: jiffies between two rounds of upkeep; its own
 */
struct kmc_lrus {
	struct kmc_lru lists[KMC_CLASSES_MAX][KMC_SEGMENTS];
	struct kmc_ring __percpu *rings;
	spinlock_t drain;
	unsigned long sleep;
};

/* Process context. */
int kmc_lru_init(struct kmc_store *store);
void kmc_lru_exit(struct kmc_store *store);

struct kmc_lru *kmc_lru(struct kmc_store *store, u32 class, enum kmc_lru_segment segment);

/* Where an item with this deadline belongs when it is stored. */
enum kmc_lru_segment kmc_lru_entry(const struct kmc_store *store, u32 deadline);

/* Stripe lock. Link: at the head of the item's segment. Unlink: @handle is back in the item's @next. */
void kmc_lru_link(struct kmc_store *store, struct kmc_item *item, u32 handle);
void kmc_lru_unlink(struct kmc_store *store, struct kmc_item *item, u32 handle);

/* Both at once: @old goes, @item comes, which nobody knows yet. Stripe lock; @handle is back in @old's @next. */
void kmc_lru_renew(struct kmc_store *store, struct kmc_item *old, u32 handle, struct kmc_item *item,
		   u32 new_handle);

/* @item, which has the class of @old, takes its place in the list. Stripe lock; @handle is back in @old's
 * @next.
 */
void kmc_lru_replace(struct kmc_store *store, struct kmc_item *old, u32 handle, struct kmc_item *item,
		     u32 new_handle);

/* To the head of segment @to, which may be the same. Locks of both lists; BH off. */
void kmc_lru_move(struct kmc_store *store, struct kmc_item *item, u32 handle, enum kmc_lru_segment to);

/* The item was used by a client: note it, and that it was fetched if it was. @segment: of the item, which is
 * held, or was just validated and may be gone already. BH off.
 */
void kmc_lru_access(struct kmc_store *store, struct kmc_item *item, u32 handle, u64 hash,
		    enum kmc_lru_segment segment, bool fetched);

/* The same for who knows the time, on the cache's clock. */
void kmc_lru_access_at(struct kmc_store *store, struct kmc_item *item, u32 handle, u64 hash,
		       enum kmc_lru_segment segment, bool fetched, u32 now);

/* Empty the rings, @most notes of each. Return: whether there are more. BH off, no lock held. */
bool kmc_lru_drain(struct kmc_store *store, u32 most);

/**
 * kmc_lru_evict - make a little room, so that a chunk of @class may become free
 * BH off, no lock held. Reclaims or evicts an item from cold; if there is none, makes one cold.
 * Return: whether it did anything.
 */
bool kmc_lru_evict(struct kmc_store *store, u32 class);

/* Before a chunk is taken, in flat mode: reclaim what is dead at the tail. BH off, no lock held. */
void kmc_lru_reclaim(struct kmc_store *store, u32 class);

/**
 * kmc_lru_juggle - a bounded round of moving what is at the tails of all lists
 * Process context, one caller. Return: jiffies until the next round, 0: there is more to do at once.
 */
unsigned long kmc_lru_juggle(struct kmc_store *store);

/* Add the class's items and their bytes. BH off. */
void kmc_lru_totals(struct kmc_store *store, u32 class, u64 *items, u64 *bytes);

/* Seconds since the item at the tail was used. BH off. */
u32 kmc_lru_age(struct kmc_store *store, u32 class, enum kmc_lru_segment segment);

#endif
