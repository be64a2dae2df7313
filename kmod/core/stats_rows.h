/* SPDX-License-Identifier: GPL-2.0 */
/* What a listing of statistics is made of. */
#ifndef KMC_STATS_ROWS_H
#define KMC_STATS_ROWS_H

#include "buffers.h"
#include "core.h"
#include "store/store.h"

/**
 * struct kmc_listing - rows on their way to whoever asked
 * @skip: rows to leave out; @at: rows that were passed, left out or emitted
 * @full: emit() refused the row @at
 * @tired: enough was looked at for one call
 * @class, @in_class: the class at hand, for rows of a class
 */
struct kmc_listing {
	struct kmc_core *core;
	struct kmc_core_gauges gauges;
	struct kmc_store_totals totals;
	struct kmc_class_totals in_class;
	u32 class;
	u32 skip, at;
	bool full, tired;
	bool (*emit)(void *ctx, const struct kmc_stats_row *row);
	void *ctx;
	struct kmc_stats_row row;
};

/**
 * struct kmc_stat - one row
 * @get: its number; NULL: what @say says; neither: @text is shown
 * @arg: for @get
 * @when: KMC_S_* that must not be 0, or the row is left out; 0: always
 */
struct kmc_stat {
	const char *name;
	u64 (*get)(struct kmc_listing *list, u32 arg);
	const char *(*say)(struct kmc_listing *list);
	u32 arg;
	u16 when;
	const char *text;
};

/* Whether the row at hand is wanted: false: it is to be left out, or the listing is full. */
bool kmc_list_begin(struct kmc_listing *list);

/* The row is written: out with it. */
void kmc_list_emit(struct kmc_listing *list);

/* The value of a setting. @attr: KMC_S_* */
u64 kmc_listing_setting(const struct kmc_listing *list, u32 attr);

/* Of stats_settings.c: the rows of "stats settings". */
void kmc_list_settings(struct kmc_listing *list);

/* A number of struct kmc_buffers_totals, at @offset. */
u64 kmc_stat_buffers(struct kmc_listing *list, u32 offset);

#endif
