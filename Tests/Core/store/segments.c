// SPDX-License-Identifier: GPL-2.0
/* Hot, warm, cold, temp: who goes where, and who is evicted, against a model of memcached's rules. */
#include "fixture.h"
#include "suites.h"

#define LEN	1000
#define MOST	4096

static struct cache c;

/* All of one length: so the model can count where the store measures. */
static const char *name(u32 n)
{
	static char key[16];

	snprintf(key, sizeof(key), "key%04u", n);
	return key;
}

static u32 now(void)
{
	return kmc_store_now(cache_store(&c));
}

static void sleep_s(u32 seconds)
{
	kmc_sim_clock_advance(seconds * 1000ULL);
}

static u64 counted(enum kmc_class_counter counter)
{
	return kmc_stats_sum_classes(&c.core.stats, counter);
}

static u32 class_of_all(void)
{
	return kmc_slab_class(&cache_store(&c)->slab,
			      kmc_item_nominal(cache_store(&c), 7, 0, LEN));
}

static void put(u32 n, u32 deadline)
{
	static u8 value[LEN];
	struct kmc_key key = cache_key(&c, name(n));
	struct kmc_item *item = cache_item(&c, name(n), value, LEN, 0, deadline);

	CHECK(!IS_ERR(item));
	local_bh_disable();
	EQUAL(kmc_store_link(cache_store(&c), &key, item, KMC_SET, 0, NULL), KMC_STORED);
	kmc_item_put(cache_store(&c), item);
	local_bh_enable();
}

static bool fetch(u32 n)
{
	return cache_get(&c, name(n), NULL);
}

/* enum kmc_lru_segment, or -1: it is not there. */
static int segment_of(u32 n)
{
	struct kmc_key key = cache_key(&c, name(n));
	struct kmc_stripe *stripe = kmc_stripe(&cache_store(&c)->index, key.hash);
	int segment = -1;
	const struct kmc_item *item;

	local_bh_disable();
	spin_lock(&stripe->lock);
	item = kmc_index_find(cache_store(&c), &key).item;
	if (item)
		segment = kmc_item_segment(item);
	spin_unlock(&stripe->lock);
	local_bh_enable();
	return segment;
}

static u64 number(enum kmc_lru_segment segment)
{
	return kmc_lru(cache_store(&c), class_of_all(), segment)->items;
}

/*
 * The model: memcached's items.c for one class of items of one size, as lists of numbers with the tail in
 * front.
 */
struct model_item {
	bool there, fetched, active;
	u32 time, deadline;
	enum kmc_lru_segment segment;
};

static struct model {
	struct model_item items[MOST];
	u32 list[KMC_SEGMENTS][MOST], len[KMC_SEGMENTS];
	u32 notes[MOST], nnotes;
	u32 chunks, evicted, reclaimed, turns;
	bool segmented;
	u32 hot_pct, warm_pct, hot_factor, warm_factor;
} m;

static void model_push(u32 n, enum kmc_lru_segment to)
{
	m.items[n].segment = to;
	m.list[to][m.len[to]++] = n;
}

static void model_pull(u32 n)
{
	enum kmc_lru_segment from = m.items[n].segment;
	u32 i = 0;

	while (m.list[from][i] != n)
		i++;
	memmove(&m.list[from][i], &m.list[from][i + 1], (--m.len[from] - i) * sizeof(u32));
}

static void model_move(u32 n, enum kmc_lru_segment to)
{
	model_pull(n);
	model_push(n, to);
	m.items[n].active = false;
}

static void model_drop(u32 n)
{
	model_pull(n);
	m.items[n].there = false;
}

static bool model_dead(const struct model_item *item)
{
	return item->deadline && item->deadline <= now();
}

