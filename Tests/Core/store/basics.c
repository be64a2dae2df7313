// SPDX-License-Identifier: GPL-2.0
/* set, get, add, replace, cas, append, delete: who wins, and what is left. */
#include "pages.h"
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

static u64 cas_of(struct cache *c, const char *key)
{
	return cache_peek(c, key).cas;
}

/* What each mode says to a present and to an absent key, without, with the right and with a wrong CAS. */
struct rule {
	enum kmc_store_mode mode;
	enum kmc_store_status absent, present, right, wrong, absent_cas;
	const char *result;
};

static const struct rule rules[] = {
	{ KMC_SET, KMC_STORED, KMC_STORED, KMC_STORED, KMC_EXISTS, KMC_NOT_FOUND, "new" },
	{ KMC_ADD, KMC_STORED, KMC_NOT_STORED, KMC_NOT_STORED, KMC_NOT_STORED, KMC_STORED, "old" },
	{ KMC_REPLACE, KMC_NOT_STORED, KMC_STORED, KMC_STORED, KMC_EXISTS, KMC_NOT_STORED, "new" },
	{ KMC_APPEND, KMC_NOT_STORED, KMC_STORED, KMC_STORED, KMC_EXISTS, KMC_NOT_STORED, "oldnew" },
	{ KMC_PREPEND, KMC_NOT_STORED, KMC_STORED, KMC_STORED, KMC_EXISTS, KMC_NOT_STORED, "newold" },
	{ KMC_CAS, KMC_NOT_FOUND, KMC_EXISTS, KMC_STORED, KMC_EXISTS, KMC_NOT_FOUND, "new" },
};

static void modes(void)
{
	struct cache c;
	u32 i;

	cache_init(&c);
	cache_open(&c);
	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *r = &rules[i];

		cache_delete(&c, "k");
		EQUAL(cache_put(&c, r->mode, "k", "new", 3, 0), r->absent);
		CHECK(cache_has(&c, "k", r->absent == KMC_STORED ? "new" : NULL));
		cache_delete(&c, "k");
		EQUAL(cache_put(&c, r->mode, "k", "new", 3, 99), r->absent_cas);
		cache_set(&c, "k", "old");
		EQUAL(cache_put(&c, r->mode, "k", "new", 3, 0), r->present);
		CHECK(cache_has(&c, "k", r->present == KMC_STORED ? r->result : "old"));
		cache_set(&c, "k", "old");
		EQUAL(cache_put(&c, r->mode, "k", "new", 3, cas_of(&c, "k") + 1), r->wrong);
		CHECK(cache_has(&c, "k", "old"));
		EQUAL(cache_put(&c, r->mode, "k", "new", 3, cas_of(&c, "k")), r->right);
		CHECK(cache_has(&c, "k", r->result));
	}
	EQUAL(cache_items(&c), 1);
	cache_close(&c);
}

static void cas_counts(void)
{
	struct cache c;
	struct kmc_stats *stats = &c.core.stats;
	u64 first;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "a", "1");
	first = cas_of(&c, "a");
	EQUAL(first, 2);		/* as memcached's first */
	cache_set(&c, "b", "1");
	EQUAL(cas_of(&c, "b"), 3);
	EQUAL(cas_of(&c, "a"), first);
	EQUAL(cache_put(&c, KMC_CAS, "a", "2", 1, first), KMC_STORED);
	EQUAL(cache_put(&c, KMC_CAS, "a", "2", 1, first), KMC_EXISTS);
	EQUAL(cache_put(&c, KMC_CAS, "none", "2", 1, first), KMC_NOT_FOUND);
	EQUAL(kmc_stats_sum_classes(stats, KMC_CLASS_cas_hits), 1);
	EQUAL(kmc_stats_sum_classes(stats, KMC_CLASS_cas_badval), 1);
	EQUAL(kmc_stats_sum(stats, KMC_COUNT_cas_misses), 1);
	EQUAL(kmc_stats_sum(stats, KMC_COUNT_total_items), 3);
	cache_close(&c);
}

static void without_cas(void)
{
	struct cache c;

	cache_init(&c);
	c.settings.cas = 0;
	cache_open(&c);
	cache_set(&c, "a", "1");
	EQUAL(cas_of(&c, "a"), 0);
	EQUAL(cache_put(&c, KMC_CAS, "a", "2", 1, 1), KMC_EXISTS);
	EQUAL(cache_put(&c, KMC_APPEND, "a", "2", 1, 0), KMC_STORED);
	CHECK(cache_has(&c, "a", "12"));
	cache_close(&c);
}

