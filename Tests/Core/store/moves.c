// SPDX-License-Identifier: GPL-2.0
/* Pages move all the time while others read, write, change, append and delete what is in them. */
#include <pthread.h>
#include <unistd.h>
#include "fixture.h"
#include "suites.h"

#define KEYS	6000
#define LONGEST	12000
#define NUMBERS	8

static struct cache c;
static bool stop;
static u64 reads, stores, appends, sums;

/* A value is its key's number, over and over, in words; so it may be appended to and cut anywhere by four. */
static u32 length(u32 number, u32 version)
{
	u32 x = number * 2654435761U ^ version * 40503U;

	return (x % 8 ? x % 300 : x % (LONGEST / 2)) / 4 * 4 + 4;
}

static void verify(const u8 *value, u32 len, u32 number)
{
	u32 i, word;

	CHECK(len >= 4 && len % 4 == 0);
	for (i = 0; i < len; i += 4) {
		memcpy(&word, value + i, 4);
		if (word != number)
			EQUAL(word, number);
	}
}

static struct kmc_key key_of(u32 number, char *text)
{
	return kmc_key(cache_store(&c), (u8 *)text, (u32)sprintf(text, "key%u", number));
}

static u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33);
}

static void read_held(const struct kmc_key *key, u32 number, u8 *buffer)
{
	struct kmc_cursor cursor;
	enum kmc_miss miss;
	struct kmc_item *item = kmc_store_get(cache_store(&c), key, &miss);
	u32 run, len = 0;
	u8 *at;

	if (!item)
		return;
	/* Sent in process context, as slowly as the other side likes. */
	local_bh_enable();
	kmc_cursor_init(cache_store(&c), &cursor, item);
	while ((run = kmc_cursor_run(&cursor, &at))) {
		memcpy(buffer + len, at, run);
		len += run;
		kmc_cursor_advance(cache_store(&c), &cursor, run);
	}
	verify(buffer, len, number);
	local_bh_disable();
	kmc_item_put(cache_store(&c), item);
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
		if (!peek.item)
			return;
		if (!peek.value)
			break;
		memcpy(buffer, peek.value, peek.nbytes);
		if (kmc_peek_valid(cache_store(&c), &key, &peek)) {
			verify(buffer, peek.nbytes, number);
			kmc_peek_touch(cache_store(&c), &key, &peek);
			return;
		}
	}
	read_held(&key, number, buffer);
}

static void *reader(void *arg)
{
	static _Thread_local u8 buffer[64 << 10];
	u64 state = (u64)(uintptr_t)arg;
	u32 n;

	while (!READ_ONCE(stop)) {
		local_bh_disable();
		for (n = 0; n < 8; n++)
			read_one(next_random(&state) % KEYS, buffer);
		local_bh_enable();
	}
	return NULL;
}

static enum kmc_store_status put(u32 number, u32 len, enum kmc_store_mode mode, u8 *buffer)
{
	char text[16];
	struct kmc_key key = key_of(number, text);
	enum kmc_store_status status;
	struct kmc_cursor cursor;
	struct kmc_item *item;
	u32 i;

	for (i = 0; i < len; i += 4)
		memcpy(buffer + i, &number, 4);
	local_bh_disable();
	item = kmc_item_alloc(cache_store(&c), &key, 0, 0, len);
	if (!IS_ERR(item)) {
		kmc_cursor_init(cache_store(&c), &cursor, item);
		kmc_cursor_write(cache_store(&c), &cursor, buffer, len);
		status = kmc_store_link(cache_store(&c), &key, item, mode, 0, NULL);
		kmc_item_put(cache_store(&c), item);
	} else {
		status = kmc_store_error(PTR_ERR(item));
	}
	local_bh_enable();
	if (status == KMC_AGAIN)
		kmc_store_provide(cache_store(&c));
	return status;
}

static void count(u64 *counter, enum kmc_store_status status)
{
	__atomic_fetch_add(counter, status == KMC_STORED, __ATOMIC_RELAXED);
}

static void *writer(void *arg)
{
	static _Thread_local u8 buffer[LONGEST];
	u64 state = (u64)(uintptr_t)arg;
	char text[16];
	u32 round = 0;

	while (!READ_ONCE(stop)) {
		/* Small ones for a while, then larger ones: classes come and go. */
		u32 number = next_random(&state) % KEYS, what = next_random(&state) % 100;
		struct kmc_key key = key_of(number, text);

		if (what < 60)
			count(&stores, put(number, length(number, round++ >> 12), KMC_SET, buffer));
		else if (what < 75)
			count(&appends, put(number, 8, what & 1 ? KMC_APPEND : KMC_PREPEND, buffer));
		else {
			local_bh_disable();
			kmc_store_delete(cache_store(&c), &key, 0, NULL);
			local_bh_enable();
		}
	}
	return NULL;
}

