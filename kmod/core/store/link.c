// SPDX-License-Identifier: GPL-2.0
/*
 * Items come into the index and go out of it. All decisions are made under the stripe lock; nothing is
 * allocated there. What needs memory to answer (append, a number that grows) holds the present item, lets
 * go of the lock, and looks afterwards whether the item is still the present one. As long as it is held
 * nobody changes its value.
 */
#include "state.h"

void kmc_item_unlink(struct kmc_store *store, u64 hash, struct kmc_item *item, u32 handle)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);

	lockdep_assert_held(&stripe->lock);
	write_seqcount_begin(&stripe->sequence);
	kmc_index_remove(store, hash, handle);
	WRITE_ONCE(item->flags, item->flags & ~KMC_ITEM_LINKED);
	write_seqcount_end(&stripe->sequence);
	kmc_lru_unlink(store, item, handle);
	kmc_sizes_count(store, item, -1);
}

struct kmc_item *kmc_item_seek(struct kmc_store *store, const struct kmc_key *key, u32 *handle,
			       enum kmc_miss *miss)
{
	struct kmc_stats *stats = &store->core->stats;
	struct kmc_found found;
	struct kmc_item *item;

	lockdep_assert_held(&kmc_stripe(&store->index, key->hash)->lock);
	*miss = KMC_MISS_ABSENT;
	found = kmc_index_find(store, key);
	item = found.item;
	*handle = found.handle;
	if (!item)
		return NULL;
	*miss = kmc_expiry_verdict(&store->expiry, item->generation, item->exptime, kmc_store_now(store));
	if (*miss == KMC_MISS_NONE)
		return item;
	if (*miss == KMC_MISS_FLUSHED)
		kmc_count(stats, get_flushed);
	else
		kmc_count(stats, get_expired);
	kmc_item_unlink(store, key->hash, item, *handle);
	kmc_item_put(store, item);
	return NULL;
}

struct kmc_item *kmc_item_find(struct kmc_store *store, const struct kmc_key *key, u32 *handle,
			       enum kmc_miss *miss)
{
	struct kmc_item *item = kmc_item_seek(store, key, handle, miss);

	if (kmc_watched(&store->core->watch, KMC_WATCH_FETCHERS))
		kmc_watch_fetch(store->core, key, *miss, item ? kmc_item_class(item) : 0,
				item ? item->nbytes : 0);
	return item;
}

static struct kmc_item *kmc_store_hold(struct kmc_store *store, const struct kmc_key *key,
				       const u32 *deadline, enum kmc_miss *miss)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	struct kmc_item *item;
	u32 handle;

	kmc_assert_bh_off();
	spin_lock(&stripe->lock);
	item = kmc_item_find(store, key, &handle, miss);
	if (item) {
		refcount_inc(&item->ref);
		if (deadline) {
			write_seqcount_begin(&stripe->sequence);
			WRITE_ONCE(item->exptime, *deadline);
			write_seqcount_end(&stripe->sequence);
			kmc_expiry_note(&store->expiry, *deadline);
		}
		kmc_lru_access(store, item, handle, key->hash, kmc_item_segment(item), true);
	}
	spin_unlock(&stripe->lock);
	return item;
}

struct kmc_item *kmc_store_get(struct kmc_store *store, const struct kmc_key *key, enum kmc_miss *miss)
{
	return kmc_store_hold(store, key, NULL, miss);
}

struct kmc_item *kmc_store_get_touch(struct kmc_store *store, const struct kmc_key *key, u32 deadline,
				     enum kmc_miss *miss)
{
	return kmc_store_hold(store, key, &deadline, miss);
}

u64 kmc_cas_for(struct kmc_store *store, const struct kmc_change *change)
{
	if (!store->core->settings.cas)
		return 0;
	return change->with_cas ? change->cas : (u64)atomic64_inc_return(&store->cas);
}