static bool model_pull_tail(enum kmc_lru_segment from, bool evict, u32 limit, u32 max_age)
{
	u32 n = m.list[from][0];
	struct model_item *item = &m.items[n];

	if (!m.len[from])
		return false;
	if (model_dead(item)) {
		model_drop(n);
		m.reclaimed++;
		return true;
	}
	if (from == KMC_TEMP)
		return false;
	if (from != KMC_COLD) {
		if (!item->active && m.len[from] <= limit && now() - item->time <= max_age)
			return false;
		m.turns += item->active && from == KMC_WARM;
		model_move(n, item->active ? KMC_WARM : KMC_COLD);
		return true;
	}
	if (evict) {
		model_drop(n);
		m.evicted++;
		return true;
	}
	if (!m.segmented || !item->active)
		return false;
	model_move(n, KMC_WARM);
	return true;
}

static u32 model_items(void)
{
	return m.len[KMC_HOT] + m.len[KMC_WARM] + m.len[KMC_COLD] + m.len[KMC_TEMP];
}

static void model_put(u32 n, u32 deadline, enum kmc_lru_segment segment)
{
	u32 i;

	/* What is replaced goes when the new one is there. */
	if (!m.segmented)
		for (i = 0; i < 5 && model_pull_tail(KMC_COLD, false, 0, 0); i++)
			;
	for (i = 0; model_items() == m.chunks && i < 10; i++)
		if (!model_pull_tail(KMC_COLD, true, 0, 0) && !model_pull_tail(KMC_HOT, false, 0, 0))
			model_pull_tail(KMC_WARM, false, 0, 0);
	if (m.items[n].there)
		model_drop(n);
	m.items[n] = (struct model_item){ .there = true, .time = now(), .deadline = deadline };
	model_push(n, segment);
}

static void model_fetch(u32 n)
{
	struct model_item *item = &m.items[n];

	if (!item->there)
		return;
	if (model_dead(item)) {
		model_drop(n);
		return;
	}
	item->time = now();	/* ours is exact */
	if (!m.segmented)
		return;
	if (!item->fetched) {
		item->fetched = true;
	} else if (!item->active) {
		item->active = true;
		if (item->segment == KMC_COLD)
			m.notes[m.nnotes++] = n;
	}
}

static u32 model_cold_age(void)
{
	return m.len[KMC_COLD] ? now() - m.items[m.list[KMC_COLD][0]].time : 0;
}

static void model_maintain(void)
{
	u32 i, total, hot_age, warm_age, rounds, did, moves;

	for (i = 0; i < m.nnotes; i++)
		if (m.items[m.notes[i]].there && m.items[m.notes[i]].segment == KMC_COLD)
			model_move(m.notes[i], KMC_WARM);
	m.nnotes = 0;
	do {
		total = m.segmented ? m.len[KMC_HOT] + m.len[KMC_WARM] + m.len[KMC_COLD] : 0;
		hot_age = m.segmented ? model_cold_age() * m.hot_factor / 1000 : 0;
		warm_age = m.segmented ? model_cold_age() * m.warm_factor / 1000 : 0;
		for (rounds = 0, moves = 0; rounds < 500; rounds++) {
			m.turns = 0;
			did = model_pull_tail(KMC_TEMP, false, 0, 0);
			did += model_pull_tail(KMC_HOT, false, total * m.hot_pct / 100, hot_age) ||
			       model_pull_tail(KMC_WARM, false, total * m.warm_pct / 100, warm_age);
			if (m.segmented)
				did += model_pull_tail(KMC_COLD, false, 0, 0);
			if (!did)
				break;
			moves += did > m.turns;
		}
	} while (moves == 500);
}

static void model_open(void)
{
	memset(&m, 0, sizeof(m));
	m.segmented = c.settings.lru_segmented;
	m.hot_pct = c.settings.hot_lru_pct;
	m.warm_pct = c.settings.warm_lru_pct;
	m.hot_factor = c.settings.hot_max_factor;
	m.warm_factor = c.settings.warm_max_factor;
	m.chunks = 2 * cache_store(&c)->slab.classes[class_of_all()].per_page;
}

static void open_small(void)
{
	c.settings.memory_limit = 2 << 20;
	c.settings.lru_crawler = 0;
	cache_open(&c);
	model_open();
}

static void agree(u32 keys)
{
	u32 n;

	for (n = 0; n < KMC_SEGMENTS; n++)
		EQUAL(number(n), m.len[n]);
	EQUAL(counted(KMC_CLASS_evicted), m.evicted);
	EQUAL(counted(KMC_CLASS_reclaimed), m.reclaimed);
	for (n = 0; n < keys; n++)
		EQUAL(segment_of(n), m.items[n].there ? (int)m.items[n].segment : -1);
}

