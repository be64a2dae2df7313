// SPDX-License-Identifier: GPL-2.0
/*
 * The settings' table, and what must fit together. Ranges and combinations are memcached 1.6.45's
 * where it has any (memcached.c, main()).
 */
#include "settings.h"
#include "store/store.h"
#include "store/slab.h"
#include "../include/uapi/linux/kmemcache.h"

#define KMC_MIB		(1U << 20)
#define KMC_LRU_PCT_MAX	80	/* of a class, hot and warm together */

#define KMC_ROW(attr, field, type, min, max, preset, sentence) \
	{ KMC_S_##attr, #field, KMC_SETTING_##type, offsetof(struct kmc_settings, field), min, max, \
	  preset, sentence }

const struct kmc_setting_row kmc_setting_rows[] = {
	KMC_ROW(MEMORY_LIMIT, memory_limit, U64, KMC_PAGE_SIZE, KMC_MEMORY_MAX, 64 * KMC_MIB,
		"memory for items, in bytes"),
	KMC_ROW(EVICT, evict, U8, 0, 1, 1,
		"1: a full cache drops its oldest items; 0: it refuses new ones"),
	KMC_ROW(CONN_LIMIT, conn_limit, U32, 1, S32_MAX, 1024,
		"connections that may be open at a time"),
	KMC_ROW(GROWTH_FACTOR, growth_factor, U32, 1001, 1000 * 1000, 1250,
		"each slab class's chunks are larger than the last one's by this, in thousandths"),
	KMC_ROW(SIZE_MIN, size_min, U32, 1, KMC_PAGE_SIZE, 48,
		"bytes for key, value and flags in the smallest slab class"),
	KMC_ROW(ITEM_SIZE_MAX, item_size_max, U32, 1024, 1U << 30, KMC_MIB,
		"the largest item, in bytes"),
	KMC_ROW(REQS_PER_EVENT, reqs_per_event, U32, 1, S32_MAX, 20,
		"requests of one connection that are served before others get their turn"),
	KMC_ROW(BACKLOG, backlog, U32, 0, S32_MAX, 1024,
		"connections that may wait to be accepted; shown only"),
	KMC_ROW(CAS, cas, U8, 0, 1, 1,
		"1: items have CAS values"),
	KMC_ROW(PREFIX_DELIM, prefix_delim, U8, 1, 255, KMC_PREFIX_DELIM_DEFAULT,
		"what ends a key's prefix in detailed statistics"),
	KMC_ROW(STATS_DETAIL, stats_detail, U8, 0, 1, 0,
		"1: count by key prefix"),
	KMC_ROW(VERBOSE, verbose, U8, 0, 3, 0,
		"how much is reported"),
	KMC_ROW(FLUSH_ENABLED, flush_enabled, U8, 0, 1, 1,
		"0: flush_all is refused"),
	KMC_ROW(SHUTDOWN_ENABLED, shutdown_enabled, U8, 0, 1, 0,
		"1: clients may end the cache"),
	KMC_ROW(THREADS, threads, U32, 1, S32_MAX, 4,
		"worker threads; shown only, the kernel has its own"),
	KMC_ROW(PROTOCOL, protocol, U8, KMC_PROTOCOL_AUTO, KMC_PROTOCOL_BINARY, KMC_PROTOCOL_AUTO,
		"what connections may speak"),
	KMC_ROW(HASHPOWER, hashpower, U32, 12, 32, 16,
		"log2 of the items that the index has room for at first"),
	KMC_ROW(MAXCONNS_FAST, maxconns_fast, U8, 0, 1, 1,
		"1: connections above the limit are told so and closed; 0: they wait"),
	KMC_ROW(SLAB_CHUNK_MAX, slab_chunk_max, U32, 1024, KMC_PAGE_SIZE, KMC_PAGE_SIZE / 2,
		"items larger than this, in bytes, are kept in chunks"),
	KMC_ROW(IDLE_TIMEOUT, idle_timeout, U32, 0, S32_MAX, 0,
		"seconds after which a silent connection is closed; 0: never"),
	KMC_ROW(UMASK, umask, U32, 0, 0777, 0700,
		"mode of the unix socket; shown only"),
	KMC_ROW(INTER, inter, STRING, 0, KMC_INTER_MAX, 0,
		"addresses that were asked for; shown only"),
	KMC_ROW(SLAB_REASSIGN, slab_reassign, U8, 0, 1, 1,
		"1: pages may go from one slab class to another"),
	KMC_ROW(SLAB_AUTOMOVE, slab_automove, U32, 0, 2, 1,
		"1: pages go by themselves to where they are needed; 2: at each eviction"),
	KMC_ROW(SLAB_AUTOMOVE_RATIO, slab_automove_ratio, U32, 0, U32_MAX, 800000,
		"the youngest class gets a page of the oldest if their ages are apart by this, in millionths"),
	KMC_ROW(SLAB_AUTOMOVE_WINDOW, slab_automove_window, U32, 3, 1800, 10,
		"seconds that are looked back upon before a page goes"),
	KMC_ROW(SLAB_AUTOMOVE_FREERATIO, slab_automove_freeratio, U32, 0, U32_MAX, 10000,
		"of memory to be held free for external storage, in millionths; there is none"),
	KMC_ROW(SLAB_SIZES, slab_sizes, STRING, 0, KMC_SLAB_SIZES_MAX, 0,
		"sizes of the slab classes' chunks, with dashes between, in place of a growth factor"),
	KMC_ROW(TRACK_SIZES, track_sizes, U8, 0, 1, 0,
		"1: \"stats sizes\" counts items by their size"),
	KMC_ROW(LRU_MAINTAINER, lru_maintainer, U8, 0, 1, 1,
		"1: items are moved between LRUs in the background"),
	KMC_ROW(LRU_SEGMENTED, lru_segmented, U8, 0, 1, 1,
		"1: new items, those in use and the others have LRUs of their own"),
	KMC_ROW(HOT_LRU_PCT, hot_lru_pct, U32, 1, KMC_LRU_PCT_MAX - 1, 20,
		"how much of a slab class new items may take, in percent"),
	KMC_ROW(WARM_LRU_PCT, warm_lru_pct, U32, 1, KMC_LRU_PCT_MAX - 1, 40,
		"how much of a slab class items in use may take, in percent"),
	KMC_ROW(HOT_MAX_FACTOR, hot_max_factor, U32, 1, U32_MAX, 200,
		"new items become cold at this part of the cold LRU's age, in thousandths"),
	KMC_ROW(WARM_MAX_FACTOR, warm_max_factor, U32, 1, U32_MAX, 2000,
		"items in use become cold at this part of the cold LRU's age, in thousandths"),
	KMC_ROW(TEMP_LRU, temp_lru, U8, 0, 1, 0,
		"1: items of short life have an LRU of their own, from which none is evicted"),
	KMC_ROW(TEMPORARY_TTL, temporary_ttl, U32, 0, U32_MAX, 61,
		"how short a life that is, in seconds"),
	KMC_ROW(LRU_CRAWLER, lru_crawler, U8, 0, 1, 1,
		"1: expired items are looked for in the background"),
	KMC_ROW(LRU_CRAWLER_SLEEP, lru_crawler_sleep, U32, 0, 1000 * 1000, 100,
		"pause after 1000 items that were looked at, in microseconds"),
	KMC_ROW(LRU_CRAWLER_TOCRAWL, lru_crawler_tocrawl, U32, 0, U32_MAX, 0,
		"items of a slab class that are looked at in one run; 0: all"),
	KMC_ROW(HASH_ALGORITHM, hash_algorithm, U8, KMC_HASH_MURMUR3, KMC_HASH_XXH3, KMC_HASH_MURMUR3,
		"name of the hash function; shown only, the index has a keyed one"),
	KMC_ROW(HASH_EXPAND, hash_expand, U8, 0, 1, 1,
		"0: the index grows only when it has no room left"),
	KMC_ROW(TAIL_REPAIR_TIME, tail_repair_time, U32, 0, U32_MAX, 0,
		"repair of items that are held for ever; shown only, there are none"),
	KMC_ROW(DUMP_ENABLED, dump_enabled, U8, 0, 1, 1,
		"0: clients may not list keys, nor count by key prefix"),
	KMC_ROW(WATCH_ENABLED, watch_enabled, U8, 0, 1, 1,
		"0: clients may not watch"),
	KMC_ROW(WATCHER_LOGBUF_SIZE, watcher_logbuf_size, U32, 1024, 64 * KMC_MIB, 256 << 10,
		"bytes that may wait for a client that watches"),
	KMC_ROW(WORKER_LOGBUF_SIZE, worker_logbuf_size, U32, 0, U32_MAX, 64 << 10,
		"shown only: there is no buffer but each watcher's"),
	KMC_ROW(READ_BUF_MEM_LIMIT, read_buf_mem_limit, U32, 0, 4095U << 20, 0,
		"bytes for what connections read and answer, in buffers of 16 KiB; 0: any"),
	KMC_ROW(INITIAL_MALLOC, initial_malloc, U64, 0, KMC_MEMORY_MAX, 0,
		"bytes of the memory limit that count as taken already; for tests"),
	KMC_ROW(AUTH, auth, U8, KMC_AUTH_NONE, KMC_AUTH_SASL, KMC_AUTH_NONE,
		"how clients must say who they are"),
	KMC_ROW(AUTH_FILE, auth_file, STRING, 0, KMC_AUTH_FILE_MAX, 0,
		"the file of users; shown only"),
};

