// SPDX-License-Identifier: GPL-2.0
/* Pages, chunks, eviction, and what happens when there is no memory. */
#include "fixture.h"
#include "suites.h"

static struct kmc_class_totals class_of(struct cache *c, u32 class)
{
	struct kmc_class_totals totals;
	u32 last;

	local_bh_disable();
	CHECK(kmc_store_class(cache_store(c), class, &last, &totals));
	local_bh_enable();
	return totals;
}

static u64 counted(struct cache *c, enum kmc_class_counter counter)
{
	return kmc_stats_sum_classes(&c->core.stats, counter);
}

/* Keys in order of their number, values of @len bytes. */
static enum kmc_store_status fill(struct cache *c, u32 n, u32 len)
{
	static u8 value[1 << 20];
	char key[16];

	snprintf(key, sizeof(key), "key%u", n);
	memset(value, (int)n, len);
	return cache_put(c, KMC_SET, key, value, len, 0);
}

static bool filled(struct cache *c, u32 n)
{
	char key[16];

	snprintf(key, sizeof(key), "key%u", n);
	return cache_get(c, key, NULL);
}

static u64 used_chunks(struct cache *c)
{
	u64 used = 0;
	u32 class;

	for (class = 1; class <= cache_store(c)->slab.last; class++)
		used += class_of(c, class).used_chunks;
	return used;
}

static void evicts_the_oldest(void)
{
	struct kmc_class_totals totals;
	struct cache c;
	u32 n, class = 0, per_page;

	cache_init(&c);
	c.settings.memory_limit = 2 << 20;
	cache_open(&c);
	for (n = 0; !counted(&c, KMC_CLASS_evicted); n++)
		EQUAL(fill(&c, n, 1000), KMC_STORED);
	while (class_of(&c, ++class).items == 0)
		;
	totals = class_of(&c, class);
	per_page = totals.chunks_per_page;
	/* A page may be with another class's first item, but not here: one class, two pages. */
	EQUAL(totals.pages, 2);
	EQUAL(totals.items, 2 * per_page);
	EQUAL(n, 2 * per_page + 1);
	CHECK(!filled(&c, 0) && filled(&c, 1) && filled(&c, n - 1));
	EQUAL(counted(&c, KMC_CLASS_evicted_unfetched), 1);
	EQUAL(counted(&c, KMC_CLASS_direct_reclaims), 2);	/* one to make it cold */
	cache_close(&c);
}

/* A class's first page comes above the limit. */
static void first_page_above_the_limit(void)
{
	struct kmc_store_totals totals;
	struct cache c;
	u32 n;

	cache_init(&c);
	c.settings.memory_limit = 2 << 20;
	cache_open(&c);
	for (n = 0; !counted(&c, KMC_CLASS_evicted); n++)
		EQUAL(fill(&c, n, 1000), KMC_STORED);
	EQUAL(fill(&c, n, 10), KMC_STORED);
	EQUAL(fill(&c, n + 1, 100000), KMC_STORED);
	local_bh_disable();
	kmc_store_totals(cache_store(&c), &totals);
	local_bh_enable();
	EQUAL(totals.total_malloced, 4 << 20);
	CHECK(filled(&c, n) && filled(&c, n + 1));
	EQUAL(counted(&c, KMC_CLASS_evicted), 1);
	cache_close(&c);
}

static void refuses(void)
{
	struct cache c;
	u32 n, got;

	cache_init(&c);
	c.settings.memory_limit = 2 << 20;
	c.settings.evict = 0;
	cache_open(&c);
	for (n = 0; fill(&c, n, 1000) == KMC_STORED; n++)
		;
	for (got = 0; got < n; got++)
		CHECK(filled(&c, got));
	EQUAL(fill(&c, n, 1000), KMC_NO_MEMORY);
	CHECK(!filled(&c, n));
	EQUAL(counted(&c, KMC_CLASS_evicted), 0);
	CHECK(counted(&c, KMC_CLASS_outofmemory) > 0);
	/* What has expired is no reason to refuse. */
	EQUAL(cache_delete(&c, "key0"), KMC_STORED);
	EQUAL(cache_set_until(&c, "key0", "x", 1), KMC_STORED);
	cache_close(&c);
}

