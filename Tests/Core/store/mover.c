// SPDX-License-Identifier: GPL-2.0
/* Pages go from one class to another and into the pool; what is in them stays. */
#include <pthread.h>
#include "pages.h"
#include "suites.h"

static void answers(void)
{
	struct cache c;
	u32 class, n;

	open_still(&c, 16, 0);
	class = class_for(&c, "key0", SMALL);
	EQUAL(reassign(&c, -1, 3), KMC_MOVE_BAD_CLASS);
	for (n = 0; class_of(&c, class).pages < 2; n++)
		fill(&c, n, SMALL);
	EQUAL(reassign(&c, 5, 5), KMC_MOVE_SAME);
	EQUAL(reassign(&c, -1, -1), KMC_MOVE_SAME);
	EQUAL(reassign(&c, -5, 70), KMC_MOVE_BAD_CLASS);
	EQUAL(reassign(&c, class, (s32)cache_store(&c)->slab.last + 1), KMC_MOVE_BAD_CLASS);
	EQUAL(reassign(&c, class, -2), KMC_MOVE_BAD_CLASS);
	EQUAL(reassign(&c, 1, class), KMC_MOVE_NO_SPARE);
	EQUAL(reassign(&c, 0, class), KMC_MOVE_NO_SPARE);
	cache_delete(&c, key_of(n - 1));
	EQUAL(reassign(&c, -1, 3), KMC_MOVE_OK);
	EQUAL(reassign(&c, class, 3), KMC_MOVE_RUNNING);
	CHECK(totals_of(&c).moving);
	CHECK(moved(&c) && !totals_of(&c).moving);
	EQUAL(class_of(&c, 3).pages, 1);
	EQUAL(reassign(&c, class, 3), KMC_MOVE_NO_SPARE);
	cache_close(&c);
}

/* Everything about an item is the same afterwards, also who is next to be evicted. */
static void rescues(void)
{
	struct cache c;
	u32 class, n, many, order = 0, handle;
	u64 cas[4000];

	open_still(&c, 4, 0);
	class = class_for(&c, "key0", SMALL);
	for (many = 0; class_of(&c, class).pages < 3; many++)
		fill(&c, many, SMALL);
	for (n = 0; n < many; n++) {
		struct kmc_key k = cache_key(&c, key_of(n));
		enum kmc_miss miss;
		struct kmc_item *item;

		if (n % 2)
			cache_delete(&c, key_of(n));
		local_bh_disable();
		item = kmc_store_get_touch(cache_store(&c), &k, 1000 + n, &miss);
		cas[n] = item ? item->cas : 0;
		if (item)
			kmc_item_put(cache_store(&c), item);
		local_bh_enable();
	}
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	CHECK(moved(&c));
	CHECK(counted(&c, KMC_COUNT_slab_reassign_rescues) > 300);
	EQUAL(evicted(&c), 0);
	EQUAL(class_of(&c, class).pages, 2);
	EQUAL(totals_of(&c).pooled_pages, 1);
	EQUAL(totals_of(&c).total_malloced, 3 << 20);
	EQUAL(totals_of(&c).curr_items, (many + 1) / 2);
	EQUAL(class_of(&c, class).used_chunks, (many + 1) / 2);
	for (n = 0; n < many; n++) {
		struct kmc_key k = cache_key(&c, key_of(n));
		struct kmc_peek peek;

		CHECK(has(&c, n, SMALL) == (n % 2 == 0));
		local_bh_disable();
		kmc_peek_begin(cache_store(&c), &k, &peek);
		if (peek.item)
			CHECK(peek.cas == cas[n] && peek.exptime == 1000 + n);
		local_bh_enable();
	}
	/* Upkeep has made the older ones cold meanwhile. */
	for (n = 0; n < 2; n++)
		for (handle = kmc_lru(cache_store(&c), class, n ? KMC_HOT : KMC_COLD)->tail; handle; order += 2) {
			struct kmc_item *item = kmc_item_at(&cache_store(&c)->slab, handle);

			CHECK(!strncmp((char *)kmc_item_key(item), key_of(order), item->nkey));
			handle = item->prev;
		}
	EQUAL(order, many + many % 2);
	cache_close(&c);
}

