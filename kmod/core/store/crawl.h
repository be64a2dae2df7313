/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The crawler: goes through the index and takes out what is dead, wherever it is in its LRU.
 *
 * A run is for all classes or for those that a client asked for. Of itself it runs when the last run has
 * seen enough items that have died since (memcached's rule, for the whole cache instead of each list: a
 * minute later than last time if it would find little, a minute earlier if much, an hour at most), and
 * after a flush. With lru_crawler_tocrawl the next run begins where this one had seen enough of a class.
 *
 * All is upkeep's own but @asked.
 */
#ifndef KMC_CRAWL_H
#define KMC_CRAWL_H

#include "store.h"

#define KMC_CRAWL_MINUTES	60

/**
 * struct kmc_crawler - the run at hand, and the plan for the next
 * @lock: protects @asked
 * @asked: classes that a client wants crawled, a bit each
 * @classes: of the run at hand that are still of interest; 0: there is none
 * @for_client: it was asked for
 * @urgent: flushes cannot wait for it: no pauses, and whatever the settings say
 * @whole: it sees all that was there when it began
 * @pass: flush number when it began
 * @walk: where it is; @resume: where the next one begins
 * @checked: items of each class; @reclaimed: those of all classes that were dead
 * @mortal: items with a deadline; @minutes: how many die within each minute of the coming hour
 * @began: second in which the run began
 * @next: second of the next run; @wait: how long that was after the last
 */
struct kmc_crawler {
	spinlock_t lock;
	u64 asked;
	u64 classes;
	bool for_client, urgent, whole;
	u32 pass;
	struct kmc_walk walk;
	u64 resume;
	u32 checked[KMC_CLASSES_MAX];
	u64 mortal;
	u32 minutes[KMC_CRAWL_MINUTES];
	u64 reclaimed;
	u32 began;
	u32 next, wait;
};

void kmc_crawl_init(struct kmc_store *store);

/* A bounded piece of a run. Process context, one caller. Return: jiffies until the next, 0: at once. */
unsigned long kmc_crawl(struct kmc_store *store);

/* Reap what flushes have left until a flush can be taken again. Process context, any number of callers. */
void kmc_crawl_catch_up(struct kmc_store *store);

#endif
