/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bottom halves, spinlocks that know their owner, sequence counts.
 *
 * Ends the program: a spinlock taken with bottom halves on (softirq could spin on it for ever), taken
 * twice, or dropped by a stranger; anything that may sleep with bottom halves off.
 */
#ifndef KMC_SIM_LOCK_H
#define KMC_SIM_LOCK_H

#include <pthread.h>
#include "atomic.h"

struct lock_class_key { char unused; };

typedef struct {
	pthread_mutex_t mutex;
	int owner;		/* CPU number + 1, 0: free. Stable for the owner only. */
} spinlock_t;

/* Sleeps, so not with bottom halves off. */
struct mutex {
	pthread_mutex_t mutex;
	int owner;
};

void local_bh_disable(void);
void local_bh_enable(void);
bool kmc_sim_bh_off(void);
#define in_softirq()	kmc_sim_bh_off()

void spin_lock_init(spinlock_t *lock);
void spin_lock(spinlock_t *lock);
bool spin_trylock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
bool kmc_sim_lock_held(const spinlock_t *lock);

void mutex_init(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
bool kmc_sim_mutex_held(const struct mutex *mutex);
static inline void mutex_destroy(struct mutex *mutex) { pthread_mutex_destroy(&mutex->mutex); }

static inline void spin_lock_bh(spinlock_t *lock)
{
	local_bh_disable();
	spin_lock(lock);
}
static inline void spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock(lock);
	local_bh_enable();
}

#define SINGLE_DEPTH_NESTING 1
#define spin_lock_nested(l, sub) ((void)(sub), spin_lock(l))
#define lockdep_set_class(l, k)	((void)(l), (void)(k))
#define lockdep_set_class_and_name(l, k, n) ((void)(l), (void)(k), (void)(n))
#define kmc_sim_held(l)		_Generic((l), \
	struct mutex *: kmc_sim_mutex_held, const struct mutex *: kmc_sim_mutex_held, \
	default: kmc_sim_lock_held)(l)
#define lockdep_is_held(l)	kmc_sim_held(l)
#define lockdep_assert(c)	KMC_SIM_DEMAND(c, "lockdep: " #c)
#define lockdep_assert_held(l)	KMC_SIM_DEMAND(kmc_sim_held(l), "lock is not held: " #l)
#define lockdep_assert_not_held(l) KMC_SIM_DEMAND(!kmc_sim_held(l), "lock is held: " #l)

#define kmc_assert_bh_off()	KMC_SIM_DEMAND(kmc_sim_bh_off(), "bottom halves must be off here")
#define kmc_assert_process()	KMC_SIM_DEMAND(!kmc_sim_bh_off(), "may sleep, with bottom halves off")
#define might_sleep()		kmc_assert_process()
#define cond_resched()		kmc_assert_process()
void cpu_relax(void);

typedef struct {
	unsigned int sequence;
	spinlock_t *lock;
} seqcount_spinlock_t;

void seqcount_spinlock_init(seqcount_spinlock_t *s, spinlock_t *lock);
unsigned int read_seqcount_begin(const seqcount_spinlock_t *s);
int read_seqcount_retry(const seqcount_spinlock_t *s, unsigned int start);
void write_seqcount_begin(seqcount_spinlock_t *s);
void write_seqcount_end(seqcount_spinlock_t *s);

#endif