static void expired_before_evicted(void)
{
	static u8 value[1000];
	struct cache c;
	struct kmc_key k;
	struct kmc_item *item;
	u32 n;

	cache_init(&c);
	c.settings.memory_limit = 2 << 20;
	c.settings.evict = 0;
	cache_open(&c);
	k = cache_key(&c, "dying");
	item = cache_item(&c, "dying", value, sizeof(value), 0, kmc_store_now(cache_store(&c)) + 5);
	local_bh_disable();
	EQUAL(kmc_store_link(cache_store(&c), &k, item, KMC_SET, 0, NULL), KMC_STORED);
	kmc_item_put(cache_store(&c), item);
	local_bh_enable();
	for (n = 0; fill(&c, n, 1000) == KMC_STORED; n++)
		;
	kmc_sim_clock_advance(5000);
	EQUAL(fill(&c, n, 1000), KMC_STORED);
	EQUAL(fill(&c, n + 1, 1000), KMC_NO_MEMORY);
	EQUAL(counted(&c, KMC_CLASS_reclaimed), 1);
	EQUAL(counted(&c, KMC_CLASS_expired_unfetched), 1);
	cache_close(&c);
}

/* Used in another window than stored: spared, whether the note was drained or not. */
static void used_ones_stay(bool drain)
{
	struct cache c;
	u32 n, last;

	cache_init(&c);
	c.settings.memory_limit = 2 << 20;
	c.settings.lru_segmented = 0;
	cache_open(&c);
	for (n = 0; n < 100; n++)
		fill(&c, n, 1000);
	kmc_sim_clock_advance(100 * 1000);
	for (n = 0; n < 100; n += 2)
		CHECK(filled(&c, n));
	if (drain)
		cache_maintain(&c);
	for (n = 100; counted(&c, KMC_CLASS_evicted) < 50; n++)
		fill(&c, n, 1000);
	last = n;
	for (n = 0; n < 100; n++)
		CHECK(filled(&c, n) == (n % 2 == 0));
	CHECK(filled(&c, last - 1) && filled(&c, 100));
	EQUAL(counted(&c, KMC_CLASS_evicted_active), 0);
	cache_close(&c);
}

static void used_and_drained(void)
{
	used_ones_stay(true);
}

static void used_and_waiting(void)
{
	used_ones_stay(false);
}

static void bumps_once_in_a_window(void)
{
	struct kmc_ring *ring;
	struct cache c;
	u32 i;

	cache_init(&c);
	c.settings.lru_segmented = 0;
	cache_open(&c);
	ring = this_cpu_ptr(cache_store(&c)->lrus.rings);
	cache_set(&c, "k", "v");
	for (i = 0; i < 10; i++)
		CHECK(cache_has(&c, "k", "v"));
	CHECK(ring->head <= 1);
	kmc_sim_clock_advance(64 * 1000);
	i = ring->head;
	CHECK(cache_has(&c, "k", "v"));
	CHECK(cache_has(&c, "k", "v"));
	EQUAL(ring->head, i + 1);
	cache_close(&c);
}

static void full_rings_drop(void)
{
	struct cache c;
	u32 n;

	cache_init(&c);
	c.settings.lru_segmented = 0;
	cache_open(&c);
	for (n = 0; n < KMC_RING_SIZE + 10; n++)
		fill(&c, n, 10);
	cache_maintain(&c);
	c.wakes = 0;
	kmc_sim_clock_advance(64 * 1000);
	for (n = 0; n < KMC_RING_SIZE + 10; n++)
		CHECK(filled(&c, n));
	EQUAL(kmc_stats_sum(&c.core.stats, KMC_COUNT_lru_bumps_dropped), 10);
	EQUAL(c.wakes, 1);
	cache_maintain(&c);
	/* The dropped ones try again. */
	CHECK(filled(&c, KMC_RING_SIZE + 5));
	EQUAL(kmc_stats_sum(&c.core.stats, KMC_COUNT_lru_bumps_dropped), 10);
	cache_close(&c);
}

/* Everything is held: no memory, no harm. */
static void all_held(void)
{
	static struct kmc_item *items[4000];
	struct cache c;
	u32 n;

	cache_init(&c);
	c.settings.memory_limit = 2 << 20;
	cache_open(&c);
	for (n = 0; n < ARRAY_SIZE(items); n++) {
		char key[16];

		snprintf(key, sizeof(key), "key%u", n);
		items[n] = cache_item(&c, key, "", 1000 * 0, 0, 0);
		if (IS_ERR(items[n]))
			break;
		kmc_item_put(cache_store(&c), items[n]);
		items[n] = cache_item(&c, key, key, (u32)strlen(key), 0, 0);
		CHECK(!IS_ERR(items[n]));
	}
	EQUAL(n, ARRAY_SIZE(items));
	while (n--)
		kmc_item_put(cache_store(&c), items[n]);
	EQUAL(used_chunks(&c), 0);
	cache_close(&c);
}