void kmc_link_prepare(struct kmc_store *store, struct kmc_item *item, const struct kmc_change *change, u32 now)
{
	kmc_item_arrived(store, item);
	WRITE_ONCE(item->cas, kmc_cas_for(store, change));
	WRITE_ONCE(item->generation, kmc_expiry_generation(store, now));
	WRITE_ONCE(item->seen, now & KMC_SEEN_TIME);
	WRITE_ONCE(item->flags, item->flags | KMC_ITEM_LINKED);
	kmc_expiry_note(&store->expiry, item->exptime);
}

/* In the place of @old, which loses the index' reference. */
static void kmc_link_replace(struct kmc_store *store, u64 hash, struct kmc_item *old, u32 old_handle,
			     struct kmc_item *item, const struct kmc_change *change)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);
	u32 handle = item->next;

	refcount_inc(&item->ref);
	kmc_link_prepare(store, item, change, kmc_store_now(store));
	write_seqcount_begin(&stripe->sequence);
	kmc_index_replace(store, hash, old_handle, handle);
	WRITE_ONCE(old->flags, old->flags & ~KMC_ITEM_LINKED);
	write_seqcount_end(&stripe->sequence);
	kmc_lru_renew(store, old, old_handle, item, handle);
	kmc_sizes_count(store, old, -1);
	kmc_sizes_count(store, item, 1);
	kmc_item_put(store, old);
	kmc_count(&store->core->stats, total_items);
}

static bool kmc_link_insert(struct kmc_store *store, u64 hash, struct kmc_item *item,
			    const struct kmc_change *change)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);
	u32 handle = item->next;
	bool done;

	write_seqcount_begin(&stripe->sequence);
	done = kmc_index_insert(store, hash, handle);
	if (done) {
		refcount_inc(&item->ref);
		kmc_link_prepare(store, item, change, kmc_store_now(store));
	}
	write_seqcount_end(&stripe->sequence);
	if (!done)
		return false;
	kmc_lru_link(store, item, handle);
	kmc_sizes_count(store, item, 1);
	kmc_count(&store->core->stats, total_items);
	return true;
}

/* The index cannot grow and the bucket is full: somebody who shares it has to go. */
static bool kmc_link_crowd_out(struct kmc_store *store, u64 hash)
{
	struct kmc_item *item;
	u32 nth, handle;

	for (nth = 0; (handle = kmc_index_neighbour(store, hash, nth)); nth++) {
		item = kmc_item_at(&store->slab, handle);
		if (refcount_read(&item->ref) != 1)
			continue;
		if (kmc_watched(&store->core->watch, KMC_WATCH_EVICTIONS))
			kmc_watch_evict(store->core, item);
		kmc_count_in(&store->core->stats, kmc_item_class(item), evicted);
		/* Of the same bucket, but with a hash of its own; both name one place. */
		kmc_item_unlink(store, hash, item, handle);
		kmc_item_put(store, item);
		return true;
	}
	return false;
}

static enum kmc_store_status kmc_link_new(struct kmc_store *store, u64 hash, struct kmc_item *item,
					  const struct kmc_change *change)
{
	if (kmc_link_insert(store, hash, item, change))
		return KMC_STORED;
	if (!READ_ONCE(store->index.stuck))
		return KMC_AGAIN;
	if (store->core->settings.evict && kmc_link_crowd_out(store, hash) &&
	    kmc_link_insert(store, hash, item, change))
		return KMC_STORED;
	return KMC_NO_MEMORY;
}

