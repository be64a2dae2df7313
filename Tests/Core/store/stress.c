// SPDX-License-Identifier: GPL-2.0
/* Many at once. Every value says what it must be; sums come out; in the end no chunk is missing. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "fixture.h"
#include "suites.h"

#define KEYS	30000
#define LONGEST	9000

static struct cache c;
static bool stop;
static u32 keys = KEYS;
static u64 reads, hits, torn, stores;

struct head {
	u32 key, version;
};

/* Odd lengths up to a few kilobytes, some in chunks; told by key and version. */
static u32 length(struct head h)
{
	u32 x = h.key * 2654435761U ^ h.version * 40503U;

	return (u32)sizeof(h) + (x % 16 == 0 ? x % (LONGEST - 100) : x % 200);
}

static u8 byte(struct head h, u32 i)
{
	return (u8)(h.key * 31 + h.version * 17 + i * 7);
}

static u32 make(u8 *value, struct head h)
{
	u32 len = length(h), i;

	memcpy(value, &h, sizeof(h));
	for (i = sizeof(h); i < len; i++)
		value[i] = byte(h, i);
	return len;
}

static bool of_one_piece(const u8 *value, u32 len, u32 key, u32 flags)
{
	struct head h;
	u32 i;

	if (len < sizeof(h))
		return false;
	memcpy(&h, value, sizeof(h));
	if (h.key != key || length(h) != len || h.version != flags)
		return false;
	for (i = sizeof(h); i < len && value[i] == byte(h, i); i++)
		;
	return i == len;
}

static struct kmc_key key_of(u32 key, char *text)
{
	return kmc_key(cache_store(&c), (u8 *)text, (u32)sprintf(text, "key%u", key));
}

static u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33);
}

/* BH off. */
static void read_one(u32 number, u8 *buffer)
{
	char text[16];
	struct kmc_key key = key_of(number, text);
	struct kmc_peek peek;
	u32 i;

	__atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
	for (i = 0; i < KMC_PEEK_TRIES; i++) {
		kmc_peek_begin(cache_store(&c), &key, &peek);
		if (!peek.item || !peek.value)
			break;
		memcpy(buffer, peek.value, peek.nbytes);
		if (kmc_peek_valid(cache_store(&c), &key, &peek)) {
			CHECK(of_one_piece(buffer, peek.nbytes, number, peek.client_flags));
			kmc_peek_touch(cache_store(&c), &key, &peek);
			__atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
			return;
		}
		__atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
	}
	if (peek.item) {
		struct kmc_cursor cursor;
		enum kmc_miss miss;
		struct kmc_item *item = kmc_store_get(cache_store(&c), &key, &miss);
		u32 run, len = 0;
		u8 *at;

		if (!item)
			return;
		kmc_cursor_init(cache_store(&c), &cursor, item);
		while ((run = kmc_cursor_run(&cursor, &at))) {
			memcpy(buffer + len, at, run);
			len += run;
			kmc_cursor_advance(cache_store(&c), &cursor, run);
		}
		CHECK(of_one_piece(buffer, len, number, item->client_flags));
		kmc_item_put(cache_store(&c), item);
		__atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
	}
}

static void *reader(void *arg)
{
	static _Thread_local u8 buffer[LONGEST];
	u64 state = (u64)(uintptr_t)arg;
	u32 n;

	while (!READ_ONCE(stop)) {
		local_bh_disable();
		for (n = 0; n < 16; n++)
			read_one(next_random(&state) % keys, buffer);
		local_bh_enable();
	}
	return NULL;
}

/* The straight way, which most small values go. */
static bool put_one(const struct kmc_key *key, u32 version, const u8 *buffer, u32 len)
{
	const struct kmc_put put = {
		.key = key->data,
		.value = buffer,
		.nkey = key->len,
		.nbytes = len,
		.client_flags = version,
		.now = kmc_store_now(cache_store(&c)),
	};
	u32 class;

	return kmc_put_key(cache_store(&c), &put, &class);
}

