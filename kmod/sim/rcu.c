// SPDX-License-Identifier: GPL-2.0
/*
 * Each CPU notes the grace period in which its outermost read side began. A cookie is done when no CPU
 * is in a read side that began before it was given out.
 */
#include <sched.h>
#include "kernel.h"

static unsigned long period = 1;
static unsigned long since[KMC_SIM_CPUS];	/* 0: not reading */
static _Thread_local unsigned int depth;

void rcu_read_lock(void)
{
	if (depth++ == 0) {
		int cpu = smp_processor_id();

		__atomic_store_n(&since[cpu], __atomic_load_n(&period, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
		smp_mb();
	}
}

void rcu_read_unlock(void)
{
	KMC_SIM_DEMAND(depth > 0, "rcu_read_unlock() without rcu_read_lock()");
	if (--depth == 0)
		__atomic_store_n(&since[smp_processor_id()], 0, __ATOMIC_SEQ_CST);
}

bool kmc_sim_reading(void)
{
	return depth > 0;
}

unsigned long start_poll_synchronize_rcu(void)
{
	return __atomic_fetch_add(&period, 1, __ATOMIC_SEQ_CST);
}

bool poll_state_synchronize_rcu(unsigned long cookie)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		unsigned long s = __atomic_load_n(&since[cpu], __ATOMIC_SEQ_CST);

		if (s && s <= cookie)
			return false;
	}
	return true;
}

void synchronize_rcu(void)
{
	unsigned long cookie = start_poll_synchronize_rcu();

	kmc_assert_process();
	KMC_SIM_DEMAND(depth == 0, "synchronize_rcu() within a read side");
	while (!poll_state_synchronize_rcu(cookie))
		sched_yield();
}
