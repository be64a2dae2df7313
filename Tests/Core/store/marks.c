// SPDX-License-Identifier: GPL-2.0
/* Looks that win, items that become stale, and what stands in their place. */
#include <pthread.h>
#include "fixture.h"
#include "suites.h"

static struct cache c;

static struct kmc_look look_at(const char *key, struct kmc_look look)
{
	struct kmc_key k = cache_key(&c, key);
	enum kmc_miss miss;
	struct kmc_item *item;

	local_bh_disable();
	item = kmc_store_look(cache_store(&c), &k, &look, &miss);
	if (item)
		kmc_item_put(cache_store(&c), item);
	local_bh_enable();
	CHECK(item || miss != KMC_MISS_NONE);
	return look;
}

static enum kmc_store_status discard(const char *key, struct kmc_discard *how)
{
	struct kmc_key k = cache_key(&c, key);
	enum kmc_store_status status;

	local_bh_disable();
	status = kmc_store_discard(cache_store(&c), &k, how);
	local_bh_enable();
	return status;
}

static struct kmc_peek peek_at(const char *key)
{
	struct kmc_key k = cache_key(&c, key);
	struct kmc_peek peek;

	local_bh_disable();
	kmc_peek_begin(cache_store(&c), &k, &peek);
	local_bh_enable();
	return peek;
}

static void looks(void)
{
	struct kmc_look look;
	u32 now;

	cache_init(&c);
	cache_open(&c);
	now = kmc_store_now(cache_store(&c));
	cache_set_until(&c, "k", "v", now + 30);
	look = look_at("k", (struct kmc_look){ .recache = now + 30, .unseen = true });
	CHECK(!look.won && look.exptime == now + 30 && look.flags == KMC_ITEM_LINKED);
	CHECK(look.cas == peek_at("k").cas);
	CHECK(!(peek_at("k").seen & KMC_SEEN_FETCHED));
	look = look_at("k", (struct kmc_look){ .recache = now + 31 });
	CHECK(look.won && !(look.flags & KMC_ITEM_WON) && (peek_at("k").flags & KMC_ITEM_WON));
	CHECK(peek_at("k").seen & KMC_SEEN_FETCHED);
	look = look_at("k", (struct kmc_look){ .recache = now + 31, .touch = true, .deadline = now + 50 });
	CHECK(!look.won && (look.flags & KMC_ITEM_WON) && look.exptime == now + 30);
	EQUAL(peek_at("k").exptime, now + 50);
	cache_set_until(&c, "k", "v", now + 30);
	look = look_at("k", (struct kmc_look){ .recache = now + 40, .touch = true, .touch_first = true,
					       .deadline = now + 50 });
	CHECK(!look.won);
	look = look_at("k", (struct kmc_look){ .recache = now + 60, .touch = true, .deadline = 0 });
	CHECK(look.won && !peek_at("k").exptime);
	look_at("none", (struct kmc_look){ .touch = true });
	cache_close(&c);
}

/* A deadline that a look or a discard sets is one for the background, too. */
static void reaped(void)
{
	u32 now, i;

	cache_init(&c);
	cache_open(&c);
	now = kmc_store_now(cache_store(&c));
	cache_set(&c, "a", "v");
	cache_set(&c, "b", "v");
	look_at("a", (struct kmc_look){ .touch = true, .deadline = now + 5 });
	EQUAL(discard("b", &(struct kmc_discard){ .stale = true, .change = { .with_deadline = true,
									     .deadline = now + 5 } }),
	      KMC_STORED);
	EQUAL(cache_items(&c), 2);
	for (i = 0; i < 150; i++) {
		kmc_sim_clock_advance(1000);
		cache_maintain(&c);
	}
	EQUAL(cache_items(&c), 0);
	cache_close(&c);
}

