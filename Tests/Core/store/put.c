// SPDX-License-Identifier: GPL-2.0
/* The straight way to store: over a live item, over whatever else there is, and when it has to refuse. */
#include "fixture.h"
#include "suites.h"

/* Return: whether it was stored. */
static bool put(struct cache *c, const char *key, const char *value, u32 flags, u32 deadline)
{
	const struct kmc_put how = {
		.key = (const u8 *)key,
		.value = (const u8 *)value,
		.nkey = (u32)strlen(key),
		.nbytes = (u32)strlen(value),
		.client_flags = flags,
		.deadline = deadline,
		.now = kmc_store_now(cache_store(c)),
	};
	u32 class = 0;
	bool stored;

	local_bh_disable();
	stored = kmc_put_key(cache_store(c), &how, &class);
	local_bh_enable();
	EQUAL(class != 0, stored);
	return stored;
}

static void open_cache(struct cache *c)
{
	cache_init(c);
	cache_open(c);
}

static u64 used_chunks(struct cache *c, const char *name)
{
	struct kmc_slab_class *class = &cache_store(c)->slab.classes[cache_peek(c, name).class & KMC_ITEM_CLASS];

	return (u64)class->pages * class->per_page - class->free_chunks;
}

static u64 counted(struct cache *c, enum kmc_counter counter)
{
	return kmc_stats_sum(&c->core.stats, counter);
}

static void over_a_live_item(void)
{
	struct cache c;
	struct kmc_peek before, after;

	open_cache(&c);
	EQUAL(cache_set(&c, "k", "one"), KMC_STORED);
	EQUAL(cache_set(&c, "other", "one"), KMC_STORED);
	before = cache_peek(&c, "k");
	EQUAL(used_chunks(&c, "k"), 2);
	CHECK(put(&c, "k", "two", 77, kmc_store_deadline(cache_store(&c), 100)));
	after = cache_peek(&c, "k");
	CHECK(cache_has(&c, "k", "two"));
	CHECK(cache_has(&c, "other", "one"));
	EQUAL(after.client_flags, 77);
	EQUAL(after.exptime, kmc_store_deadline(cache_store(&c), 100));
	EQUAL(after.cas, before.cas + 2);
	EQUAL(after.seen & (KMC_SEEN_FETCHED | KMC_SEEN_ACTIVE), 0);
	EQUAL(used_chunks(&c, "k"), 2);
	EQUAL(cache_items(&c), 2);
	EQUAL(counted(&c, KMC_COUNT_total_items), 3);
	cache_close(&c);
}

/* Bytes and items of the lists, and their order: the newest at the head, so that the other is evicted first. */
static void lists_are_kept(void)
{
	static const char other[] = "a value that is too long for a chunk of the class that it was in, by far";
	struct kmc_lru *hot;
	struct cache c;

	open_cache(&c);
	EQUAL(cache_set(&c, "c", other), KMC_STORED);
	EQUAL(cache_set(&c, "a", "one"), KMC_STORED);
	EQUAL(cache_set(&c, "b", "one"), KMC_STORED);
	hot = kmc_lru(cache_store(&c), cache_peek(&c, "a").class & KMC_ITEM_CLASS, KMC_HOT);
	EQUAL(hot->head, cache_peek(&c, "b").handle);
	CHECK(put(&c, "a", "three", 0, 0));
	EQUAL(hot->head, cache_peek(&c, "a").handle);
	EQUAL(hot->tail, cache_peek(&c, "b").handle);
	EQUAL(hot->items, 2);
	EQUAL(hot->bytes, 2 * (sizeof(struct kmc_item) + 1) + 5 + 3);
	/* To another list: of another class. */
	CHECK(put(&c, "a", other, 0, 0));
	EQUAL(hot->items, 1);
	EQUAL(hot->bytes, sizeof(struct kmc_item) + 1 + 3);
	EQUAL(cache_items(&c), 3);
	cache_close(&c);
}

static void over_nothing_and_over_the_dead(void)
{
	struct cache c;

	open_cache(&c);
	CHECK(!put(&c, "new", "one", 0, 0));	/* the class has no page */
	EQUAL(counted(&c, KMC_COUNT_total_items), 0);
	EQUAL(cache_set_until(&c, "dead", "one", 5), KMC_STORED);
	CHECK(put(&c, "new", "one", 0, 0));
	CHECK(cache_has(&c, "new", "one"));
	kmc_sim_clock_advance(10000);
	CHECK(put(&c, "dead", "two", 0, 0));
	CHECK(cache_has(&c, "dead", "two"));
	EQUAL(counted(&c, KMC_COUNT_get_expired), 1);
	local_bh_disable();
	EQUAL(kmc_store_flush(cache_store(&c), 0), 0);
	local_bh_enable();
	kmc_sim_clock_advance(2000);
	CHECK(put(&c, "new", "two", 0, 0));
	CHECK(cache_has(&c, "new", "two"));
	CHECK(cache_has(&c, "dead", NULL));
	cache_close(&c);
}

/* Whoever holds the old item keeps it, and its chunks come back when he lets go. */
static void over_what_is_held(void)
{
	char large[2000] = "";
	struct kmc_item *held;
	enum kmc_miss miss;
	struct kmc_key key;
	struct cache c;

	cache_init(&c);
	c.settings.slab_chunk_max = 1024;
	cache_open(&c);
	EQUAL(cache_set(&c, "small", "x"), KMC_STORED);	/* so that its class has a page */
	memset(large, 'v', sizeof(large) - 1);
	EQUAL(cache_set(&c, "k", large), KMC_STORED);
	key = cache_key(&c, "k");
	local_bh_disable();
	held = kmc_store_get(cache_store(&c), &key, &miss);
	local_bh_enable();
	CHECK(put(&c, "k", "two", 0, 0));
	CHECK(cache_has(&c, "k", "two"));
	EQUAL(refcount_read(&held->ref), 1);
	EQUAL(held->flags & (KMC_ITEM_LINKED | KMC_ITEM_CHUNKED), KMC_ITEM_CHUNKED);
	local_bh_disable();
	kmc_item_put(cache_store(&c), held);
	local_bh_enable();
	cache_close(&c);
}

static void refuses(void)
{
	char value[KMC_CLASS_SMALL] = "";
	struct cache c;

	open_cache(&c);
	memset(value, 'v', sizeof(value) - 1);
	EQUAL(cache_set(&c, "k", value), KMC_STORED);
	CHECK(!put(&c, "k", value, 0, 0));	/* with its header that is more than what is looked up */
	EQUAL(cache_set(&c, "k", "one"), KMC_STORED);
	WRITE_ONCE(c.core.settings.lru_segmented, false);
	CHECK(!put(&c, "k", "two", 0, 0));
	CHECK(cache_has(&c, "k", "one"));
	WRITE_ONCE(c.core.settings.lru_segmented, true);
	CHECK(put(&c, "k", "two", 0, 0));
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "put: over a live item", over_a_live_item },
	{ "put: the lists are kept", lists_are_kept },
	{ "put: over nothing, and over the dead", over_nothing_and_over_the_dead },
	{ "put: over what is held, in chunks", over_what_is_held },
	{ "put: refuses what takes more", refuses },
};

const struct tap_suite put_suite = TAP_SUITE(tests);
