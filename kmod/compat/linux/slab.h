/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_COMPAT_LINUX_SLAB_H
#define KMC_COMPAT_LINUX_SLAB_H

#include_next <linux/slab.h>

/*
 * A cache that is merged with another of its size leaves its name behind in sysfs, and cannot tell at
 * unload that an object is still out. SLAB_NO_MERGE came with 6.5; before, a constructor does the same.
 */
static inline void kmc_no_constructor(void *object)
{
}

#ifdef SLAB_NO_MERGE
#define kmc_cache_create(name, size) kmem_cache_create((name), (size), 0, SLAB_NO_MERGE, NULL)
#else
#define kmc_cache_create(name, size) kmem_cache_create((name), (size), 0, 0, kmc_no_constructor)
#endif

#endif
