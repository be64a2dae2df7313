/* SPDX-License-Identifier: GPL-2.0 */
/* Marked accesses, barriers, atomics, reference counts. */
#ifndef KMC_SIM_ATOMIC_H
#define KMC_SIM_ATOMIC_H

#include "bug.h"

#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define data_race(x)	(x)
#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

/* The thread sanitizer knows no fences. What needs one says the same with ordered accesses there. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KMC_SIM_TSAN	1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define KMC_SIM_TSAN	1
#endif

#ifdef KMC_SIM_TSAN
#define smp_mb()	barrier()
#define smp_rmb()	barrier()
#define smp_wmb()	barrier()
#else
#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#endif

#define cmpxchg(p, old, new) ({ __typeof__(*(p)) __o = (old); \
	__atomic_compare_exchange_n(p, &__o, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); __o; })
#define try_cmpxchg(p, oldp, new) \
	__atomic_compare_exchange_n(p, oldp, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

#define ATOMIC_INIT(i)	{ (i) }
#define ATOMIC64_INIT(i) { (i) }
static inline int atomic_read(const atomic_t *a) { return READ_ONCE(a->counter); }
static inline void atomic_set(atomic_t *a, int v) { WRITE_ONCE(a->counter, v); }
static inline void atomic_inc(atomic_t *a) { __atomic_fetch_add(&a->counter, 1, __ATOMIC_RELAXED); }
static inline void atomic_dec(atomic_t *a) { __atomic_fetch_sub(&a->counter, 1, __ATOMIC_RELAXED); }
static inline void atomic_add(int v, atomic_t *a) { __atomic_fetch_add(&a->counter, v, __ATOMIC_RELAXED); }
static inline int atomic_inc_return(atomic_t *a) { return __atomic_add_fetch(&a->counter, 1, __ATOMIC_SEQ_CST); }
static inline bool atomic_dec_and_test(atomic_t *a) { return __atomic_sub_fetch(&a->counter, 1, __ATOMIC_SEQ_CST) == 0; }
static inline s64 atomic64_read(const atomic64_t *a) { return READ_ONCE(a->counter); }
static inline void atomic64_set(atomic64_t *a, s64 v) { WRITE_ONCE(a->counter, v); }
static inline void atomic64_inc(atomic64_t *a) { __atomic_fetch_add(&a->counter, 1, __ATOMIC_RELAXED); }
static inline void atomic64_add(s64 v, atomic64_t *a) { __atomic_fetch_add(&a->counter, v, __ATOMIC_RELAXED); }
static inline void atomic64_sub(s64 v, atomic64_t *a) { __atomic_fetch_sub(&a->counter, v, __ATOMIC_RELAXED); }
static inline s64 atomic64_inc_return(atomic64_t *a) { return __atomic_add_fetch(&a->counter, 1, __ATOMIC_SEQ_CST); }

/* Where the kernel saturates and warns, this ends the program. */
typedef struct { int refs; } refcount_t;

#define REFCOUNT_INIT(n) { (n) }
/* Acquire: who finds himself alone may write; the kernel has a control dependency for that. */
static inline unsigned int refcount_read(const refcount_t *r) { return (unsigned int)smp_load_acquire(&r->refs); }
static inline void refcount_set(refcount_t *r, int n) { WRITE_ONCE(r->refs, n); }
static inline void refcount_inc(refcount_t *r)
{
	int old = __atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);

	KMC_SIM_DEMAND(old > 0, "refcount_inc() of a dead object");
	KMC_SIM_DEMAND(old < INT_MAX, "saturated reference count");
}
static inline bool refcount_inc_not_zero(refcount_t *r)
{
	int old = READ_ONCE(r->refs);

	do {
		KMC_SIM_DEMAND(old >= 0 && old < INT_MAX, "saturated reference count");
		if (old == 0)
			return false;
	} while (!try_cmpxchg(&r->refs, &old, old + 1));
	return true;
}
static inline bool refcount_dec_and_test(refcount_t *r)
{
	int old = __atomic_fetch_sub(&r->refs, 1, __ATOMIC_ACQ_REL);

	KMC_SIM_DEMAND(old > 0, "reference count below zero");
	return old == 1;
}
static inline void refcount_dec(refcount_t *r)
{
	KMC_SIM_DEMAND(!refcount_dec_and_test(r), "refcount_dec() of the last reference");
}

#endif