const size_t kmc_setting_count = ARRAY_SIZE(kmc_setting_rows);

u64 kmc_setting_get(const struct kmc_settings *settings, const struct kmc_setting_row *row)
{
	const void *at = (const u8 *)settings + row->offset;

	switch (row->type) {
	case KMC_SETTING_U8:
		return READ_ONCE(*(const u8 *)at);
	case KMC_SETTING_U32:
		return READ_ONCE(*(const u32 *)at);
	case KMC_SETTING_U64:
		return READ_ONCE(*(const u64 *)at);
	default:
		return strlen(at);
	}
}

void kmc_setting_put(struct kmc_settings *settings, const struct kmc_setting_row *row, u64 value)
{
	void *at = (u8 *)settings + row->offset;

	switch (row->type) {
	case KMC_SETTING_U8:
		WRITE_ONCE(*(u8 *)at, value);
		break;
	case KMC_SETTING_U32:
		WRITE_ONCE(*(u32 *)at, value);
		break;
	case KMC_SETTING_U64:
		WRITE_ONCE(*(u64 *)at, value);
		break;
	default:
		/* A string has no number: whoever has the text writes it. */
		WARN_ON_ONCE(1);
	}
}

void kmc_settings_defaults(struct kmc_settings *settings)
{
	size_t i;

	memset(settings, 0, sizeof(*settings));
	for (i = 0; i < kmc_setting_count; i++)
		if (kmc_setting_rows[i].type != KMC_SETTING_STRING)
			kmc_setting_put(settings, &kmc_setting_rows[i], kmc_setting_rows[i].preset);
}

