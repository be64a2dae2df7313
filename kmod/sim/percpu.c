// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include "kernel.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static bool taken[KMC_SIM_CPUS];
static _Thread_local int mine;		/* number + 1 */

static void give_back(void *number)
{
	pthread_mutex_lock(&lock);
	taken[(intptr_t)number - 1] = false;
	pthread_mutex_unlock(&lock);
}

static void make_key(void)
{
	pthread_key_create(&at_exit, give_back);
}

static int take(void)
{
	int cpu;

	pthread_once(&once, make_key);
	pthread_mutex_lock(&lock);
	for (cpu = 0; cpu < KMC_SIM_CPUS && taken[cpu]; cpu++)
		;
	KMC_SIM_DEMAND(cpu < KMC_SIM_CPUS, "more threads than simulated CPUs");
	taken[cpu] = true;
	pthread_mutex_unlock(&lock);
	pthread_setspecific(at_exit, (void *)(intptr_t)(cpu + 1));
	return cpu + 1;
}

int smp_processor_id(void)
{
	if (unlikely(mine == 0))
		mine = take();
	return mine - 1;
}

void *kmc_sim_alloc_percpu(size_t size, size_t align)
{
	KMC_SIM_DEMAND(size <= KMC_SIM_STRIDE, "per-CPU allocation larger than the kernel grants");
	return kmc_sim_alloc(KMC_SIM_STRIDE * (KMC_SIM_CPUS - 1) + size, max(align, (size_t)64),
			     GFP_KERNEL | __GFP_ZERO);
}

void free_percpu(void *p)
{
	kmc_sim_free(p);
}
