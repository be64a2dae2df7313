/* SPDX-License-Identifier: GPL-2.0 */
/* What a test may turn and read in the simulated kernel. */
#ifndef KMC_SIM_H
#define KMC_SIM_H

#include "kernel.h"

/* Clock: seconds and milliseconds since the start; wall is unix time at the start. */
void kmc_sim_clock_set(u64 milliseconds);
void kmc_sim_clock_advance(u64 milliseconds);
void kmc_sim_clock_set_wall(s64 unix_seconds);	/* wall clock now */

/* What is called when this thread has dropped a spinlock: what others may do in that moment. NULL: nothing. */
void kmc_sim_unlocked(void (*hook)(spinlock_t *lock));

/**
 * kmc_sim_fail - let allocations fail
 * @first: the first to fail, counted from now (1: the next one); 0: none any more
 * @count: how many in a row from there
 */
void kmc_sim_fail(u64 first, u64 count);

u64 kmc_sim_allocations(void);		/* tried since the start, failed ones counted */
u64 kmc_sim_live_allocations(void);	/* not yet freed */
u64 kmc_sim_live_bytes(void);

/* Whether kmc_poison() poisons. Off for tests with several threads: readers without locks may look at
 * a chunk that has just been freed, and find out afterwards. It must not change while a store lives.
 */
void kmc_sim_poisoning(bool on);
bool kmc_sim_can_poison(void);		/* built with the address sanitizer */

/* false: read_seqcount_retry() says that nothing was written meanwhile, whatever was: for tests of the tests. */
void kmc_sim_retrying(bool on);

u64 kmc_sim_comparisons(void);		/* by crypto_memneq() since the start */

/* Start of the random numbers, 0 and up. */
void kmc_sim_random_seed(u64 seed);

#endif