/**
 * struct kmc_settings_rule - what must fit together
 * @holds: whether it does; every setting is within its range by then
 */
struct kmc_settings_rule {
	bool (*holds)(const struct kmc_settings *settings);
	const char *complaint;
};

static bool kmc_rule_item_memory(const struct kmc_settings *settings)
{
	return settings->item_size_max <= settings->memory_limit / 2;
}

static bool kmc_rule_chunk_item(const struct kmc_settings *settings)
{
	return settings->slab_chunk_max <= settings->item_size_max;
}

static bool kmc_rule_item_chunks(const struct kmc_settings *settings)
{
	return settings->item_size_max % settings->slab_chunk_max == 0;
}

static bool kmc_rule_page_chunks(const struct kmc_settings *settings)
{
	return KMC_PAGE_SIZE % settings->slab_chunk_max == 0;
}

static bool kmc_rule_smallest(const struct kmc_settings *settings)
{
	return settings->size_min <= settings->slab_chunk_max / 2;
}

static bool kmc_rule_sizes_range(const struct kmc_settings *settings)
{
	u32 sizes[KMC_CLASSES_MAX];

	return kmc_classes_listed(settings, sizes) != -ERANGE;
}

static bool kmc_rule_sizes_rise(const struct kmc_settings *settings)
{
	u32 sizes[KMC_CLASSES_MAX];

	return kmc_classes_listed(settings, sizes) != -EINVAL;
}

static bool kmc_rule_lru_share(const struct kmc_settings *settings)
{
	return settings->hot_lru_pct + settings->warm_lru_pct <= KMC_LRU_PCT_MAX;
}

static bool kmc_rule_segments(const struct kmc_settings *settings)
{
	return settings->lru_maintainer || !settings->lru_segmented;
}

static bool kmc_rule_temporary(const struct kmc_settings *settings)
{
	return settings->lru_maintainer || !settings->temp_lru;
}

static const struct kmc_settings_rule kmc_settings_rules[] = {
	{ kmc_rule_item_memory, "the largest item may take at most half of the memory limit" },
	{ kmc_rule_chunk_item, "slab_chunk_max cannot be larger than the largest item" },
	{ kmc_rule_item_chunks, "the largest item must be a multiple of slab_chunk_max" },
	{ kmc_rule_page_chunks, "slab_chunk_max must divide a slab page of 1 MiB evenly" },
	{ kmc_rule_lru_share, "hot_lru_pct and warm_lru_pct together cannot be more than 80" },
	{ kmc_rule_segments, "a segmented LRU needs the lru_maintainer" },
	{ kmc_rule_temporary, "temporary_ttl needs the lru_maintainer" },
	{ kmc_rule_smallest, "the smallest slab class must be at most half of slab_chunk_max" },
	{ kmc_rule_sizes_range, "a slab size is out of range: from the smallest class' to slab_chunk_max" },
	{ kmc_rule_sizes_rise, "at most 62 slab sizes, each larger than the one before by more than 8" },
};

int kmc_settings_check(const struct kmc_settings *settings, const char **complaint)
{
	size_t i;

	for (i = 0; i < kmc_setting_count; i++) {
		const struct kmc_setting_row *row = &kmc_setting_rows[i];
		u64 value = kmc_setting_get(settings, row);

		if (value < row->min || value > row->max) {
			*complaint = row->sentence;
			return -ERANGE;
		}
	}
	for (i = 0; i < ARRAY_SIZE(kmc_settings_rules); i++) {
		if (!kmc_settings_rules[i].holds(settings)) {
			*complaint = kmc_settings_rules[i].complaint;
			return -EINVAL;
		}
	}
	return 0;
}
