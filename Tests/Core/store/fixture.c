// SPDX-License-Identifier: GPL-2.0
#include "fixture.h"

static void cache_wake(struct kmc_core *core)
{
	kmc_assert_bh_off();
	__atomic_fetch_add(&container_of(core, struct cache, core)->wakes, 1, __ATOMIC_RELAXED);
}

static const struct kmc_core_ops ops = {
	.wake = cache_wake,
};

void cache_init(struct cache *c)
{
	memset(c, 0, sizeof(*c));
	kmc_settings_defaults(&c->settings);
	c->settings.memory_limit = 64 << 20;
	c->settings.hashpower = 12;
}

void cache_open(struct cache *c)
{
	const char *complaint = "";

	if (kmc_settings_check(&c->settings, &complaint))
		tap_note("settings: %s", complaint);
	EQUAL(kmc_core_init(&c->core, &c->settings, &ops), 0);
}

void cache_close(struct cache *c)
{
	kmc_core_exit(&c->core);
	EQUAL(kmc_sim_live_allocations(), 0);
}

struct kmc_key cache_key(struct cache *c, const char *key)
{
	return kmc_key(cache_store(c), (const u8 *)key, (u32)strlen(key));
}

struct kmc_item *cache_item(struct cache *c, const char *key, const void *value, u32 len, u32 flags,
			    u32 deadline)
{
	struct kmc_store *store = cache_store(c);
	struct kmc_key k = cache_key(c, key);
	struct kmc_cursor cursor;
	struct kmc_item *item;

	for (;;) {
		local_bh_disable();
		item = kmc_item_alloc(store, &k, flags, deadline, len);
		if (!IS_ERR(item)) {
			kmc_cursor_init(store, &cursor, item);
			EQUAL(kmc_cursor_write(store, &cursor, value, len), len);
		}
		local_bh_enable();
		if (item != ERR_PTR(-EAGAIN))
			return item;
		kmc_store_provide(store);
	}
}

static enum kmc_store_status cache_link(struct cache *c, const char *key, struct kmc_item *item,
					enum kmc_store_mode mode, u64 cas)
{
	struct kmc_key k = cache_key(c, key);
	enum kmc_store_status status;

	if (IS_ERR(item))
		return kmc_store_error(PTR_ERR(item));
	for (;;) {
		local_bh_disable();
		status = kmc_store_link(cache_store(c), &k, item, mode, cas, NULL);
		local_bh_enable();
		if (status != KMC_AGAIN)
			break;
		kmc_store_provide(cache_store(c));
	}
	kmc_item_put(cache_store(c), item);
	return status;
}

enum kmc_store_status cache_put(struct cache *c, enum kmc_store_mode mode, const char *key,
				const void *value, u32 len, u64 cas)
{
	return cache_link(c, key, cache_item(c, key, value, len, 0, 0), mode, cas);
}

enum kmc_store_status cache_set(struct cache *c, const char *key, const char *value)
{
	return cache_put(c, KMC_SET, key, value, (u32)strlen(value), 0);
}

enum kmc_store_status cache_set_until(struct cache *c, const char *key, const char *value, u32 deadline)
{
	struct kmc_item *item = cache_item(c, key, value, (u32)strlen(value), 0, deadline);

	return cache_link(c, key, item, KMC_SET, 0);
}

enum kmc_store_status cache_delete(struct cache *c, const char *key)
{
	struct kmc_key k = cache_key(c, key);
	enum kmc_store_status status;

	local_bh_disable();
	status = kmc_store_delete(cache_store(c), &k, 0, NULL);
	local_bh_enable();
	return status;
}

static char copy[4 << 20];

static bool cache_read(struct cache *c, const struct kmc_key *k, u32 *len)
{
	struct kmc_store *store = cache_store(c);
	struct kmc_cursor cursor;
	struct kmc_item *item;
	enum kmc_miss miss;
	u32 run;
	u8 *at;

	item = kmc_store_get(store, k, &miss);
	CHECK(!item == (miss != KMC_MISS_NONE));
	if (!item)
		return false;
	*len = 0;
	kmc_cursor_init(store, &cursor, item);
	while ((run = kmc_cursor_run(&cursor, &at))) {
		memcpy(copy + *len, at, run);
		*len += run;
		kmc_cursor_advance(store, &cursor, run);
	}
	EQUAL(*len, item->nbytes);
	copy[*len] = 0;
	kmc_item_put(store, item);
	return true;
}