static void discards(void)
{
	struct kmc_discard how = { .stale = true };
	u64 cas;

	cache_init(&c);
	cache_open(&c);
	EQUAL(discard("k", &how), KMC_NOT_FOUND);
	cache_set(&c, "k", "v");
	cas = peek_at("k").cas;
	how = (struct kmc_discard){ .with_cas = true, .cas = cas + 1, .stale = true };
	EQUAL(discard("k", &how), KMC_EXISTS);
	EQUAL(peek_at("k").flags, KMC_ITEM_LINKED);
	how.cas = cas;
	EQUAL(discard("k", &how), KMC_STORED);
	CHECK(peek_at("k").flags == (KMC_ITEM_LINKED | KMC_ITEM_STALE) && peek_at("k").cas > cas);
	CHECK(look_at("k", (struct kmc_look){ }).won && !look_at("k", (struct kmc_look){ }).won);
	how = (struct kmc_discard){ .tombstone = cache_item(&c, "k", "", 0, 5, 0) };
	cas = peek_at("k").cas;
	EQUAL(discard("k", &how), KMC_STORED);
	kmc_item_put(cache_store(&c), how.tombstone);
	CHECK(cache_has(&c, "k", "") && peek_at("k").cas == cas && peek_at("k").client_flags == 5);
	EQUAL(peek_at("k").flags, KMC_ITEM_LINKED);
	how = (struct kmc_discard){ };
	EQUAL(discard("k", &how), KMC_STORED);
	CHECK(cache_has(&c, "k", NULL));
	EQUAL(cache_items(&c), 0);
	cache_close(&c);
}

/* That a key came in base64 outlives every change of its item but a new one. */
static void binary(void)
{
	struct kmc_delta delta = { .delta = 1 };
	struct kmc_discard how = { };
	struct kmc_item *item;
	struct kmc_key key;

	cache_init(&c);
	cache_open(&c);
	key = cache_key(&c, "k");
	item = cache_item(&c, "k", "9", 1, 0, 0);
	kmc_item_mark(item, KMC_ITEM_BINARY);
	local_bh_disable();
	EQUAL(kmc_store_link(cache_store(&c), &key, item, KMC_SET, 0, NULL), KMC_STORED);
	EQUAL(kmc_store_delta(cache_store(&c), &key, &delta), KMC_STORED);
	local_bh_enable();
	kmc_item_put(cache_store(&c), item);
	CHECK(cache_has(&c, "k", "10") && (peek_at("k").flags & KMC_ITEM_BINARY));
	EQUAL(cache_put(&c, KMC_APPEND, "k", "0", 1, 0), KMC_STORED);
	CHECK(cache_has(&c, "k", "100") && (peek_at("k").flags & KMC_ITEM_BINARY));
	how.tombstone = cache_item(&c, "k", "", 0, 0, 0);
	EQUAL(discard("k", &how), KMC_STORED);
	kmc_item_put(cache_store(&c), how.tombstone);
	CHECK(peek_at("k").flags & KMC_ITEM_BINARY);
	cache_set(&c, "k", "1");
	CHECK(!(peek_at("k").flags & KMC_ITEM_BINARY));
	cache_close(&c);
}

#define ROUNDS	20000

static u32 wins, marks, running;

static void *win(void *arg)
{
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
		struct kmc_peek peek = peek_at("k");

		CHECK(peek.item != NULL);
		if (look_at("k", (struct kmc_look){ }).won)
			__atomic_fetch_add(&wins, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *mark(void *arg)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		struct kmc_discard how = { .stale = true };

		if (i % 3 == 0)
			how.tombstone = cache_item(&c, "k", "1", 1, 0, 0);
		CHECK(discard("k", &how) == KMC_STORED);
		__atomic_fetch_add(&marks, 1, __ATOMIC_RELAXED);
		if (how.tombstone) {
			local_bh_disable();
			kmc_item_put(cache_store(&c), how.tombstone);
			local_bh_enable();
		}
	}
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* However many look, each time that an item becomes stale there is at most one who wins. */
static void won_once(void)
{
	void *(*const threads[])(void *) = { win, win, mark, mark };
	pthread_t ids[ARRAY_SIZE(threads)];
	u32 i;

	kmc_sim_poisoning(false);
	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "k", "1");
	wins = 0;
	marks = 0;
	running = 2;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(pthread_create(&ids[i], NULL, threads[i], NULL) == 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(ids[i], NULL);
	wins += look_at("k", (struct kmc_look){ }).won;
	tap_note("%u times stale, %u wins", marks, wins);
	CHECK(wins && wins <= marks);
	CHECK(!look_at("k", (struct kmc_look){ }).won);
	EQUAL(cache_items(&c), 1);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "a look shows what was, and wins once", looks },
	{ "deadlines that looks set are seen in the background", reaped },
	{ "discards: stale, empty, gone", discards },
	{ "a key in base64 is remembered", binary },
	{ "stress: a stale item is won once", won_once },
};

const struct tap_suite marks_suite = TAP_SUITE(tests);