static u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33);
}

/* Sizes of lists are compared after each step, who is where now and then: an order that differs shows. */
static void compare(u64 seed, u32 keys)
{
	u32 step, i, n, what, life, deadline;
	enum kmc_lru_segment entry;

	for (step = 0; step < 30000; step++) {
		what = next_random(&seed) % 1000;
		/* Some keys are asked for more than others. */
		n = next_random(&seed) % keys;
		if (what % 3)
			n = n * n / keys;
		if (what < 500) {
			life = what < 60 ? 1 + next_random(&seed) % 90 : 0;
			deadline = life ? now() + life : 0;
			entry = c.settings.temp_lru && life && life <= c.settings.temporary_ttl ? KMC_TEMP :
				m.segmented ? KMC_HOT : KMC_COLD;
			put(n, deadline);
			model_put(n, deadline, entry);
		} else if (what < 960) {
			EQUAL(fetch(n), m.items[n].there && !model_dead(&m.items[n]));
			model_fetch(n);
		} else if (what < 975) {
			sleep_s(next_random(&seed) % 4);
		} else {
			cache_maintain(&c);
			model_maintain();
		}
		for (i = 0; i < KMC_SEGMENTS; i++)
			if (number(i) != m.len[i]) {
				tap_note("step %u, segment %u", step, i);
				EQUAL(number(i), m.len[i]);
				return;
			}
		if (step % 500 == 0)
			agree(keys);
	}
	agree(keys);
}

static void like_the_model(void)
{
	u64 seed;

	for (seed = 1; seed <= 4; seed++) {
		cache_init(&c);
		c.settings.temp_lru = seed % 2;
		c.settings.temporary_ttl = 30;
		if (seed > 2) {
			c.settings.hot_lru_pct = 5;
			c.settings.warm_lru_pct = 10;
			c.settings.hot_max_factor = 2000;
			c.settings.warm_max_factor = 3000;
		}
		open_small();
		compare(seed, 3000);
		CHECK(m.evicted > 100 && m.reclaimed > 100);
		CHECK(counted(KMC_CLASS_moves_to_cold) > 1000);
		CHECK(counted(KMC_CLASS_moves_to_warm) > 100);
		CHECK(seed > 2 || counted(KMC_CLASS_moves_within_lru) > 0);
		cache_close(&c);
	}
}

static void flat_like_the_model(void)
{
	cache_init(&c);
	c.settings.lru_segmented = 0;
	open_small();
	/* Within one window of time: nobody is moved for being used. */
	for (u32 n = 0; n < 3000; n++) {
		put(n, n % 7 ? 0 : now() + 1);
		model_put(n, n % 7 ? 0 : now() + 1, KMC_COLD);
		if (n % 100 == 0)
			sleep_s(1);
		if (n % 333 == 0) {
			cache_maintain(&c);
			model_maintain();
		}
	}
	agree(3000);
	CHECK(m.evicted > 100 && m.reclaimed > 100);
	cache_close(&c);
}

/* The way of one item: fetched once it is nobody special, twice it is active. */
static void two_fetches_make_active(void)
{
	u32 n;

	cache_init(&c);
	open_small();
	for (n = 0; n < 100; n++)
		put(n, 0);
	EQUAL(segment_of(0), KMC_HOT);
	CHECK(fetch(0) && fetch(1) && fetch(1));
	cache_maintain(&c);
	/* A fifth may stay hot. The rest is cold, but for the active one. */
	EQUAL(segment_of(0), KMC_COLD);
	EQUAL(segment_of(1), KMC_WARM);
	EQUAL(number(KMC_HOT), 20);
	EQUAL(counted(KMC_CLASS_moves_to_warm), 1);
	EQUAL(counted(KMC_CLASS_moves_to_cold), 79);
	/* From cold one more fetch is enough for what was fetched before. */
	CHECK(fetch(0) && fetch(2));
	cache_maintain(&c);
	EQUAL(segment_of(0), KMC_WARM);
	EQUAL(segment_of(2), KMC_COLD);
	EQUAL(counted(KMC_CLASS_moves_to_warm), 2);
	cache_close(&c);
}

