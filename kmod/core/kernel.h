/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything of the kernel that core/ uses: this list is exhaustive. core/ includes no other header
 * but its own. In user space the same names come from sim/.
 */
#ifndef KMC_KERNEL_H
#define KMC_KERNEL_H

#ifdef __KERNEL__

#include <crypto/algapi.h>
#include <crypto/sha2.h>
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bottom_half.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <linux/vmalloc.h>

/*
 * Bytes of a page that we carve ourselves: nobody may use them, or only the first ones may be used. @start of
 * the latter is aligned to 8 bytes. Only for sanitizers, which know nothing of our chunks: poison.c, sim/memory.c.
 */
#ifdef CONFIG_KASAN_GENERIC
void kmc_poison(const void *start, size_t len);
void kmc_unpoison(const void *start, size_t len);
#else
static inline void kmc_poison(const void *start, size_t len) { }
static inline void kmc_unpoison(const void *start, size_t len) { }
#endif

/* A contract, not a hint: the caller runs with bottom halves off (or on). */
#define kmc_assert_bh_off()	lockdep_assert(in_softirq())
#define kmc_assert_process()	might_sleep()

#else
#include "../sim/kernel.h"
#endif

/*
 * What a cache takes counts for whoever made it; where that cgroup, or the machine, has no more, it fails
 * and nobody is killed for it.
 */
#define KMC_GFP		(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* The same with bottom halves off. */
#define KMC_GFP_ATOMIC	(GFP_ATOMIC | __GFP_ACCOUNT | __GFP_NOWARN)

#endif