/* Numbers of which none may get lost: nothing but these threads changes them, and they are not evicted. */
static void *counting(void *arg)
{
	u32 i;

	for (i = 0; !READ_ONCE(stop); i++) {
		struct kmc_delta delta = { .delta = 1 };
		char text[16];
		struct kmc_key key = key_of(KEYS + i % NUMBERS, text);
		enum kmc_store_status status;

		local_bh_disable();
		status = kmc_store_delta(cache_store(&c), &key, &delta);
		local_bh_enable();
		if (status == KMC_STORED)
			__atomic_fetch_add(&sums, 1, __ATOMIC_RELAXED);
		else
			EQUAL(status, KMC_AGAIN);
	}
	return NULL;
}

static u32 class_of_numbers;

/* All upkeep, and one request for a page after the other, from anywhere to anywhere. */
static void *mover(void *arg)
{
	u32 last = cache_store(&c)->slab.last;
	u64 state = 5;

	while (!READ_ONCE(stop)) {
		u32 to = next_random(&state) % (last + 1);

		local_bh_disable();
		kmc_store_reassign(cache_store(&c), -1, to == class_of_numbers ? 0 : to);
		local_bh_enable();
		kmc_store_maintain(cache_store(&c));
		kmc_sim_clock_advance(1);
		if (next_random(&state) % 5000 == 0) {
			local_bh_disable();
			kmc_store_set_limit(cache_store(&c), (8 + next_random(&state) % 16) << 20);
			local_bh_enable();
		}
	}
	return NULL;
}

static u32 seconds_to_run(void)
{
	const char *text = getenv("STRESS_SECONDS");

	return text ? (u32)atoi(text) : 4;
}

static u64 number_sum(void)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < NUMBERS; i++) {
		char text[16];
		const char *got;

		key_of(KEYS + i, text);
		got = cache_get(&c, text, NULL);
		CHECK(got);
		sum += strtoull(got, NULL, 10);
	}
	return sum;
}

/* Fewer mean nothing: with few CPUs, which others use too, it takes a while. */
static bool did_enough(struct kmc_stats *stats)
{
	return kmc_stats_sum(stats, KMC_COUNT_slabs_moved) > 5 &&
	       kmc_stats_sum(stats, KMC_COUNT_slab_reassign_rescues) > 100 &&
	       kmc_stats_sum(stats, KMC_COUNT_slab_reassign_chunk_rescues) > 100;
}

static void all_at_once(void)
{
	void *(*const threads[])(void *) = { reader, reader, writer, writer, counting, mover };
	pthread_t ids[ARRAY_SIZE(threads)];
	struct kmc_stats *stats = &c.core.stats;
	struct kmc_class_totals totals;
	u64 used = 0;
	u32 i, last;

	kmc_sim_poisoning(false);
	cache_init(&c);
	c.settings.memory_limit = 24 << 20;
	c.settings.slab_chunk_max = 2048;
	c.settings.item_size_max = 128 << 10;
	c.settings.growth_factor = 2000;
	cache_open(&c);
	for (i = 0; i < NUMBERS; i++) {
		char text[16];

		key_of(KEYS + i, text);
		cache_set(&c, text, "0000000000");
	}
	class_of_numbers = kmc_slab_class(&cache_store(&c)->slab, kmc_item_nominal(cache_store(&c), 7, 0, 10));
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(pthread_create(&ids[i], NULL, threads[i], (void *)(uintptr_t)(i + 1)) == 0);
	sleep(seconds_to_run());
	for (i = 0; i < 6000 && !did_enough(stats); i++)
		usleep(100000);
	WRITE_ONCE(stop, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(ids[i], NULL);
	tap_note("%llu reads, %llu stores, %llu appends, %llu sums; %llu pages moved, %llu items and %llu pieces copied, %llu busy",
		 reads, stores, appends, sums, kmc_stats_sum(stats, KMC_COUNT_slabs_moved),
		 kmc_stats_sum(stats, KMC_COUNT_slab_reassign_rescues),
		 kmc_stats_sum(stats, KMC_COUNT_slab_reassign_chunk_rescues),
		 kmc_stats_sum(stats, KMC_COUNT_slab_reassign_busy_items));
	CHECK(did_enough(stats));
	EQUAL(number_sum(), sums);
	for (i = 0; i < 100000 && kmc_mover_running(cache_store(&c)); i++)
		kmc_store_maintain(cache_store(&c));
	CHECK(!kmc_mover_running(cache_store(&c)));
	local_bh_disable();
	EQUAL(kmc_store_flush(cache_store(&c), 0), 0);
	local_bh_enable();
	for (i = 0; i < 2000; i++)
		kmc_store_maintain(cache_store(&c));
	for (i = 1; i <= cache_store(&c)->slab.last; i++) {
		local_bh_disable();
		kmc_store_class(cache_store(&c), i, &last, &totals);
		local_bh_enable();
		used += totals.used_chunks + totals.items + totals.mem_requested;
	}
	EQUAL(used, 0);
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "stress: pages move under readers and writers", all_at_once },
};

const struct tap_suite moves_suite = TAP_SUITE(tests);
