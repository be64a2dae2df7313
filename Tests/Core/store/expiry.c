// SPDX-License-Identifier: GPL-2.0
#include "fixture.h"
#include "suites.h"

static char *name(u32 n)
{
	static char key[16];

	snprintf(key, sizeof(key), "key%u", n);
	return key;
}

static u32 now(struct cache *c)
{
	return kmc_store_now(cache_store(c));
}

static int flush(struct cache *c, u32 when)
{
	int err;

	local_bh_disable();
	err = kmc_store_flush(cache_store(c), when);
	local_bh_enable();
	return err;
}

static void sleep_s(u32 seconds)
{
	kmc_sim_clock_advance(seconds * 1000ULL);
}

static u64 counted(struct cache *c, enum kmc_counter counter)
{
	return kmc_stats_sum(&c->core.stats, counter);
}

static void deadlines(void)
{
	const s64 month = 60 * 60 * 24 * 30;
	struct kmc_store *store;
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	store = cache_store(&c);
	EQUAL(now(&c), 2);
	sleep_s(98);
	EQUAL(now(&c), 100);
	EQUAL(kmc_store_deadline(store, 0), 0);
	EQUAL(kmc_store_deadline(store, 1), 101);
	EQUAL(kmc_store_deadline(store, -1), 1);
	EQUAL(kmc_store_deadline(store, S64_MIN), 1);
	EQUAL(kmc_store_deadline(store, month), 100 + month);
	EQUAL(kmc_store_deadline(store, month + 1), 1);
	EQUAL(kmc_store_deadline(store, ktime_get_real_seconds()), 1);
	EQUAL(kmc_store_deadline(store, ktime_get_real_seconds() - 1), 1);
	EQUAL(kmc_store_deadline(store, ktime_get_real_seconds() + 7), 107);
	EQUAL(kmc_store_deadline(store, S64_MAX), U32_MAX);
	EQUAL(kmc_store_deadline(store, ktime_get_real_seconds() + U32_MAX), U32_MAX);
	/* The wall clock may be set; ours goes on. */
	kmc_sim_clock_set_wall(ktime_get_real_seconds() + 5000);
	EQUAL(now(&c), 100);
	EQUAL(kmc_store_deadline(store, ktime_get_real_seconds() + 7), 107);
	cache_close(&c);
}

static void expires(void)
{
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	cache_set_until(&c, "a", "v", now(&c) + 3);
	cache_set_until(&c, "dead", "v", 1);
	CHECK(cache_has(&c, "dead", NULL));
	EQUAL(counted(&c, KMC_COUNT_get_expired), 1);
	sleep_s(2);
	CHECK(cache_has(&c, "a", "v"));
	sleep_s(1);
	EQUAL(cache_items(&c), 1);
	CHECK(cache_has(&c, "a", NULL));
	EQUAL(cache_items(&c), 0);
	EQUAL(counted(&c, KMC_COUNT_get_expired), 2);
	/* Counted once; from then on it is just not there. */
	CHECK(cache_has(&c, "a", NULL));
	EQUAL(counted(&c, KMC_COUNT_get_expired), 2);
	/* Every mode sees it as absent. */
	cache_set_until(&c, "a", "v", 1);
	EQUAL(cache_put(&c, KMC_REPLACE, "a", "w", 1, 0), KMC_NOT_STORED);
	cache_set_until(&c, "a", "v", 1);
	EQUAL(cache_put(&c, KMC_ADD, "a", "w", 1, 0), KMC_STORED);
	cache_set_until(&c, "a", "v", 1);
	EQUAL(cache_delete(&c, "a"), KMC_NOT_FOUND);
	cache_close(&c);
}

static void flush_is_exact(void)
{
	struct cache c;
	u32 n;

	cache_init(&c);
	cache_open(&c);
	for (n = 0; n < 100; n++)
		cache_set(&c, name(n), "v");
	EQUAL(flush(&c, 0), 0);
	for (n = 0; n < 50; n++) {
		CHECK(cache_has(&c, name(n), NULL));
		cache_set(&c, name(n), "w");	/* in the very second of the flush */
		CHECK(cache_has(&c, name(n), "w"));
	}
	EQUAL(counted(&c, KMC_COUNT_get_flushed), 50);
	sleep_s(1);
	for (n = 0; n < 100; n++)
		CHECK(cache_has(&c, name(n), n < 50 ? "w" : NULL));
	EQUAL(cache_items(&c), 50);
	cache_close(&c);
}