/* With BH off no page is had: the reserve ends, and says so, before anything is evicted. */
static void reserve_ends(void)
{
	struct kmc_item *item = NULL;
	struct kmc_key k;
	struct cache c;
	u32 n, pages = 0;

	cache_init(&c);
	cache_open(&c);
	CHECK(cache_store(&c)->slab.reserved >= 2);
	pages = cache_store(&c)->slab.reserved;
	local_bh_disable();
	for (n = 0; n < 64 && !IS_ERR(item); n++) {
		k = cache_key(&c, "k");
		item = kmc_item_alloc(cache_store(&c), &k, 0, 0, 500000);
		if (!IS_ERR(item))
			EQUAL(kmc_store_link(cache_store(&c), &(struct kmc_key){ k.data, k.len, k.hash + n },
					     item, KMC_SET, 0, NULL), KMC_STORED);
	}
	local_bh_enable();
	CHECK(item == ERR_PTR(-EAGAIN));
	EQUAL(n - 1, pages * 2);
	EQUAL(counted(&c, KMC_CLASS_evicted) + counted(&c, KMC_CLASS_outofmemory), 0);
	CHECK(c.wakes > 0);
	EQUAL(kmc_store_provide(cache_store(&c)), 0);
	local_bh_disable();
	item = kmc_item_alloc(cache_store(&c), &k, 0, 0, 500000);
	CHECK(!IS_ERR(item));
	kmc_item_put(cache_store(&c), item);
	local_bh_enable();
	c.core.settings.memory_limit = 0;	/* so that nobody is reminded of items with made up hashes */
	kmc_core_exit(&c.core);
	EQUAL(kmc_sim_live_allocations(), 0);
}

/* The system has no page: what is there is used as if that were the limit, until it has one again. */
static void starved(void)
{
	struct cache c;
	u32 n;

	cache_init(&c);
	cache_open(&c);
	kmc_sim_fail(1, U64_MAX);
	for (n = 0; !counted(&c, KMC_CLASS_evicted) && n < 1000; n++)
		EQUAL(fill(&c, n, 400000), KMC_STORED);
	CHECK(n < 64);
	CHECK(cache_store(&c)->slab.starved);
	kmc_store_maintain(cache_store(&c));
	CHECK(kmc_stats_sum(&c.core.stats, KMC_COUNT_malloc_fails) > 0);
	kmc_sim_fail(0, 0);
	cache_maintain(&c);
	CHECK(!cache_store(&c)->slab.starved);
	EQUAL(fill(&c, n, 400000), KMC_STORED);
	EQUAL(counted(&c, KMC_CLASS_evicted), 1);
	cache_close(&c);
}

static void chunked(void)
{
	static u8 value[3 << 20];
	static const u32 lens[] = { 900, 1000, 2000, 4095, 4096, 4097, 10000, 100000, 1000000, 2000000 };
	struct cache c;
	u32 i, j, len;

	cache_init(&c);
	c.settings.item_size_max = 2 << 20;
	c.settings.slab_chunk_max = 1024;
	cache_open(&c);
	for (i = 0; i < sizeof(value); i++)
		value[i] = (u8)(i * 7 + (i >> 8));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (j = 0; j < 3; j++) {
			len = lens[i] + j;
			EQUAL(cache_put(&c, KMC_SET, "k", value, len, 0), KMC_STORED);
			EQUAL(used_chunks(&c) > 1, lens[i] + 60 > 1024);
			CHECK(memcmp(cache_get(&c, "k", &len), value, lens[i] + j) == 0);
			EQUAL(len, lens[i] + j);
		}
	}
	/* append and prepend, across all ends of chunks */
	EQUAL(cache_put(&c, KMC_SET, "k", value + 5000, 1, 0), KMC_STORED);
	for (i = 1; i < 2100; i += 1) {
		EQUAL(cache_put(&c, KMC_APPEND, "k", value + 5000 + i, 1, 0), KMC_STORED);
		EQUAL(cache_put(&c, KMC_PREPEND, "k", value + 5000 - i, 1, 0), KMC_STORED);
		if (i % 97 == 0) {
			CHECK(memcmp(cache_get(&c, "k", &len), value + 5000 - i, 2 * i + 1) == 0);
			EQUAL(len, 2 * i + 1);
		}
	}
	EQUAL(cache_delete(&c, "k"), KMC_STORED);
	EQUAL(used_chunks(&c), 0);
	cache_close(&c);
}

