// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#define KMC_PULLS_MAX	10	/* evictions for one chunk, as memcached's do_item_alloc_pull() */

u64 kmc_item_nominal(const struct kmc_store *store, u32 nkey, u32 client_flags, u32 nbytes)
{
	return (u64)KMC_NOMINAL_HEADER + (store->core->settings.cas ? KMC_NOMINAL_CAS : 0) +
	       KMC_NOMINAL_TAILS + (client_flags ? KMC_NOMINAL_FLAGS : 0) + nkey + nbytes;
}

u32 kmc_item_head(u32 nkey, bool chunked)
{
	if (chunked)
		return (u32)sizeof(struct kmc_item) + ALIGN(nkey, (u32)sizeof(u32)) + (u32)sizeof(u32);
	return (u32)sizeof(struct kmc_item) + nkey;
}

u32 kmc_item_bytes(const struct kmc_item *item)
{
	return kmc_item_head(item->nkey, kmc_item_chunked(item)) + item->nbytes;
}

struct kmc_key kmc_item_as_key(const struct kmc_store *store, struct kmc_item *item)
{
	return kmc_key(store, kmc_item_key(item), item->nkey);
}

/*
 * Whether there is room for one more large value that is to come. A single one has always room, so that a
 * lower limit does not keep out what fits. A race lets in a few more than meant.
 */
static bool kmc_item_expected(struct kmc_store *store, u32 nbytes)
{
	u64 most = READ_ONCE(store->core->settings.memory_limit) / 2;
	u64 incoming = (u64)atomic64_read(&store->incoming);

	return !incoming || incoming + nbytes <= most;
}

void kmc_item_arrived(struct kmc_store *store, struct kmc_item *item)
{
	if (!(item->flags & KMC_ITEM_INCOMING))
		return;
	WRITE_ONCE(item->flags, item->flags & ~KMC_ITEM_INCOMING);
	atomic64_sub(item->nbytes, &store->incoming);
}

/* A chunk, for which others may have to go. */
static struct kmc_item *kmc_item_take(struct kmc_store *store, u32 class, u32 need, u32 *handle)
{
	bool flat = !READ_ONCE(store->core->settings.lru_segmented);
	struct kmc_item *item;
	u32 pulls;

	for (pulls = 0;; pulls++) {
		if (flat)
			kmc_lru_reclaim(store, class);
		item = kmc_slab_alloc(store, class, need, true, handle);
		if (item != ERR_PTR(-ENOMEM) || pulls == KMC_PULLS_MAX)
			break;
		if (!kmc_lru_evict(store, class))
			break;
		kmc_count_in(&store->core->stats, class, direct_reclaims);
	}
	/* Level 2: whoever has to evict gets a page from anybody. */
	if (unlikely(pulls) && READ_ONCE(store->core->settings.slab_automove) == 2)
		kmc_mover_request(store, KMC_CLASS_ANY, class, true);
	return item;
}

/* Chunks for a value, hung onto the item one by one: what is there is freed with it. */
static int kmc_item_add_chunks(struct kmc_store *store, struct kmc_item *item, u32 owner)
{
	struct kmc_slab *slab = &store->slab;
	const struct kmc_slab_class *largest = &slab->classes[slab->last];
	const u32 most = largest->chunk_size - (u32)sizeof(struct kmc_chunk);
	u32 *link = kmc_item_first(item);
	u32 left = item->nbytes;

	*link = 0;
	while (left) {
		u32 some = min(left, most);
		u32 need = some + (u32)sizeof(struct kmc_chunk);
		u32 class = kmc_slab_class(slab, (u64)need + slab->save);
		struct kmc_chunk *chunk;
		u32 handle;

		chunk = (void *)kmc_item_take(store, class, need, &handle);
		/* Nothing in the class that fits best: then a chunk that is too large, as memcached. */
		if (chunk == ERR_PTR(-ENOMEM) && class != slab->last)
			chunk = (void *)kmc_item_take(store, slab->last, need, &handle);
		if (chunk == ERR_PTR(-EAGAIN))
			kmc_slab_want(store, left / (largest->per_page * most) + 1);
		if (IS_ERR(chunk))
			return (int)PTR_ERR(chunk);
		WRITE_ONCE(chunk->owner, owner);
		WRITE_ONCE(chunk->next, 0);
		refcount_set(&chunk->ref, KMC_CHUNK_REF);
		*link = handle;
		link = &chunk->next;
		left -= some;
	}
	return 0;
}

/* By itself for the thread sanitizer, which is told of such bytes: late readers may be looking at them. */
static void kmc_item_name(struct kmc_item *item, const struct kmc_key *key)
{
	memcpy(item->data, key->data, key->len);
}