static void flush_with_delay(void)
{
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "a", "v");
	EQUAL(flush(&c, now(&c) + 3), 0);
	cache_set(&c, "b", "v");
	sleep_s(2);
	cache_set(&c, "c", "v");
	CHECK(cache_has(&c, "a", "v") && cache_has(&c, "b", "v"));
	sleep_s(1);
	CHECK(cache_has(&c, "a", NULL) && cache_has(&c, "b", NULL) && cache_has(&c, "c", NULL));
	cache_set(&c, "d", "v");		/* within that second: gone at once */
	CHECK(cache_has(&c, "d", NULL));
	sleep_s(1);
	cache_set(&c, "e", "v");
	CHECK(cache_has(&c, "e", "v"));
	sleep_s(100);
	cache_maintain(&c);
	CHECK(cache_has(&c, "e", "v") && cache_has(&c, "d", NULL));
	EQUAL(cache_items(&c), 1);
	cache_close(&c);
}

static void flush_replaces_flush(void)
{
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "a", "v");
	EQUAL(flush(&c, now(&c) + 5), 0);
	EQUAL(flush(&c, now(&c) + 50), 0);
	sleep_s(10);
	CHECK(cache_has(&c, "a", "v"));
	EQUAL(flush(&c, 0), 0);			/* and the one that waited is forgotten */
	CHECK(cache_has(&c, "a", NULL));
	cache_set(&c, "a", "w");
	sleep_s(100);
	CHECK(cache_has(&c, "a", "w"));
	EQUAL(flush(&c, now(&c) - 1), 0);	/* the past is now */
	CHECK(cache_has(&c, "a", NULL));
	/* One that is in force does not come undone by the next. */
	cache_set(&c, "b", "v");
	EQUAL(flush(&c, now(&c) + 2), 0);
	sleep_s(5);
	EQUAL(flush(&c, now(&c) + 100), 0);
	CHECK(cache_has(&c, "b", NULL));
	cache_close(&c);
}

/* More flushes than fit into a byte: nothing that was flushed comes back. */
static void many_flushes(void)
{
	struct cache c;
	u32 n, refused = 0;

	cache_init(&c);
	cache_open(&c);
	for (n = 0; n < 2000; n++) {
		cache_set(&c, name(n), "v");
		while (flush(&c, 0)) {
			refused++;
			EQUAL(kmc_store_provide(cache_store(&c)), 0);
		}
		if (n >= 256)
			CHECK(cache_has(&c, name(n - 256), NULL));
		CHECK(cache_has(&c, name(n), NULL));
	}
	CHECK(refused > 0 && refused < 20);
	for (n = 0; n < 2000; n++)
		CHECK(cache_has(&c, name(n), NULL));
	cache_close(&c);
}

static void touched_keeps_being_looked_for(void)
{
	struct kmc_item *item;
	enum kmc_miss miss;
	struct kmc_key k;
	struct cache c;
	u32 i;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "k", "v");
	sleep_s(300);
	cache_maintain(&c);
	k = cache_key(&c, "k");
	local_bh_disable();
	item = kmc_store_get_touch(cache_store(&c), &k, now(&c) + 5, &miss);
	kmc_item_put(cache_store(&c), item);
	local_bh_enable();
	for (i = 0; i < 200 && cache_items(&c); i++) {
		sleep_s(1);
		kmc_store_maintain(cache_store(&c));
	}
	EQUAL(cache_items(&c), 0);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "expiry: what exptime means", deadlines },
	{ "expiry: an item is gone from its second on", expires },
	{ "expiry: a flush is exact within its second", flush_is_exact },
	{ "expiry: a flush with delay", flush_with_delay },
	{ "expiry: flushes replace flushes that wait", flush_replaces_flush },
	{ "expiry: thousands of flushes", many_flushes },
	{ "expiry: a touched item is reaped too", touched_keeps_being_looked_for },
};

const struct tap_suite expiry_suite = TAP_SUITE(tests);