/* Whether @mode lets an item be stored over @old (NULL: there is none). KMC_STORED: it does. */
static enum kmc_store_status kmc_link_judge(struct kmc_store *store, const struct kmc_item *old,
					    const struct kmc_linking *how)
{
	struct kmc_stats *stats = &store->core->stats;
	enum kmc_store_mode mode = how->mode;
	/* Without CAS values only the command that is about them has any use for one. */
	u64 cas = store->core->settings.cas || mode == KMC_CAS ? how->cas : 0;
	bool match = old && (cas ? cas == old->cas || (how->stale && cas < old->cas) : mode != KMC_CAS);

	if (mode == KMC_SET && cas)
		mode = KMC_CAS;
	switch (mode) {
	case KMC_SET:
		return KMC_STORED;
	case KMC_ADD:
		return old ? KMC_NOT_STORED : KMC_STORED;
	case KMC_CAS:
		if (!old)
			kmc_count(stats, cas_misses);
		else if (match)
			kmc_count_in(stats, kmc_item_class(old), cas_hits);
		else
			kmc_count_in(stats, kmc_item_class(old), cas_badval);
		return !old ? KMC_NOT_FOUND : match ? KMC_STORED : KMC_EXISTS;
	case KMC_REPLACE:
	case KMC_APPEND:
	case KMC_PREPEND:
		return !old ? KMC_NOT_STORED : match ? KMC_STORED : KMC_EXISTS;
	}
	return KMC_NOT_STORED;
}

enum kmc_store_status kmc_item_swap(struct kmc_store *store, const struct kmc_key *key, struct kmc_swap *swap)
{
	const u8 marks = KMC_ITEM_BINARY | (swap->as_old ? KMC_ITEM_STALE | KMC_ITEM_WON : 0);
	struct kmc_item *old = swap->old, *item = swap->item;
	const struct kmc_change *change = swap->change;
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	enum kmc_store_status status = KMC_AGAIN;
	enum kmc_miss miss;
	u32 handle;

	spin_lock(&stripe->lock);
	if (kmc_item_seek(store, key, &handle, &miss) == old) {
		WRITE_ONCE(item->exptime, change->with_deadline ? change->deadline : old->exptime);
		kmc_item_mark(item, old->flags & marks);
		kmc_link_replace(store, key->hash, old, handle, item, change);
		if (swap->as_old)
			WRITE_ONCE(item->seen, READ_ONCE(item->seen) | (READ_ONCE(old->seen) & KMC_SEEN_FETCHED));
		swap->cas_out = item->cas;
		swap->deadline_out = item->exptime;
		status = KMC_STORED;
	}
	spin_unlock(&stripe->lock);
	return status;
}

enum kmc_store_status kmc_store_error(long err)
{
	return err == -EAGAIN ? KMC_AGAIN : err == -E2BIG ? KMC_TOO_LARGE : KMC_NO_MEMORY;
}

/* What became of it: for the caller, and for who watches. */
static void kmc_link_report(struct kmc_linking *how, const struct kmc_item *item)
{
	how->nbytes_out = item->nbytes;
	how->class_out = kmc_item_class(item);
	how->deadline_out = READ_ONCE(item->exptime);
}

static void kmc_item_copy(struct kmc_store *store, struct kmc_cursor *to, struct kmc_item *from)
{
	struct kmc_cursor cursor;
	u8 *at;
	u32 run;

	kmc_cursor_init(store, &cursor, from);
	while ((run = kmc_cursor_run(&cursor, &at))) {
		kmc_cursor_write(store, to, at, run);
		kmc_cursor_advance(store, &cursor, run);
	}
}

