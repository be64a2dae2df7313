// SPDX-License-Identifier: GPL-2.0
/* set, get, add, replace, cas, append, delete: who wins, and what is left. */
#include "fixture.h"
#include "suites.h"

static void set_get_delete(void)
{
	struct cache c;
	u32 i;

	cache_init(&c);
	cache_open(&c);
	CHECK(cache_has(&c, "a", NULL));
	EQUAL(cache_set(&c, "a", "one"), KMC_STORED);
	CHECK(cache_has(&c, "a", "one"));
	EQUAL(cache_set(&c, "a", "three"), KMC_STORED);
	CHECK(cache_has(&c, "a", "three"));
	EQUAL(cache_set(&c, "empty", ""), KMC_STORED);
	CHECK(cache_has(&c, "empty", ""));
	EQUAL(cache_items(&c), 2);
	EQUAL(cache_delete(&c, "a"), KMC_STORED);
	EQUAL(cache_delete(&c, "a"), KMC_NOT_FOUND);
	CHECK(cache_has(&c, "a", NULL));
	for (i = 1; i <= KMC_KEY_MAX; i++) {
		char key[KMC_KEY_MAX + 1] = "";

		memset(key, 'k', i);
		EQUAL(cache_set(&c, key, key), KMC_STORED);
		CHECK(cache_has(&c, key, key));
	}
	EQUAL(cache_items(&c), 1 + KMC_KEY_MAX);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "set, get, delete; keys of all lengths", set_get_delete },
};

const struct tap_suite basics_suite = TAP_SUITE(tests);
