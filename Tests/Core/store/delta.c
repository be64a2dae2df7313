// SPDX-License-Identifier: GPL-2.0
#include "fixture.h"
#include "suites.h"

static enum kmc_store_status apply(struct cache *c, const char *key, struct kmc_delta *delta)
{
	struct kmc_key k = cache_key(c, key);
	enum kmc_store_status status;

	for (;;) {
		local_bh_disable();
		status = kmc_store_delta(cache_store(c), &k, delta);
		local_bh_enable();
		if (status != KMC_AGAIN)
			return status;
		kmc_store_provide(cache_store(c));
	}
}

/* @after: what a get shows then. NULL: not a number. */
struct row {
	const char *before;
	bool decrement;
	u64 delta, value;
	const char *after;
};

static const struct row rows[] = {
	{ "0", false, 1, 1, "1" },
	{ "9", false, 1, 10, "10" },
	{ "99", false, 1, 100, "100" },
	{ "10", true, 1, 9, "9 " },
	{ "100", true, 99, 1, "1  " },
	{ "5", true, 6, 0, "0" },
	{ "5", true, 5, 0, "0" },
	{ "1000", true, 1000, 0, "0   " },
	{ "9 ", false, 1, 10, "10" },
	{ "9  ", false, 1, 10, "10 " },
	{ "007", false, 1, 8, "8  " },
	{ "18446744073709551615", false, 1, 0, "0                   " },
	{ "18446744073709551614", false, 1, U64_MAX, "18446744073709551615" },
	{ "1", false, U64_MAX, 0, "0" },
	{ "0", false, U64_MAX, U64_MAX, "18446744073709551615" },
	{ "18446744073709551615", true, U64_MAX, 0, "0                   " },
	{ " 12", false, 1, 13, "13 " },
	{ "\t12", false, 1, 13, "13 " },
	{ "+12", false, 1, 13, "13 " },
	{ "12 abc", false, 1, 13, "13    " },
	{ "12\n", false, 1, 13, "13 " },
	{ "-0", false, 3, 3, "3 " },
	{ "18446744073709551616", false, 1 },
	{ "99999999999999999999", false, 1 },
	{ "-1", false, 1 },
	{ "", false, 1 },
	{ " ", false, 1 },
	{ "+", false, 1 },
	{ "abc", false, 1 },
	{ "12abc", false, 1 },
	{ "1.5", true, 1 },
	{ "0x10", false, 1 },
	{ "+-1", false, 1 },
};

static void table(void)
{
	struct cache c;
	u32 i;

	cache_init(&c);
	cache_open(&c);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		struct kmc_delta delta = { .delta = r->delta, .decrement = r->decrement };

		cache_set(&c, "n", r->before);
		EQUAL(apply(&c, "n", &delta), r->after ? KMC_STORED : KMC_NON_NUMERIC);
		if (r->after) {
			EQUAL(delta.value, r->value);
			EQUAL(delta.len, strlen(delta.text));
			EQUAL(strtoull(delta.text, NULL, 10), r->value);
		}
		CHECK(cache_has(&c, "n", r->after ?: r->before));
	}
	EQUAL(cache_items(&c), 1);
	cache_close(&c);
}

static void zero_byte_ends_a_number(void)
{
	struct kmc_delta delta = { .delta = 1 };
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	cache_put(&c, KMC_SET, "n", "12\0x", 4, 0);
	EQUAL(apply(&c, "n", &delta), KMC_STORED);
	EQUAL(delta.value, 13);
	cache_close(&c);
}

static void misses_and_cas(void)
{
	struct kmc_delta delta = { .delta = 1 };
	struct kmc_key k;
	struct kmc_peek peek;
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	EQUAL(apply(&c, "n", &delta), KMC_NOT_FOUND);
	cache_set(&c, "n", "5");
	delta.cas = 99;
	EQUAL(apply(&c, "n", &delta), KMC_EXISTS);
	delta.cas = 2;
	EQUAL(apply(&c, "n", &delta), KMC_STORED);
	EQUAL(delta.cas_out, 3);
	EQUAL(delta.class, 1);
	k = cache_key(&c, "n");
	local_bh_disable();
	kmc_peek_begin(cache_store(&c), &k, &peek);
	local_bh_enable();
	EQUAL(peek.cas, 3);
	cache_close(&c);
}

/* Item "n" with what clients have done to it: fetched, in base64, outdated, won; held by the caller. */
static struct kmc_item *used_item(struct cache *c, struct kmc_key *key)
{
	struct kmc_item *item = cache_item(c, "n", "10", 2, 5, 77);

	*key = cache_key(c, "n");
	kmc_item_mark(item, KMC_ITEM_BINARY | KMC_ITEM_STALE | KMC_ITEM_WON);
	local_bh_disable();
	EQUAL(kmc_store_link(cache_store(c), key, item, KMC_SET, 0, NULL), KMC_STORED);
	local_bh_enable();
	CHECK(cache_has(c, "n", "10"));
	CHECK(READ_ONCE(item->seen) & KMC_SEEN_FETCHED);
	return item;
}