/* One try: hold the present item, make one out of both, swap. *@tried: it was, but somebody was faster. */
static enum kmc_store_status kmc_join_once(struct kmc_store *store, const struct kmc_key *key,
					   struct kmc_item *more, struct kmc_linking *how,
					   bool *tried)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	struct kmc_swap swap = { .change = &how->change };
	enum kmc_store_status status;
	struct kmc_item *old, *item;
	struct kmc_cursor cursor;
	enum kmc_miss miss;
	u32 handle;

	spin_lock(&stripe->lock);
	old = kmc_item_find(store, key, &handle, &miss);
	status = kmc_link_judge(store, old, how);
	if (status == KMC_STORED)
		refcount_inc(&old->ref);
	spin_unlock(&stripe->lock);
	if (status != KMC_STORED)
		return status;

	/* Each is at most item_size_max, a gigabyte. */
	item = kmc_item_alloc(store, key, old->client_flags, READ_ONCE(old->exptime),
			      old->nbytes + more->nbytes);
	if (IS_ERR(item)) {
		status = kmc_store_error(PTR_ERR(item));
		goto out;
	}
	how->work += item->nbytes;
	kmc_cursor_init(store, &cursor, item);
	kmc_item_copy(store, &cursor, how->mode == KMC_APPEND ? old : more);
	kmc_item_copy(store, &cursor, how->mode == KMC_APPEND ? more : old);
	swap.old = old;
	swap.item = item;
	status = kmc_item_swap(store, key, &swap);
	*tried = status == KMC_AGAIN;
	if (status == KMC_STORED) {
		kmc_link_report(how, item);
		how->cas_out = swap.cas_out;
		how->deadline_out = swap.deadline_out;
	}
	kmc_item_put(store, item);
out:
	kmc_item_put(store, old);
	return status;
}

/* An older value than the present one: it may stand in for it, as outdated as that. Stripe lock. */
static void kmc_link_stale(struct kmc_item *item, const struct kmc_item *old)
{
	WRITE_ONCE(item->exptime, old->exptime);
	kmc_item_mark(item, KMC_ITEM_STALE | (old->flags & KMC_ITEM_WON));
}

/* Over the present item, or as the first of its key. */
static enum kmc_store_status kmc_link_alone(struct kmc_store *store, const struct kmc_key *key,
					    struct kmc_item *item, struct kmc_linking *how)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	enum kmc_store_status status;
	struct kmc_item *old;
	enum kmc_miss miss;
	u32 handle;

	if (WARN_ON_ONCE(item->flags & KMC_ITEM_LINKED))
		return KMC_NOT_STORED;
	spin_lock(&stripe->lock);
	old = (how->quiet ? kmc_item_seek : kmc_item_find)(store, key, &handle, &miss);
	status = kmc_link_judge(store, old, how);
	if (status == KMC_STORED && old) {
		if (how->stale && how->cas < old->cas)
			kmc_link_stale(item, old);
		kmc_link_replace(store, key->hash, old, handle, item, &how->change);
	} else if (status == KMC_STORED) {
		status = kmc_link_new(store, key->hash, item, &how->change);
	} else if (old && how->mode == KMC_ADD) {	/* memcached: what is not added counts as used */
		kmc_lru_access(store, old, handle, key->hash, kmc_item_segment(old), false);
	}
	if (status == KMC_STORED) {
		how->cas_out = item->cas;
		if (how->fetched)
			WRITE_ONCE(item->seen, READ_ONCE(item->seen) | KMC_SEEN_FETCHED);
	}
	spin_unlock(&stripe->lock);
	return status;
}

static enum kmc_store_status kmc_store_join(struct kmc_store *store, const struct kmc_key *key,
					    struct kmc_item *more, struct kmc_linking *how)
{
	struct kmc_linking alone = { .mode = KMC_ADD, .quiet = true, .change = how->change };
	enum kmc_store_status status;
	u32 tries = 0;
	bool tried;

	do {
		tried = false;
		status = kmc_join_once(store, key, more, how, &tried);
		if (status == KMC_NOT_STORED && how->vivify) {
			status = kmc_link_alone(store, key, more, &alone);
			tried = status == KMC_NOT_STORED;
			how->cas_out = alone.cas_out;
		}
	} while (tried && ++tries < KMC_SWAPS_MAX);
	return status;
}

