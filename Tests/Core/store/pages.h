/* SPDX-License-Identifier: GPL-2.0 */
/* What tests of pages say: caches that are filled by number, and what is in them. */
#ifndef PAGES_H
#define PAGES_H

#include "fixture.h"

#define SMALL	1000	/* bytes of a value, several hundred to a page */
#define LARGE	20000	/* in chunks, with PIECE */
#define PIECE	4096

/* The first @len bytes of value @n, in static memory. */
const u8 *value_of(u32 n, u32 len);

/* In static memory. */
const char *key_of(u32 n);

/* Store value @n of @len bytes under key @n; whether it is there, as it was. */
void fill(struct cache *c, u32 n, u32 len);
bool has(struct cache *c, u32 n, u32 want);

struct kmc_class_totals class_of(struct cache *c, u32 class);
struct kmc_store_totals totals_of(struct cache *c);
u64 counted(struct cache *c, enum kmc_counter counter);
u64 evicted(struct cache *c);
u32 class_for(struct cache *c, const char *key, u32 len);

enum kmc_move_answer reassign(struct cache *c, s32 from, s32 to);

/* Steps of upkeep. */
void steps(struct cache *c, u32 count);

/* Steps until the page that moves has gone, or not. */
bool moved(struct cache *c);

/* A cache in which nothing moves but by request. @chunk_max: 0: as ever */
void open_still(struct cache *c, u32 megabytes, u32 chunk_max);

#endif