/* No room: items of the class go, and no others. */
static void evicts_for_room(void)
{
	struct cache c;
	u32 class, n, many, kept = 0, per_page;

	open_still(&c, 4, 0);
	class = class_for(&c, "key0", SMALL);
	per_page = class_of(&c, class).chunks_per_page;
	for (many = 0; many < 4 * per_page; many++)
		fill(&c, many, SMALL);
	fill(&c, many, 10);
	EQUAL(evicted(&c), 0);
	EQUAL(reassign(&c, class, class_for(&c, "key0", 10)), KMC_MOVE_OK);
	CHECK(moved(&c));
	for (n = 0; n < many; n++)
		kept += has(&c, n, SMALL);
	CHECK(has(&c, many, 10));
	CHECK(evicted(&c) >= per_page && evicted(&c) <= per_page + 20);
	/* The oldest items are in the oldest page: what goes first makes no room elsewhere. */
	CHECK(counted(&c, KMC_COUNT_slab_reassign_busy_nomem) > 1);
	EQUAL(kept, many - evicted(&c));
	EQUAL(class_of(&c, class).pages, 3);
	EQUAL(class_of(&c, class_for(&c, "key0", 10)).pages, 2);
	cache_close(&c);
}

/* With -M nothing goes: after long tries the page stays where it was, and is as good as before. */
static void stays_when_there_is_no_room(void)
{
	struct cache c;
	u32 class, n, many, per_page;

	cache_init(&c);
	c.settings.memory_limit = 2 << 20;
	c.settings.evict = 0;
	c.settings.slab_automove = 0;
	cache_open(&c);
	class = class_for(&c, "key0", SMALL);
	per_page = class_of(&c, class).chunks_per_page;
	for (many = 0; many < 2 * per_page; many++)
		fill(&c, many, SMALL);
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	steps(&c, 100);
	CHECK(kmc_mover_running(cache_store(&c)));
	CHECK(counted(&c, KMC_COUNT_slab_reassign_busy_nomem) > 0);
	cache_store(&c)->mover.passes = KMC_MOVER_PASSES;
	CHECK(!moved(&c));
	EQUAL(class_of(&c, class).pages, 2);
	EQUAL(class_of(&c, class).free_chunks, 0);
	for (n = 0; n < many; n++)
		CHECK(has(&c, n, SMALL));
	cache_delete(&c, key_of(0));
	cache_delete(&c, key_of(many - 1));
	EQUAL(class_of(&c, class).free_chunks, 2);
	fill(&c, 0, SMALL);
	fill(&c, 1000000, SMALL);
	EQUAL(class_of(&c, class).free_chunks, 0);
	cache_close(&c);
}

static void pieces(void)
{
	struct cache c;
	u32 class, n, many, id, moves = 0;

	open_still(&c, 8, PIECE);
	class = cache_store(&c)->slab.last;
	for (many = 0; class_of(&c, class).pages < 5; many++)
		fill(&c, many, LARGE + many);
	for (n = 0; n < many; n += 2)
		cache_delete(&c, key_of(n));
	/* Pages of pieces, and, where there are two, of heads. */
	for (id = class; id; id--)
		while (class_of(&c, id).pages > 1 && moves++ < 20) {
			EQUAL(reassign(&c, id, 0), KMC_MOVE_OK);
			CHECK(moved(&c));
		}
	CHECK(counted(&c, KMC_COUNT_slab_reassign_chunk_rescues) > 100);
	for (n = 1; n < many; n += 2)
		CHECK(has(&c, n, LARGE + n) || evicted(&c));
	CHECK(evicted(&c) < many / 2);
	for (n = 0; n < many; n++)
		cache_delete(&c, key_of(n));
	for (id = 1; id <= class; id++)
		EQUAL(class_of(&c, id).used_chunks, 0);
	cache_close(&c);
}

