// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#define KMC_CLOCK_START		2	/* memcached keeps 0 and 1 free for "never" and "at once" */
#define KMC_RELATIVE_MAX	(60 * 60 * 24 * 30)	/* seconds; protocol.txt, "Expiration times" */

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
}

u32 kmc_store_now(const struct kmc_store *store)
{
	return kmc_expiry_now(&store->expiry);
}

void kmc_store_shift(struct kmc_store *store, s64 seconds)
{
	struct kmc_expiry *expiry = &store->expiry;

	spin_lock(&expiry->lock);
	WRITE_ONCE(expiry->start, expiry->start - seconds);
	WRITE_ONCE(expiry->shift, expiry->shift + seconds);
	if (expiry->still)
		WRITE_ONCE(expiry->still, (u32)(expiry->still + seconds));
	spin_unlock(&expiry->lock);
}

void kmc_store_pause(struct kmc_store *store, bool still)
{
	struct kmc_expiry *expiry = &store->expiry;

	spin_lock(&expiry->lock);
	if (!still || !expiry->still)
		WRITE_ONCE(expiry->still, still ? kmc_store_now(store) : 0);
	spin_unlock(&expiry->lock);
}

s64 kmc_store_real(const struct kmc_store *store)
{
	return ktime_get_real_seconds() + READ_ONCE(store->expiry.shift);
}

u32 kmc_store_deadline(const struct kmc_store *store, s64 exptime)
{
	u32 now = kmc_store_now(store);
	s64 left = exptime;

	if (exptime == 0)
		return 0;
	if (exptime > KMC_RELATIVE_MAX)
		left = exptime - kmc_store_real(store);
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

/* Flush numbers in use, with one for a flush that waits and one for the next. */
static u32 kmc_flushes_used(const struct kmc_expiry *expiry, u32 number)
{
	return number + 2 - READ_ONCE(expiry->reaped);
}

bool kmc_expiry_tight(const struct kmc_store *store, u32 number)
{
	return kmc_flushes_used(&store->expiry, number) > KMC_FLUSHES_MAX / 2;
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
	if (kmc_flushes_used(expiry, flushes.number) > KMC_FLUSHES_MAX) {
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

u32 kmc_expiry_pass(struct kmc_store *store)
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

void kmc_expiry_passed(struct kmc_store *store, u32 pass)
{
	struct kmc_expiry *expiry = &store->expiry;

	spin_lock_bh(&expiry->lock);
	if ((s32)(pass - expiry->reaped) > 0)
		WRITE_ONCE(expiry->reaped, pass);
	spin_unlock_bh(&expiry->lock);
}
