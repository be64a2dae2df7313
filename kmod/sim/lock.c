// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include "sim.h"

static _Thread_local unsigned int bh_depth;
static _Thread_local void (*unlocked)(spinlock_t *lock);

void local_bh_disable(void)
{
	rcu_read_lock();
	bh_depth++;
}

void local_bh_enable(void)
{
	KMC_SIM_DEMAND(bh_depth > 0, "local_bh_enable() without local_bh_disable()");
	bh_depth--;
	rcu_read_unlock();
}

bool kmc_sim_bh_off(void)
{
	return bh_depth > 0;
}

void cpu_relax(void)
{
	sched_yield();
}

void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
	lock->owner = 0;
}

bool kmc_sim_lock_held(const spinlock_t *lock)
{
	return READ_ONCE(lock->owner) == smp_processor_id() + 1;
}

void spin_lock(spinlock_t *lock)
{
	kmc_assert_bh_off();
	KMC_SIM_DEMAND(!kmc_sim_lock_held(lock), "spinlock taken twice");
	pthread_mutex_lock(&lock->mutex);
	WRITE_ONCE(lock->owner, smp_processor_id() + 1);
}

bool spin_trylock(spinlock_t *lock)
{
	kmc_assert_bh_off();
	if (pthread_mutex_trylock(&lock->mutex))
		return false;
	WRITE_ONCE(lock->owner, smp_processor_id() + 1);
	return true;
}

void spin_unlock(spinlock_t *lock)
{
	lockdep_assert_held(lock);
	WRITE_ONCE(lock->owner, 0);
	pthread_mutex_unlock(&lock->mutex);
	if (unlocked)
		unlocked(lock);
}

void kmc_sim_unlocked(void (*hook)(spinlock_t *lock))
{
	unlocked = hook;
}

void mutex_init(struct mutex *mutex)
{
	pthread_mutex_init(&mutex->mutex, NULL);
	mutex->owner = 0;
}

bool kmc_sim_mutex_held(const struct mutex *mutex)
{
	return READ_ONCE(mutex->owner) == smp_processor_id() + 1;
}

void mutex_lock(struct mutex *mutex)
{
	might_sleep();
	KMC_SIM_DEMAND(!kmc_sim_mutex_held(mutex), "mutex taken twice");
	pthread_mutex_lock(&mutex->mutex);
	WRITE_ONCE(mutex->owner, smp_processor_id() + 1);
}

void mutex_unlock(struct mutex *mutex)
{
	lockdep_assert_held(mutex);
	WRITE_ONCE(mutex->owner, 0);
	pthread_mutex_unlock(&mutex->mutex);
}

void seqcount_spinlock_init(seqcount_spinlock_t *s, spinlock_t *lock)
{
	s->sequence = 0;
	s->lock = lock;
}

unsigned int read_seqcount_begin(const seqcount_spinlock_t *s)
{
	unsigned int sequence;

	while ((sequence = smp_load_acquire(&s->sequence)) & 1)
		cpu_relax();
	return sequence;
}

static bool retrying = true;

void kmc_sim_retrying(bool on)
{
	retrying = on;
}

int read_seqcount_retry(const seqcount_spinlock_t *s, unsigned int start)
{
	if (!retrying)
		return 0;
#ifdef KMC_SIM_TSAN
	return __atomic_fetch_add((unsigned int *)&s->sequence, 0, __ATOMIC_ACQ_REL) != start;
#else
	smp_rmb();
	return READ_ONCE(s->sequence) != start;
#endif
}

/* Before and after what a write section writes. */
static void seqcount_step(seqcount_spinlock_t *s)
{
#ifdef KMC_SIM_TSAN
	__atomic_fetch_add(&s->sequence, 1, __ATOMIC_ACQ_REL);
#else
	smp_wmb();
	WRITE_ONCE(s->sequence, s->sequence + 1);
	smp_wmb();
#endif
}

void write_seqcount_begin(seqcount_spinlock_t *s)
{
	lockdep_assert_held(s->lock);
	KMC_SIM_DEMAND((READ_ONCE(s->sequence) & 1) == 0, "write section within a write section");
	seqcount_step(s);
}

void write_seqcount_end(seqcount_spinlock_t *s)
{
	lockdep_assert_held(s->lock);
	KMC_SIM_DEMAND((READ_ONCE(s->sequence) & 1) == 1, "write section ended twice");
	seqcount_step(s);
}