const char *cache_get(struct cache *c, const char *key, u32 *len)
{
	struct kmc_key k = cache_key(c, key);
	struct kmc_peek peek;
	u32 unwanted;
	bool found;

	len = len ?: &unwanted;
	local_bh_disable();
	kmc_peek_begin(cache_store(c), &k, &peek);
	found = cache_read(c, &k, len);
	CHECK(found == (peek.item != NULL));
	if (peek.value) {
		EQUAL(peek.nbytes, *len);
		CHECK(memcmp(peek.value, copy, *len) == 0);
	}
	local_bh_enable();
	return found ? copy : NULL;
}

bool cache_has(struct cache *c, const char *key, const char *value)
{
	u32 len;
	const char *got = cache_get(c, key, &len);

	return value ? got && len == strlen(value) && memcmp(got, value, len) == 0 : !got;
}

void cache_maintain(struct cache *c)
{
	while (!kmc_store_maintain(cache_store(c)))
		;
}

u64 cache_items(struct cache *c)
{
	struct kmc_store_totals totals;

	local_bh_disable();
	kmc_store_totals(cache_store(c), &totals);
	local_bh_enable();
	return totals.curr_items;
}

static void nobody_comes(struct kmc_peer *peer)
{
}

struct kmc_watcher *cache_watch(struct cache *c, u32 events)
{
	static struct kmc_peer peer = { .number = 1, .kick = nobody_comes };
	struct kmc_watcher *watcher = kmc_watcher_create(&c->core, 65536);

	CHECK(watcher);
	local_bh_disable();
	kmc_watcher_start(&c->core, watcher, &peer, events);
	local_bh_enable();
	EQUAL(strcmp(cache_told(watcher), "OK\r\n"), 0);
	return watcher;
}

const char *cache_told(struct kmc_watcher *watcher)
{
	static char told[65536 + 1];
	const u8 *at;
	u32 len = 0, run;

	while ((run = kmc_watcher_run(watcher, &at))) {
		memcpy(told + len, at, run);
		len += run;
		kmc_watcher_advance(watcher, run);
	}
	told[len] = 0;
	return told;
}

u64 cache_cas(struct cache *c, const char *key)
{
	struct kmc_key k = cache_key(c, key);
	struct kmc_peek peek;

	local_bh_disable();
	kmc_peek_begin(cache_store(c), &k, &peek);
	local_bh_enable();
	return peek.item ? peek.cas : 0;
}

static struct {
	struct cache *c;
	const char *key;
	u64 before, cas;
} intruder;

static void intrude(spinlock_t *lock)
{
	struct kmc_key key = cache_key(intruder.c, intruder.key);
	struct kmc_discard how = { .stale = true, .change = { .with_cas = true, .cas = intruder.cas } };

	if (lock != &kmc_stripe(&cache_store(intruder.c)->index, key.hash)->lock)
		return;
	kmc_sim_unlocked(NULL);
	if (cache_cas(intruder.c, intruder.key) == intruder.before)
		kmc_sim_unlocked(intrude);
	else
		EQUAL(kmc_store_discard(cache_store(intruder.c), &key, &how), KMC_STORED);
}

void cache_intrude(struct cache *c, const char *key, u64 cas)
{
	intruder.c = c;
	intruder.key = key;
	intruder.before = cache_cas(c, key);
	intruder.cas = cas;
	kmc_sim_unlocked(intrude);
}

struct kmc_peek cache_peek(struct cache *c, const char *name)
{
	struct kmc_key key = cache_key(c, name);
	struct kmc_peek peek;

	local_bh_disable();
	kmc_peek_begin(cache_store(c), &key, &peek);
	local_bh_enable();
	CHECK(peek.item != NULL);
	return peek;
}
