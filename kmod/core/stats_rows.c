// SPDX-License-Identifier: GPL-2.0
/*
 * What "stats" shows: a table for each group, in memcached 1.6.45's order and names. Which rows are
 * constants here, and which count something of their own: docs/protocol.md.
 */
#include "core.h"
#include "stats_rows.h"
#include "version.h"
#include "../include/uapi/linux/kmemcache.h"

/* The cache's clock when the server started: kmc_store_now() begins with it. */
#define KMC_CLOCK_START		2

/* Places of a table that one call looks at, a quarter of a megabyte of them: as many sizes as -I 2m has. */
#define KMC_LIST_LOOKS		65536

static u64 kmc_stat_setting(struct kmc_listing *list, u32 attr)
{
	return kmc_listing_setting(list, attr);
}

static u64 kmc_stat_counter(struct kmc_listing *list, u32 c)
{
	return kmc_stats_sum(&list->core->stats, c);
}

static u64 kmc_stat_classes(struct kmc_listing *list, u32 c)
{
	return kmc_stats_sum_classes(&list->core->stats, c);
}

static u64 kmc_stat_class(struct kmc_listing *list, u32 c)
{
	return kmc_stats_sum_class(&list->core->stats, list->class, c);
}

/* Nothing of that kind exists here. */
static u64 kmc_stat_zero(struct kmc_listing *list, u32 arg)
{
	return 0;
}

static u64 kmc_stat_pointer_size(struct kmc_listing *list, u32 arg)
{
	return 8 * sizeof(void *);
}

static u64 kmc_stat_get_hits(struct kmc_listing *list, u32 arg)
{
	return kmc_stat_classes(list, KMC_CLASS_hits_to_hot) + kmc_stat_classes(list, KMC_CLASS_hits_to_warm) +
	       kmc_stat_classes(list, KMC_CLASS_hits_to_cold) + kmc_stat_classes(list, KMC_CLASS_hits_to_temp);
}

static u64 kmc_stat_class_get_hits(struct kmc_listing *list, u32 arg)
{
	return kmc_stat_class(list, KMC_CLASS_hits_to_hot) + kmc_stat_class(list, KMC_CLASS_hits_to_warm) +
	       kmc_stat_class(list, KMC_CLASS_hits_to_cold) + kmc_stat_class(list, KMC_CLASS_hits_to_temp);
}

static u64 kmc_stat_cmd_get(struct kmc_listing *list, u32 arg)
{
	return kmc_stat_get_hits(list, 0) + kmc_stat_counter(list, KMC_COUNT_get_misses);
}

static u64 kmc_stat_cmd_touch(struct kmc_listing *list, u32 arg)
{
	return kmc_stat_classes(list, KMC_CLASS_touch_hits) +
	       kmc_stat_counter(list, KMC_COUNT_touch_misses);
}

/* It crawls, or a client has keys listed. */
static u64 kmc_stat_lru_crawler_running(struct kmc_listing *list, u32 arg)
{
	return list->totals.lru_crawler_running || atomic_read(&list->core->dumps);
}

static u64 kmc_stat_watchers(struct kmc_listing *list, u32 arg)
{
	return kmc_watchers(&list->core->watch);
}

static u64 kmc_stat_uptime(struct kmc_listing *list, u32 arg)
{
	return kmc_store_now(list->core->store) - KMC_CLOCK_START;
}

static u64 kmc_stat_time(struct kmc_listing *list, u32 arg)
{
	return kmc_store_real(list->core->store);
}

#define KMC_GAUGE(field) \
	static u64 kmc_stat_##field(struct kmc_listing *list, u32 arg) { return list->gauges.field; }
#define KMC_TOTAL(field) \
	static u64 kmc_stat_##field(struct kmc_listing *list, u32 arg) { return list->totals.field; }
#define KMC_IN_CLASS(field) \
	static u64 kmc_stat_##field(struct kmc_listing *list, u32 arg) { return list->in_class.field; }

