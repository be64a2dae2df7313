// SPDX-License-Identifier: GPL-2.0
#include "sim.h"

static u64 now_ms = 1000 * 1000;		/* the machine is up for a while already */
static s64 wall_offset = 1700000000 - 1000;	/* unix time at 0 */

void kmc_sim_clock_set(u64 milliseconds)
{
	WRITE_ONCE(now_ms, milliseconds);
}

void kmc_sim_clock_advance(u64 milliseconds)
{
	__atomic_fetch_add(&now_ms, milliseconds, __ATOMIC_RELAXED);
}

void kmc_sim_clock_set_wall(s64 unix_seconds)
{
	WRITE_ONCE(wall_offset, unix_seconds - ktime_get_seconds());
}

time64_t ktime_get_seconds(void)
{
	return (time64_t)(READ_ONCE(now_ms) / 1000);
}

time64_t ktime_get_real_seconds(void)
{
	return READ_ONCE(wall_offset) + ktime_get_seconds();
}

u64 ktime_get_ns(void)
{
	return READ_ONCE(now_ms) * 1000000;
}

u64 ktime_get_real_ns(void)
{
	return (u64)READ_ONCE(wall_offset) * NSEC_PER_SEC + ktime_get_ns();
}

ktime_t ktime_get(void)
{
	return (ktime_t)ktime_get_ns();
}

unsigned long kmc_sim_jiffies(void)
{
	return (unsigned long)(READ_ONCE(now_ms) * HZ / 1000);
}
