// SPDX-License-Identifier: GPL-2.0
/* Planted bugs: the sanitizer must see them inside the pages that the store carves itself. */
#include "fixture.h"
#include "suites.h"

static struct cache c;

static struct kmc_item *an_item(u32 len)
{
	static u8 value[100000];

	cache_init(&c);
	cache_open(&c);
	return cache_item(&c, "key", value, len, 0, 0);
}

static void within(void)
{
	struct kmc_item *item = an_item(21);
	u32 i;

	for (i = 0; i < 21; i++)
		((volatile u8 *)kmc_item_value(item))[i] = 1;
	CHECK(kmc_item_value(item)[20] == 1);
	kmc_item_put(cache_store(&c), item);
	cache_close(&c);
}

static void overrun(void)
{
	struct kmc_item *item = an_item(21);

	((volatile u8 *)kmc_item_value(item))[21] = 1;
}

static void use_after_free(void)
{
	struct kmc_item *item = an_item(21);

	kmc_item_put(cache_store(&c), item);
	((volatile u8 *)kmc_item_value(item))[0] = 1;
}

static void use_after_delete(void)
{
	struct kmc_key k;
	struct kmc_peek peek;
	u8 byte;

	an_item(0);
	cache_set(&c, "k", "value");
	k = cache_key(&c, "k");
	local_bh_disable();
	kmc_peek_begin(cache_store(&c), &k, &peek);
	local_bh_enable();
	cache_delete(&c, "k");
	byte = *(const volatile u8 *)peek.value;
	CHECK(byte != 0);
}

static void fresh_chunk(void)
{
	struct kmc_item *item = an_item(21);

	/* The next chunk of the page was never handed out. */
	((volatile u8 *)item)[cache_store(&c)->slab.classes[1].chunk_size + 4] = 1;
}

static void chunk_overrun(void)
{
	static u8 value[100000];
	struct kmc_cursor cursor;
	struct kmc_item *item;
	u32 run;
	u8 *at;

	cache_init(&c);
	c.settings.slab_chunk_max = 1024;
	cache_open(&c);
	item = cache_item(&c, "key", value, 1500, 0, 0);
	kmc_cursor_init(cache_store(&c), &cursor, item);
	run = kmc_cursor_run(&cursor, &at);
	kmc_cursor_advance(cache_store(&c), &cursor, run);
	run = kmc_cursor_run(&cursor, &at);
	CHECK(run > 0 && run < 1000);
	((volatile u8 *)at)[run] = 1;
}

static void put_twice(void)
{
	struct kmc_item *item = an_item(21);

	kmc_item_put(cache_store(&c), item);
	kmc_item_put(cache_store(&c), item);
}

static void change_without_lock(void)
{
	an_item(21);
	local_bh_disable();
	kmc_index_insert(cache_store(&c), 1, 1);
}

static const struct tap_test tests[] = {
	{ "poison: an item's own bytes are its own", within },
	{ "poison: one byte behind a value", overrun, "use-after-poison", true },
	{ "poison: after the last reference", use_after_free, "use-after-poison", true },
	{ "poison: after delete", use_after_delete, "use-after-poison", true },
	{ "poison: a chunk that was never handed out", fresh_chunk, "use-after-poison", true },
	{ "poison: one byte behind a value in chunks", chunk_overrun, "use-after-poison", true },
	{ "poison: a reference given back twice", put_twice, "reference count below zero" },
	{ "poison: the index without its lock", change_without_lock, "not held" },
};

const struct tap_suite poison_suite = TAP_SUITE(tests);
