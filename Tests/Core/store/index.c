// SPDX-License-Identifier: GPL-2.0
/* The index: growth while it serves, walks while it grows, and no room to grow. */
#include <pthread.h>
#include "fixture.h"
#include "suites.h"
#include "core/store/find.h"
#include "core/store/siphash13.h"

static char *name(u32 n)
{
	static char key[16];

	snprintf(key, sizeof(key), "key%u", n);
	return key;
}

static struct kmc_index_totals totals(struct cache *c)
{
	struct kmc_index_totals totals;

	local_bh_disable();
	kmc_index_totals(cache_store(c), &totals);
	local_bh_enable();
	return totals;
}

static void grows(void)
{
	struct cache c;
	u32 n, m;
	bool seen_growing = false;

	cache_init(&c);
	cache_open(&c);
	EQUAL(totals(&c).power, 12);
	for (n = 0; n < 60000; n++) {
		EQUAL(cache_set(&c, name(n), name(n)), KMC_STORED);
		if (n % 16 == 0)
			kmc_index_grow(cache_store(&c), 5);
		seen_growing |= totals(&c).growing;
		m = n * 2654435761U % (n + 1);
		CHECK(cache_has(&c, name(m), name(m)));
		if (n % 7 == 0) {
			EQUAL(cache_delete(&c, name(m)), KMC_STORED);
			EQUAL(cache_set(&c, name(m), name(m)), KMC_STORED);
		}
	}
	CHECK(seen_growing);
	cache_maintain(&c);
	EQUAL(totals(&c).power, 16);
	for (n = 0; n < 60000; n++)
		CHECK(cache_has(&c, name(n), name(n)));
	for (n = 0; n < 60000; n++)
		EQUAL(cache_delete(&c, name(n)), KMC_STORED);
	EQUAL(cache_items(&c), 0);
	cache_close(&c);
}

/* Nobody upkeeps: when the pool of spilled buckets is empty, storing sends its caller to grow. */
static void grows_when_full(void)
{
	struct cache c;
	u32 n;

	cache_init(&c);
	cache_open(&c);
	for (n = 0; n < 40000; n++)
		EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
	CHECK(c.wakes > 0);
	CHECK(totals(&c).power > 12);
	EQUAL(cache_items(&c), 40000);
	for (n = 0; n < 40000; n++)
		CHECK(cache_has(&c, name(n), "v"));
	cache_close(&c);
}

/* As many come as go: spilled buckets come back to their pool, and nothing needs to grow. */
static void spills_come_back(void)
{
	struct cache c;
	u32 n;

	cache_init(&c);
	cache_open(&c);
	for (n = 0; n < 100000; n++) {
		EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
		if (n >= 3400)
			EQUAL(cache_delete(&c, name(n - 3400)), KMC_STORED);
	}
	EQUAL(totals(&c).power, 12);
	CHECK(rcu_dereference_protected(cache_store(&c)->index.table, true)->fresh > 5);
	cache_close(&c);
}

/* No memory for a larger table: neighbours go; or, with -M, the new one is refused. */
static void stuck(bool evict)
{
	struct cache c;
	u32 n, stored = 0, found = 0;

	cache_init(&c);
	c.settings.evict = evict;
	cache_open(&c);
	kmc_store_provide(cache_store(&c));
	kmc_sim_fail(1, U64_MAX);
	for (n = 0; n < 20000; n++) {
		enum kmc_store_status status = cache_set(&c, name(n), "v");

		CHECK(status == KMC_STORED || status == KMC_NO_MEMORY);
		CHECK(cache_has(&c, name(n), status == KMC_STORED ? "v" : NULL));
		stored += status == KMC_STORED;
	}
	EQUAL(stored == n, evict);
	for (n = 0; n < 20000; n++)
		found += cache_has(&c, name(n), "v");
	EQUAL(cache_items(&c), found);
	EQUAL(kmc_stats_sum_classes(&c.core.stats, KMC_CLASS_evicted), stored - found);
	CHECK(found > 4096);
	kmc_sim_fail(0, 0);
	cache_maintain(&c);
	CHECK(totals(&c).power > 12);
	for (n = 0; n < 1000; n++)
		EQUAL(cache_set(&c, name(n), "w"), KMC_STORED);
	cache_close(&c);
}

static void stuck_evicts(void)
{
	stuck(true);
}

static void stuck_refuses(void)
{
	stuck(false);
}

static u8 visits[70000];

static void visit(void *ctx, struct kmc_item *item)
{
	u32 n = (u32)strtoul((char *)item->data + 3, NULL, 10);

	/* The key is not ended; what follows is the value, "v". */
	CHECK(n < ARRAY_SIZE(visits));
	visits[n]++;
}

/*
 * Items that stay are visited exactly once, whatever the index does between two steps. @grow: buckets
 * moved after each step; @more: items stored after each step.
 */