static void expect_item(struct cache *c, const struct kmc_key *key, u8 flags, u32 seen)
{
	struct kmc_peek peek;

	local_bh_disable();
	kmc_peek_begin(cache_store(c), key, &peek);
	local_bh_enable();
	CHECK(peek.item != NULL);
	EQUAL(peek.item->client_flags, 5);
	EQUAL(peek.item->exptime, 77);
	EQUAL(peek.item->flags, flags | KMC_ITEM_LINKED);
	EQUAL(READ_ONCE(peek.item->seen) & KMC_SEEN_FETCHED, seen);
}

/* Who holds the item goes on seeing the old number; all others see what they would see if nobody held it. */
static void held(void)
{
	struct kmc_delta delta = { .delta = 1, .decrement = true };
	u32 hold;

	for (hold = 0; hold < 2; hold++) {
		struct kmc_item *item;
		struct kmc_key key;
		struct cache c;

		cache_init(&c);
		cache_open(&c);
		item = used_item(&c, &key);
		if (!hold)
			kmc_item_put(cache_store(&c), item);
		EQUAL(apply(&c, "n", &delta), KMC_STORED);
		expect_item(&c, &key, KMC_ITEM_BINARY | KMC_ITEM_STALE | KMC_ITEM_WON, KMC_SEEN_FETCHED);
		CHECK(cache_has(&c, "n", "9 "));
		if (hold) {
			CHECK(memcmp(kmc_item_value(item), "10", 2) == 0);
			kmc_item_put(cache_store(&c), item);
		}
		cache_close(&c);
	}
}

/* An item for a longer number is a new one, of which only the key's kind is known. */
static void outgrown(void)
{
	struct kmc_delta delta = { .delta = 90 };
	struct kmc_item *item;
	struct kmc_key key;
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	item = used_item(&c, &key);
	kmc_item_put(cache_store(&c), item);
	EQUAL(apply(&c, "n", &delta), KMC_STORED);
	expect_item(&c, &key, KMC_ITEM_BINARY, 0);
	CHECK(cache_has(&c, "n", "100"));
	cache_close(&c);
}

/* Who is told of a CAS value is told of his own, however fast others are. */
static void cas_of_ones_own(void)
{
	struct kmc_delta delta = { .delta = 90 };
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "n", "10");
	EQUAL(cache_cas(&c, "n"), 2);
	cache_intrude(&c, "n", 7777);
	EQUAL(apply(&c, "n", &delta), KMC_STORED);
	EQUAL(delta.cas_out, 3);
	EQUAL(cache_cas(&c, "n"), 7777);
	cache_close(&c);
}

/* Spaces and all: nothing is left of what stood there. */
static void long_numbers(void)
{
	static char before[5000], after[5000];
	struct kmc_delta delta = { .delta = 2 };
	struct cache c;
	u32 len;

	cache_init(&c);
	cache_open(&c);
	for (len = KMC_COPY_MAX - 1; len < sizeof(before); len = len * 2 - 1000) {
		memset(before, 'x', len);
		memcpy(before, " 99 ", 4);
		memset(after, ' ', len);
		memcpy(after, "101", 3);
		EQUAL(cache_put(&c, KMC_SET, "n", before, len, 0), KMC_STORED);
		EQUAL(apply(&c, "n", &delta), KMC_STORED);
		CHECK(memcmp(cache_get(&c, "n", NULL), after, len) == 0);
	}
	cache_close(&c);
}

static void peeks_notice(void)
{
	struct kmc_delta delta = { .delta = 1 };
	struct kmc_peek peek;
	struct kmc_key k;
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "n", "5");
	k = cache_key(&c, "n");
	local_bh_disable();
	kmc_peek_begin(cache_store(&c), &k, &peek);
	CHECK(kmc_peek_valid(cache_store(&c), &k, &peek));
	local_bh_enable();
	EQUAL(apply(&c, "n", &delta), KMC_STORED);
	CHECK(peek.value[0] == '6');		/* in place */
	local_bh_disable();
	CHECK(!kmc_peek_valid(cache_store(&c), &k, &peek));
	local_bh_enable();
	cache_close(&c);
}

static void chunked_is_no_number(void)
{
	static char value[4000];
	struct kmc_delta delta = { .delta = 1 };
	struct cache c;

	cache_init(&c);
	c.settings.slab_chunk_max = 1024;
	cache_open(&c);
	memset(value, '0', sizeof(value));
	EQUAL(cache_put(&c, KMC_SET, "n", value, sizeof(value), 0), KMC_STORED);
	EQUAL(apply(&c, "n", &delta), KMC_NON_NUMERIC);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "delta: table of numbers", table },
	{ "delta: a zero byte ends a number", zero_byte_ends_a_number },
	{ "delta: misses, CAS", misses_and_cas },
	{ "delta: a held item is not written to, and nobody can tell", held },
	{ "delta: a number that outgrows its item", outgrown },
	{ "delta: the CAS value is one's own", cas_of_ones_own },
	{ "delta: long numbers", long_numbers },
	{ "delta: a peek notices", peeks_notice },
	{ "delta: what lies in chunks is no number", chunked_is_no_number },
};

const struct tap_suite delta_suite = TAP_SUITE(tests);
