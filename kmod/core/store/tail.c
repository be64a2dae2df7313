// SPDX-License-Identifier: GPL-2.0
/*
 * What happens at the tails of the LRUs (memcached's lru_pull_tail(), an item at a time), and who asks for
 * it: whoever finds no memory, and upkeep.
 */
#include "state.h"

#define KMC_JUGGLE_MOST		500	/* rounds for a class at a time, as lru_maintainer_juggle() */
#define KMC_RECLAIM_MOST	5	/* at a tail, before a chunk is taken: lru_pull_tail()'s tries */
#define KMC_SPARE_MOST		50	/* in flat mode, until one goes though it was used: 10 pulls of 5 */
#define KMC_SLEEP_MIN		1UL	/* jiffies; memcached: a millisecond to a second */
#define KMC_SLEEP_MAX		((unsigned long)HZ)

/**
 * struct kmc_pull - what is wanted of a tail
 * @evict: cold: it leaves, though it is not dead
 * @spare: cold, flat mode: unless it was used since it was last moved; then it goes to the head
 * @rescue: cold, segmented mode: it goes warm if it is active
 * @limit: hot and warm: bytes; in a longer list it goes cold
 * @max_age: hot and warm: seconds; it goes cold if it was not used for longer
 */
struct kmc_pull {
	bool evict;
	bool spare;
	bool rescue;
	u64 limit;
	u32 max_age;
};

enum kmc_fate {
	KMC_TAIL_STAYS,
	KMC_TAIL_TURNS,		/* to the head of the same list */
	KMC_TAIL_MOVES,
	KMC_TAIL_LEAVES,
};

static u32 kmc_tail_idle(const struct kmc_store *store, u32 seen)
{
	u32 now = kmc_store_now(store) & KMC_SEEN_TIME;

	return now > (seen & KMC_SEEN_TIME) ? now - (seen & KMC_SEEN_TIME) : 0;
}

static bool kmc_tail_dead(const struct kmc_store *store, const struct kmc_item *item)
{
	return kmc_expiry_verdict(&store->expiry, READ_ONCE(item->generation), READ_ONCE(item->exptime),
				  kmc_store_now(store)) != KMC_MISS_NONE;
}

/* @to: where it moves. List lock. */
static enum kmc_fate kmc_tail_judge(struct kmc_store *store, const struct kmc_item *item, u64 bytes,
				    const struct kmc_pull *pull, enum kmc_lru_segment *to)
{
	u32 seen = READ_ONCE(item->seen);
	bool active = seen & KMC_SEEN_ACTIVE;

	if (kmc_tail_dead(store, item))
		return KMC_TAIL_LEAVES;
	switch (kmc_item_segment(item)) {
	case KMC_HOT:
	case KMC_WARM:
		*to = active ? KMC_WARM : KMC_COLD;
		if (!active && bytes <= pull->limit && kmc_tail_idle(store, seen) <= pull->max_age)
			return KMC_TAIL_STAYS;
		return *to == kmc_item_segment(item) ? KMC_TAIL_TURNS : KMC_TAIL_MOVES;
	case KMC_COLD:
		*to = pull->rescue ? KMC_WARM : KMC_COLD;
		if (active && pull->rescue)
			return KMC_TAIL_MOVES;
		if (active && pull->spare)
			return KMC_TAIL_TURNS;
		return pull->evict ? KMC_TAIL_LEAVES : KMC_TAIL_STAYS;
	default:
		return KMC_TAIL_STAYS;
	}
}

/* List lock, and that of @to if it comes earlier. */
static void kmc_tail_move(struct kmc_store *store, struct kmc_item *item, u32 handle, enum kmc_lru_segment to)
{
	struct kmc_stats *stats = &store->core->stats;
	enum kmc_lru_segment from = kmc_item_segment(item);
	u32 class = kmc_item_class(item);
	struct kmc_lru *other = kmc_lru(store, class, to);

	if (to > from) {
		spin_lock_nested(&other->lock, SINGLE_DEPTH_NESTING);
		kmc_lru_move(store, item, handle, to);
		spin_unlock(&other->lock);
	} else {
		kmc_lru_move(store, item, handle, to);
	}
	if (to == KMC_WARM && from == KMC_WARM)
		kmc_count_in(stats, class, moves_within_lru);
	else if (to == KMC_WARM)
		kmc_count_in(stats, class, moves_to_warm);
	else if (from != KMC_COLD)
		kmc_count_in(stats, class, moves_to_cold);
}