/* Who is told of a CAS value is told of his own, however fast others are. */
static void append_cas(void)
{
	struct kmc_linking how = { .mode = KMC_APPEND };
	struct kmc_item *more;
	struct kmc_key key;
	struct cache c;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "k", "one");
	more = cache_item(&c, "k", "two", 3, 0, 0);
	key = cache_key(&c, "k");
	EQUAL(cache_cas(&c, "k"), 2);
	cache_intrude(&c, "k", 7777);
	local_bh_disable();
	EQUAL(kmc_store_link_as(cache_store(&c), &key, more, &how), KMC_STORED);
	kmc_item_put(cache_store(&c), more);
	local_bh_enable();
	EQUAL(how.cas_out, 3);
	EQUAL(how.nbytes_out, 6);
	EQUAL(cache_cas(&c, "k"), 7777);
	cache_close(&c);
}

/* What append keeps of the present item. */
static void append_keeps(void)
{
	struct cache c;
	struct kmc_key k;
	struct kmc_item *item;
	struct kmc_peek peek;
	u64 cas = 0;

	cache_init(&c);
	cache_open(&c);
	k = cache_key(&c, "k");
	item = cache_item(&c, "k", "one", 3, 7, 100);
	local_bh_disable();
	EQUAL(kmc_store_link(cache_store(&c), &k, item, KMC_SET, 0, &cas), KMC_STORED);
	kmc_item_put(cache_store(&c), item);
	local_bh_enable();
	item = cache_item(&c, "k", "two", 3, 9, 0);
	local_bh_disable();
	EQUAL(kmc_store_link(cache_store(&c), &k, item, KMC_APPEND, 0, &cas), KMC_STORED);
	kmc_item_put(cache_store(&c), item);
	kmc_peek_begin(cache_store(&c), &k, &peek);
	local_bh_enable();
	EQUAL(peek.client_flags, 7);
	EQUAL(peek.exptime, 100);
	EQUAL(peek.cas, cas);
	CHECK(cache_has(&c, "k", "onetwo"));
	cache_close(&c);
}

static void delete_with_cas(void)
{
	struct cache c;
	struct kmc_key k;
	u32 class = 0;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "k", "v");
	k = cache_key(&c, "k");
	local_bh_disable();
	EQUAL(kmc_store_delete(cache_store(&c), &k, 99, &class), KMC_EXISTS);
	EQUAL(kmc_store_delete(cache_store(&c), &k, cas_of(&c, "k"), &class), KMC_STORED);
	local_bh_enable();
	EQUAL(class, 1);
	EQUAL(cache_items(&c), 0);
	cache_close(&c);
}

/* An item that is held stays as it was, whatever happens to its key. */
static void held(void)
{
	struct cache c;
	struct kmc_item *item;
	enum kmc_miss miss;
	struct kmc_key k;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "k", "before");
	k = cache_key(&c, "k");
	local_bh_disable();
	item = kmc_store_get(cache_store(&c), &k, &miss);
	local_bh_enable();
	cache_set(&c, "k", "after!");
	cache_delete(&c, "k");
	cache_set(&c, "j", "other!");
	CHECK(memcmp(kmc_item_value(item), "before", 6) == 0);
	kmc_item_put(cache_store(&c), item);
	CHECK(cache_has(&c, "j", "other!"));
	cache_close(&c);
}

#define HOLDERS	100000	/* more than 16 bits count */

/* All the bytes of value @n, as a reply that holds the item finds them. */
static bool same_bytes(struct cache *c, struct kmc_item *item, u32 n, u32 len)
{
	const u8 *wanted = value_of(n, len);
	struct kmc_cursor cursor;
	bool same = true;
	u32 at = 0, run;
	u8 *bytes;

	kmc_cursor_init(cache_store(c), &cursor, item);
	for (; (run = kmc_cursor_run(&cursor, &bytes)); at += run) {
		same = same && memcmp(bytes, wanted + at, run) == 0;
		kmc_cursor_advance(cache_store(c), &cursor, run);
	}
	return same && at == len;
}

static u32 hold(struct cache *c, const struct kmc_key *key, struct kmc_item *wanted, u32 count)
{
	enum kmc_miss miss;
	u32 same = 0;

	local_bh_disable();
	while (count--)
		same += kmc_store_get(cache_store(c), key, &miss) == wanted;
	local_bh_enable();
	return same;
}

