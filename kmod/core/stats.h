/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of one cache: per CPU, added to with BH off, summed when somebody looks.
 *
 * One row is one counter: the names below are the names that "stats" shows (memcached's
 * protocol.txt, "General-purpose statistics"). Add a row and it is counted, reset and shown.
 */
#ifndef KMC_STATS_H
#define KMC_STATS_H

#include "kernel.h"

/* X(name): counters of the whole cache. */
#define KMC_COUNTERS(X) \
	X(total_connections) X(rejected_connections) X(listen_disabled_num) X(conn_yields) \
	X(idle_kicks) X(bytes_read) X(bytes_written) \
	X(cmd_flush) X(cmd_meta) X(get_misses) X(get_expired) X(get_flushed) \
	X(delete_misses) X(incr_misses) X(decr_misses) X(cas_misses) X(touch_misses) \
	X(store_too_large) X(store_no_memory) X(auth_cmds) X(auth_errors) \
	X(total_items) X(malloc_fails) X(slabs_moved) \
	X(slab_reassign_rescues) X(slab_reassign_chunk_rescues) X(slab_reassign_inline_reclaim) \
	X(slab_reassign_busy_items) X(slab_reassign_busy_deletes) X(slab_reassign_busy_nomem) \
	X(read_buf_oom) X(response_obj_oom) \
	X(log_worker_written) X(log_watcher_skipped) X(log_watcher_sent) \
	X(lru_bumps_dropped) X(lru_maintainer_juggles) X(lru_crawler_starts)

/* X(name): counters for each slab class; "stats" shows their sums, "stats slabs" and "stats items" each.
 * The four of hits are in the order of enum kmc_lru_segment; together they are get_hits.
 */
#define KMC_CLASS_COUNTERS(X) \
	X(hits_to_hot) X(hits_to_warm) X(hits_to_cold) X(hits_to_temp) \
	X(cmd_set) X(delete_hits) X(incr_hits) X(decr_hits) X(cas_hits) X(cas_badval) \
	X(touch_hits) \
	X(evicted) X(evicted_nonzero) X(evicted_unfetched) X(evicted_active) X(reclaimed) \
	X(expired_unfetched) X(outofmemory) X(lrutail_reflocked) X(direct_reclaims) \
	X(moves_to_cold) X(moves_to_warm) X(moves_within_lru) X(crawler_reclaimed) \
	X(crawler_items_checked)

#define KMC_CLASSES_MAX 64	/* ids 1 to 63, as memcached's MAX_NUMBER_OF_SLAB_CLASSES */

#define KMC_COUNTER_ID(name) KMC_COUNT_##name,
enum kmc_counter { KMC_COUNTERS(KMC_COUNTER_ID) KMC_COUNTER_NR };
#undef KMC_COUNTER_ID

#define KMC_COUNTER_ID(name) KMC_CLASS_##name,
enum kmc_class_counter { KMC_CLASS_COUNTERS(KMC_COUNTER_ID) KMC_CLASS_COUNTER_NR };
#undef KMC_COUNTER_ID

struct kmc_counters {
	u64 all[KMC_COUNTER_NR];
	u64 by_class[KMC_CLASSES_MAX][KMC_CLASS_COUNTER_NR];
};

/**
 * struct kmc_stats - a cache's counters
 * @percpu: what counting adds to
 * @base: sums at the last "stats reset", subtracted when shown. Under @lock.
 */
struct kmc_stats {
	struct kmc_counters __percpu *percpu;
	struct kmc_counters *base;
	spinlock_t lock;
};

int kmc_stats_init(struct kmc_stats *stats);
void kmc_stats_exit(struct kmc_stats *stats);

/* BH off. */
static inline void kmc_count_add(struct kmc_stats *stats, enum kmc_counter c, u64 n)
{
	__this_cpu_add(stats->percpu->all[c], n);
}

/* BH off. */
static inline void kmc_count_class(struct kmc_stats *stats, u32 class, enum kmc_class_counter c)
{
	__this_cpu_add(stats->percpu->by_class[class][c], 1);
}

#define kmc_count(stats, name) kmc_count_add(stats, KMC_COUNT_##name, 1)
#define kmc_count_in(stats, class, name) kmc_count_class(stats, class, KMC_CLASS_##name)

/* Since the start or the last reset. Any context. */
u64 kmc_stats_sum(struct kmc_stats *stats, enum kmc_counter c);
u64 kmc_stats_sum_class(struct kmc_stats *stats, u32 class, enum kmc_class_counter c);
u64 kmc_stats_sum_classes(struct kmc_stats *stats, enum kmc_class_counter c);
void kmc_stats_reset(struct kmc_stats *stats);

/**
 * struct kmc_stats_row - one line of statistics, as "STAT name value"
 */
struct kmc_stats_row {
	char name[48];
	char value[256];
};

/**
 * kmc_stats_group - the group that a client means
 * @name: what stands behind "stats", @len bytes, not terminated
 * Return: its full name, a constant, or NULL: no such group. memcached takes any beginning of "settings".
 */
const char *kmc_stats_group(const char *name, size_t len);

/**
 * kmc_stats_conns - the rows of "stats conns", for kmc_stats_rows()
 * @at: where to begin
 * @row: to write rows to
 * @full: set when @emit refused one
 * Return: where to go on.
 */
struct kmc_core;
u32 kmc_stats_conns(struct kmc_core *core, u32 at, struct kmc_stats_row *row,
		    bool (*emit)(void *ctx, const struct kmc_stats_row *row), void *ctx, bool *full);

/**
 * kmc_stats_rows - the rows of a group, some at a time
 * @group: what stands behind "stats", "" for the general ones; not terminated, @len bytes
 * @skip: 0, or where an earlier call stood
 * @emit: called for each row; false ends the listing before that row is taken
 *
 * Any context that may run with BH off; rows are computed as they are asked for, so that a listing
 * can go on later with @skip. It may also come back because it took long enough, with no row refused.
 * Return: where it stands (pass as @skip to go on), with *@done set when there are no more; -ENOENT: no
 * such group.
 */
int kmc_stats_rows(struct kmc_core *core, const char *group, size_t len, u32 skip,
		   bool (*emit)(void *ctx, const struct kmc_stats_row *row), void *ctx, bool *done);

#endif