static void old_ones_get_cold(void)
{
	u32 n;

	cache_init(&c);
	c.settings.hot_lru_pct = 40;
	open_small();
	for (n = 0; n < 100; n++)
		put(n, 0);
	cache_maintain(&c);
	EQUAL(number(KMC_HOT), 40);
	/* Cold is as old as hot, and a fifth of that is too old for hot. */
	sleep_s(10);
	cache_maintain(&c);
	EQUAL(number(KMC_HOT), 0);
	put(100, 0);
	sleep_s(2);
	cache_maintain(&c);
	EQUAL(segment_of(100), KMC_HOT);	/* 2 seconds, of 12 */
	sleep_s(1);
	cache_maintain(&c);
	EQUAL(segment_of(100), KMC_COLD);	/* 3 seconds, of 13 */
	cache_close(&c);
}

/* Items of short life are not evicted, however many others come; when they are dead they go. */
static void temp_is_spared(void)
{
	u32 n;

	cache_init(&c);
	c.settings.temp_lru = 1;
	open_small();
	put(0, now() + 61);
	put(1, now() + 62);
	put(2, 1);		/* dead already: no short life */
	EQUAL(segment_of(0), KMC_TEMP);
	EQUAL(segment_of(1), KMC_HOT);
	EQUAL(segment_of(2), KMC_HOT);
	for (n = 3; n < MOST; n++)
		put(n, 0);
	CHECK(fetch(0));
	CHECK(!fetch(1));
	sleep_s(61);
	cache_maintain(&c);
	EQUAL(segment_of(0), -1);
	EQUAL(number(KMC_TEMP), 0);
	cache_close(&c);
}

/* Nothing is cold yet: somebody hot is made cold, and goes. */
static void direct_reclaim(void)
{
	u32 n;

	cache_init(&c);
	open_small();
	for (n = 0; n < m.chunks; n++)
		put(n, 0);
	EQUAL(number(KMC_COLD), 0);
	c.wakes = 0;
	put(n, 0);
	EQUAL(segment_of(0), -1);
	EQUAL(number(KMC_HOT), m.chunks);
	EQUAL(counted(KMC_CLASS_direct_reclaims), 2);
	EQUAL(counted(KMC_CLASS_moves_to_cold), 1);
	CHECK(c.wakes > 0);	/* upkeep is late */
	/* Everything is warm: the same. */
	for (n = 1; n <= m.chunks; n++)
		CHECK(fetch(n) && fetch(n));
	while (number(KMC_HOT)) {
		local_bh_disable();
		kmc_lru_evict(cache_store(&c), class_of_all());
		local_bh_enable();
	}
	EQUAL(number(KMC_WARM), m.chunks);
	put(0, 0);
	EQUAL(segment_of(1), -1);
	cache_close(&c);
}

static void held_ones_go_too(void)
{
	struct kmc_item *item;
	enum kmc_miss miss;
	struct kmc_key key;
	u64 used;
	u32 n;

	cache_init(&c);
	open_small();
	put(0, 0);
	key = cache_key(&c, name(0));
	local_bh_disable();
	item = kmc_store_get(cache_store(&c), &key, &miss);
	local_bh_enable();
	for (n = 1; n <= m.chunks; n++)
		put(n, 0);
	EQUAL(segment_of(0), -1);
	EQUAL(segment_of(1), -1);	/* which was of use, at last */
	EQUAL(counted(KMC_CLASS_lrutail_reflocked), 1);
	EQUAL(counted(KMC_CLASS_evicted), 2);
	used = model_items();
	kmc_item_put(cache_store(&c), item);
	EQUAL(used, 0);
	cache_close(&c);
}

