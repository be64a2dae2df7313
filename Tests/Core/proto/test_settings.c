// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "core/settings.h"
#include "include/uapi/linux/kmemcache.h"

static const struct kmc_setting_row *setting(u16 attr)
{
	size_t i;

	for (i = 0; i < kmc_setting_count; i++)
		if (kmc_setting_rows[i].attr == attr)
			return &kmc_setting_rows[i];
	return NULL;
}

/* Defaults, with up to two settings changed. */
static void test_check(int wanted, u16 a, u64 va, u16 b, u64 vb, const char *what)
{
	const char *complaint = NULL;
	struct kmc_settings settings;
	int got;

	kmc_settings_defaults(&settings);
	if (a)
		kmc_setting_put(&settings, setting(a), va);
	if (b)
		kmc_setting_put(&settings, setting(b), vb);
	got = kmc_settings_check(&settings, &complaint);
	tap_ok(got == wanted && !!complaint == !!wanted, "%s", what);
}

void test_settings(void)
{
	struct kmc_settings settings;
	u16 attr;
	size_t i;

	for (attr = 1; attr <= KMC_S_MAX; attr++)
		tap_ok(setting(attr) != NULL, "setting %u of the contract has a row", attr);
	tap_number(kmc_setting_count, KMC_S_MAX, "and there are no others");
	for (i = 0; i < kmc_setting_count; i++)
		tap_ok(kmc_setting_rows[i].preset >= kmc_setting_rows[i].min &&
		       kmc_setting_rows[i].preset <= kmc_setting_rows[i].max &&
		       kmc_setting_rows[i].sentence, "%s: default within its range",
		       kmc_setting_rows[i].name);
	kmc_settings_defaults(&settings);
	tap_number(settings.memory_limit, 64 << 20, "memory of 64 MiB");
	tap_number(settings.growth_factor, 1250, "factor of 1.25");
	tap_number(kmc_setting_get(&settings, setting(KMC_S_PREFIX_DELIM)), ':', "prefixes end at ':'");
	test_check(0, 0, 0, 0, 0, "the defaults fit together");
	test_check(-ERANGE, KMC_S_HASHPOWER, 11, 0, 0, "hashpower 11");
	test_check(0, KMC_S_HASHPOWER, 12, 0, 0, "hashpower 12");
	test_check(0, KMC_S_HASHPOWER, 32, 0, 0, "hashpower 32");
	test_check(-ERANGE, KMC_S_HASHPOWER, 33, 0, 0, "hashpower 33");
	test_check(-ERANGE, KMC_S_GROWTH_FACTOR, 1000, 0, 0, "factor 1");
	test_check(0, KMC_S_GROWTH_FACTOR, 1001, 0, 0, "factor 1.001");
	test_check(-ERANGE, KMC_S_ITEM_SIZE_MAX, 1023, 0, 0, "-I below 1k");
	test_check(-ERANGE, KMC_S_ITEM_SIZE_MAX, (1U << 30) + 1, 0, 0, "-I above 1g");
	test_check(0, KMC_S_ITEM_SIZE_MAX, 32 << 20, 0, 0, "-I of half the memory");
	test_check(-EINVAL, KMC_S_ITEM_SIZE_MAX, 33 << 20, 0, 0, "-I above half of the memory");
	test_check(-EINVAL, KMC_S_ITEM_SIZE_MAX, 1024, 0, 0, "-I below slab_chunk_max");
	test_check(0, KMC_S_ITEM_SIZE_MAX, 1024, KMC_S_SLAB_CHUNK_MAX, 1024, "-I with slab_chunk_max");
	test_check(-EINVAL, KMC_S_ITEM_SIZE_MAX, 1536 << 10, KMC_S_SLAB_CHUNK_MAX, 1 << 20,
		   "-I not a multiple of slab_chunk_max");
	test_check(-EINVAL, KMC_S_ITEM_SIZE_MAX, 3 << 20, KMC_S_SLAB_CHUNK_MAX, 768 << 10,
		   "slab_chunk_max that does not divide a page");
	test_check(-EINVAL, KMC_S_MEMORY_LIMIT, 1 << 20, 0, 0, "-m 1 with -I 1m");
	test_check(-ERANGE, KMC_S_MEMORY_LIMIT, (128ULL << 30) + 1, 0, 0, "-m above what handles reach");
	test_check(-ERANGE, KMC_S_CONN_LIMIT, 0, 0, 0, "-c 0");
	test_check(-ERANGE, KMC_S_REQS_PER_EVENT, 0, 0, 0, "-R 0");
	test_check(-ERANGE, KMC_S_THREADS, 0, 0, 0, "-t 0");
	test_check(-ERANGE, KMC_S_SIZE_MIN, 0, 0, 0, "-n 0");
	test_check(-EINVAL, KMC_S_SIZE_MIN, 400 << 10, 0, 0, "-n above half of slab_chunk_max");
	test_check(-ERANGE, KMC_S_PREFIX_DELIM, 0, 0, 0, "a zero byte as delimiter");
	test_check(-ERANGE, KMC_S_PROTOCOL, 3, 0, 0, "a protocol that is none");
	test_check(0, KMC_S_HOT_LRU_PCT, 10, KMC_S_WARM_LRU_PCT, 70, "hot and warm of 80 percent");
	test_check(-EINVAL, KMC_S_HOT_LRU_PCT, 11, KMC_S_WARM_LRU_PCT, 70, "of 81 percent");
	test_check(-ERANGE, KMC_S_HOT_LRU_PCT, 0, 0, 0, "hot of none");
	test_check(-ERANGE, KMC_S_WARM_MAX_FACTOR, 0, 0, 0, "a warm_max_factor of 0");
	test_check(-EINVAL, KMC_S_LRU_MAINTAINER, 0, 0, 0, "segments without maintainer");
	test_check(0, KMC_S_LRU_MAINTAINER, 0, KMC_S_LRU_SEGMENTED, 0, "neither");
	test_check(0, KMC_S_TEMP_LRU, 1, 0, 0, "temporary items");
	test_check(-ERANGE, KMC_S_LRU_CRAWLER_SLEEP, 1000001, 0, 0, "lru_crawler_sleep above a second");
	test_check(-ERANGE, KMC_S_HASH_ALGORITHM, 3, 0, 0, "a hash function that is none");
	test_check(-ERANGE, KMC_S_UMASK, 01000, 0, 0, "a mode with more than nine bits");
}
