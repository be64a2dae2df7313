// SPDX-License-Identifier: GPL-2.0
/* The crawler. In flat mode, in which nobody else takes out what is dead. */
#include "fixture.h"
#include "suites.h"

static struct cache c;

static const char *name(u32 n)
{
	static char key[16];

	snprintf(key, sizeof(key), "key%u", n);
	return key;
}

static u32 now(void)
{
	return kmc_store_now(cache_store(&c));
}

static u64 counted(enum kmc_class_counter counter)
{
	return kmc_stats_sum_classes(&c.core.stats, counter);
}

static u64 starts(void)
{
	return kmc_stats_sum(&c.core.stats, KMC_COUNT_lru_crawler_starts);
}

/* Upkeep for so many seconds, as often as it wants. */
static void wait_s(u32 seconds)
{
	u64 left = (u64)seconds * HZ, pause;

	for (; left; left -= min(left, pause)) {
		pause = kmc_store_maintain(cache_store(&c));
		kmc_sim_clock_advance(min(left, pause) * 1000 / HZ);
	}
	kmc_store_maintain(cache_store(&c));
}

static void open_flat(void)
{
	c.settings.lru_segmented = 0;
	cache_open(&c);
}

static void fill(u32 count, u32 life)
{
	u32 n;

	for (n = 0; n < count; n++) {
		cache_set_until(&c, name(n), "v", life ? now() + life : 0);
		if (n % 4096 == 0)
			kmc_store_provide(cache_store(&c));
	}
}

static u32 class_of(const char *value)
{
	return kmc_slab_class(&cache_store(&c)->slab,
			      kmc_item_nominal(cache_store(&c), 4, 0, (u32)strlen(value)));
}

static int crawl(u64 classes)
{
	int err;

	local_bh_disable();
	err = kmc_store_crawl(cache_store(&c), classes);
	local_bh_enable();
	return err;
}

static void reaps(void)
{
	u32 n;

	cache_init(&c);
	open_flat();
	for (n = 0; n < 20000; n++)
		cache_set_until(&c, name(n), "v", n % 2 ? now() + 10 : 0);
	wait_s(9);
	EQUAL(cache_items(&c), 20000);
	EQUAL(starts(), 2);		/* at once; and after 5 seconds, for it knows what will die */
	EQUAL(counted(KMC_CLASS_crawler_items_checked), 40000);
	EQUAL(counted(KMC_CLASS_crawler_reclaimed), 0);
	wait_s(70);
	EQUAL(cache_items(&c), 10000);
	EQUAL(counted(KMC_CLASS_crawler_reclaimed), 10000);
	EQUAL(counted(KMC_CLASS_expired_unfetched), 10000);
	EQUAL(counted(KMC_CLASS_reclaimed), 0);
	/* With no deadline about there is nothing to look for. */
	n = (u32)starts();
	wait_s(2 * 3600);
	CHECK(starts() <= n + 1);
	cache_close(&c);
}

/* The less there is to find, the longer it waits; an hour at most. */
static void waits_longer(void)
{
	u32 runs;

	cache_init(&c);
	open_flat();
	fill(1000, 100000);
	wait_s(60);
	EQUAL(starts(), 1);
	wait_s(10);
	EQUAL(starts(), 2);		/* after 65 seconds; then 125, 185, ... */
	wait_s(100);
	EQUAL(starts(), 2);
	wait_s(30);
	EQUAL(starts(), 3);
	wait_s(50000 - 200);
	runs = (u32)starts();
	CHECK(runs > 20 && runs < 45);
	wait_s(3700);
	CHECK(starts() > runs);
	CHECK(starts() <= runs + 2);
	cache_close(&c);
}

static void after_a_flush(void)
{
	cache_init(&c);
	open_flat();
	fill(1000, 0);
	wait_s(100);
	EQUAL(starts(), 0);
	local_bh_disable();
	EQUAL(kmc_store_flush(cache_store(&c), 0), 0);
	local_bh_enable();
	wait_s(1);
	EQUAL(cache_items(&c), 0);
	EQUAL(counted(KMC_CLASS_crawler_reclaimed), 1000);
	EQUAL(counted(KMC_CLASS_expired_unfetched), 0);		/* they have not expired */
	cache_close(&c);
}

static void disabled(void)
{
	cache_init(&c);
	c.settings.lru_crawler = 0;
	open_flat();
	fill(1000, 5);
	wait_s(500);
	EQUAL(cache_items(&c), 1000);
	EQUAL(starts(), 0);
	EQUAL(crawl(~0ULL), 0);
	wait_s(1);
	EQUAL(cache_items(&c), 1000);
	CHECK(!kmc_store_crawls(cache_store(&c)));
	/* And while it serves. */
	c.core.settings.lru_crawler = 1;
	wait_s(1);
	EQUAL(cache_items(&c), 0);
	cache_close(&c);
}