static void modes_change_while_serving(void)
{
	u32 n;

	cache_init(&c);
	open_small();
	for (n = 0; n < 100; n++)
		put(n, 0);
	CHECK(fetch(99) && fetch(99));
	cache_maintain(&c);
	EQUAL(number(KMC_HOT), 20);
	c.core.settings.lru_segmented = 0;
	put(100, 0);
	EQUAL(segment_of(100), KMC_COLD);
	cache_maintain(&c);
	EQUAL(number(KMC_COLD), 101);
	c.core.settings.lru_segmented = 1;
	put(101, 0);
	EQUAL(segment_of(101), KMC_HOT);
	/* What a client can tune counts from the next round on. */
	c.core.settings.hot_lru_pct = 0;
	cache_maintain(&c);
	EQUAL(number(KMC_HOT), 0);
	cache_close(&c);
}

static void nobody_looks_after_it(void)
{
	u32 n;

	cache_init(&c);
	c.settings.lru_maintainer = 0;
	c.settings.lru_segmented = 0;
	open_small();
	for (n = 0; n < 100; n++)
		put(n, now() + 1);
	sleep_s(5);
	cache_maintain(&c);
	EQUAL(number(KMC_COLD), 100);
	EQUAL(kmc_stats_sum(&c.core.stats, KMC_COUNT_lru_maintainer_juggles), 0);
	/* Whoever stores takes out some that are dead. */
	put(100, 0);
	EQUAL(number(KMC_COLD), 96);
	EQUAL(counted(KMC_CLASS_reclaimed), 5);
	EQUAL(counted(KMC_CLASS_expired_unfetched), 5);
	cache_close(&c);
}

static void pace(void)
{
	unsigned long last = 0, pause;
	u32 n;

	cache_init(&c);
	open_small();
	for (n = 0; n < 100; n++) {
		pause = kmc_store_maintain(cache_store(&c));
		CHECK(pause >= last && pause <= HZ);
		last = pause;
	}
	EQUAL(last, HZ);
	EQUAL(kmc_stats_sum(&c.core.stats, KMC_COUNT_lru_maintainer_juggles), 100);
	for (n = 0; n < 100; n++)
		put(n, 0);
	CHECK(kmc_store_maintain(cache_store(&c)) < HZ);
	/* More than one round can do: at once again, unless that is only to turn what is in use. */
	for (n = 0; n < m.chunks; n++)
		put(n, 0);
	EQUAL(kmc_store_maintain(cache_store(&c)), 0);
	cache_maintain(&c);
	for (n = 0; n < 2 * m.chunks; n++)
		fetch(n % m.chunks);
	cache_maintain(&c);
	for (n = 0; n < m.chunks; n++)
		fetch(n);
	while (kmc_store_drain(cache_store(&c)))
		;
	CHECK(kmc_store_maintain(cache_store(&c)) > 0);
	CHECK(counted(KMC_CLASS_moves_within_lru) >= 500);
	cache_close(&c);
}

static void evicted_time(void)
{
	struct kmc_class_totals totals;
	u32 n, last;

	cache_init(&c);
	open_small();
	put(0, 0);
	sleep_s(7);
	for (n = 1; n <= m.chunks; n++)
		put(n, 0);
	local_bh_disable();
	CHECK(kmc_store_class(cache_store(&c), class_of_all(), &last, &totals));
	EQUAL(totals.evicted_time, 7);
	kmc_store_reset(cache_store(&c));
	CHECK(kmc_store_class(cache_store(&c), class_of_all(), &last, &totals));
	EQUAL(totals.evicted_time, 0);
	local_bh_enable();
	cache_close(&c);
}

static const struct tap_test tests[] = {
	{ "segments: who is where and who goes, as in a model of memcached", like_the_model },
	{ "segments: flat mode, the same", flat_like_the_model },
	{ "segments: two fetches make an item active", two_fetches_make_active },
	{ "segments: old items get cold", old_ones_get_cold },
	{ "segments: temporary items are not evicted", temp_is_spared },
	{ "segments: room is made though nothing is cold", direct_reclaim },
	{ "segments: what is held is evicted too", held_ones_go_too },
	{ "segments: modes change while serving", modes_change_while_serving },
	{ "segments: without maintainer", nobody_looks_after_it },
	{ "segments: upkeep's pace", pace },
	{ "segments: evicted_time", evicted_time },
};

const struct tap_suite segments_suite = TAP_SUITE(tests);