static void walk(u32 items, u32 grow, u32 more)
{
	struct kmc_walk walk = { 0 };
	struct cache c;
	u32 n, stored = items, steps = 0;
	u32 power;

	cache_init(&c);
	cache_open(&c);
	memset(visits, 0, sizeof(visits));
	for (n = 0; n < items; n++)
		EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
	power = totals(&c).power;
	while (!walk.done) {
		kmc_store_walk(cache_store(&c), &walk, visit, NULL);
		steps++;
		for (n = 0; n < more && stored < ARRAY_SIZE(visits); n++, stored++)
			EQUAL(cache_set(&c, name(stored), "v"), KMC_STORED);
		if (grow)
			kmc_index_grow(cache_store(&c), grow);
	}
	for (n = 0; n < items; n++)
		EQUAL(visits[n], 1);
	for (; n < stored; n++)
		CHECK(visits[n] <= 1);
	if (more)
		CHECK(totals(&c).power > power);
	CHECK(steps >= 1U << 9);
	cache_close(&c);
}

static void walks(void)
{
	walk(4000, 0, 0);
	walk(8000, 0, 0);
	walk(8000, 1, 0);
	walk(8000, 3, 0);
	walk(4000, 1, 10);
	walk(4000, 7, 50);
	walk(4000, 1000, 50);
	walk(4000, 100000, 100);
}

/* Each of the first @items keys is found, and a walk visits it once. */
static void all_there(struct cache *c, const u32 *keys, u32 items)
{
	struct kmc_walk walk = { 0 };
	u32 i;

	memset(visits, 0, sizeof(visits));
	while (!walk.done)
		kmc_store_walk(cache_store(c), &walk, visit, NULL);
	for (i = 0; i < items; i++) {
		CHECK(cache_has(c, name(keys[i]), "v"));
		EQUAL(visits[keys[i]], 1);
	}
	EQUAL(cache_items(c), items);
}

/* A bucket that cannot be split for now, because its half spills and the larger table's pool is empty. */
static void split_fails(void)
{
	static u32 keys[64];
	struct kmc_table *table;
	struct cache c;
	u32 n, items = 0, fresh;

	cache_init(&c);
	cache_open(&c);
	for (n = 0; items < ARRAY_SIZE(keys); n++) {
		u32 number = cache_key(&c, name(n)).hash & 1023;

		/* Twenty of one half of bucket 5, and some others. */
		if (items < 20 ? number != 5 + 512 : number % 512 < 3)
			continue;
		keys[items++] = n;
		EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
	}
	cache_store(&c)->index.full = true;
	CHECK(kmc_index_grow(cache_store(&c), 1));
	table = rcu_dereference_protected(cache_store(&c)->index.table, true);
	fresh = table->next->fresh;
	table->next->fresh = table->next->spills;
	CHECK(!kmc_index_grow(cache_store(&c), 100000));
	EQUAL(table->moved, 5);
	all_there(&c, keys, items);
	table->next->fresh = fresh;
	CHECK(!kmc_index_grow(cache_store(&c), 100000));
	EQUAL(totals(&c).power, 13);
	CHECK(!totals(&c).growing);
	all_there(&c, keys, items);
	cache_close(&c);
}

static int reading;	/* 1: in a read side, 2: may leave */

static void *reader(void *arg)
{
	rcu_read_lock();
	__atomic_store_n(&reading, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&reading, __ATOMIC_SEQ_CST) == 1)
		cpu_relax();
	rcu_read_unlock();
	return NULL;
}

static void old_table_waits_for_readers(void)
{
	struct kmc_index *index;
	pthread_t thread;
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	index = &cache_store(&c)->index;
	CHECK(pthread_create(&thread, NULL, reader, NULL) == 0);
	while (!__atomic_load_n(&reading, __ATOMIC_SEQ_CST))
		cpu_relax();
	index->full = true;
	while (kmc_index_grow(cache_store(&c), 1000))
		;
	kmc_index_grow(cache_store(&c), 1000);
	CHECK(index->old != NULL);
	__atomic_store_n(&reading, 2, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	kmc_index_grow(cache_store(&c), 1000);
	CHECK(index->old == NULL);
	cache_close(&c);
}

static void stale_handles_stay_inside(void)
{
	const struct kmc_slab *slab;
	struct cache c;
	u32 n, size, inside = 0;

	cache_init(&c);
	cache_open(&c);
	slab = &cache_store(&c)->slab;
	cache_set(&c, "a", "b");
	cache_put(&c, KMC_SET, "c", name(0), 4, 0);
	for (n = 0; n < 5000000; n++) {
		u32 handle = n < 200000 ? n : n * 2654435761U;
		u8 *chunk = kmc_chunk_at(slab, handle, &size);
		const struct kmc_page *page;

		if (!chunk)
			continue;
		inside++;
		page = kmc_page(slab, handle >> KMC_CHUNK_BITS);
		CHECK(chunk >= page->base && chunk + size <= page->base + KMC_PAGE_SIZE);
	}
	EQUAL(inside >= 13107, 1);
	CHECK(!kmc_chunk_at(slab, 0, &size) && !kmc_chunk_at(slab, U32_MAX, &size));
	cache_close(&c);
}

/* -o no_hashexpand: as long as there is room, and no item is lost when there is none. */
static void told_not_to_grow(void)
{
	struct cache c;
	u32 n;

	cache_init(&c);
	c.settings.hash_expand = 0;
	cache_open(&c);
	for (n = 0; n < 4500; n++)
		EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
	cache_maintain(&c);
	EQUAL(totals(&c).power, 12);
	for (; n < 20000; n++)
		EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
	cache_maintain(&c);
	CHECK(totals(&c).power > 12);
	EQUAL(cache_items(&c), 20000);
	cache_close(&c);

	cache_init(&c);
	cache_open(&c);
	for (n = 0; n < 4500; n++)
		EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
	cache_maintain(&c);
	EQUAL(totals(&c).power, 13);
	cache_close(&c);
}

/* Computed by the paper's definition with one round and three, which gives its own example with two and four. */
static void hash_as_published(void)
{
	static const struct {
		u32 len;
		u64 hash;
	} known[] = {
		{ 0, 0xabac0158050fc4dc }, { 1, 0xc9f49bf37d57ca93 }, { 7, 0xd3927d989bb11140 },
		{ 8, 0x369095118d299a8e }, { 15, 0xd320d86d2a519956 }, { 16, 0xcc4fdd1a7d908b66 },
		{ 63, 0x9d199062b7bbb3a8 }, { 250, 0x4cfb9e1ed3073560 },
	};
	const siphash_key_t key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	u8 bytes[250];
	u32 i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)i;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		EQUAL(kmc_siphash13(&key, bytes, known[i].len), known[i].hash);
}

