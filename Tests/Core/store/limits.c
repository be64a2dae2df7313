// SPDX-License-Identifier: GPL-2.0
/* Memory goes back to the system, and comes again; nobody has all of it by announcing values. */
#include "pages.h"
#include "suites.h"

/* Memory goes back to the system, and comes again. */
static void limit(void)
{
	struct cache c;
	u32 class, n, kept = 0;
	u64 full;

	open_still(&c, 32, 0);
	class = class_for(&c, "key0", SMALL);
	for (n = 0; class_of(&c, class).pages < 30; n++)
		fill(&c, n, SMALL);
	full = kmc_sim_live_bytes();
	local_bh_disable();
	kmc_store_set_limit(cache_store(&c), 10 << 20);
	local_bh_enable();
	steps(&c, 5000);
	EQUAL(class_of(&c, class).pages, 10);
	EQUAL(totals_of(&c).total_malloced, 10 << 20);
	CHECK(kmc_sim_live_bytes() <= full - (20ULL << 20));
	while (n--)
		kept += has(&c, n, SMALL);
	EQUAL(kept, class_of(&c, class).items);
	CHECK(kept > 9 * class_of(&c, class).chunks_per_page);
	local_bh_disable();
	kmc_store_set_limit(cache_store(&c), 40 << 20);
	local_bh_enable();
	for (n = 0; class_of(&c, class).pages < 40; n++)
		fill(&c, n, SMALL);
	cache_close(&c);
}

/* The system asks, gets, and is not asked for more at once; later it is. */
static void pressed(void)
{
	struct cache c;
	u32 class, n;

	open_still(&c, 16, 0);
	class = class_for(&c, "key0", SMALL);
	for (n = 0; class_of(&c, class).pages < 16; n++)
		fill(&c, n, SMALL);
	EQUAL(kmc_store_spare(cache_store(&c)), 15 + totals_of(&c).reserved_pages);
	kmc_store_press(cache_store(&c), 5);
	steps(&c, 3000);
	EQUAL(class_of(&c, class).pages, 11);
	EQUAL(totals_of(&c).reclaimed_pages, 5);
	for (n = 0; n < 40000; n++)
		fill(&c, n, SMALL);
	EQUAL(class_of(&c, class).pages, 11);
	kmc_sim_clock_advance(11000);
	steps(&c, 10);
	for (n = 0; n < 40000; n++)
		fill(&c, n, SMALL);
	EQUAL(class_of(&c, class).pages, 16);
	cache_close(&c);
}

static void listed_sizes(void)
{
	struct cache c;
	const char *complaint;

	cache_init(&c);
	strscpy(c.settings.slab_sizes, "96-120-1000", sizeof(c.settings.slab_sizes));
	cache_open(&c);
	EQUAL(cache_store(&c)->slab.last, 4);
	EQUAL(cache_store(&c)->slab.classes[2].nominal, 120);
	EQUAL(cache_store(&c)->slab.classes[3].nominal, 1000);
	EQUAL(cache_store(&c)->slab.classes[4].nominal, 512 << 10);
	fill(&c, 1, SMALL);
	CHECK(has(&c, 1, SMALL));
	EQUAL(class_of(&c, 4).items, 1);
	cache_close(&c);
	strscpy(c.settings.slab_sizes, "96-104", sizeof(c.settings.slab_sizes));
	EQUAL(kmc_settings_check(&c.settings, &complaint), -EINVAL);
	strscpy(c.settings.slab_sizes, "96-x", sizeof(c.settings.slab_sizes));
	EQUAL(kmc_settings_check(&c.settings, &complaint), -EINVAL);
	strscpy(c.settings.slab_sizes, "47", sizeof(c.settings.slab_sizes));
	EQUAL(kmc_settings_check(&c.settings, &complaint), -EINVAL);
}

/* Who only announces large values does not get all the memory. */
static void announced(void)
{
	struct kmc_item *items[100];
	struct cache c;
	u32 n, many;

	open_still(&c, 16, 0);
	for (many = 0; many < 100; many++) {
		items[many] = cache_item(&c, "large", value_of(0, 1000000), 1000000, 0, 0);
		if (IS_ERR(items[many]))
			break;
	}
	EQUAL(many, 8);
	CHECK(items[many] == ERR_PTR(-ENOMEM));
	EQUAL(totals_of(&c).incoming_bytes, 8000000);
	fill(&c, 1, SMALL);
	for (n = 0; n < many; n++)
		kmc_item_put(cache_store(&c), items[n]);
	EQUAL(totals_of(&c).incoming_bytes, 0);
	fill(&c, 2, 500000);
	EQUAL(totals_of(&c).incoming_bytes, 0);
	cache_close(&c);
}

/* What counts as taken already: no page fits behind it but each class's first. */
static void taken(void)
{
	struct cache c;

	cache_init(&c);
	c.settings.initial_malloc = c.settings.memory_limit - (2 << 20) + 32;
	c.settings.evict = 0;
	cache_open(&c);
	EQUAL(totals_of(&c).total_malloced, c.settings.initial_malloc);
	EQUAL(cache_put(&c, KMC_SET, "a", value_of(0, 400000), 400000, 0), KMC_STORED);
	EQUAL(cache_put(&c, KMC_SET, "b", value_of(1, 400000), 400000, 0), KMC_STORED);
	CHECK(IS_ERR(cache_item(&c, "c", value_of(2, 400000), 400000, 0, 0)));
	EQUAL(totals_of(&c).total_malloced, c.settings.initial_malloc + (1 << 20));
	fill(&c, 3, SMALL);
	EQUAL(totals_of(&c).total_malloced, c.settings.initial_malloc + (2 << 20));
	cache_close(&c);
	cache_init(&c);
	c.settings.initial_malloc = 2 * c.settings.memory_limit;
	cache_open(&c);
	fill(&c, 4, SMALL);
	CHECK(has(&c, 4, SMALL));
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "limits: a lower limit gives memory back", limit },
	{ "limits: gives memory back when pressed", pressed },
	{ "limits: sizes that are listed", listed_sizes },
	{ "limits: values that are only announced", announced },
	{ "limits: what counts as taken already", taken },
};

const struct tap_suite limits_suite = TAP_SUITE(tests);
