/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_COMPAT_LINUX_SHRINKER_H
#define KMC_COMPAT_LINUX_SHRINKER_H

#include_next <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>

/* Shrinkers are allocated by the kernel, and have their names there, since 6.7. Return: NULL: no memory. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline struct shrinker *kmc_shrinker_start(const struct shrinker *what, const char *name)
{
	struct shrinker *shrinker = kmemdup(what, sizeof(*what), GFP_KERNEL);

	if (shrinker && register_shrinker(shrinker, "%s", name)) {
		kfree(shrinker);
		shrinker = NULL;
	}
	return shrinker;
}

static inline void kmc_shrinker_stop(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}
#else
static inline struct shrinker *kmc_shrinker_start(const struct shrinker *what, const char *name)
{
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = what->count_objects;
	shrinker->scan_objects = what->scan_objects;
	shrinker->seeks = what->seeks;
	shrinker->batch = what->batch;
	shrinker_register(shrinker);
	return shrinker;
}

static inline void kmc_shrinker_stop(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}
#endif

#endif