KMC_GAUGE(pid)
KMC_GAUGE(curr_connections)
KMC_GAUGE(time_in_listen_disabled_us)
KMC_GAUGE(accepting_conns)
KMC_TOTAL(curr_items)
KMC_TOTAL(bytes)
KMC_TOTAL(hash_bytes)
KMC_TOTAL(hash_power_level)
KMC_TOTAL(hash_is_expanding)
KMC_TOTAL(pooled_pages)
KMC_TOTAL(reserved_pages)
KMC_TOTAL(reclaimed_pages)
KMC_TOTAL(incoming_bytes)
KMC_TOTAL(total_malloced)
KMC_TOTAL(moving)
KMC_IN_CLASS(chunk_size)
KMC_IN_CLASS(chunks_per_page)
KMC_IN_CLASS(pages)
KMC_IN_CLASS(chunks)
KMC_IN_CLASS(used_chunks)
KMC_IN_CLASS(free_chunks)
KMC_IN_CLASS(items)
KMC_IN_CLASS(mem_requested)
KMC_IN_CLASS(evicted_time)

static u64 kmc_stat_number(struct kmc_listing *list, u32 segment)
{
	return list->in_class.number[segment];
}

static u64 kmc_stat_age(struct kmc_listing *list, u32 segment)
{
	return list->in_class.age[segment];
}

static const char *kmc_stat_last_busy(struct kmc_listing *list)
{
	return list->totals.last_busy;
}