static bool write_one(u32 number, u32 version, u8 *buffer)
{
	struct head h = { number, version };
	u32 len = make(buffer, h);
	char text[16];
	struct kmc_key key = key_of(number, text);
	enum kmc_store_status status;
	struct kmc_cursor cursor;
	struct kmc_item *item;

	local_bh_disable();
	if (version % 4 && put_one(&key, version, buffer, len)) {
		local_bh_enable();
		return true;
	}
	item = kmc_item_alloc(cache_store(&c), &key, version, 0, len);
	if (!IS_ERR(item)) {
		kmc_cursor_init(cache_store(&c), &cursor, item);
		kmc_cursor_write(cache_store(&c), &cursor, buffer, len);
		status = kmc_store_link(cache_store(&c), &key, item, KMC_SET, 0, NULL);
		kmc_item_put(cache_store(&c), item);
	} else {
		status = kmc_store_error(PTR_ERR(item));
	}
	local_bh_enable();
	if (status == KMC_AGAIN)
		kmc_store_provide(cache_store(&c));
	return status == KMC_STORED;
}

static void *writer(void *arg)
{
	static _Thread_local u8 buffer[LONGEST];
	u64 state = (u64)(uintptr_t)arg;
	u32 version = (u32)state << 24;
	char text[16];

	while (!READ_ONCE(stop)) {
		u32 number = next_random(&state) % keys, what = next_random(&state) % 100;
		struct kmc_key key = key_of(number, text);

		if (what < 90) {
			if (write_one(number, version++, buffer))
				__atomic_fetch_add(&stores, 1, __ATOMIC_RELAXED);
			continue;
		}
		local_bh_disable();
		if (what < 99)
			kmc_store_delete(cache_store(&c), &key, 0, NULL);
		else if (next_random(&state) % 200 == 0)
			kmc_store_flush(cache_store(&c), 0);
		local_bh_enable();
	}
	return NULL;
}

static void count_one(void *ctx, struct kmc_item *item)
{
	CHECK(refcount_read(&item->ref) > 0 && item->nkey > 3);
	++*(u64 *)ctx;
}

static void *upkeep(void *arg)
{
	u64 walked = 0;

	while (!READ_ONCE(stop)) {
		struct kmc_walk walk = { 0 };
		struct kmc_store_totals totals;

		kmc_store_maintain(cache_store(&c));
		kmc_sim_clock_advance(250);
		while (!walk.done)
			kmc_store_walk(cache_store(&c), &walk, count_one, &walked);
		local_bh_disable();
		kmc_store_totals(cache_store(&c), &totals);
		local_bh_enable();
		CHECK(totals.total_malloced <= c.settings.memory_limit + (64ULL << 20));
	}
	return NULL;
}

static u64 left_over(void)
{
	struct kmc_class_totals totals;
	u64 used = 0;
	u32 class, last;

	local_bh_disable();
	for (class = 1; kmc_store_class(cache_store(&c), class, &last, &totals); class++)
		used += totals.used_chunks + totals.mem_requested + totals.items;
	local_bh_enable();
	return used;
}

#define LEAST	1000	/* of reads that hit and of stores: fewer mean nothing */

static bool did_enough(void)
{
	return __atomic_load_n(&hits, __ATOMIC_RELAXED) > LEAST && __atomic_load_n(&stores, __ATOMIC_RELAXED) > LEAST;
}

/* @seconds: 0: until the threads end; else so long, and on a machine that is too busy until they did enough. */
static void run_all(void *(*const *threads)(void *), u32 count, u32 seconds)
{
	pthread_t ids[16];
	u32 i;

	for (i = 0; i < count; i++)
		CHECK(pthread_create(&ids[i], NULL, threads[i], (void *)(uintptr_t)(i + 1)) == 0);
	if (seconds) {
		sleep(seconds);
		for (i = 0; i < 6000 && !did_enough(); i++)
			usleep(100000);
		WRITE_ONCE(stop, true);
	}
	for (i = 0; i < count; i++)
		pthread_join(ids[i], NULL);
}

