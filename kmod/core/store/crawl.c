// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#define KMC_CRAWL_ITEMS		1000	/* between two pauses: memcached's crawls_persleep */
#define KMC_CRAWL_MOST		8000	/* items at a time */
#define KMC_CRAWL_WAIT_MAX	3600	/* seconds: memcached's MAX_MAINTCRAWL_WAIT */
#define KMC_CRAWL_WAIT_MIN	5
#define KMC_JIFFY		(1000000U / HZ)	/* microseconds */

void kmc_crawl_init(struct kmc_store *store)
{
	spin_lock_init(&store->crawler.lock);
}

int kmc_store_crawl(struct kmc_store *store, u64 classes)
{
	struct kmc_crawler *crawler = &store->crawler;
	int err = 0;

	kmc_assert_bh_off();
	spin_lock(&crawler->lock);
	if (crawler->asked || READ_ONCE(crawler->for_client))
		err = -EBUSY;
	else
		WRITE_ONCE(crawler->asked, classes);
	spin_unlock(&crawler->lock);
	if (!err)
		kmc_store_wake(store);
	return err;
}

bool kmc_store_crawls(const struct kmc_store *store)
{
	return READ_ONCE(store->crawler.asked) || READ_ONCE(store->crawler.classes);
}

/* One item: out with it if it is dead. Stripe lock. Return: whether it was. */
static bool kmc_crawl_item(struct kmc_store *store, struct kmc_item *item, u32 handle)
{
	struct kmc_stats *stats = &store->core->stats;
	u32 class = kmc_item_class(item);
	enum kmc_miss miss;

	kmc_count_in(stats, class, crawler_items_checked);
	miss = kmc_expiry_verdict(&store->expiry, item->generation, item->exptime, kmc_store_now(store));
	if (miss == KMC_MISS_NONE)
		return false;
	kmc_count_in(stats, class, crawler_reclaimed);
	if (miss == KMC_MISS_EXPIRED && !(READ_ONCE(item->seen) & KMC_SEEN_FETCHED))
		kmc_count_in(stats, class, expired_unfetched);
	kmc_item_unlink(store, kmc_item_as_key(store, item).hash, item, handle);
	kmc_item_put(store, item);
	return true;
}

/* It lives on: when will it die? */
static void kmc_crawl_note(struct kmc_store *store, const struct kmc_item *item)
{
	struct kmc_crawler *crawler = &store->crawler;
	u32 minute;

	if (!item->exptime)
		return;
	kmc_expiry_note(&store->expiry, item->exptime);
	crawler->mortal++;
	minute = (item->exptime - kmc_store_now(store)) / 60;
	if (minute < KMC_CRAWL_MINUTES)
		crawler->minutes[minute]++;
}

static void kmc_crawl_visit(void *ctx, u32 handle)
{
	struct kmc_store *store = ctx;
	struct kmc_crawler *crawler = &store->crawler;
	struct kmc_item *item = kmc_item_at(&store->slab, handle);
	u32 most = READ_ONCE(store->core->settings.lru_crawler_tocrawl);
	u32 class = kmc_item_class(item);

	if (!(crawler->classes & 1ULL << class))
		return;
	if (most && crawler->checked[class] >= most && !crawler->urgent) {
		WRITE_ONCE(crawler->classes, crawler->classes & ~(1ULL << class));
		if (!crawler->resume)
			crawler->resume = crawler->walk.position;
		crawler->whole = false;
		return;
	}
	crawler->checked[class]++;
	if (kmc_crawl_item(store, item, handle))
		crawler->reclaimed++;
	else
		kmc_crawl_note(store, item);
}

/* Classes that have items. */
static u64 kmc_crawl_peopled(struct kmc_store *store)
{
	u64 items, bytes, classes = 0;
	u32 class;

	local_bh_disable();
	for (class = 1; class <= store->slab.last; class++) {
		items = bytes = 0;
		kmc_lru_totals(store, class, &items, &bytes);
		if (items)
			classes |= 1ULL << class;
	}
	local_bh_enable();
	return classes;
}

static u64 kmc_crawl_asked(struct kmc_crawler *crawler)
{
	u64 asked;

	spin_lock_bh(&crawler->lock);
	asked = crawler->asked;
	WRITE_ONCE(crawler->for_client, asked != 0);
	WRITE_ONCE(crawler->asked, 0);
	spin_unlock_bh(&crawler->lock);
	return asked;
}

/* Whether it is time for a run that nobody asked for. */
static bool kmc_crawl_due(const struct kmc_store *store, u32 flushes)
{
	const struct kmc_crawler *crawler = &store->crawler;
	const struct kmc_settings *settings = &store->core->settings;

	if (!READ_ONCE(settings->lru_crawler) || !READ_ONCE(settings->lru_maintainer))
		return false;
	if (flushes != crawler->pass)
		return true;
	return kmc_store_now(store) >= crawler->next &&
	       (READ_ONCE(store->expiry.deadlines) || flushes != READ_ONCE(store->expiry.reaped));
}

/* The run is over and the next one planned: memcached's line for each LRU, here one for all. */
static void kmc_crawl_tell(struct kmc_store *store, u64 little, u64 dying)
{
	const struct kmc_crawler *crawler = &store->crawler;
	struct kmc_core *core = store->core;
	u64 alive = 0;
	u32 class;

	if (!kmc_watched(&core->watch, KMC_WATCH_SYSEVENTS))
		return;
	for (class = 0; class < KMC_CLASSES_MAX; class++)
		alive += crawler->checked[class];
	alive -= crawler->reclaimed;
	local_bh_disable();
	kmc_watch_system(core, "type=lru_crawler crawler=0 lru=na low_mark=%llu next_reclaims=%llu since_run=0 "
			 "next_run=%u elapsed=%u examined=%llu reclaimed=%llu", little, dying,
			 crawler->wait + KMC_CRAWL_WAIT_MIN, kmc_store_now(store) - crawler->began, alive,
			 crawler->reclaimed);
	local_bh_enable();
}

