// SPDX-License-Identifier: GPL-2.0
/* Which page is moved, and where to. How a chunk of it is emptied: rescue.c. */
#include "state.h"

#define KMC_MOVER_CHUNKS	64	/* looked at in one step */
#define KMC_MOVER_IDLE_TIME	HZ
#define KMC_MOVER_BUSY_TIME	1	/* jiffies until the next pass */
#define KMC_MOVER_TRIMS		32	/* pages that go back to the system in one step */

void kmc_mover_init(struct kmc_store *store)
{
	spin_lock_init(&store->mover.lock);
}

void kmc_mover_exit(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;

	if (mover->base)
		kmc_unpoison(mover->base, KMC_PAGE_SIZE);
	kvfree(mover->base);
}

bool kmc_mover_running(const struct kmc_store *store)
{
	return READ_ONCE(store->mover.state) != KMC_MOVER_IDLE;
}

const char *kmc_mover_last_busy(const struct kmc_store *store)
{
	/* slabs_mover.c, move_status_text[] */
	static const char *const words[] = {
		[KMC_MOVED_NONE] = "none",
		[KMC_MOVED_FREE] = "from_slab",
		[KMC_MOVED_AWAY] = "from_lru",
		[KMC_BUSY_HELD] = "busy_active",
		[KMC_BUSY_FLOATING] = "busy_floating",
		[KMC_BUSY_NO_MEMORY] = "from_lru",
	};

	return words[READ_ONCE(store->mover.last)];
}

static u32 kmc_mover_pages(const struct kmc_store *store, u32 class)
{
	return class ? READ_ONCE(store->slab.classes[class].pages) : READ_ONCE(store->slab.pooled);
}

/* The next class in turn that has a page to spare, or KMC_CLASS_ANY. */
static s32 kmc_mover_any(struct kmc_store *store, s32 but)
{
	struct kmc_mover *mover = &store->mover;
	u32 tries;

	lockdep_assert_held(&mover->lock);
	for (tries = 0; tries < store->slab.last; tries++) {
		mover->turn = mover->turn % store->slab.last + 1;
		if ((s32)mover->turn != but && kmc_mover_pages(store, mover->turn) > 1)
			return mover->turn;
	}
	return KMC_CLASS_ANY;
}

enum kmc_move_answer kmc_mover_request(struct kmc_store *store, s32 from, s32 to, bool evict)
{
	struct kmc_mover *mover = &store->mover;
	s32 last = store->slab.last;
	enum kmc_move_answer answer = KMC_MOVE_RUNNING;

	kmc_assert_bh_off();
	spin_lock(&mover->lock);
	if (mover->state != KMC_MOVER_IDLE)
		goto out;
	answer = KMC_MOVE_SAME;
	if (from == to)
		goto out;
	if (from == KMC_CLASS_ANY)
		from = kmc_mover_any(store, to);
	answer = KMC_MOVE_BAD_CLASS;
	if (from < 0 || from > last || to < 0 || to > last)
		goto out;
	answer = KMC_MOVE_NO_SPARE;
	if (kmc_mover_pages(store, from) < 2)
		goto out;
	mover->from = from;
	mover->to = to;
	mover->evict = evict;
	WRITE_ONCE(mover->state, KMC_MOVER_ASKED);
	answer = KMC_MOVE_OK;
out:
	spin_unlock(&mover->lock);
	if (answer == KMC_MOVE_OK)
		kmc_store_wake(store);
	return answer;
}

static void kmc_mover_state(struct kmc_mover *mover, enum kmc_mover_state state)
{
	spin_lock_bh(&mover->lock);
	WRITE_ONCE(mover->state, state);
	spin_unlock_bh(&mover->lock);
}

static void kmc_mover_moved(struct kmc_store *store)
{
	local_bh_disable();
	kmc_count(&store->core->stats, slabs_moved);
	local_bh_enable();
	kmc_mover_state(&store->mover, KMC_MOVER_IDLE);
}

static void kmc_mover_begin(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;
	struct kmc_slab *slab = &store->slab;
	bool begun, moved = false;

	/* Memory is full and there is no other way to get some. */
	if (kmc_slab_pages(slab) >= kmc_slab_limit(store) && !READ_ONCE(slab->pooled))
		mover->evict = true;
	local_bh_disable();
	if (mover->from)
		begun = kmc_slab_part(store, mover->from, &mover->number, &mover->left);
	else
		begun = moved = kmc_slab_unpool(store, mover->to);
	local_bh_enable();
	mover->at = 0;
	mover->busy = 0;
	mover->passes = 0;
	if (moved)
		kmc_mover_moved(store);
	else
		kmc_mover_state(mover, begun ? KMC_MOVER_EMPTYING : KMC_MOVER_IDLE);
}

static void kmc_mover_drop_spare(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;

	if (!mover->spare)
		return;
	refcount_set(&mover->spare->ref, 0);
	kmc_slab_free(store, mover->spare_handle);
	mover->spare = NULL;
}

