// SPDX-License-Identifier: GPL-2.0
/* Pages that nobody asked for to be moved. */
#include "pages.h"
#include "suites.h"

/* A second passes, and what it brings is done. */
static void second(struct cache *c)
{
	kmc_sim_clock_advance(1000);
	steps(c, 300);
}

static void automove_idle(void)
{
	struct cache c;
	u32 class, n, many;

	cache_init(&c);
	c.settings.memory_limit = 8 << 20;
	c.settings.slab_automove_window = 3;
	cache_open(&c);
	class = class_for(&c, "key0", SMALL);
	for (many = 0; class_of(&c, class).pages < 8; many++)
		fill(&c, many, SMALL);
	for (n = 0; n < many; n += 2)
		cache_delete(&c, key_of(n));
	for (n = 0; n < 12 && !totals_of(&c).pooled_pages; n++)
		second(&c);
	/* In the same second, all that it can spare: a page that is given away is no reason to wait. */
	EQUAL(totals_of(&c).pooled_pages, 2);
	EQUAL(class_of(&c, class).pages, 6);
	EQUAL(evicted(&c), 0);
	for (n = 1; n < many; n += 2)
		CHECK(has(&c, n, SMALL));
	cache_close(&c);
}

/* One class was filled long ago, another one evicts what is young: @wanted pages move. */
static u32 automove_ages(u32 level, u32 ratio)
{
	struct cache c;
	u32 old, young, n, round, next = 100000, pages;

	cache_init(&c);
	c.settings.memory_limit = 8 << 20;
	c.settings.slab_automove = level;
	c.settings.slab_automove_window = 3;
	c.settings.slab_automove_ratio = ratio;
	cache_open(&c);
	old = class_for(&c, "key0", SMALL);
	young = class_for(&c, "key000000", 5000);
	for (n = 0; class_of(&c, old).pages < 7; n++)
		fill(&c, n, SMALL);
	kmc_sim_clock_advance(500000);
	for (round = 0; round < 12; round++) {
		for (n = 0; n < 300; n++)
			fill(&c, next++, 5000);
		second(&c);
	}
	pages = class_of(&c, young).pages;
	cache_close(&c);
	return pages;
}

static void automove_by_age(void)
{
	CHECK(automove_ages(1, 800000) > 2);
}

static void automove_off(void)
{
	EQUAL(automove_ages(0, 800000), 1);
}

static void automove_ratio(void)
{
	EQUAL(automove_ages(1, 1), 1);
}

static void automove_at_each_eviction(void)
{
	CHECK(automove_ages(2, 1) > 2);
}

/* As logger.c of 1.6.45 has it: the automover's moves are told, a client's are not. */
static void told(void)
{
	struct kmc_watcher *watcher;
	char expect[64];
	struct cache c;
	u32 class, n;

	cache_init(&c);
	c.settings.memory_limit = 4 << 20;
	c.settings.slab_automove_window = 3;
	cache_open(&c);
	watcher = cache_watch(&c, KMC_WATCH_SYSEVENTS);
	class = class_for(&c, "key0", SMALL);
	for (n = 0; class_of(&c, class).pages < 4; n++)
		fill(&c, n, SMALL);
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	CHECK(moved(&c));
	EQUAL(cache_told(watcher)[0], 0);
	fill(&c, n, SMALL);
	while (n)
		cache_delete(&c, key_of(--n));
	for (n = 0; n < 12 && counted(&c, KMC_COUNT_slabs_moved) < 2; n++)
		second(&c);
	snprintf(expect, sizeof(expect), " type=slab_move src=%u dst=0 state=ok\n", class);
	CHECK(strstr(cache_told(watcher), expect));
	kmc_watcher_destroy(&c.core, watcher);
	cache_close(&c);
}

/* Nor are they what a client asked for: a limit, not a page. */
static void told_below_a_limit(void)
{
	struct kmc_watcher *watcher;
	struct cache c;
	u32 n;

	cache_init(&c);
	c.settings.memory_limit = 4 << 20;
	cache_open(&c);
	for (n = 0; class_of(&c, class_for(&c, "key0", SMALL)).pages < 3; n++)
		fill(&c, n, SMALL);
	watcher = cache_watch(&c, KMC_WATCH_SYSEVENTS);
	local_bh_disable();
	kmc_store_set_limit(cache_store(&c), 1 << 20);
	local_bh_enable();
	steps(&c, 3000);
	CHECK(strstr(cache_told(watcher), " dst=0 state=ok\n"));
	kmc_watcher_destroy(&c.core, watcher);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "automove: a class with much room gives a page to the pool", automove_idle },
	{ "automove: pages go to where the youngest are evicted", automove_by_age },
	{ "automove: unless they are told not to", automove_off },
	{ "automove: or ages are not far enough apart", automove_ratio },
	{ "automove: level 2, a page for each eviction", automove_at_each_eviction },
	{ "automove: its moves are told to who watches", told },
	{ "automove: moves below a new limit are told, too", told_below_a_limit },
};

const struct tap_suite automove_suite = TAP_SUITE(tests);
