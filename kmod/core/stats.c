// SPDX-License-Identifier: GPL-2.0
/*
 * Counting. What the counters are called and who sees them: stats_rows.c.
 *
 * Locking: a CPU adds to its own counters without lock, with BH off. Sums read the others' with
 * READ_ONCE() and are as exact as a moving thing can be: nothing is lost, a sum may be a moment old.
 */
#include "stats.h"

int kmc_stats_init(struct kmc_stats *stats)
{
	BUILD_BUG_ON(sizeof(struct kmc_counters) > 32 << 10);	/* most that alloc_percpu() gives */
	spin_lock_init(&stats->lock);
	stats->base = kvzalloc(sizeof(*stats->base), KMC_GFP);
	if (!stats->base)
		return -ENOMEM;
	stats->percpu = alloc_percpu_gfp(struct kmc_counters, KMC_GFP);
	if (!stats->percpu) {
		kvfree(stats->base);
		stats->base = NULL;
		return -ENOMEM;
	}
	return 0;
}

void kmc_stats_exit(struct kmc_stats *stats)
{
	free_percpu(stats->percpu);
	kvfree(stats->base);
	stats->percpu = NULL;
	stats->base = NULL;
}

static u64 kmc_stats_total(const struct kmc_stats *stats, enum kmc_counter c)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats->percpu, cpu)->all[c]);
	return sum;
}

static u64 kmc_stats_total_class(const struct kmc_stats *stats, u32 class, enum kmc_class_counter c)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats->percpu, cpu)->by_class[class][c]);
	return sum;
}

u64 kmc_stats_sum(struct kmc_stats *stats, enum kmc_counter c)
{
	u64 sum;

	spin_lock_bh(&stats->lock);
	sum = kmc_stats_total(stats, c) - stats->base->all[c];
	spin_unlock_bh(&stats->lock);
	return sum;
}

u64 kmc_stats_sum_class(struct kmc_stats *stats, u32 class, enum kmc_class_counter c)
{
	u64 sum;

	spin_lock_bh(&stats->lock);
	sum = kmc_stats_total_class(stats, class, c) - stats->base->by_class[class][c];
	spin_unlock_bh(&stats->lock);
	return sum;
}

u64 kmc_stats_sum_classes(struct kmc_stats *stats, enum kmc_class_counter c)
{
	u64 sum = 0;
	u32 class;

	for (class = 0; class < KMC_CLASSES_MAX; class++)
		sum += kmc_stats_sum_class(stats, class, c);
	return sum;
}

void kmc_stats_reset(struct kmc_stats *stats)
{
	u32 class, c;

	spin_lock_bh(&stats->lock);
	for (c = 0; c < KMC_COUNTER_NR; c++)
		stats->base->all[c] = kmc_stats_total(stats, c);
	for (class = 0; class < KMC_CLASSES_MAX; class++)
		for (c = 0; c < KMC_CLASS_COUNTER_NR; c++)
			stats->base->by_class[class][c] = kmc_stats_total_class(stats, class, c);
	spin_unlock_bh(&stats->lock);
}