static void too_large(void)
{
	static u8 value[2 << 20];
	struct cache c;
	u32 most;

	cache_init(&c);
	cache_open(&c);
	most = c.settings.item_size_max - 48 - 8 - 3 - 1;
	EQUAL(cache_put(&c, KMC_SET, "k", value, most, 0), KMC_STORED);
	EQUAL(cache_put(&c, KMC_SET, "k", value, most + 1, 0), KMC_TOO_LARGE);
	EQUAL(cache_put(&c, KMC_APPEND, "k", value, 1, 0), KMC_TOO_LARGE);
	local_bh_disable();
	CHECK(kmc_item_alloc(cache_store(&c), &(struct kmc_key){ (u8 *)"k", 1, 0 }, 0, 0, U32_MAX) ==
	      ERR_PTR(-E2BIG));
	CHECK(kmc_item_alloc(cache_store(&c), &(struct kmc_key){ (u8 *)"k", 1, 0 }, 0, 0, U32_MAX - 60) ==
	      ERR_PTR(-E2BIG));
	local_bh_enable();
	cache_close(&c);
}

/* Large values push each other out, whole, and nothing of them is left behind. */
static void chunked_eviction(void)
{
	struct cache c;
	u32 n;

	cache_init(&c);
	c.settings.memory_limit = 8 << 20;
	c.settings.slab_chunk_max = 16 << 10;
	cache_open(&c);
	for (n = 0; n < 100; n++)
		EQUAL(fill(&c, n, 100000 + n * 5000), KMC_STORED);
	CHECK(counted(&c, KMC_CLASS_evicted) > 20);
	CHECK(filled(&c, 99) && !filled(&c, 0));
	for (n = 0; n < 100; n++) {
		char key[16];

		snprintf(key, sizeof(key), "key%u", n);
		cache_delete(&c, key);
	}
	EQUAL(cache_items(&c), 0);
	EQUAL(used_chunks(&c), 0);
	cache_close(&c);
}

/*
 * Heads of values in chunks fill their class, in which nothing is listed: the values they head must go.
 * Ten pages of chunks and one of heads, which is the smaller.
 */
static void heads_are_evicted(void)
{
	struct kmc_class_totals heads;
	struct cache c;
	u32 n, class = 1;

	cache_init(&c);
	c.settings.memory_limit = 11 << 20;
	c.settings.slab_chunk_max = 1024;
	cache_open(&c);
	EQUAL(fill(&c, 0, 980), KMC_STORED);
	while (class_of(&c, class).used_chunks == 0)
		class++;
	heads = class_of(&c, class);
	EQUAL(heads.items, 0);
	for (n = 1; n < heads.chunks_per_page + 100; n++)
		EQUAL(fill(&c, n, 980), KMC_STORED);
	heads = class_of(&c, class);
	EQUAL(heads.pages, 1);
	EQUAL(heads.free_chunks, 0);
	EQUAL(counted(&c, KMC_CLASS_evicted), 100);
	CHECK(!filled(&c, 99) && filled(&c, 100));
	cache_close(&c);
}

/* The class that fits a value's last piece best is full of others: then a larger chunk will do. */
static void tails_take_what_there_is(void)
{
	struct cache c;
	u32 n, class, most;

	cache_init(&c);
	c.settings.memory_limit = 3 << 20;
	c.settings.slab_chunk_max = 1024;
	c.settings.evict = 0;
	cache_open(&c);
	most = cache_store(&c)->slab.classes[cache_store(&c)->slab.last].chunk_size - 16;
	class = kmc_slab_class(&cache_store(&c)->slab, 700 + 16 + cache_store(&c)->slab.save);
	EQUAL(fill(&c, 0, most + 700), KMC_STORED);
	EQUAL(class_of(&c, class).used_chunks, 1);
	for (n = 1; fill(&c, n, class_of(&c, class).chunk_size - 60) == KMC_STORED; n++)
		;
	EQUAL(class_of(&c, class).free_chunks, 0);
	for (n = 10000; n < 10100; n++)
		EQUAL(fill(&c, n, most + 700), KMC_STORED);
	EQUAL(class_of(&c, cache_store(&c)->slab.last).used_chunks, 1 + 2 * 100);
	for (n = 10000; n < 10100; n++)
		CHECK(filled(&c, n));
	cache_close(&c);
}

/* A value of many times the reserve: one more trip to process context, and then it is had at once. */
static void one_giant(void)
{
	struct kmc_item *item;
	struct kmc_key k;
	struct cache c;
	u32 turns = 0;

	cache_init(&c);
	c.settings.memory_limit = 512ULL << 20;
	c.settings.item_size_max = 256 << 20;
	cache_open(&c);
	k = cache_key(&c, "giant");
	do {
		local_bh_disable();
		item = kmc_item_alloc(cache_store(&c), &k, 0, 0, 200 << 20);
		local_bh_enable();
		if (IS_ERR(item))
			EQUAL(kmc_store_provide(cache_store(&c)), 0);
	} while (item == ERR_PTR(-EAGAIN) && ++turns < 3);
	CHECK(!IS_ERR(item));
	EQUAL(turns, 1);
	kmc_item_put(cache_store(&c), item);
	EQUAL(used_chunks(&c), 0);
	cache_close(&c);
}