struct kmc_item *kmc_item_alloc(struct kmc_store *store, const struct kmc_key *key, u32 client_flags,
				u32 deadline, u32 nbytes)
{
	const struct kmc_settings *settings = &store->core->settings;
	u64 nominal = kmc_item_nominal(store, key->len, client_flags, nbytes);
	bool chunked = nominal > settings->slab_chunk_max, large = nbytes > KMC_INCOMING_MIN;
	u32 class = kmc_slab_class(&store->slab, nominal);
	u32 need = kmc_item_head(key->len, chunked), handle;
	struct kmc_item *item;
	int err = 0;

	kmc_assert_bh_off();
	if (nominal > settings->item_size_max)
		return ERR_PTR(-E2BIG);
	if (large && !kmc_item_expected(store, nbytes))
		item = ERR_PTR(-ENOMEM);
	else if (chunked)
		item = kmc_item_take(store, kmc_slab_class(&store->slab, nominal - nbytes + KMC_NOMINAL_CHUNK),
				     need, &handle);
	else
		item = kmc_item_take(store, class, need + nbytes, &handle);
	if (IS_ERR(item)) {
		err = (int)PTR_ERR(item);
		goto out;
	}
	/* Marked, for readers that are late: the chunk may have been another item a moment ago. */
	item->prev = 0;
	WRITE_ONCE(item->seen, 0);
	WRITE_ONCE(item->exptime, deadline);
	WRITE_ONCE(item->nbytes, nbytes);
	WRITE_ONCE(item->client_flags, client_flags);
	WRITE_ONCE(item->cas, 0);
	WRITE_ONCE(item->generation, 0);
	WRITE_ONCE(item->nkey, (u8)key->len);
	WRITE_ONCE(item->class, (u8)(class | kmc_lru_entry(store, deadline) << KMC_ITEM_SEGMENT));
	WRITE_ONCE(item->flags, (chunked ? KMC_ITEM_CHUNKED : 0) | (large ? KMC_ITEM_INCOMING : 0));
	if (large)
		atomic64_add(nbytes, &store->incoming);
	kmc_item_name(item, key);
	if (chunked)
		err = kmc_item_add_chunks(store, item, handle);
	if (err)
		kmc_item_put(store, item);
out:
	if (err == -ENOMEM)
		kmc_count_in(&store->core->stats, class, outofmemory);
	return err ? ERR_PTR(err) : item;
}

static void kmc_item_free_chunks(struct kmc_store *store, struct kmc_item *item)
{
	u32 handle = *kmc_item_first(item);

	while (handle) {
		struct kmc_chunk *chunk = (void *)kmc_item_at(&store->slab, handle);
		u32 next = chunk->next;

		refcount_set(&chunk->ref, 0);
		kmc_slab_free(store, handle);
		handle = next;
	}
}

void kmc_item_get(struct kmc_item *item)
{
	refcount_inc(&item->ref);
}

/* The last reference has gone, and what hangs on the item goes as well. Return: its handle. */
static __always_inline u32 kmc_item_strip(struct kmc_store *store, struct kmc_item *item)
{
	WARN_ON_ONCE(item->flags & KMC_ITEM_LINKED);
	kmc_item_arrived(store, item);
	if (kmc_item_chunked(item))
		kmc_item_free_chunks(store, item);
	return item->next;
}

void kmc_item_put(struct kmc_store *store, struct kmc_item *item)
{
	if (refcount_dec_and_test(&item->ref))
		kmc_slab_free(store, kmc_item_strip(store, item));
}

void kmc_item_drop(struct kmc_store *store, struct kmc_item *item)
{
	if (refcount_dec_and_test(&item->ref))
		kmc_slab_give(store, item, kmc_item_strip(store, item));
}

/* To the next chunk, of those that the value needs. */
static void kmc_cursor_load(struct kmc_store *store, struct kmc_cursor *cursor)
{
	u32 size;
	struct kmc_chunk *chunk = kmc_chunk_at(&store->slab, cursor->next, &size);

	if (WARN_ON_ONCE(!chunk)) {
		cursor->left = 0;
		return;
	}
	cursor->at = chunk->data;
	cursor->room = min(cursor->left, size - (u32)sizeof(*chunk));
	cursor->next = chunk->next;
}

void kmc_cursor_init(struct kmc_store *store, struct kmc_cursor *cursor, struct kmc_item *item)
{
	*cursor = (struct kmc_cursor){ .left = item->nbytes };
	if (!cursor->left)
		return;
	if (kmc_item_chunked(item)) {
		cursor->next = *kmc_item_first(item);
		kmc_cursor_load(store, cursor);
	} else {
		cursor->at = kmc_item_value(item);
		cursor->room = cursor->left;
	}
}

u32 kmc_cursor_run(const struct kmc_cursor *cursor, u8 **at)
{
	*at = cursor->at;
	return cursor->room;
}

void kmc_cursor_advance(struct kmc_store *store, struct kmc_cursor *cursor, u32 len)
{
	if (WARN_ON_ONCE(len > cursor->room))
		len = cursor->room;
	cursor->at += len;
	cursor->room -= len;
	cursor->left -= len;
	if (!cursor->room && cursor->left)
		kmc_cursor_load(store, cursor);
}

u32 kmc_cursor_write(struct kmc_store *store, struct kmc_cursor *cursor, const u8 *data, u32 len)
{
	u32 done = 0, some;
	u8 *at;

	while (done < len && (some = min(kmc_cursor_run(cursor, &at), len - done))) {
		memcpy(at, data + done, some);
		kmc_cursor_advance(store, cursor, some);
		done += some;
	}
	return done;
}