static u32 seconds_to_run(void)
{
	const char *text = getenv("STRESS_SECONDS");

	return text ? (u32)atoi(text) : 4;
}

/* Readers against writers, eviction, growth, flushes and upkeep. */
static void all_at_once(void)
{
	void *(*const threads[])(void *) = { reader, reader, reader, writer, writer, writer, upkeep };
	u64 evicted;

	kmc_sim_poisoning(false);
	cache_init(&c);
	c.settings.memory_limit = 6 << 20;
	c.settings.slab_chunk_max = 4096;
	c.settings.item_size_max = 64 << 10;
	cache_open(&c);
	run_all(threads, ARRAY_SIZE(threads), seconds_to_run());
	evicted = kmc_stats_sum_classes(&c.core.stats, KMC_CLASS_evicted);
	tap_note("%llu reads, %llu hits, %llu torn, %llu stores, %llu evicted, index grew to 2^%u",
		 reads, hits, torn, stores, evicted,
		 rcu_dereference_protected(cache_store(&c)->index.table, true)->power);
	CHECK(did_enough() && evicted > 0);
	/* Whatever the upkeep has not come to: flushes that wait for it are bounded. */
	cache_maintain(&c);
	local_bh_disable();
	EQUAL(kmc_store_flush(cache_store(&c), 0), 0);
	local_bh_enable();
	cache_maintain(&c);
	EQUAL(left_over(), 0);
	cache_close(&c);
}

/* The same, where a reader believes what it read, whoever wrote meanwhile: it must come out. */
static void believing(void)
{
	kmc_sim_retrying(false);
	keys = 16;
	all_at_once();
}

#define ROUNDS	20000
#define COUNTERS 4

static void *counting(void *arg)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		struct kmc_delta delta = { .delta = 3 };
		char text[16];
		struct kmc_key key = key_of(i % COUNTERS, text);
		enum kmc_store_status status;

		local_bh_disable();
		status = kmc_store_delta(cache_store(&c), &key, &delta);
		local_bh_enable();
		if (status == KMC_AGAIN)
			i--;
		else
			EQUAL(status, KMC_STORED);
	}
	return NULL;
}

/* Holds the counters for a moment, so that some are renewed and not overwritten. */
static void *holding(void *arg)
{
	char text[16];
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		struct kmc_key key = key_of(i % COUNTERS, text);
		enum kmc_miss miss;
		struct kmc_item *item;

		local_bh_disable();
		item = kmc_store_get(cache_store(&c), &key, &miss);
		local_bh_enable();
		CHECK(item && kmc_item_value(item)[0] >= '0' && kmc_item_value(item)[0] <= '9');
		kmc_item_put(cache_store(&c), item);
	}
	return NULL;
}

static void sums(void)
{
	void *(*const threads[])(void *) = { counting, counting, counting, holding };
	char text[16];
	u32 i;

	kmc_sim_poisoning(false);
	cache_init(&c);
	cache_open(&c);
	for (i = 0; i < COUNTERS; i++) {
		key_of(i, text);
		cache_set(&c, text, "0");
	}
	run_all(threads, ARRAY_SIZE(threads), 0);
	for (i = 0; i < COUNTERS; i++) {
		key_of(i, text);
		EQUAL(strtoull(cache_get(&c, text, NULL), NULL, 10), 3ULL * 3 * ROUNDS / COUNTERS);
	}
	cache_close(&c);
}

#define APPENDS	4000

static void *appending(void *arg)
{
	char letter = (char)('a' + (uintptr_t)arg);
	struct kmc_key key = cache_key(&c, "log");
	u32 i;

	for (i = 0; i < APPENDS; i++) {
		struct kmc_item *item = cache_item(&c, "log", &letter, 1, 0, 0);
		enum kmc_store_status status;

		do {
			local_bh_disable();
			status = kmc_store_link(cache_store(&c), &key, item,
						i % 2 ? KMC_APPEND : KMC_PREPEND, 0, NULL);
			local_bh_enable();
			if (status == KMC_AGAIN)
				kmc_store_provide(cache_store(&c));
		} while (status == KMC_AGAIN);
		EQUAL(status, KMC_STORED);
		kmc_item_put(cache_store(&c), item);
	}
	return NULL;
}