/* How often the lock of stripe @watched was dropped. */
static const spinlock_t *watched;
static u32 dropped;

static void note_drop(spinlock_t *lock)
{
	dropped += lock == watched;
}

/* Whether a lookup of key @n sees anything, and whether it did so without the stripe's lock. */
static void expect_peek(struct cache *c, u32 n, bool there, bool lockless)
{
	struct kmc_key key = cache_key(c, name(n));
	struct kmc_peek peek;

	watched = &kmc_stripe(&cache_store(c)->index, key.hash)->lock;
	dropped = 0;
	kmc_sim_unlocked(note_drop);
	local_bh_disable();
	kmc_peek_begin(cache_store(c), &key, &peek);
	local_bh_enable();
	kmc_sim_unlocked(NULL);
	EQUAL(peek.item != NULL, there);
	EQUAL(dropped == 0, lockless);
}

#define HOPS	70	/* more than KMC_HOPS_MAX */

/*
 * A reader without the lock does not follow a chain to its end if that is far. All of it is looked at under the lock;
 * also where it has no right to be so long, because it leads through buckets that are free.
 */
static void far_away(void)
{
	static u32 keys[KMC_BUCKET_SLOTS * (HOPS + 1) + 1];
	const u32 most = ARRAY_SIZE(keys) - 1;
	struct kmc_table *table;
	u32 n, items = 0;
	struct cache c;

	cache_init(&c);
	c.settings.hashpower = 13;
	cache_open(&c);
	table = rcu_dereference_protected(cache_store(&c)->index.table, true);
	for (n = 0; items <= most; n++) {
		if ((cache_key(&c, name(n)).hash & table->mask) != 5)
			continue;
		keys[items++] = n;
		if (items <= most)
			EQUAL(cache_set(&c, name(n), "v"), KMC_STORED);
	}
	EQUAL(table->fresh, HOPS);
	expect_peek(&c, keys[0], true, true);
	expect_peek(&c, keys[KMC_BUCKET_SLOTS * (KMC_HOPS_MAX + 1) - 1], true, true);
	expect_peek(&c, keys[KMC_BUCKET_SLOTS * (KMC_HOPS_MAX + 1)], true, false);
	expect_peek(&c, keys[most - 1], true, false);
	expect_peek(&c, keys[most], false, false);
	for (n = 0; n < most; n++)
		CHECK(cache_has(&c, name(keys[n]), "v"));
	for (n = 0; n < most; n++)
		EQUAL(cache_delete(&c, name(keys[n])), KMC_STORED);
	EQUAL(table->buckets[5].spill, 0);
	expect_peek(&c, keys[most], false, true);
	WRITE_ONCE(table->buckets[5].spill, table->free);
	expect_peek(&c, keys[most], false, false);
	WRITE_ONCE(table->buckets[5].spill, 0);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "index: SipHash-1-3 is that", hash_as_published },
	{ "index: told not to grow, it does when it is full", told_not_to_grow },
	{ "index: grows while it serves", grows },
	{ "index: grows when it is full", grows_when_full },
	{ "index: spilled buckets come back", spills_come_back },
	{ "index: cannot grow: neighbours go", stuck_evicts },
	{ "index: cannot grow, with -M: refuses", stuck_refuses },
	{ "index: a walk visits each once while it grows", walks },
	{ "index: a bucket that cannot be split now is split later", split_fails },
	{ "index: an old table waits for its readers", old_table_waits_for_readers },
	{ "index: who has no lock does not go far", far_away },
	{ "index: no handle leads outside a page", stale_handles_stay_inside },
};

const struct tap_suite index_suite = TAP_SUITE(tests);
