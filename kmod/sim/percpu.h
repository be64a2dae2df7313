/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU data. A thread gets a CPU number when it first needs one and gives it back when it ends. */
#ifndef KMC_SIM_PERCPU_H
#define KMC_SIM_PERCPU_H

#include "atomic.h"

#define KMC_SIM_CPUS	64
#define KMC_SIM_STRIDE	(32UL << 10)	/* as the kernel's PCPU_MIN_UNIT_SIZE: the largest allocation */

int smp_processor_id(void);
#define raw_smp_processor_id() smp_processor_id()
#define num_possible_cpus() ((unsigned int)KMC_SIM_CPUS)
#define num_online_cpus() ((unsigned int)KMC_SIM_CPUS)
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < KMC_SIM_CPUS; (cpu)++)

void *kmc_sim_alloc_percpu(size_t size, size_t align);
void free_percpu(void *p);
#define alloc_percpu(type) ((type *)kmc_sim_alloc_percpu(sizeof(type), __alignof__(type)))
#define alloc_percpu_gfp(type, gfp) ((void)(gfp), alloc_percpu(type))

#define per_cpu_ptr(p, cpu) ((__typeof__(p))((char *)(p) + (size_t)(cpu) * KMC_SIM_STRIDE))
#define this_cpu_ptr(p)	per_cpu_ptr(p, smp_processor_id())
#define raw_cpu_ptr(p)	this_cpu_ptr(p)

/* One thread, one CPU: the sum is not torn, a reader elsewhere sees the old or the new value. */
#define this_cpu_add(x, n) do { __typeof__(&(x)) __p = this_cpu_ptr(&(x)); \
	WRITE_ONCE(*__p, READ_ONCE(*__p) + (n)); } while (0)
#define this_cpu_inc(x)	this_cpu_add(x, 1)
#define this_cpu_read(x) READ_ONCE(*this_cpu_ptr(&(x)))

/* The kernel's __this_cpu forms ask for no preemption; ours for bottom halves off. */
#define __this_cpu_add(x, n) do { kmc_assert_bh_off(); this_cpu_add(x, n); } while (0)
#define __this_cpu_inc(x) __this_cpu_add(x, 1)
#define __this_cpu_read(x) this_cpu_read(x)
#define __this_cpu_write(x, v) do { kmc_assert_bh_off(); WRITE_ONCE(*this_cpu_ptr(&(x)), v); } while (0)

#endif
