// SPDX-License-Identifier: GPL-2.0
#include "core.h"

int kmc_watch_init(struct kmc_watch *watch)
{
	spin_lock_init(&watch->lock);
	watch->client = alloc_percpu(u32);
	return watch->client ? 0 : -ENOMEM;
}

void kmc_watch_exit(struct kmc_watch *watch)
{
	WARN_ON_ONCE(watch->count);
	free_percpu(watch->client);
	watch->client = NULL;
}

/* What anybody wants to see, by the list. */
static void kmc_watch_recount(struct kmc_watch *watch)
{
	u32 events = 0, i;

	lockdep_assert_held(&watch->lock);
	for (i = 0; i < KMC_WATCHERS_MAX; i++)
		if (watch->watchers[i])
			events |= watch->watchers[i]->events;
	WRITE_ONCE(watch->events, events);
}

/* The place of @watcher (NULL: a free one), or KMC_WATCHERS_MAX. */
static u32 kmc_watch_place(const struct kmc_watch *watch, const struct kmc_watcher *watcher)
{
	u32 i = 0;

	lockdep_assert_held(&watch->lock);
	while (i < KMC_WATCHERS_MAX && watch->watchers[i] != watcher)
		i++;
	return i;
}

/* To the ring, wrapping round. There is room. Return: the new head. */
static u32 kmc_watcher_put(struct kmc_watcher *watcher, u32 head, const char *text, u32 len)
{
	u32 first = min(len, watcher->size - head);

	memcpy(watcher->ring + head, text, first);
	memcpy(watcher->ring, text + first, len - first);
	return head + len < watcher->size ? head + len : head + len - watcher->size;
}

static u32 kmc_watcher_room(const struct kmc_watcher *watcher)
{
	u32 tail = smp_load_acquire(&watcher->tail), head = watcher->head;

	return (tail > head ? tail - head : tail + watcher->size - head) - 1;
}

/* Into the list, while there is room in it. */
static bool kmc_watcher_list(struct kmc_watch *watch, struct kmc_watcher *watcher)
{
	u32 place;

	spin_lock_bh(&watch->lock);
	place = kmc_watch_place(watch, NULL);
	if (place < KMC_WATCHERS_MAX) {
		watch->watchers[place] = watcher;
		WRITE_ONCE(watch->count, watch->count + 1);
	}
	spin_unlock_bh(&watch->lock);
	return place < KMC_WATCHERS_MAX;
}

struct kmc_watcher *kmc_watcher_create(struct kmc_core *core, u32 size)
{
	struct kmc_watcher *watcher;

	kmc_assert_process();
	if (kmc_watchers(&core->watch) == KMC_WATCHERS_MAX)
		return NULL;
	watcher = kvmalloc(struct_size(watcher, ring, size), KMC_GFP);
	if (!watcher)
		return NULL;
	memset(watcher, 0, sizeof(*watcher));
	watcher->size = size;
	if (kmc_watcher_list(&core->watch, watcher))
		return watcher;
	kvfree(watcher);
	return NULL;
}

void kmc_watcher_start(struct kmc_core *core, struct kmc_watcher *watcher, struct kmc_peer *peer, u32 events)
{
	static const char ready[] = "OK\r\n";
	struct kmc_watch *watch = &core->watch;

	kmc_assert_bh_off();
	spin_lock(&watch->lock);
	watcher->peer = peer;
	watcher->events = events;
	watcher->head = kmc_watcher_put(watcher, 0, ready, sizeof(ready) - 1);
	watch->gid++;	/* 1.6.45 numbers watchers, too */
	kmc_watch_recount(watch);
	spin_unlock(&watch->lock);
}

void kmc_watcher_destroy(struct kmc_core *core, struct kmc_watcher *watcher)
{
	struct kmc_watch *watch = &core->watch;
	u32 place;

	if (!watcher)
		return;
	spin_lock_bh(&watch->lock);
	place = kmc_watch_place(watch, watcher);
	if (!WARN_ON_ONCE(place == KMC_WATCHERS_MAX)) {
		watch->watchers[place] = NULL;
		WRITE_ONCE(watch->count, watch->count - 1);
		kmc_watch_recount(watch);
	}
	spin_unlock_bh(&watch->lock);
	kvfree(watcher);
}

u32 kmc_watchers(struct kmc_watch *watch)
{
	return READ_ONCE(watch->count);
}

bool kmc_watcher_pending(const struct kmc_watcher *watcher)
{
	return smp_load_acquire(&watcher->head) != watcher->tail;
}

u32 kmc_watcher_run(struct kmc_watcher *watcher, const u8 **at)
{
	u32 tail = watcher->tail, head;

	/* In this order: what is written from now on kicks again. Pairs with kmc_watcher_kick(). */
	WRITE_ONCE(watcher->kicked, false);
	smp_mb();
	head = smp_load_acquire(&watcher->head);
	*at = watcher->ring + tail;
	return (head >= tail ? head : watcher->size) - tail;
}

void kmc_watcher_advance(struct kmc_watcher *watcher, u32 len)
{
	u32 tail = watcher->tail + len;

	smp_store_release(&watcher->tail, tail < watcher->size ? tail : 0);
}

static void kmc_watcher_kick(struct kmc_watcher *watcher)
{
	smp_mb();	/* the bytes before the look; pairs with kmc_watcher_run() */
	if (READ_ONCE(watcher->kicked))
		return;
	WRITE_ONCE(watcher->kicked, true);
	watcher->peer->kick(watcher->peer);
}

/* A line for one. Before it, how many lines there was no room for, if any. */
static void kmc_watcher_offer(struct kmc_core *core, struct kmc_watcher *watcher, const char *line, u32 len)
{
	char before[sizeof("skipped=18446744073709551615\n")];
	u32 nbefore = 0, head;

	if (watcher->skipped)
		nbefore = scnprintf(before, sizeof(before), "skipped=%llu\n", watcher->skipped);
	if (kmc_watcher_room(watcher) < nbefore + len) {
		watcher->skipped++;
		kmc_count(&core->stats, log_watcher_skipped);
		return;
	}
	head = kmc_watcher_put(watcher, watcher->head, before, nbefore);
	head = kmc_watcher_put(watcher, head, line, len);
	smp_store_release(&watcher->head, head);
	watcher->skipped = 0;
	kmc_count(&core->stats, log_watcher_sent);
	kmc_watcher_kick(watcher);
}

void kmc_watch_deliver(struct kmc_core *core, u32 event)
{
	struct kmc_watch *watch = &core->watch;
	u32 i;

	lockdep_assert_held(&watch->lock);
	kmc_count(&core->stats, log_worker_written);
	for (i = 0; i < KMC_WATCHERS_MAX; i++)
		if (watch->watchers[i] && watch->watchers[i]->events & event)
			kmc_watcher_offer(core, watch->watchers[i], watch->line, watch->len);
}