static void kmc_link_watch(struct kmc_store *store, const struct kmc_key *key,
			   const struct kmc_linking *how, enum kmc_store_status status)
{
	const struct kmc_watch_store line = {
		/* Also what finds no memory to append: so 1.6.45 says. */
		.status = status == KMC_TOO_LARGE || status == KMC_NO_MEMORY ? KMC_NOT_STORED : status,
		.mode = how->mode,
		.deadline = how->deadline_out,
		.class = how->class_out,
		.nbytes = how->nbytes_out,
	};

	kmc_watch_store(store->core, key, &line);
}

enum kmc_store_status kmc_store_link_as(struct kmc_store *store, const struct kmc_key *key,
					struct kmc_item *item, struct kmc_linking *how)
{
	enum kmc_store_status status;

	kmc_assert_bh_off();
	how->cas_out = 0;
	kmc_link_report(how, item);
	if (how->mode == KMC_APPEND || how->mode == KMC_PREPEND)
		status = kmc_store_join(store, key, item, how);
	else
		status = kmc_link_alone(store, key, item, how);
	if (kmc_watched(&store->core->watch, KMC_WATCH_MUTATIONS) && !how->quiet && status != KMC_AGAIN)
		kmc_link_watch(store, key, how, status);
	return status;
}

enum kmc_store_status kmc_store_delete(struct kmc_store *store, const struct kmc_key *key, u64 cas,
				       u32 *class)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	enum kmc_store_status status = KMC_NOT_FOUND;
	struct kmc_item *item;
	enum kmc_miss miss;
	u32 handle;

	kmc_assert_bh_off();
	spin_lock(&stripe->lock);
	item = kmc_item_find(store, key, &handle, &miss);
	if (item) {
		if (class)
			*class = kmc_item_class(item);
		status = cas && cas != item->cas ? KMC_EXISTS : KMC_STORED;
	}
	if (status == KMC_STORED)
		kmc_item_unlink(store, key->hash, item, handle);
	spin_unlock(&stripe->lock);
	if (status == KMC_STORED)
		kmc_item_put(store, item);
	return status;
}

/* The item stays, as something to be renewed. Stripe lock. */
static void kmc_discard_later(struct kmc_store *store, u64 hash, struct kmc_item *item,
			      const struct kmc_change *change)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);

	write_seqcount_begin(&stripe->sequence);
	if (change->with_deadline)
		WRITE_ONCE(item->exptime, change->deadline);
	WRITE_ONCE(item->flags, (item->flags | KMC_ITEM_STALE) & ~KMC_ITEM_WON);
	WRITE_ONCE(item->cas, kmc_cas_for(store, change));
	write_seqcount_end(&stripe->sequence);
	kmc_expiry_note(&store->expiry, item->exptime);
}

enum kmc_store_status kmc_store_discard(struct kmc_store *store, const struct kmc_key *key,
					struct kmc_discard *how)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	enum kmc_store_status status = KMC_NOT_FOUND;
	struct kmc_change grave = how->change;
	struct kmc_item *item, *gone = NULL;
	enum kmc_miss miss;
	u32 handle;

	kmc_assert_bh_off();
	spin_lock(&stripe->lock);
	item = kmc_item_find(store, key, &handle, &miss);
	if (item)
		status = how->with_cas && how->cas != item->cas ? KMC_EXISTS : KMC_STORED;
	if (status != KMC_STORED)
		goto out;
	if (how->tombstone) {
		if (!grave.with_cas)
			grave.cas = item->cas;
		grave.with_cas = true;
		kmc_item_mark(how->tombstone, item->flags & KMC_ITEM_BINARY);
		kmc_link_replace(store, key->hash, item, handle, how->tombstone, &grave);
		item = how->tombstone;
	}
	how->class = kmc_item_class(item);
	how->nbytes = item->nbytes;
	if (how->stale) {
		kmc_discard_later(store, key->hash, item, &how->change);
	} else if (!how->tombstone) {
		kmc_item_unlink(store, key->hash, item, handle);
		gone = item;
	}
out:
	spin_unlock(&stripe->lock);
	if (gone)
		kmc_item_put(store, gone);
	return status;
}