static void appends(void)
{
	void *(*const threads[])(void *) = { appending, appending, appending };
	u32 i, len, letters[256] = { 0 };
	const char *log;

	kmc_sim_poisoning(false);
	cache_init(&c);
	c.settings.slab_chunk_max = 2048;
	cache_open(&c);
	cache_set(&c, "log", "");
	run_all(threads, ARRAY_SIZE(threads), 0);
	log = cache_get(&c, "log", &len);
	EQUAL(len, 3 * APPENDS);
	for (i = 0; i < len; i++)
		letters[(u8)log[i]]++;
	for (i = 1; i <= 3; i++)
		EQUAL(letters['a' + i], APPENDS);
	cache_delete(&c, "log");
	EQUAL(left_over(), 0);
	cache_close(&c);
}

static void *touching(void *arg)
{
	struct kmc_key key = cache_key(&c, "log");
	u32 deadline;

	for (deadline = 1000; !READ_ONCE(stop); deadline++) {
		struct kmc_peek peek;
		struct kmc_item *item;
		enum kmc_miss miss;

		local_bh_disable();
		item = kmc_store_get_touch(cache_store(&c), &key, deadline, &miss);
		kmc_item_put(cache_store(&c), item);
		kmc_peek_begin(cache_store(&c), &key, &peek);
		EQUAL(peek.exptime, deadline);
		local_bh_enable();
	}
	return NULL;
}

static void *appending_until_the_end(void *arg)
{
	appending(arg);
	WRITE_ONCE(stop, true);
	return NULL;
}

/* What is made anew has the deadline of the moment, not of when it was begun. */
static void touches(void)
{
	void *(*const threads[])(void *) = { appending_until_the_end, touching };

	kmc_sim_poisoning(false);
	cache_init(&c);
	c.settings.slab_chunk_max = 2048;
	cache_open(&c);
	cache_set(&c, "log", "");
	run_all(threads, ARRAY_SIZE(threads), 0);
	CHECK(stop);
	cache_close(&c);
}

static u32 swapped;

static void *swapping(void *arg)
{
	struct kmc_key key = cache_key(&c, "word");
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		struct kmc_peek peek;
		enum kmc_store_status status;
		struct kmc_item *item;

		local_bh_disable();
		kmc_peek_begin(cache_store(&c), &key, &peek);
		local_bh_enable();
		CHECK(peek.item != NULL);
		item = cache_item(&c, "word", "x", 1, 0, 0);
		local_bh_disable();
		status = kmc_store_link(cache_store(&c), &key, item, KMC_CAS, peek.cas, NULL);
		kmc_item_put(cache_store(&c), item);
		local_bh_enable();
		CHECK(status == KMC_STORED || status == KMC_EXISTS);
		if (status == KMC_STORED)
			__atomic_fetch_add(&swapped, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Each CAS value is won once. */
static void swaps(void)
{
	void *(*const threads[])(void *) = { swapping, swapping, swapping };

	kmc_sim_poisoning(false);
	cache_init(&c);
	cache_open(&c);
	cache_set(&c, "word", "y");
	run_all(threads, ARRAY_SIZE(threads), 0);
	EQUAL(kmc_stats_sum_classes(&c.core.stats, KMC_CLASS_cas_hits), swapped);
	EQUAL(atomic64_read(&cache_store(&c)->cas), 2 + swapped);
	CHECK(swapped >= ROUNDS);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "stress: readers, writers, eviction, growth, flushes", all_at_once },
	{ "stress: a reader that does not look again is found out", believing, .dies = "of_one_piece", .asan = true },
	{ "stress: incr loses nothing", sums },
	{ "stress: append loses nothing", appends },
	{ "stress: append loses no touch", touches },
	{ "stress: a CAS value is won once", swaps },
};

const struct tap_suite stress_suite = TAP_SUITE(tests);
