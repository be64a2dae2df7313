/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settings of one cache. One row in settings.c's table for each: contract attribute, name in "stats
 * settings", type, range, default, unit, sentence. Netlink parsing, checking, defaults and "stats
 * settings" all read the table.
 */
#ifndef KMC_SETTINGS_H
#define KMC_SETTINGS_H

#include "kernel.h"

#define KMC_INTER_MAX 255
#define KMC_SLAB_SIZES_MAX 511
#define KMC_AUTH_FILE_MAX 255

/**
 * struct kmc_settings - values by the names that "stats settings" has for them
 * Live (may change while serving, READ_ONCE/WRITE_ONCE): @verbose, @memory_limit, @slab_automove and what
 * goes with it, all about the LRUs.
 */
struct kmc_settings {
	u64 memory_limit;
	u64 initial_malloc;	/* bytes of that which nobody has, and yet count */
	u32 conn_limit;
	u32 growth_factor;	/* thousandths */
	u32 size_min;
	u32 item_size_max;
	u32 slab_chunk_max;
	u32 reqs_per_event;
	u32 backlog;
	u32 threads;
	u32 hashpower;
	u32 idle_timeout;	/* seconds, 0: never */
	u32 umask;
	u32 hot_lru_pct;	/* of what a class has in hot, warm and cold */
	u32 warm_lru_pct;
	u32 hot_max_factor;	/* thousandths of the cold LRU's age */
	u32 warm_max_factor;
	u32 temporary_ttl;	/* seconds */
	u32 lru_crawler_sleep;	/* microseconds */
	u32 lru_crawler_tocrawl;	/* items, 0: all */
	u32 tail_repair_time;	/* seconds, 0: never */
	u32 watcher_logbuf_size;
	u32 worker_logbuf_size;
	u32 read_buf_mem_limit;	/* bytes, 0: none */
	u8 evict;
	u8 cas;
	u8 prefix_delim;
	u8 stats_detail;
	u8 verbose;
	u8 flush_enabled;
	u8 shutdown_enabled;
	u8 protocol;
	u8 maxconns_fast;
	u8 slab_reassign;
	u8 track_sizes;
	u8 auth;
	u32 slab_automove;	/* 0, 1, or 2: for each eviction a page */
	u32 slab_automove_ratio;	/* millionths */
	u32 slab_automove_window;	/* looks, of a second each */
	u32 slab_automove_freeratio;	/* millionths; shown by nobody, used by nobody */
	char slab_sizes[KMC_SLAB_SIZES_MAX + 1];
	u8 lru_maintainer;
	u8 lru_segmented;
	u8 temp_lru;
	u8 lru_crawler;
	u8 hash_algorithm;
	u8 hash_expand;
	u8 dump_enabled;
	u8 watch_enabled;
	char inter[KMC_INTER_MAX + 1];
	char auth_file[KMC_AUTH_FILE_MAX + 1];
};

enum kmc_setting_type {
	KMC_SETTING_U8,
	KMC_SETTING_U32,
	KMC_SETTING_U64,
	KMC_SETTING_STRING,
};

/**
 * struct kmc_setting_row - one setting
 * @attr: enum kmc_setting of the contract
 * @name: for messages
 * @type: of the field at @offset in struct kmc_settings
 * @min, @max: inclusive (for a string: longest length in @max)
 * @preset: default
 * @sentence: what it does, for messages and documentation
 */
struct kmc_setting_row {
	u16 attr;
	const char *name;
	enum kmc_setting_type type;
	size_t offset;
	u64 min, max, preset;
	const char *sentence;
};

extern const struct kmc_setting_row kmc_setting_rows[];
extern const size_t kmc_setting_count;

void kmc_settings_defaults(struct kmc_settings *settings);

/**
 * kmc_settings_check - ranges, and what must fit together
 * @complaint: set to a constant sentence on failure
 * Return: 0, -ERANGE for a number outside its range, -EINVAL for a combination.
 */
int kmc_settings_check(const struct kmc_settings *settings, const char **complaint);

u64 kmc_setting_get(const struct kmc_settings *settings, const struct kmc_setting_row *row);
void kmc_setting_put(struct kmc_settings *settings, const struct kmc_setting_row *row, u64 value);

#endif
