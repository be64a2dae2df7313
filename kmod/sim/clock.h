/* SPDX-License-Identifier: GPL-2.0 */
/* A clock that stands until a test moves it (sim.h). */
#ifndef KMC_SIM_CLOCK_H
#define KMC_SIM_CLOCK_H

#include "types.h"

#define HZ		250
#define NSEC_PER_SEC	1000000000L
#define NSEC_PER_USEC	1000L
#define USEC_PER_SEC	1000000L

typedef s64 time64_t;
typedef s64 ktime_t;

time64_t ktime_get_seconds(void);
time64_t ktime_get_real_seconds(void);
ktime_t ktime_get(void);
u64 ktime_get_ns(void);
u64 ktime_get_real_ns(void);
unsigned long kmc_sim_jiffies(void);
#define jiffies		kmc_sim_jiffies()
#define msecs_to_jiffies(ms) ((unsigned long)(((u64)(ms) * HZ + 999) / 1000))
#define jiffies_to_msecs(j) ((unsigned int)((u64)(j) * 1000 / HZ))
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define MAX_JIFFY_OFFSET ((LONG_MAX >> 1) - 1)

#endif
