// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#define KMC_CLOCK_START		2	/* memcached keeps 0 and 1 free for "never" and "at once" */
#define KMC_RELATIVE_MAX	(60 * 60 * 24 * 30)	/* seconds; protocol.txt, "Expiration times" */
#define KMC_REAP_PERIOD		60	/* seconds for a pass through the index */
#define KMC_REAP_STEPS		256	/* buckets at a time */

/* struct kmc_expiry.flushes in its parts. */
struct kmc_flushes {
	u32 number;
	u32 at;
};

static struct kmc_flushes kmc_flushes(const struct kmc_expiry *expiry)
{
	u64 word = READ_ONCE(expiry->flushes);

	return (struct kmc_flushes){ .number = (u32)(word >> 32), .at = (u32)word };
}

static void kmc_flushes_set(struct kmc_expiry *expiry, struct kmc_flushes flushes)
{
	lockdep_assert_held(&expiry->lock);
	WRITE_ONCE(expiry->flushes, (u64)flushes.number << 32 | flushes.at);
}

void kmc_expiry_init(struct kmc_store *store)
{
	struct kmc_expiry *expiry = &store->expiry;

	spin_lock_init(&expiry->lock);
	expiry->start = ktime_get_seconds() - KMC_CLOCK_START;
	expiry->looked = jiffies;
}

u32 kmc_store_now(const struct kmc_store *store)
{
	return (u32)(ktime_get_seconds() - store->expiry.start);
}

u32 kmc_store_deadline(const struct kmc_store *store, s64 exptime)
{
	u32 now = kmc_store_now(store);
	s64 left = exptime;

	if (exptime == 0)
		return 0;
	if (exptime > KMC_RELATIVE_MAX)
		left = exptime - ktime_get_real_seconds();
	if (left <= 0)
		return 1;
	return left >= U32_MAX - now ? U32_MAX : now + (u32)left;
}

u8 kmc_expiry_generation(const struct kmc_store *store, u32 now)
{
	struct kmc_flushes flushes = kmc_flushes(&store->expiry);

	/* What is stored in the very second of a flush is gone with it. */
	return (u8)(flushes.number + (flushes.at && now > flushes.at));
}

enum kmc_miss kmc_expiry_verdict(const struct kmc_store *store, u8 generation, u32 exptime, u32 now)
{
	struct kmc_flushes flushes = kmc_flushes(&store->expiry);

	if (generation != (u8)(flushes.number + (flushes.at && now >= flushes.at)))
		return KMC_MISS_FLUSHED;
	if (exptime && exptime <= now)
		return KMC_MISS_EXPIRED;
	return KMC_MISS_NONE;
}

/* Flush numbers in use, with one for a flush that waits and one for the next. */
static bool kmc_flushes_tight(u32 number, u32 reaped, u32 most)
{
	return number + 2 - reaped > most;
}

int kmc_store_flush(struct kmc_store *store, u32 when)
{
	struct kmc_expiry *expiry = &store->expiry;
	u32 now = kmc_store_now(store);
	struct kmc_flushes flushes;
	int err = 0;

	kmc_assert_bh_off();
	spin_lock(&expiry->lock);
	flushes = kmc_flushes(expiry);
	if (flushes.at && now >= flushes.at)
		flushes.number++;
	flushes.at = 0;
	if (kmc_flushes_tight(flushes.number, expiry->reaped, KMC_FLUSHES_MAX)) {
		err = -EAGAIN;
		goto out;
	}
	if (when >= now)
		flushes.at = when;
	else if (when != KMC_FLUSH_NOTHING)
		flushes.number++;
	kmc_flushes_set(expiry, flushes);
out:
	spin_unlock(&expiry->lock);
	if (!err)
		kmc_store_wake(store);
	return err;
}