/* Stripe lock. */
static void kmc_tail_count(struct kmc_store *store, struct kmc_item *item, bool dead)
{
	struct kmc_stats *stats = &store->core->stats;
	u32 class = kmc_item_class(item);
	u32 seen = READ_ONCE(item->seen);

	if (refcount_read(&item->ref) != 1)
		kmc_count_in(stats, class, lrutail_reflocked);
	if (dead) {
		kmc_count_in(stats, class, reclaimed);
		if (!(seen & KMC_SEEN_FETCHED))
			kmc_count_in(stats, class, expired_unfetched);
		return;
	}
	if (kmc_watched(&store->core->watch, KMC_WATCH_EVICTIONS))
		kmc_watch_evict(store->core, item);
	kmc_count_in(stats, class, evicted);
	WRITE_ONCE(kmc_lru(store, class, KMC_COLD)->evicted_time, kmc_tail_idle(store, seen));
	if (item->exptime)
		kmc_count_in(stats, class, evicted_nonzero);
	if (!(seen & KMC_SEEN_FETCHED))
		kmc_count_in(stats, class, evicted_unfetched);
	if (seen & KMC_SEEN_ACTIVE)
		kmc_count_in(stats, class, evicted_active);
}

/*
 * Take it out of the cache, if it is still there. Who is held goes too, as in memcached: its memory comes
 * back when it is let go of.
 */
static enum kmc_fate kmc_tail_let_go(struct kmc_store *store, u32 handle, u64 hash, bool evict)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);
	enum kmc_fate fate = KMC_TAIL_LEAVES;
	struct kmc_item *item = NULL;
	bool dead;

	spin_lock(&stripe->lock);
	if (!kmc_index_has(store, hash, handle))
		goto out;
	item = kmc_item_at(&store->slab, handle);
	dead = kmc_tail_dead(store, item);
	if (dead || (evict && store->core->settings.evict)) {
		kmc_tail_count(store, item, dead);
		kmc_item_unlink(store, hash, item, handle);
	} else {
		item = NULL;
		fate = KMC_TAIL_STAYS;
	}
out:
	spin_unlock(&stripe->lock);
	if (item)
		kmc_item_put(store, item);
	return fate;
}

/* Who is at the tail, and what became of it; who leaves is not gone yet. */
struct kmc_tail {
	enum kmc_fate fate;
	u32 handle;
	u64 hash;
};

static struct kmc_tail kmc_tail_look(struct kmc_store *store, struct kmc_lru *lru, const struct kmc_pull *pull)
{
	struct kmc_tail tail = { .fate = KMC_TAIL_STAYS };
	enum kmc_lru_segment to;
	struct kmc_item *item;

	spin_lock_nested(&lru->lock, pull->rescue ? SINGLE_DEPTH_NESTING : 0);
	tail.handle = lru->tail;
	if (tail.handle) {
		item = kmc_item_at(&store->slab, tail.handle);
		tail.fate = kmc_tail_judge(store, item, lru->bytes, pull, &to);
		if (tail.fate == KMC_TAIL_MOVES || tail.fate == KMC_TAIL_TURNS)
			kmc_tail_move(store, item, tail.handle, to);
		else if (tail.fate == KMC_TAIL_LEAVES)
			tail.hash = kmc_item_as_key(store, item).hash;
	}
	spin_unlock(&lru->lock);
	return tail;
}

static enum kmc_fate kmc_lru_pull_tail(struct kmc_store *store, u32 class, enum kmc_lru_segment segment,
				       const struct kmc_pull *pull)
{
	struct kmc_lru *warm = kmc_lru(store, class, KMC_WARM);
	struct kmc_lru *lru = kmc_lru(store, class, segment);
	struct kmc_tail tail;

	kmc_assert_bh_off();
	if (!READ_ONCE(lru->tail))
		return KMC_TAIL_STAYS;
	if (pull->rescue) {	/* the lock of warm is outside that of cold */
		spin_lock(&warm->lock);
		tail = kmc_tail_look(store, lru, pull);
		spin_unlock(&warm->lock);
	} else {
		tail = kmc_tail_look(store, lru, pull);
	}
	return tail.fate == KMC_TAIL_LEAVES ? kmc_tail_let_go(store, tail.handle, tail.hash, pull->evict) : tail.fate;
}

void kmc_lru_reclaim(struct kmc_store *store, u32 class)
{
	const struct kmc_pull dead_only = { };
	u32 n;

	for (n = 0; n < KMC_RECLAIM_MOST; n++)
		if (kmc_lru_pull_tail(store, class, KMC_COLD, &dead_only) != KMC_TAIL_LEAVES)
			break;
}

static bool kmc_lru_evict_from(struct kmc_store *store, u32 class)
{
	const struct kmc_pull any = { };
	struct kmc_pull pull = { .evict = true, .spare = !READ_ONCE(store->core->settings.lru_segmented) };
	enum kmc_fate fate;
	u32 spared;

	for (spared = 0;; spared++) {
		fate = kmc_lru_pull_tail(store, class, KMC_COLD, &pull);
		if (fate == KMC_TAIL_LEAVES)
			return true;
		if (fate == KMC_TAIL_STAYS)
			break;
		pull.spare = spared < KMC_SPARE_MOST;
	}
	/* Upkeep should have seen to it that somebody is cold. memcached looks at hot only. */
	kmc_store_wake(store);
	return kmc_lru_pull_tail(store, class, KMC_HOT, &any) != KMC_TAIL_STAYS ||
	       kmc_lru_pull_tail(store, class, KMC_WARM, &any) != KMC_TAIL_STAYS;
}