/* Every allocation on the way to a cache fails once: no cache, and nothing left. */
static void create_fails(void)
{
	static const struct kmc_core_ops none;
	u64 n, before;
	struct cache c;
	int err;

	for (n = 1;; n++) {
		cache_init(&c);
		kmc_sim_fail(n, 1);
		before = kmc_sim_allocations();
		err = kmc_core_init(&c.core, &c.settings, &none);
		kmc_sim_fail(0, 0);
		if (!err)
			break;
		CHECK(err == -ENOMEM);
		EQUAL(kmc_sim_live_allocations(), 0);
		EQUAL(kmc_sim_allocations() - before >= n, 1);
	}
	tap_note("%llu allocations make a cache", n - 1);
	CHECK(n > 8);
	cache_close(&c);
}

/* And while it serves, one after the other: nothing is ever wrong, and in the end nothing is left. */
static void serving_fails(void)
{
	struct cache c;
	u64 n;
	u32 i;

	for (n = 1; n < 40; n++) {
		cache_init(&c);
		c.settings.memory_limit = 16 << 20;
		cache_open(&c);
		kmc_sim_fail(n, 2);
		for (i = 0; i < 20000; i++) {
			enum kmc_store_status status = fill(&c, i, 100 + i % 3 * 2000);

			CHECK(status == KMC_STORED || status == KMC_NO_MEMORY);
			if (status == KMC_STORED)
				CHECK(filled(&c, i));
			if (i % 1000 == 0)
				cache_maintain(&c);
		}
		kmc_sim_fail(0, 0);
		cache_close(&c);
	}
}

/* What an item really costs, for the documentation: header and share of the index. */
static void overhead(void)
{
	struct kmc_store_totals totals;
	struct cache c;
	char key[32];
	u32 n, len;

	cache_init(&c);
	c.settings.memory_limit = 256ULL << 20;
	c.settings.hashpower = 16;
	cache_open(&c);
	for (n = 0; n < 1000000; n++) {
		snprintf(key, sizeof(key), "key:%07u", n);
		EQUAL(cache_put(&c, KMC_SET, key, "0123456789abcdef0123456789abcdef", 32, 0), KMC_STORED);
		if (n % 10000 == 0)
			cache_maintain(&c);
	}
	cache_maintain(&c);
	local_bh_disable();
	kmc_store_totals(cache_store(&c), &totals);
	local_bh_enable();
	len = 11 + 32;
	tap_note("1000000 items, key 11, value 32: header %zu, accounted %.1f, pages %.1f, index %.1f bytes an item",
		 sizeof(struct kmc_item), (double)totals.bytes / n - len,
		 (double)totals.total_malloced / n - len, (double)totals.hash_bytes / n);
	EQUAL(totals.curr_items, 1000000);
	EQUAL(totals.bytes, (u64)n * (40 + len));
	CHECK(totals.hash_bytes / n <= 21);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "memory: evicts the oldest", evicts_the_oldest },
	{ "memory: a class's first page is granted above the limit", first_page_above_the_limit },
	{ "memory: refuses with -M", refuses },
	{ "memory: reuses what has expired, also with -M", expired_before_evicted },
	{ "memory: flat mode spares what was used, notes drained", used_and_drained },
	{ "memory: flat mode spares what was used, notes waiting", used_and_waiting },
	{ "memory: flat mode, one note in a window", bumps_once_in_a_window },
	{ "memory: a full ring drops notes, counts them, asks for upkeep", full_rings_drop },
	{ "memory: items that are only held", all_held },
	{ "memory: an empty reserve is no reason to evict", reserve_ends },
	{ "memory: no page from the system", starved },
	{ "memory: values in chunks", chunked },
	{ "memory: too large", too_large },
	{ "memory: values in chunks are evicted whole", chunked_eviction },
	{ "memory: values go when their heads have no room", heads_are_evicted },
	{ "memory: a last piece takes what there is", tails_take_what_there_is },
	{ "memory: a value much larger than the reserve", one_giant },
	{ "memory: every allocation of creation fails", create_fails },
	{ "memory: allocations fail while serving", serving_fails },
	{ "memory: overhead of an item", overhead },
};

const struct tap_suite memory_suite = TAP_SUITE(tests);