/* The flush number that a pass beginning now will have reaped all before. */
static u32 kmc_expiry_pass(struct kmc_store *store)
{
	struct kmc_expiry *expiry = &store->expiry;
	struct kmc_flushes flushes;

	spin_lock_bh(&expiry->lock);
	flushes = kmc_flushes(expiry);
	if (flushes.at && kmc_store_now(store) > flushes.at) {
		flushes.number++;
		flushes.at = 0;
		kmc_flushes_set(expiry, flushes);
	}
	spin_unlock_bh(&expiry->lock);
	return flushes.number;
}

static void kmc_expiry_passed(struct kmc_store *store, u32 pass)
{
	struct kmc_expiry *expiry = &store->expiry;

	spin_lock_bh(&expiry->lock);
	if ((s32)(pass - expiry->reaped) > 0)
		WRITE_ONCE(expiry->reaped, pass);
	spin_unlock_bh(&expiry->lock);
}

static bool kmc_expiry_visit(void *ctx, u32 handle)
{
	struct kmc_store *store = ctx;
	struct kmc_stats *stats = &store->core->stats;
	struct kmc_item *item = kmc_item_at(&store->slab, handle);

	kmc_count(stats, crawler_items_checked);
	if (kmc_expiry_verdict(store, item->generation, item->exptime, kmc_store_now(store)) ==
	    KMC_MISS_NONE) {
		kmc_expiry_note(&store->expiry, item->exptime);
		return false;
	}
	kmc_count(stats, crawler_reclaimed);
	if (!(READ_ONCE(item->seen) & KMC_SEEN_FETCHED))
		kmc_count_in(stats, kmc_item_class(item), expired_unfetched);
	kmc_item_unlink(store, kmc_item_as_key(store, item).hash, item, handle);
	kmc_item_put(store, item);
	return true;
}

/* How many buckets are due: all of them in a minute, or as many as may be if a flush waits. */
static u32 kmc_expiry_steps(struct kmc_store *store, bool hurry)
{
	unsigned long passed = jiffies - store->expiry.looked;
	u64 buckets;

	if (hurry)
		return KMC_REAP_STEPS;
	rcu_read_lock();
	buckets = rcu_dereference(store->index.table)->mask + 1;
	rcu_read_unlock();
	buckets = div_u64(buckets * min_t(u64, passed, HZ * KMC_REAP_PERIOD), HZ * KMC_REAP_PERIOD);
	return (u32)clamp_t(u64, buckets, 1, KMC_REAP_STEPS);
}

bool kmc_expiry_reap(struct kmc_store *store)
{
	struct kmc_expiry *expiry = &store->expiry;
	u32 number = kmc_expiry_pass(store);
	bool hurry = number != READ_ONCE(expiry->reaped);
	struct kmc_walk walk = { .position = expiry->position };
	u32 steps;

	kmc_assert_process();
	if (!expiry->walking) {
		if (!hurry && !READ_ONCE(expiry->deadlines)) {
			expiry->looked = jiffies;
			return false;
		}
		WRITE_ONCE(expiry->deadlines, false);
		expiry->pass = number;
		expiry->walking = true;
		walk.position = 0;
	}
	for (steps = kmc_expiry_steps(store, hurry); steps && !walk.done; steps--) {
		kmc_index_step(store, &walk, kmc_expiry_visit, store);
		cond_resched();
	}
	expiry->looked = jiffies;
	expiry->position = walk.position;
	if (walk.done) {
		expiry->walking = false;
		kmc_expiry_passed(store, expiry->pass);
	}
	return number != READ_ONCE(expiry->reaped);
}

void kmc_expiry_catch_up(struct kmc_store *store)
{
	struct kmc_expiry *expiry = &store->expiry;
	struct kmc_walk walk = { };
	u32 pass = kmc_expiry_pass(store);

	kmc_assert_process();
	if (!kmc_flushes_tight(pass, READ_ONCE(expiry->reaped), KMC_FLUSHES_MAX / 2))
		return;
	while (!walk.done) {
		kmc_index_step(store, &walk, kmc_expiry_visit, store);
		cond_resched();
	}
	kmc_expiry_passed(store, pass);
}