static bool kmc_lru_empty(struct kmc_store *store, u32 class)
{
	u32 segment;

	for (segment = 0; segment < KMC_SEGMENTS; segment++)
		if (READ_ONCE(kmc_lru(store, class, segment)->tail))
			return false;
	return true;
}

bool kmc_lru_evict(struct kmc_store *store, u32 class)
{
	if (kmc_lru_evict_from(store, class))
		return true;
	/* Heads and tails of values that lie in chunks are listed under the largest class. */
	return class != store->slab.last && kmc_lru_empty(store, class) &&
	       kmc_lru_evict_from(store, store->slab.last);
}

/**
 * struct kmc_juggle - what is wanted of the tails of a class
 */
struct kmc_juggle {
	struct kmc_pull hot, warm, cold;
	bool segmented;
};

static u32 kmc_part(u32 age, u32 thousandths)
{
	return (u32)min_t(u64, div_u64((u64)age * thousandths, 1000), U32_MAX);
}

/* In flat mode nothing may be in hot and warm. */
static struct kmc_juggle kmc_juggle_plan(struct kmc_store *store, u32 class)
{
	const struct kmc_settings *settings = &store->core->settings;
	struct kmc_juggle plan = { .cold.rescue = true, .segmented = READ_ONCE(settings->lru_segmented) };
	u32 segment, age;
	u64 bytes = 0;

	if (!plan.segmented)
		return plan;
	for (segment = KMC_HOT; segment <= KMC_COLD; segment++)
		bytes += READ_ONCE(kmc_lru(store, class, segment)->bytes);
	age = kmc_lru_age(store, class, KMC_COLD);
	plan.hot.limit = div_u64(bytes * READ_ONCE(settings->hot_lru_pct), 100);
	plan.hot.max_age = kmc_part(age, READ_ONCE(settings->hot_max_factor));
	plan.warm.limit = div_u64(bytes * READ_ONCE(settings->warm_lru_pct), 100);
	plan.warm.max_age = kmc_part(age, READ_ONCE(settings->warm_max_factor));
	return plan;
}

/* The most that was done at a tail. */
static enum kmc_fate kmc_juggle_round(struct kmc_store *store, u32 class, const struct kmc_juggle *plan)
{
	const struct kmc_pull dead_only = { };
	enum kmc_fate did, fate;

	did = kmc_lru_pull_tail(store, class, KMC_TEMP, &dead_only);
	fate = kmc_lru_pull_tail(store, class, KMC_HOT, &plan->hot);
	if (fate == KMC_TAIL_STAYS)
		fate = kmc_lru_pull_tail(store, class, KMC_WARM, &plan->warm);
	did = max(did, fate);
	if (plan->segmented) {
		fate = kmc_lru_pull_tail(store, class, KMC_COLD, &plan->cold);
		did = max(did, fate);
	}
	return did;
}

/* What a class had to be done to. */
struct kmc_juggled {
	u32 rounds;	/* KMC_JUGGLE_MOST at most */
	u32 moves;	/* those of them that did more than turn a list */
};

static struct kmc_juggled kmc_juggle_class(struct kmc_store *store, u32 class)
{
	struct kmc_juggled juggled = { };
	struct kmc_juggle plan;
	enum kmc_fate did;

	local_bh_disable();
	plan = kmc_juggle_plan(store, class);
	local_bh_enable();
	while (juggled.rounds < KMC_JUGGLE_MOST) {
		local_bh_disable();
		did = kmc_juggle_round(store, class, &plan);
		local_bh_enable();
		if (did == KMC_TAIL_STAYS)
			break;
		juggled.rounds++;
		juggled.moves += did != KMC_TAIL_TURNS;
		cond_resched();
	}
	return juggled;
}

unsigned long kmc_lru_juggle(struct kmc_store *store)
{
	struct kmc_lrus *lrus = &store->lrus;
	struct kmc_juggled juggled, most = { };
	u32 class;

	kmc_assert_process();
	for (class = 1; class <= store->slab.last; class++) {
		if (kmc_lru_empty(store, class))
			continue;
		juggled = kmc_juggle_class(store, class);
		most.rounds = max(most.rounds, juggled.rounds);
		most.moves = max(most.moves, juggled.moves);
	}
	local_bh_disable();
	kmc_count(&store->core->stats, lru_maintainer_juggles);
	local_bh_enable();
	/* Turning alone has no end where all that is warm is in use, and can wait. */
	if (most.moves == KMC_JUGGLE_MOST)
		return 0;
	/* memcached's pace: twice as often after work, an eighth less often without. */
	lrus->sleep = most.rounds ? lrus->sleep / 2 : lrus->sleep + lrus->sleep / 8 + 1;
	lrus->sleep = clamp(lrus->sleep, KMC_SLEEP_MIN, KMC_SLEEP_MAX);
	return lrus->sleep;
}
