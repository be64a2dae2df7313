/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which class gets a page of which other, once a second: memcached's slab_automove.c. A class with more
 * than two and a half pages' worth of free chunks gives one to the pool, if nothing happened in it lately.
 * Else, of classes with more than two pages, the one whose coldest item has waited longest gives one to the
 * one that evicts the youngest, if these ages are apart by more than slab_automove_ratio. All is judged over
 * the last slab_automove_window looks.
 */
#ifndef KMC_AUTOMOVE_H
#define KMC_AUTOMOVE_H

#include "../kernel.h"

struct kmc_store;
struct kmc_automove_look;
struct kmc_automove_before;

#define KMC_RATIO_ONE	1000000U	/* of slab_automove_ratio and slab_automove_freeratio */

/**
 * struct kmc_automove - what was seen. Upkeep's.
 * @looks: of each class, the last @window ones
 * @before: of each class, counts at the last look
 * @window, @ratio: the settings that @looks is for
 * @count: looks so far
 * @last: second of the clock of the last one; @again: look again at once
 */
struct kmc_automove {
	struct kmc_automove_look *looks;
	struct kmc_automove_before *before;
	u32 window;
	u32 ratio;
	u32 count;
	u32 last;
	bool again;
};

void kmc_automove_exit(struct kmc_store *store);

/* Process context. @from: set to KMC_CLASS_ANY: nothing is to be moved. */
void kmc_automove_run(struct kmc_store *store, s32 *from, s32 *to);

#endif
