/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages change their class, or go: "slabs reassign", the automover, a limit that was lowered, a system
 * that is short of memory.
 *
 * One page at a time, in steps of upkeep:
 *   1. the class parts with its oldest page: nothing is allocated from it any more (kmc_slab_part())
 *   2. its chunks are gone through. A linked item is copied to another chunk of the class and the index
 *	and the list are told, under the stripe lock; so is a piece of a value. Where there is no other
 *	chunk, items of the class are evicted if that is allowed. What somebody holds is left for the next
 *	pass; an item not in chunks is copied all the same, and its old place is free when it is let go.
 *   3. when all chunks are free the page leaves the lookup, and after a grace period it is somebody else's.
 *
 * The mover holds what it copies, so its value stays as it is; and it does not block: with the reference
 * held, the stripe lock is taken to look and again to swap, not while copying. It is the only one that
 * changes the chain of a linked item's chunks, and does that only when nobody else holds the item.
 *
 * What is in a chunk is found out without a lock, and is a guess until the index, under the stripe lock,
 * has the chunk's handle under the hash of the key that was read from it.
 *
 * Locks: @lock for what may be asked for from anywhere. The rest belongs to upkeep.
 */
#ifndef KMC_MOVER_H
#define KMC_MOVER_H

#include "../kernel.h"

struct kmc_store;
struct kmc_item;

#define KMC_CLASS_ANY	(-1)	/* as a source: whoever has more than one page */

/* Passes through a page in which somebody held something: until a held item in chunks is unlinked (as
 * memcached, which sleeps up to 5 ms between passes), and until the page stays where it is.
 */
#define KMC_MOVER_PATIENCE	5000
#define KMC_MOVER_PASSES	(2 * KMC_MOVER_PATIENCE)

/* What a request is answered with (slabs.h, enum reassign_result_type). */
enum kmc_move_answer {
	KMC_MOVE_OK,
	KMC_MOVE_RUNNING,
	KMC_MOVE_BAD_CLASS,
	KMC_MOVE_NO_SPARE,
	KMC_MOVE_SAME,
};

/* What the last chunk of a pass that did not succeed was like. */
enum kmc_move_status {
	KMC_MOVED_NONE,
	KMC_MOVED_FREE,		/* there was nothing to move */
	KMC_MOVED_AWAY,
	KMC_BUSY_HELD,		/* an item that somebody holds */
	KMC_BUSY_FLOATING,	/* being filled, or unlinked and still held */
	KMC_BUSY_NO_MEMORY,
};

enum kmc_mover_state {
	KMC_MOVER_IDLE,
	KMC_MOVER_ASKED,	/* @from and @to are set */
	KMC_MOVER_EMPTYING,
	KMC_MOVER_WAITING,	/* for readers */
};

/**
 * struct kmc_mover - the page that is moved
 * @lock: protects @state while it is IDLE or ASKED, and @from, @to, @evict, @turn then
 * @from, @to: class ids; 0: the pool
 * @evict: items may go for want of room
 * @turn: the class that KMC_CLASS_ANY was last
 * @number: of the page; @base: of a page that waits
 * @at: the chunk that is next; @busy: chunks of this pass that could not be emptied; @passes that had such
 * @left: chunks that were in use, less those that were moved: what others gave back
 * @last: the status to tell
 * @spare, @spare_handle: a chunk of class @from that waits for what will be copied there; NULL: none
 * @cookie: of the grace period
 */
struct kmc_mover {
	spinlock_t lock;
	enum kmc_mover_state state;
	u32 from, to;
	bool evict;
	u32 turn;
	u32 number;
	u8 *base;
	u32 at, busy, passes;
	u32 left;
	enum kmc_move_status last;
	struct kmc_item *spare;
	u32 spare_handle;
	unsigned long cookie;
};

void kmc_mover_init(struct kmc_store *store);
void kmc_mover_exit(struct kmc_store *store);

/**
 * kmc_mover_request - ask for a page to be moved
 * @from: class id, 0 for the pool, or KMC_CLASS_ANY
 * @to: class id, 0 for the pool
 * @evict: also if items have to go for it
 * BH off, no lock held.
 */
enum kmc_move_answer kmc_mover_request(struct kmc_store *store, s32 from, s32 to, bool evict);

/* Process context, one caller. Return: jiffies until it wants to run again, 0: at once. */
unsigned long kmc_mover_step(struct kmc_store *store);

/* Of rescue.c: empty a chunk of the page that is moved, if that can be. Process context. */
enum kmc_move_status kmc_rescue(struct kmc_store *store, u32 handle);

bool kmc_mover_running(const struct kmc_store *store);

/* The word for what kept the mover busy last. */
const char *kmc_mover_last_busy(const struct kmc_store *store);

#endif
