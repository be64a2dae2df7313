/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that can be told to run out. An allocation that may sleep ends the program when bottom
 * halves are off. Live allocations are counted (sim.h).
 */
#ifndef KMC_SIM_MEMORY_H
#define KMC_SIM_MEMORY_H

#include "lock.h"

#define __GFP_DIRECT_RECLAIM	0x01u
#define __GFP_ZERO		0x02u
#define __GFP_NOWARN		0x04u
#define __GFP_NORETRY		0x08u
#define __GFP_ACCOUNT		0x10u
#define __GFP_RETRY_MAYFAIL	0x20u
#define __GFP_HIGH		0x40u
#define GFP_KERNEL		__GFP_DIRECT_RECLAIM
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_ATOMIC		__GFP_HIGH
#define GFP_NOWAIT		0u

static inline bool gfpflags_allow_blocking(gfp_t gfp) { return (gfp & __GFP_DIRECT_RECLAIM) != 0; }

/* @align: 8 unless the kernel's allocator of that name gives more. */
void *kmc_sim_alloc(size_t size, size_t align, gfp_t gfp);
void kmc_sim_free(const void *p);

/* kvmalloc() refuses (and warns about) more than INT_MAX bytes. */
static inline void *kvmalloc(size_t size, gfp_t gfp)
{
	KMC_SIM_DEMAND(size <= INT_MAX, "kvmalloc() above INT_MAX");
	return kmc_sim_alloc(size, size >= PAGE_SIZE ? PAGE_SIZE : 64, gfp);
}
static inline void *kmalloc(size_t size, gfp_t gfp) { return kmc_sim_alloc(size, is_power_of_2(size) && size <= PAGE_SIZE && size >= 8 ? size : 8, gfp); }
static inline void *kzalloc(size_t size, gfp_t gfp) { return kmalloc(size, gfp | __GFP_ZERO); }
static inline void *kvzalloc(size_t size, gfp_t gfp) { return kvmalloc(size, gfp | __GFP_ZERO); }
static inline void *__vmalloc(unsigned long size, gfp_t gfp) { return kmc_sim_alloc(size, PAGE_SIZE, gfp); }
static inline void *vzalloc(unsigned long size) { return __vmalloc(size, GFP_KERNEL | __GFP_ZERO); }
#define kmalloc_array(n, size, gfp) kmalloc(array_size(n, size), gfp)
#define kcalloc(n, size, gfp) kzalloc(array_size(n, size), gfp)
#define kvmalloc_array(n, size, gfp) kvmalloc(array_size(n, size), gfp)
#define kvcalloc(n, size, gfp) kvzalloc(array_size(n, size), gfp)
static inline void kfree(const void *p) { kmc_sim_free(p); }
static inline void kvfree(const void *p) { kmc_assert_process(); kmc_sim_free(p); }
static inline void vfree(const void *p) { kvfree(p); }
static inline void kfree_sensitive(const void *p) { kmc_sim_free(p); }

void kmc_poison(const void *start, size_t len);
void kmc_unpoison(const void *start, size_t len);

#endif