/* memcached's lru_maintainer_crawler_check(): is there more than a hundredth to be had, and when? */
static void kmc_crawl_plan(struct kmc_store *store)
{
	struct kmc_crawler *crawler = &store->crawler;
	u64 little = crawler->mortal / 100 + 1, dying = 0;
	u32 minute;

	for (minute = 0; minute < KMC_CRAWL_MINUTES && dying <= little; minute++)
		dying += crawler->minutes[minute];
	if (dying > little && crawler->wait < (minute - 1) * 60)
		crawler->wait += 60;
	else if (dying > little && crawler->wait >= 60)
		crawler->wait -= 60;
	else if (!dying)
		crawler->wait += 60;
	crawler->wait = min_t(u32, crawler->wait, KMC_CRAWL_WAIT_MAX);
	crawler->next = kmc_store_now(store) + crawler->wait + KMC_CRAWL_WAIT_MIN;
	kmc_crawl_tell(store, little, dying);
}

static void kmc_crawl_end(struct kmc_store *store)
{
	struct kmc_crawler *crawler = &store->crawler;

	if (crawler->whole)
		kmc_expiry_passed(store, crawler->pass);
	else
		WRITE_ONCE(store->expiry.deadlines, true);
	if (!crawler->for_client)
		kmc_crawl_plan(store);
	WRITE_ONCE(crawler->classes, 0);
	WRITE_ONCE(crawler->for_client, false);
}

static void kmc_crawl_begin(struct kmc_store *store)
{
	struct kmc_crawler *crawler = &store->crawler;
	u32 flushes = kmc_expiry_pass(store);
	u64 asked = kmc_crawl_asked(crawler);
	u64 classes = 0;

	crawler->urgent = kmc_expiry_tight(store, flushes);
	if (crawler->urgent)
		classes = ~0ULL;
	else if (asked && READ_ONCE(store->core->settings.lru_crawler))
		classes = asked;
	else if (kmc_crawl_due(store, flushes))
		classes = ~0ULL;
	if (!classes) {
		WRITE_ONCE(crawler->for_client, false);
		return;
	}
	crawler->walk = (struct kmc_walk){ .position = crawler->urgent ? 0 : crawler->resume };
	crawler->resume = 0;
	crawler->whole = !~classes && !crawler->walk.position;
	crawler->mortal = 0;
	crawler->reclaimed = 0;
	crawler->began = kmc_store_now(store);
	memset(crawler->minutes, 0, sizeof(crawler->minutes));
	memset(crawler->checked, 0, sizeof(crawler->checked));
	crawler->pass = flushes;
	if (crawler->whole)
		WRITE_ONCE(store->expiry.deadlines, false);
	WRITE_ONCE(crawler->classes, classes & kmc_crawl_peopled(store));
	local_bh_disable();
	kmc_count(&store->core->stats, lru_crawler_starts);
	local_bh_enable();
	if (!crawler->classes)
		kmc_crawl_end(store);
}

/* Whether the run at hand goes on: not when the crawler was disabled, nor when a client wants another. */
static bool kmc_crawl_goes_on(const struct kmc_store *store)
{
	const struct kmc_crawler *crawler = &store->crawler;

	if (crawler->urgent)
		return true;
	return READ_ONCE(store->core->settings.lru_crawler) &&
	       (crawler->for_client || !READ_ONCE(crawler->asked));
}

/* How many items at a time, and the pause after them in jiffies. */
static u32 kmc_crawl_pace(const struct kmc_store *store, unsigned long *pause)
{
	u32 sleep = READ_ONCE(store->core->settings.lru_crawler_sleep);

	*pause = 0;
	if (!sleep || store->crawler.urgent)
		return KMC_CRAWL_MOST;
	*pause = DIV_ROUND_UP(sleep, KMC_JIFFY);
	return min_t(u32, KMC_CRAWL_ITEMS * max(KMC_JIFFY / sleep, 1U), KMC_CRAWL_MOST);
}

unsigned long kmc_crawl(struct kmc_store *store)
{
	struct kmc_crawler *crawler = &store->crawler;
	unsigned long pause;
	u32 left;

	kmc_assert_process();
	if (crawler->classes && !kmc_crawl_goes_on(store)) {
		crawler->whole = false;
		kmc_crawl_end(store);
	}
	if (!crawler->classes)
		kmc_crawl_begin(store);
	if (!crawler->classes)
		return HZ;
	/* A bucket is meant for as many items. */
	for (left = kmc_crawl_pace(store, &pause) >> KMC_BUCKET_FILL_BITS; left; left--) {
		kmc_index_step(store, &crawler->walk, kmc_crawl_visit, store);
		if (crawler->walk.done || !crawler->classes)
			break;
		cond_resched();
	}
	if (left)
		kmc_crawl_end(store);
	return crawler->classes ? pause : HZ;
}

static void kmc_crawl_catch(void *ctx, u32 handle)
{
	struct kmc_store *store = ctx;

	kmc_crawl_item(store, kmc_item_at(&store->slab, handle), handle);
}

void kmc_crawl_catch_up(struct kmc_store *store)
{
	struct kmc_walk walk = { };
	u32 pass = kmc_expiry_pass(store);

	kmc_assert_process();
	if (!kmc_expiry_tight(store, pass))
		return;
	while (!walk.done) {
		kmc_index_step(store, &walk, kmc_crawl_catch, store);
		cond_resched();
	}
	kmc_expiry_passed(store, pass);
}
