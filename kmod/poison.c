// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of slab pages that nobody may touch, told to KASAN: it knows the pages as one allocation each. Without
 * generic KASAN there is nothing here.
 *
 * Only on machines with one CPU. With more, a reader without a lock may look at a chunk that was given back a
 * moment ago, and throws away what it read (core/store/peek.c): KASAN would take that for a bug.
 */
#include "core/kernel.h"

#ifdef CONFIG_KASAN_GENERIC

#include <linux/kasan.h>

#define KMC_GRANULE	8U	/* bytes that share a byte of shadow, mm/kasan/kasan.h */
#define KMC_POISON	0xfe	/* shadow of bytes that are nobody's, KASAN_PAGE_REDZONE there */

/* Exported, but of mm/kasan/kasan.h. A value of 1 to 7: so many bytes at the beginning of a granule are good. */
void kasan_poison(const void *addr, size_t size, u8 value, bool init);

void kmc_poison(const void *start, size_t len)
{
	const u8 *at = start;
	size_t used = (unsigned long)at % KMC_GRANULE;

	if (num_possible_cpus() > 1)
		return;
	if (used) {
		if (len < KMC_GRANULE - used)
			return;
		kasan_poison(at - used, KMC_GRANULE, (u8)used, false);
		at += KMC_GRANULE - used;
		len -= KMC_GRANULE - used;
	}
	kasan_poison(at, round_down(len, KMC_GRANULE), KMC_POISON, false);
}

void kmc_unpoison(const void *start, size_t len)
{
	const u8 *at = start;
	size_t whole = round_down(len, KMC_GRANULE);

	if (num_possible_cpus() > 1)
		return;
	kasan_poison(at, whole, 0, false);
	if (len > whole)
		kasan_poison(at + whole, KMC_GRANULE, (u8)(len - whole), false);
}

#endif