/* Heads alone: a page full of them goes to a place, and their pieces know them again. */
static void heads(void)
{
	struct cache c;
	u32 class, n, many;

	cache_init(&c);
	c.settings.memory_limit = 64 << 20;
	c.settings.slab_chunk_max = 1024;
	c.settings.slab_automove = 0;
	cache_open(&c);
	class = kmc_slab_class(&cache_store(&c)->slab, KMC_NOMINAL_HEADER + KMC_NOMINAL_CAS + KMC_NOMINAL_TAILS + 8 +
						       KMC_NOMINAL_CHUNK);
	for (many = 0; class_of(&c, class).pages < 2; many++)
		fill(&c, many, 1500);
	for (n = 0; n < 1500; n++)
		cache_delete(&c, key_of(--many));
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	CHECK(moved(&c));
	CHECK(counted(&c, KMC_COUNT_slab_reassign_rescues) > 1000);
	EQUAL(reassign(&c, cache_store(&c)->slab.last, 0), KMC_MOVE_OK);
	CHECK(moved(&c));
	CHECK(counted(&c, KMC_COUNT_slab_reassign_chunk_rescues) > 100);
	EQUAL(evicted(&c), 0);
	for (n = 0; n < many; n++)
		CHECK(has(&c, n, 1500));
	cache_close(&c);
}

static struct kmc_item *hold(struct cache *c, u32 n)
{
	struct kmc_key k = cache_key(c, key_of(n));
	enum kmc_miss miss;
	struct kmc_item *item;

	local_bh_disable();
	item = kmc_store_get(cache_store(c), &k, &miss);
	local_bh_enable();
	CHECK(item);
	return item;
}

/* Who holds an item goes on reading what it was; others find it elsewhere; the page waits. */
static void held(void)
{
	struct kmc_item *old, *item;
	struct cache c;
	u32 class, n;

	open_still(&c, 8, 0);
	class = class_for(&c, "key0", SMALL);
	for (n = 0; class_of(&c, class).pages < 2; n++)
		fill(&c, n, SMALL);
	cache_delete(&c, key_of(n - 1));
	old = hold(&c, 0);
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	steps(&c, 100);
	CHECK(kmc_mover_running(cache_store(&c)));
	CHECK(counted(&c, KMC_COUNT_slab_reassign_busy_items) > 0);
	EQUAL(counted(&c, KMC_COUNT_slabs_moved), 0);
	item = hold(&c, 0);
	CHECK(item != old && !memcmp(kmc_item_value(old), value_of(0, SMALL), SMALL));
	CHECK(!strcmp(totals_of(&c).last_busy, "busy_floating"));
	kmc_item_put(cache_store(&c), item);
	kmc_item_put(cache_store(&c), old);
	CHECK(moved(&c));
	CHECK(has(&c, 0, SMALL));
	cache_close(&c);
}

static void held_in_chunks(bool for_ever)
{
	struct kmc_item *item;
	struct cache c;
	u32 class, n;

	open_still(&c, 16, PIECE);
	class = cache_store(&c)->slab.last;
	for (n = 0; class_of(&c, class).pages < 3; n++)
		fill(&c, n, LARGE);
	cache_delete(&c, key_of(n - 1));
	cache_delete(&c, key_of(n - 2));
	item = hold(&c, 0);
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	steps(&c, 200);
	CHECK(kmc_mover_running(cache_store(&c)));
	CHECK(!strcmp(totals_of(&c).last_busy, "busy_active"));
	if (for_ever)
		cache_store(&c)->mover.passes = KMC_MOVER_PATIENCE;
	steps(&c, 200);
	EQUAL(counted(&c, KMC_COUNT_slab_reassign_busy_deletes), for_ever);
	kmc_item_put(cache_store(&c), item);
	CHECK(moved(&c));
	CHECK(has(&c, 0, LARGE) == !for_ever && has(&c, 1, LARGE));
	cache_close(&c);
}

static void held_in_chunks_for_a_while(void)
{
	held_in_chunks(false);
}

static void held_in_chunks_for_ever(void)
{
	held_in_chunks(true);
}

