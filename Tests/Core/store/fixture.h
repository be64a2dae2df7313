/* SPDX-License-Identifier: GPL-2.0 */
/* A cache to test, and short words for what tests do with it. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdlib.h>
#include "core/store/state.h"
#include "sim/sim.h"
#include "tap.h"

struct cache {
	struct kmc_core core;
	struct kmc_settings settings;
	unsigned int wakes;
};

/* Defaults, for a test to change before cache_open(). */
void cache_init(struct cache *c);
void cache_open(struct cache *c);

/* Also checks that nothing is left. */
void cache_close(struct cache *c);

static inline struct kmc_store *cache_store(struct cache *c)
{
	return c->core.store;
}

struct kmc_key cache_key(struct cache *c, const char *key);

/* An item with a value, filled; as kmc_item_alloc(), but goes to process context when told to. */
struct kmc_item *cache_item(struct cache *c, const char *key, const void *value, u32 len, u32 flags,
			    u32 deadline);

/* Store @value by @mode; waits for process context when told to. */
enum kmc_store_status cache_put(struct cache *c, enum kmc_store_mode mode, const char *key,
				const void *value, u32 len, u64 cas);
enum kmc_store_status cache_set(struct cache *c, const char *key, const char *value);
enum kmc_store_status cache_set_until(struct cache *c, const char *key, const char *value, u32 deadline);
enum kmc_store_status cache_delete(struct cache *c, const char *key);

/* As soon as item @key has been replaced by another, somebody outdates that and gives it CAS value @cas. Once. */
void cache_intrude(struct cache *c, const char *key, u64 cas);

/* The CAS value of item @key, 0: there is none. */
u64 cache_cas(struct cache *c, const char *key);

/* The value under a key in static memory, ended by a zero byte; NULL: a miss. Read by a peek and by a held
 * item, which must agree.
 */
const char *cache_get(struct cache *c, const char *key, u32 *len);
bool cache_has(struct cache *c, const char *key, const char *value);

/* Process context: all upkeep there is now. */
void cache_maintain(struct cache *c);

u64 cache_items(struct cache *c);

/* Somebody watches @events (set of enum kmc_watched). What he was told since he was asked last: in static memory,
 * ended by a zero byte, without the first OK.
 */
struct kmc_watcher *cache_watch(struct cache *c, u32 events);
const char *cache_told(struct kmc_watcher *watcher);

/* A look at the live item with this key, which must be there. What it points to is not to be followed. */
struct kmc_peek cache_peek(struct cache *c, const char *name);

#endif