/* Without the maintainer it goes when it is told to, and only through what it is told. */
static void asked(void)
{
	cache_init(&c);
	c.settings.lru_maintainer = 0;
	open_flat();
	fill(100, 5);
	cache_set_until(&c, "long", "0123456789012345678901234567890123456789", now() + 5);
	wait_s(500);
	EQUAL(cache_items(&c), 101);
	c.wakes = 0;
	EQUAL(crawl(1ULL << class_of("v")), 0);
	EQUAL(c.wakes, 1);
	CHECK(kmc_store_crawls(cache_store(&c)));
	EQUAL(crawl(~0ULL), -EBUSY);
	wait_s(1);
	CHECK(!kmc_store_crawls(cache_store(&c)));
	EQUAL(cache_items(&c), 1);
	EQUAL(counted(KMC_CLASS_crawler_items_checked), 100);
	EQUAL(crawl(~0ULL), 0);
	wait_s(1);
	EQUAL(cache_items(&c), 0);
	EQUAL(starts(), 2);
	cache_close(&c);
}

/* A client's run comes first. */
static void asked_while_it_runs(void)
{
	cache_init(&c);
	c.settings.lru_crawler_sleep = 1000000;
	open_flat();
	fill(10000, 1);
	kmc_sim_clock_advance(2000);
	kmc_store_maintain(cache_store(&c));
	CHECK(kmc_store_crawls(cache_store(&c)));
	CHECK(cache_items(&c) > 5000);
	EQUAL(crawl(1ULL << class_of("v")), 0);
	c.core.settings.lru_crawler_sleep = 0;
	cache_maintain(&c);
	EQUAL(cache_items(&c), 0);
	EQUAL(starts(), 2);
	cache_close(&c);
}

static void sleeps(void)
{
	u32 turns;

	cache_init(&c);
	c.settings.lru_crawler_sleep = 500000;
	c.settings.hash_expand = 1;
	open_flat();
	fill(10000, 1);
	while (kmc_index_grow(cache_store(&c), 1000))
		;
	kmc_sim_clock_advance(2000);
	for (turns = 0; cache_items(&c); turns++) {
		EQUAL(kmc_store_maintain(cache_store(&c)) <= HZ / 2, 1);
		kmc_sim_clock_advance(500);
	}
	CHECK(turns >= 8 && turns <= 40);
	/* Without pauses it is done in a few turns, each at once after the other. */
	c.core.settings.lru_crawler_sleep = 0;
	fill(10000, 1);
	kmc_sim_clock_advance(1000);
	EQUAL(crawl(~0ULL), 0);
	for (turns = 1; !kmc_store_maintain(cache_store(&c)); turns++)
		;
	EQUAL(cache_items(&c), 0);
	CHECK(turns <= 5);
	cache_close(&c);
}

/* So many of each class in a run; the next one goes on from there, so that all have their turn. */
static void tocrawl(void)
{
	u32 runs;

	cache_init(&c);
	c.settings.lru_crawler_tocrawl = 300;
	c.settings.lru_maintainer = 0;
	open_flat();
	fill(3000, 1);
	cache_set_until(&c, "long", "0123456789012345678901234567890123456789", now() + 1);
	kmc_sim_clock_advance(2000);
	EQUAL(crawl(1ULL << class_of("v")), 0);
	wait_s(1);
	EQUAL(cache_items(&c), 2701);
	EQUAL(counted(KMC_CLASS_crawler_items_checked), 300);
	for (runs = 1; cache_items(&c) > 1; runs++) {
		CHECK(runs < 20);
		EQUAL(crawl(1ULL << class_of("v")), 0);
		wait_s(1);
	}
	EQUAL(counted(KMC_CLASS_crawler_items_checked), 3000);
	cache_close(&c);
}

/* A run of its own is told as memcached tells of each LRU's (logger.c); one that a client asked for is not. */
static void told(void)
{
	struct kmc_watcher *watcher;
	const char *line;

	cache_init(&c);
	open_flat();
	watcher = cache_watch(&c, KMC_WATCH_SYSEVENTS);
	fill(1000, 100);
	cache_set_until(&c, "long", "0123456789012345678901234567890123456789", now() + 3);
	cache_set(&c, "for ever", "v");
	wait_s(1);
	CHECK(strstr(cache_told(watcher), " type=lru_crawler crawler=0 lru=na low_mark=11 next_reclaims=1001 since_run=0 "
			"next_run=65 elapsed=0 examined=1002 reclaimed=0\n"));
	EQUAL(crawl(~0ULL), 0);
	wait_s(1);
	EQUAL(cache_told(watcher)[0], 0);
	wait_s(70);
	line = cache_told(watcher);
	CHECK(strstr(line, " examined=1001 reclaimed=1\n"));
	CHECK(strstr(line, " low_mark=11 "));
	kmc_watcher_destroy(&c.core, watcher);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "crawl: takes out what has expired", reaps },
	{ "crawl: waits longer when there is nothing to find", waits_longer },
	{ "crawl: goes after a flush", after_a_flush },
	{ "crawl: disabled", disabled },
	{ "crawl: goes through the classes a client asks for", asked },
	{ "crawl: a client's run comes first", asked_while_it_runs },
	{ "crawl: lru_crawler_sleep", sleeps },
	{ "crawl: lru_crawler_tocrawl", tocrawl },
	{ "crawl: its runs are told to who watches", told },
};

const struct tap_suite crawl_suite = TAP_SUITE(tests);