/* The page stays: what somebody holds of it was not let go, or there is no room for it elsewhere. */
static unsigned long kmc_mover_cancel(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;

	kmc_mover_drop_spare(store);
	local_bh_disable();
	kmc_slab_unpart(store, mover->number);
	local_bh_enable();
	kmc_mover_state(mover, KMC_MOVER_IDLE);
	return KMC_MOVER_IDLE_TIME;
}

/* All chunks were looked at. */
static unsigned long kmc_mover_pass(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;
	u8 *base;

	local_bh_disable();
	kmc_count_add(&store->core->stats, KMC_COUNT_slab_reassign_busy_items, mover->busy);
	base = kmc_slab_detach(store, mover->number);
	local_bh_enable();
	mover->at = 0;
	mover->busy = 0;
	if (base) {
		local_bh_disable();
		kmc_count_add(&store->core->stats, KMC_COUNT_slab_reassign_inline_reclaim, mover->left);
		local_bh_enable();
		kmc_mover_drop_spare(store);
		mover->base = base;
		mover->cookie = start_poll_synchronize_rcu();
		kmc_mover_state(mover, KMC_MOVER_WAITING);
		return KMC_MOVER_BUSY_TIME;
	}
	return ++mover->passes > KMC_MOVER_PASSES ? kmc_mover_cancel(store) : KMC_MOVER_BUSY_TIME;
}

static unsigned long kmc_mover_empty(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;
	const struct kmc_page_use *use = kmc_page_use(&store->slab, mover->number);
	u32 n;

	for (n = 0; n < KMC_MOVER_CHUNKS; n++) {
		enum kmc_move_status status;

		if (mover->at == READ_ONCE(use->fresh))
			return kmc_mover_pass(store);
		status = kmc_rescue(store, mover->number << KMC_CHUNK_BITS | ++mover->at);
		if (status != KMC_MOVED_FREE)
			WRITE_ONCE(mover->last, status);
		if (status >= KMC_BUSY_HELD)
			mover->busy++;
		if (status == KMC_MOVED_AWAY)
			mover->left--;
		cond_resched();
	}
	return 0;
}

static unsigned long kmc_mover_hand_over(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;

	if (!poll_state_synchronize_rcu(mover->cookie))
		return KMC_MOVER_BUSY_TIME;
	kmc_slab_attach(store, mover->number, mover->base, mover->to);
	mover->base = NULL;
	kmc_mover_moved(store);
	kmc_slab_trim(store, KMC_MOVER_TRIMS);
	return 0;
}

/* There are too many pages: whoever has the most gives one, but rather one who has a page's worth free. */
static s32 kmc_mover_richest(struct kmc_store *store)
{
	struct kmc_slab *slab = &store->slab;
	bool best_idle = false;
	u32 id, most = 1;
	s32 best = KMC_CLASS_ANY;

	for (id = 1; id <= slab->last; id++) {
		struct kmc_slab_class *class = &slab->classes[id];
		u32 pages = READ_ONCE(class->pages);
		bool idle = READ_ONCE(class->free_chunks) >= class->per_page;

		if (pages < 2 || idle < best_idle || (idle == best_idle && pages <= most))
			continue;
		best = id;
		best_idle = idle;
		most = pages;
	}
	return best;
}

/* What upkeep has decided by itself: memcached tells of the automover's moves alone, too. */
static void kmc_mover_tell(struct kmc_store *store, s32 from, s32 to, bool moves)
{
	if (kmc_watched(&store->core->watch, KMC_WATCH_SYSEVENTS))
		kmc_watch_system(store->core, "type=slab_move src=%d dst=%d state=%s", from, to,
				 moves ? "ok" : "fail");
}

/* Nothing is asked for: is there something to do all the same? */
static unsigned long kmc_mover_look(struct kmc_store *store)
{
	struct kmc_slab *slab = &store->slab;
	enum kmc_move_answer answer;
	s32 from, to = 0;
	bool shrink;

	kmc_slab_trim(store, KMC_MOVER_TRIMS);
	shrink = READ_ONCE(slab->shrinking);
	if (shrink) {
		from = kmc_mover_richest(store);
		if (from == KMC_CLASS_ANY)
			WRITE_ONCE(slab->shrinking, false);
	} else {
		kmc_automove_run(store, &from, &to);
	}
	if (from == KMC_CLASS_ANY)
		return KMC_MOVER_IDLE_TIME;
	local_bh_disable();
	answer = kmc_mover_request(store, from, to, shrink);
	kmc_mover_tell(store, from, to, answer == KMC_MOVE_OK);
	local_bh_enable();
	return answer == KMC_MOVE_OK ? 0 : KMC_MOVER_IDLE_TIME;
}

unsigned long kmc_mover_step(struct kmc_store *store)
{
	kmc_assert_process();
	switch (READ_ONCE(store->mover.state)) {
	case KMC_MOVER_IDLE:
		return kmc_mover_look(store);
	case KMC_MOVER_ASKED:
		kmc_mover_begin(store);
		return 0;
	case KMC_MOVER_EMPTYING:
		return kmc_mover_empty(store);
	case KMC_MOVER_WAITING:
		return kmc_mover_hand_over(store);
	}
	return KMC_MOVER_IDLE_TIME;
}