/* A value that comes in holds its place until it is there. */
static void incoming(void)
{
	struct cache c;
	struct kmc_item *item;
	struct kmc_key k;
	u32 class, n;

	open_still(&c, 8, 0);
	class = class_for(&c, "key0", SMALL);
	k = cache_key(&c, "slow");
	item = cache_item(&c, "slow", value_of(7, SMALL), SMALL, 0, 0);
	for (n = 0; class_of(&c, class).pages < 2; n++)
		fill(&c, n, SMALL);
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	steps(&c, 100);
	CHECK(kmc_mover_running(cache_store(&c)));
	CHECK(!strcmp(totals_of(&c).last_busy, "busy_floating"));
	local_bh_disable();
	EQUAL(kmc_store_link(cache_store(&c), &k, item, KMC_SET, 0, NULL), KMC_STORED);
	kmc_item_put(cache_store(&c), item);
	local_bh_enable();
	CHECK(moved(&c));
	CHECK(cache_get(&c, "slow", &n) && n == SMALL);
	cache_close(&c);
}

/* Expired items do not count as rescued. */
static void dead(void)
{
	struct cache c;
	u32 class, n;

	open_still(&c, 8, 0);
	class = class_for(&c, "key0", SMALL);
	for (n = 0; class_of(&c, class).pages < 2; n++)
		fill(&c, n, SMALL);
	EQUAL(reassign(&c, class, 0), KMC_MOVE_OK);
	local_bh_disable();
	EQUAL(kmc_store_flush(cache_store(&c), 0), 0);
	local_bh_enable();
	/* Before upkeep comes to reap them. */
	while (kmc_mover_running(cache_store(&c)))
		kmc_mover_step(cache_store(&c));
	EQUAL(counted(&c, KMC_COUNT_slabs_moved), 1);
	EQUAL(counted(&c, KMC_COUNT_slab_reassign_rescues), 0);
	cache_close(&c);
}

static struct cache shared;
static int stage;

static void *late_reader(void *arg)
{
	struct kmc_key k = cache_key(&shared, "key0");
	struct kmc_peek peek;

	local_bh_disable();
	kmc_peek_begin(cache_store(&shared), &k, &peek);
	CHECK(peek.value);
	__atomic_store_n(&stage, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&stage, __ATOMIC_SEQ_CST) == 1)
		CHECK(READ_ONCE(*peek.value) == 0);
	CHECK(!kmc_peek_valid(cache_store(&shared), &k, &peek));
	local_bh_enable();
	return NULL;
}

/* A page is nobody else's before the last one who may be reading it has looked away. */
static void waits_for_readers(void)
{
	pthread_t reader;
	u32 class, n;

	kmc_sim_poisoning(false);
	open_still(&shared, 8, 0);
	class = class_for(&shared, "key0", SMALL);
	for (n = 0; class_of(&shared, class).pages < 2; n++)
		fill(&shared, n, SMALL);
	CHECK(pthread_create(&reader, NULL, late_reader, NULL) == 0);
	while (!__atomic_load_n(&stage, __ATOMIC_SEQ_CST))
		;
	EQUAL(reassign(&shared, class, 3), KMC_MOVE_OK);
	steps(&shared, 200);
	EQUAL(cache_store(&shared)->mover.state, KMC_MOVER_WAITING);
	EQUAL(class_of(&shared, 3).pages, 0);
	__atomic_store_n(&stage, 2, __ATOMIC_SEQ_CST);
	pthread_join(reader, NULL);
	CHECK(moved(&shared));
	EQUAL(class_of(&shared, 3).pages, 1);
	cache_close(&shared);
}

static const struct tap_test tests[] = {
	{ "mover: answers", answers },
	{ "mover: items stay what they are", rescues },
	{ "mover: evicts for want of room", evicts_for_room },
	{ "mover: with -M the page stays", stays_when_there_is_no_room },
	{ "mover: pieces of values", pieces },
	{ "mover: heads of values in chunks", heads },
	{ "mover: a held item is copied, its page waits", held },
	{ "mover: an item in chunks that is held for a while", held_in_chunks_for_a_while },
	{ "mover: an item in chunks that is held for ever", held_in_chunks_for_ever },
	{ "mover: a value that is coming in", incoming },
	{ "mover: dead items are not rescued", dead },
	{ "mover: waits for readers", waits_for_readers },
};

const struct tap_suite mover_suite = TAP_SUITE(tests);
