// SPDX-License-Identifier: GPL-2.0
#include "pages.h"

static u8 bytes[1 << 20];

const u8 *value_of(u32 n, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		bytes[i] = (u8)(n * 31 + i * 7 + (i >> 8));
	return bytes;
}

const char *key_of(u32 n)
{
	static char key[16];

	snprintf(key, sizeof(key), "key%u", n);
	return key;
}

void fill(struct cache *c, u32 n, u32 len)
{
	EQUAL(cache_put(c, KMC_SET, key_of(n), value_of(n, len), len, 0), KMC_STORED);
}

bool has(struct cache *c, u32 n, u32 want)
{
	u32 len;
	const char *got = cache_get(c, key_of(n), &len);

	if (!got)
		return false;
	EQUAL(len, want);
	CHECK(memcmp(got, value_of(n, want), want) == 0);
	return true;
}

struct kmc_class_totals class_of(struct cache *c, u32 class)
{
	struct kmc_class_totals totals;
	u32 last;

	local_bh_disable();
	CHECK(kmc_store_class(cache_store(c), class, &last, &totals));
	local_bh_enable();
	return totals;
}

struct kmc_store_totals totals_of(struct cache *c)
{
	struct kmc_store_totals totals;

	local_bh_disable();
	kmc_store_totals(cache_store(c), &totals);
	local_bh_enable();
	return totals;
}

u64 counted(struct cache *c, enum kmc_counter counter)
{
	return kmc_stats_sum(&c->core.stats, counter);
}

u64 evicted(struct cache *c)
{
	return kmc_stats_sum_classes(&c->core.stats, KMC_CLASS_evicted);
}

u32 class_for(struct cache *c, const char *key, u32 len)
{
	return kmc_slab_class(&cache_store(c)->slab, kmc_item_nominal(cache_store(c), (u32)strlen(key), 0, len));
}

enum kmc_move_answer reassign(struct cache *c, s32 from, s32 to)
{
	enum kmc_move_answer answer;

	local_bh_disable();
	answer = kmc_store_reassign(cache_store(c), from, to);
	local_bh_enable();
	return answer;
}

void steps(struct cache *c, u32 count)
{
	while (count--)
		kmc_store_maintain(cache_store(c));
}

bool moved(struct cache *c)
{
	u64 before = counted(c, KMC_COUNT_slabs_moved);
	u32 n;

	for (n = 0; n < 40000 && kmc_mover_running(cache_store(c)); n++)
		kmc_store_maintain(cache_store(c));
	CHECK(!kmc_mover_running(cache_store(c)));
	return counted(c, KMC_COUNT_slabs_moved) == before + 1;
}

void open_still(struct cache *c, u32 megabytes, u32 chunk_max)
{
	cache_init(c);
	c->settings.memory_limit = (u64)megabytes << 20;
	c->settings.slab_automove = 0;
	c->settings.lru_maintainer = 0;
	c->settings.lru_segmented = 0;
	if (chunk_max)
		c->settings.slab_chunk_max = chunk_max;
	cache_open(c);
}