/* Its key is deleted meanwhile and others take its room if they can; the last who holds it still reads its bytes. */
static void hold_many(struct cache *c, u32 len)
{
	u32 class = class_for(c, key_of(1), len), i;
	u64 used = class_of(c, class).used_chunks;
	struct kmc_item *item;
	enum kmc_miss miss;
	struct kmc_key k;

	fill(c, 1, len);
	k = cache_key(c, key_of(1));
	local_bh_disable();
	item = kmc_store_get(cache_store(c), &k, &miss);
	local_bh_enable();
	CHECK(item != NULL);
	EQUAL(hold(c, &k, item, HOLDERS - 1), HOLDERS - 1);
	EQUAL(refcount_read(&item->ref), HOLDERS + 1);
	EQUAL(cache_delete(c, key_of(1)), KMC_STORED);
	EQUAL(refcount_read(&item->ref), HOLDERS);
	EQUAL(cache_items(c), 0);
	CHECK(class_of(c, class).used_chunks > used);
	fill(c, 2, len);
	CHECK(same_bytes(c, item, 1, len));
	for (i = 1; i < HOLDERS; i++)
		kmc_item_put(cache_store(c), item);
	fill(c, 3, len);
	CHECK(same_bytes(c, item, 1, len));
	kmc_item_put(cache_store(c), item);
	EQUAL(cache_delete(c, key_of(2)), KMC_STORED);
	EQUAL(cache_delete(c, key_of(3)), KMC_STORED);
	EQUAL(class_of(c, class).used_chunks, used);
}

static void held_by_many(void)
{
	struct cache c;

	open_still(&c, 64, PIECE);
	hold_many(&c, KMC_COPY_MAX + 1);
	hold_many(&c, LARGE);
	cache_close(&c);
}

static void peek_sees_writers(void)
{
	struct cache c;
	struct kmc_key k;
	struct kmc_peek peek;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "k", "before");
	k = cache_key(&c, "k");
	local_bh_disable();
	kmc_peek_begin(cache_store(&c), &k, &peek);
	CHECK(kmc_peek_valid(cache_store(&c), &k, &peek));
	EQUAL(peek.seen & KMC_SEEN_FETCHED, 0);
	kmc_peek_touch(cache_store(&c), &k, &peek);
	CHECK(kmc_peek_valid(cache_store(&c), &k, &peek));
	local_bh_enable();
	cache_set(&c, "k", "after");
	local_bh_disable();
	CHECK(!kmc_peek_valid(cache_store(&c), &k, &peek));
	kmc_peek_begin(cache_store(&c), &k, &peek);
	CHECK(kmc_peek_valid(cache_store(&c), &k, &peek));
	EQUAL(peek.nbytes, 5);
	kmc_peek_touch(cache_store(&c), &k, &peek);
	kmc_peek_begin(cache_store(&c), &k, &peek);
	CHECK(peek.seen & KMC_SEEN_FETCHED);
	local_bh_enable();
	cache_close(&c);
}

static void touch(void)
{
	struct cache c;
	struct kmc_item *item;
	enum kmc_miss miss;
	struct kmc_key k;

	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "k", "v");
	k = cache_key(&c, "k");
	local_bh_disable();
	item = kmc_store_get_touch(cache_store(&c), &k, kmc_store_deadline(cache_store(&c), 10), &miss);
	local_bh_enable();
	CHECK(item && item->exptime == kmc_store_now(cache_store(&c)) + 10);
	kmc_item_put(cache_store(&c), item);
	kmc_sim_clock_advance(10 * 1000);
	CHECK(cache_has(&c, "k", NULL));
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "set, get, delete; keys of all lengths", set_get_delete },
	{ "modes: present and absent, right and wrong CAS", modes },
	{ "cas: values and counts", cas_counts },
	{ "cas: none with -C", without_cas },
	{ "append: the CAS value is one's own", append_cas },
	{ "append keeps flags and deadline", append_keeps },
	{ "delete with a CAS value", delete_with_cas },
	{ "a held item stays as it was", held },
	{ "CVE-2018-1000127: a hundred thousand gets hold one item", held_by_many },
	{ "a peek notices writers, not readers", peek_sees_writers },
	{ "touch sets a deadline", touch },
};

const struct tap_suite basics_suite = TAP_SUITE(tests);