#define KMC_STAT(text, how)		{ .name = text, .get = kmc_stat_##how }
#define KMC_STAT_ARG(text, how, what)	{ .name = text, .get = kmc_stat_##how, .arg = what }
#define KMC_STAT_ALL(c)			KMC_STAT_ARG(#c, counter, KMC_COUNT_##c)
#define KMC_STAT_SUM(c)			KMC_STAT_ARG(#c, classes, KMC_CLASS_##c)
#define KMC_STAT_EACH(c)		KMC_STAT_ARG(#c, class, KMC_CLASS_##c)
#define KMC_STAT_WHEN(c, attr) \
	{ .name = #c, .get = kmc_stat_counter, .arg = KMC_COUNT_##c, .when = KMC_S_##attr }
#define KMC_STAT_SUM_WHEN(c, attr) \
	{ .name = #c, .get = kmc_stat_classes, .arg = KMC_CLASS_##c, .when = KMC_S_##attr }
#define KMC_STAT_EACH_WHEN(c, attr) \
	{ .name = #c, .get = kmc_stat_class, .arg = KMC_CLASS_##c, .when = KMC_S_##attr }
#define KMC_STAT_ARG_WHEN(text, how, what, attr) \
	{ .name = text, .get = kmc_stat_##how, .arg = what, .when = KMC_S_##attr }
#define KMC_STAT_ZERO(text)		KMC_STAT(text, zero)
#define KMC_STAT_TEXT(title, what)	{ .name = title, .text = what }

/* memcached.c, server_stats(), get_stats(); items.c, item_stats_totals() */
static const struct kmc_stat kmc_stats_general[] = {
	KMC_STAT("pid", pid),
	KMC_STAT("uptime", uptime),
	KMC_STAT("time", time),
	KMC_STAT_TEXT("version", KMC_VERSION_TEXT),
	KMC_STAT_TEXT("libevent", "none"),
	KMC_STAT("pointer_size", pointer_size),
	KMC_STAT_TEXT("rusage_user", "0.000000"),
	KMC_STAT_TEXT("rusage_system", "0.000000"),
	KMC_STAT_ARG("max_connections", setting, KMC_S_CONN_LIMIT),
	KMC_STAT("curr_connections", curr_connections),
	KMC_STAT_ALL(total_connections),
	KMC_STAT_WHEN(rejected_connections, MAXCONNS_FAST),
	KMC_STAT("connection_structures", curr_connections),
	KMC_STAT_ALL(response_obj_oom),
	KMC_STAT_ARG("response_obj_count", buffers, offsetof(struct kmc_buffers_totals, answers)),
	KMC_STAT_ARG("response_obj_bytes", buffers, offsetof(struct kmc_buffers_totals, answer_bytes)),
	KMC_STAT_ARG("read_buf_count", buffers, offsetof(struct kmc_buffers_totals, count)),
	KMC_STAT_ARG("read_buf_bytes", buffers, offsetof(struct kmc_buffers_totals, bytes)),
	KMC_STAT_ARG("read_buf_bytes_free", buffers, offsetof(struct kmc_buffers_totals, free_bytes)),
	KMC_STAT_ALL(read_buf_oom),
	KMC_STAT_ZERO("reserved_fds"),
	KMC_STAT("cmd_get", cmd_get),
	KMC_STAT_SUM(cmd_set),
	KMC_STAT_ALL(cmd_flush),
	KMC_STAT("cmd_touch", cmd_touch),
	KMC_STAT_ALL(cmd_meta),
	KMC_STAT("get_hits", get_hits),
	KMC_STAT_ALL(get_misses),
	KMC_STAT_ALL(get_expired),
	KMC_STAT_ALL(get_flushed),
	KMC_STAT_ALL(delete_misses),
	KMC_STAT_SUM(delete_hits),
	KMC_STAT_ALL(incr_misses),
	KMC_STAT_SUM(incr_hits),
	KMC_STAT_ALL(decr_misses),
	KMC_STAT_SUM(decr_hits),
	KMC_STAT_ALL(cas_misses),
	KMC_STAT_SUM(cas_hits),
	KMC_STAT_SUM(cas_badval),
	KMC_STAT_SUM(touch_hits),
	KMC_STAT_ALL(touch_misses),
	KMC_STAT_ALL(store_too_large),
	KMC_STAT_ALL(store_no_memory),
	KMC_STAT_ALL(auth_cmds),
	KMC_STAT_ALL(auth_errors),
	KMC_STAT_WHEN(idle_kicks, IDLE_TIMEOUT),
	KMC_STAT_ALL(bytes_read),
	KMC_STAT_ALL(bytes_written),
	KMC_STAT_ARG("limit_maxbytes", setting, KMC_S_MEMORY_LIMIT),
	KMC_STAT("accepting_conns", accepting_conns),
	KMC_STAT_ALL(listen_disabled_num),
	KMC_STAT("time_in_listen_disabled_us", time_in_listen_disabled_us),
	KMC_STAT_ARG("threads", setting, KMC_S_THREADS),
	KMC_STAT_ALL(conn_yields),
	KMC_STAT("hash_power_level", hash_power_level),
	KMC_STAT("hash_bytes", hash_bytes),
	KMC_STAT("hash_is_expanding", hash_is_expanding),
	KMC_STAT_WHEN(slab_reassign_rescues, SLAB_REASSIGN),
	KMC_STAT_WHEN(slab_reassign_chunk_rescues, SLAB_REASSIGN),
	KMC_STAT_WHEN(slab_reassign_inline_reclaim, SLAB_REASSIGN),
	KMC_STAT_WHEN(slab_reassign_busy_items, SLAB_REASSIGN),
	KMC_STAT_WHEN(slab_reassign_busy_deletes, SLAB_REASSIGN),
	KMC_STAT_WHEN(slab_reassign_busy_nomem, SLAB_REASSIGN),
	{ .name = "slab_reassign_last_busy_status", .say = kmc_stat_last_busy, .when = KMC_S_SLAB_REASSIGN },
	{ .name = "slab_reassign_running", .get = kmc_stat_moving, .when = KMC_S_SLAB_REASSIGN },
	KMC_STAT_WHEN(slabs_moved, SLAB_REASSIGN),
	KMC_STAT_ARG_WHEN("lru_crawler_running", lru_crawler_running, 0, LRU_CRAWLER),
	KMC_STAT_WHEN(lru_crawler_starts, LRU_CRAWLER),
	KMC_STAT_WHEN(lru_maintainer_juggles, LRU_MAINTAINER),
	KMC_STAT_ALL(malloc_fails),
	KMC_STAT_ZERO("log_worker_dropped"),
	KMC_STAT_ALL(log_worker_written),
	KMC_STAT_ALL(log_watcher_skipped),
	KMC_STAT_ALL(log_watcher_sent),
	KMC_STAT("log_watchers", watchers),
	KMC_STAT_ZERO("unexpected_napi_ids"),
	KMC_STAT_ZERO("round_robin_fallback"),
	KMC_STAT("bytes", bytes),
	KMC_STAT("curr_items", curr_items),
	KMC_STAT_ALL(total_items),
	KMC_STAT("slab_global_page_pool", pooled_pages),
	KMC_STAT_SUM(expired_unfetched),
	KMC_STAT_SUM(evicted_unfetched),
	KMC_STAT_SUM_WHEN(evicted_active, LRU_MAINTAINER),
	KMC_STAT_ARG("evictions", classes, KMC_CLASS_evicted),
	KMC_STAT_SUM(reclaimed),
	KMC_STAT_SUM(crawler_reclaimed),
	KMC_STAT_SUM(crawler_items_checked),
	KMC_STAT_SUM(lrutail_reflocked),
	KMC_STAT_SUM_WHEN(moves_to_cold, LRU_MAINTAINER),
	KMC_STAT_SUM_WHEN(moves_to_warm, LRU_MAINTAINER),
	KMC_STAT_SUM_WHEN(moves_within_lru, LRU_MAINTAINER),
	KMC_STAT_SUM_WHEN(direct_reclaims, LRU_MAINTAINER),
	KMC_STAT_WHEN(lru_bumps_dropped, LRU_MAINTAINER),
};

/* items.c, item_stats() */
static const struct kmc_stat kmc_stats_items[] = {
	KMC_STAT("number", items),
	KMC_STAT_ARG_WHEN("number_hot", number, KMC_HOT, LRU_MAINTAINER),
	KMC_STAT_ARG_WHEN("number_warm", number, KMC_WARM, LRU_MAINTAINER),
	KMC_STAT_ARG_WHEN("number_cold", number, KMC_COLD, LRU_MAINTAINER),
	KMC_STAT_ARG_WHEN("number_temp", number, KMC_TEMP, TEMP_LRU),
	KMC_STAT_ARG_WHEN("age_hot", age, KMC_HOT, LRU_MAINTAINER),
	KMC_STAT_ARG_WHEN("age_warm", age, KMC_WARM, LRU_MAINTAINER),
	KMC_STAT_ARG("age", age, KMC_COLD),
	KMC_STAT("mem_requested", mem_requested),
	KMC_STAT_EACH(evicted),
	KMC_STAT_EACH(evicted_nonzero),
	KMC_STAT("evicted_time", evicted_time),
	KMC_STAT_EACH(outofmemory),
	KMC_STAT_ZERO("tailrepairs"),
	KMC_STAT_EACH(reclaimed),
	KMC_STAT_EACH(expired_unfetched),
	KMC_STAT_EACH(evicted_unfetched),
	KMC_STAT_EACH_WHEN(evicted_active, LRU_MAINTAINER),
	KMC_STAT_EACH(crawler_reclaimed),
	KMC_STAT_EACH(crawler_items_checked),
	KMC_STAT_EACH(lrutail_reflocked),
	KMC_STAT_EACH_WHEN(moves_to_cold, LRU_MAINTAINER),
	KMC_STAT_EACH_WHEN(moves_to_warm, LRU_MAINTAINER),
	KMC_STAT_EACH_WHEN(moves_within_lru, LRU_MAINTAINER),
	KMC_STAT_EACH_WHEN(direct_reclaims, LRU_MAINTAINER),
	KMC_STAT_EACH_WHEN(hits_to_hot, LRU_MAINTAINER),
	KMC_STAT_EACH_WHEN(hits_to_warm, LRU_MAINTAINER),
	KMC_STAT_EACH_WHEN(hits_to_cold, LRU_MAINTAINER),
	KMC_STAT_EACH_WHEN(hits_to_temp, LRU_MAINTAINER),
};

/* slabs.c, do_slabs_stats() */
static const struct kmc_stat kmc_stats_slabs[] = {
	KMC_STAT("chunk_size", chunk_size),
	KMC_STAT("chunks_per_page", chunks_per_page),
	KMC_STAT("total_pages", pages),
	KMC_STAT("total_chunks", chunks),
	KMC_STAT("used_chunks", used_chunks),
	KMC_STAT("free_chunks", free_chunks),
	KMC_STAT_ZERO("free_chunks_end"),
	KMC_STAT("get_hits", class_get_hits),
	KMC_STAT_EACH(cmd_set),
	KMC_STAT_EACH(delete_hits),
	KMC_STAT_EACH(incr_hits),
	KMC_STAT_EACH(decr_hits),
	KMC_STAT_EACH(cas_hits),
	KMC_STAT_EACH(cas_badval),
	KMC_STAT_EACH(touch_hits),
};

/* Ours: memory beside what memcached would have. */
static const struct kmc_stat kmc_stats_memory[] = {
	KMC_STAT("total_malloced", total_malloced),
	KMC_STAT("pool_pages", pooled_pages),
	KMC_STAT("reserve_pages", reserved_pages),
	KMC_STAT("reclaimed_pages", reclaimed_pages),
	KMC_STAT("incoming_bytes", incoming_bytes),
};

bool kmc_list_begin(struct kmc_listing *list)
{
	if (list->full)
		return false;
	if (list->at >= list->skip)
		return true;
	list->at++;
	return false;
}

void kmc_list_emit(struct kmc_listing *list)
{
	if (list->emit(list->ctx, &list->row))
		list->at++;
	else
		list->full = true;
}

static void kmc_list_value(struct kmc_listing *list, const struct kmc_stat *stat)
{
	char *value = list->row.value;

	if (stat->get)
		scnprintf(value, sizeof(list->row.value), "%llu", stat->get(list, stat->arg));
	else
		scnprintf(value, sizeof(list->row.value), "%s", stat->say ? stat->say(list) : stat->text);
}

static void kmc_list_stats(struct kmc_listing *list, const struct kmc_stat *stats, size_t count)
{
	const struct kmc_stat *stat;

	for (stat = stats; stat < stats + count; stat++) {
		if (stat->when && !kmc_stat_setting(list, stat->when))
			continue;
		if (!kmc_list_begin(list))
			continue;
		scnprintf(list->row.name, sizeof(list->row.name), "%s", stat->name);
		kmc_list_value(list, stat);
		kmc_list_emit(list);
	}
}

static void kmc_list_general(struct kmc_listing *list)
{
	kmc_list_stats(list, kmc_stats_general, ARRAY_SIZE(kmc_stats_general));
}

static void kmc_list_memory(struct kmc_listing *list)
{
	kmc_list_stats(list, kmc_stats_memory, ARRAY_SIZE(kmc_stats_memory));
}

/* The rows of the class at hand; @prefix stands before its number. */
static void kmc_list_class(struct kmc_listing *list, const char *prefix, const struct kmc_stat *stats,
			   size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (stats[i].when && !kmc_stat_setting(list, stats[i].when))
			continue;
		if (!kmc_list_begin(list))
			continue;
		scnprintf(list->row.name, sizeof(list->row.name), "%s%u:%s", prefix, list->class,
			  stats[i].name);
		kmc_list_value(list, &stats[i]);
		kmc_list_emit(list);
	}
}

/* Goes to the next class. Return: false: there is none, or the listing is full. */
static bool kmc_list_next(struct kmc_listing *list)
{
	u32 last;

	list->class++;
	return !list->full &&
	       kmc_store_class(list->core->store, list->class, &last, &list->in_class);
}

static void kmc_list_items(struct kmc_listing *list)
{
	while (kmc_list_next(list))
		if (list->in_class.items)
			kmc_list_class(list, "items:", kmc_stats_items, ARRAY_SIZE(kmc_stats_items));
}

static void kmc_list_number(struct kmc_listing *list, const char *name, u64 number)
{
	if (!kmc_list_begin(list))
		return;
	scnprintf(list->row.name, sizeof(list->row.name), "%s", name);
	scnprintf(list->row.value, sizeof(list->row.value), "%llu", number);
	kmc_list_emit(list);
}

static void kmc_list_slabs(struct kmc_listing *list)
{
	u32 active = 0;

	while (kmc_list_next(list)) {
		if (!list->in_class.pages)
			continue;
		active++;
		kmc_list_class(list, "", kmc_stats_slabs, ARRAY_SIZE(kmc_stats_slabs));
	}
	kmc_list_number(list, "active_slabs", active);
	kmc_list_number(list, "total_malloced", list->totals.total_malloced);
}

/* A place in this listing is a size: what stands before it costs nothing. */
static void kmc_list_sizes_tracked(struct kmc_listing *list)
{
	u32 bytes = list->skip, items, looks = KMC_LIST_LOOKS;

	list->at = bytes;
	while (kmc_store_next_size(list->core->store, &bytes, &items, &looks)) {
		scnprintf(list->row.name, sizeof(list->row.name), "%u", bytes);
		scnprintf(list->row.value, sizeof(list->row.value), "%u", items);
		list->full = !list->emit(list->ctx, &list->row);
		if (list->full)
			return;
		list->at = bytes;
	}
	list->tired = !looks;
	list->at = bytes;
}

static void kmc_list_sizes(struct kmc_listing *list)
{
	if (kmc_store_tracks_sizes(list->core->store)) {
		kmc_list_sizes_tracked(list);
		return;
	}
	if (!kmc_list_begin(list))
		return;
	scnprintf(list->row.name, sizeof(list->row.name), "sizes_status");
	scnprintf(list->row.value, sizeof(list->row.value), "disabled");
	kmc_list_emit(list);
}

static void kmc_list_conns(struct kmc_listing *list)
{
	list->at = kmc_stats_conns(list->core, list->skip, &list->row, list->emit, list->ctx, &list->full);
}

/**
 * struct kmc_stats_listing - a group
 * @begin: whether any beginning of its name will do
 */
static const struct kmc_stats_listing {
	const char *name;
	bool begin;
	void (*list)(struct kmc_listing *list);
} kmc_stats_listings[] = {
	{ "", false, kmc_list_general },
	{ "settings", true, kmc_list_settings },
	{ "items", false, kmc_list_items },
	{ "slabs", false, kmc_list_slabs },
	{ "sizes", false, kmc_list_sizes },
	{ "memory", false, kmc_list_memory },
	{ "conns", false, kmc_list_conns },
};

static const struct kmc_stats_listing *kmc_stats_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kmc_stats_listings); i++) {
		const struct kmc_stats_listing *group = &kmc_stats_listings[i];
		size_t whole = strlen(group->name);

		if (len != whole && !(group->begin && len && len < whole))
			continue;
		if (!len || !memcmp(group->name, name, len))
			return group;
	}
	return NULL;
}

const char *kmc_stats_group(const char *name, size_t len)
{
	const struct kmc_stats_listing *group = kmc_stats_find(name, len);

	return group ? group->name : NULL;
}

int kmc_stats_rows(struct kmc_core *core, const char *group, size_t len, u32 skip,
		   bool (*emit)(void *ctx, const struct kmc_stats_row *row), void *ctx, bool *done)
{
	const struct kmc_stats_listing *listing = kmc_stats_find(group, len);
	struct kmc_listing list = {
		.core = core,
		.skip = min_t(u32, skip, S32_MAX),	/* behind all there is */
		.emit = emit,
		.ctx = ctx,
	};

	if (!listing)
		return -ENOENT;
	core->ops->gauges(core, &list.gauges);
	kmc_store_totals(core->store, &list.totals);
	listing->list(&list);
	*done = !list.full && !list.tired;
	return list.at;
}
