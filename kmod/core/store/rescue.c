// SPDX-License-Identifier: GPL-2.0
/* One chunk of a page that is to be empty: what is in it, and how it gets out of there. See mover.h. */
#include "state.h"

#define KMC_RESCUE_PULLS	10	/* evictions for a chunk to copy to, as memcached's slab_rebalance_prep() */

/**
 * struct kmc_rescue - a chunk in use, and the linked item that it is or belongs to
 * @handle: of the chunk
 * @item: held; @owner: its handle
 * @hash: of its key
 * @left: bytes of the value from this chunk on; @link: where the chunk is named. Of a piece of a value.
 */
struct kmc_rescue {
	u32 handle;
	struct kmc_item *item;
	u32 owner;
	u64 hash;
	u32 left;
	u32 *link;
};

/* The references while nobody else holds the item: the index' and ours. */
#define KMC_RESCUE_REFS	2

/* By itself for the thread sanitizer: the key may be changing, and then the index will not know the item. */
static u64 kmc_rescue_hash(struct kmc_store *store, const struct kmc_item *item, u32 nkey)
{
	return kmc_hash(store, item->data, nkey);
}

/* Stripe lock: whether the item is what it was when it was held, and whether we are alone with it. */
static bool kmc_rescue_linked(struct kmc_store *store, const struct kmc_rescue *rescue)
{
	return kmc_index_has(store, rescue->hash, rescue->owner);
}

static bool kmc_rescue_alone(const struct kmc_rescue *rescue)
{
	return refcount_read(&rescue->item->ref) == KMC_RESCUE_REFS;
}

/* What @rescue->owner names, held; or it is dead, and unlinked. BH off. */
static enum kmc_move_status kmc_rescue_hold(struct kmc_store *store, struct kmc_rescue *rescue)
{
	u32 size, nkey;
	struct kmc_item *item = kmc_chunk_at(&store->slab, rescue->owner, &size);
	enum kmc_move_status status = KMC_BUSY_FLOATING;
	struct kmc_stripe *stripe;

	if (!item || !(READ_ONCE(item->flags) & KMC_ITEM_LINKED))
		return status;
	nkey = READ_ONCE(item->nkey);
	if (nkey > size - sizeof(*item))
		return status;
	rescue->hash = kmc_rescue_hash(store, item, nkey);
	stripe = kmc_stripe(&store->index, rescue->hash);
	spin_lock(&stripe->lock);
	if (!kmc_rescue_linked(store, rescue) || kmc_item_as_key(store, item).hash != rescue->hash)
		goto out;
	refcount_inc(&item->ref);
	rescue->item = item;
	status = KMC_MOVED_AWAY;
	if (kmc_expiry_verdict(&store->expiry, item->generation, item->exptime, kmc_store_now(store)) ==
	    KMC_MISS_NONE)
		goto out;
	kmc_item_unlink(store, rescue->hash, item, rescue->owner);
	status = kmc_rescue_alone(rescue) ? KMC_MOVED_FREE : KMC_BUSY_HELD;
	kmc_item_put(store, item);	/* the index' */
out:
	spin_unlock(&stripe->lock);
	return status;
}

/* A free chunk elsewhere in the class, for which items may have to go. BH off. */
static void kmc_rescue_prepare(struct kmc_store *store)
{
	struct kmc_mover *mover = &store->mover;
	u32 need = store->slab.classes[mover->from].chunk_size, pulls;
	/* To grow for what then goes to the pool would go on for ever. */
	bool grow = mover->to && kmc_slab_pages(&store->slab) < kmc_slab_limit(store);

	for (pulls = 0; !mover->spare; pulls++) {
		struct kmc_item *spare = kmc_slab_alloc(store, mover->from, need, grow, &mover->spare_handle);

		if (!IS_ERR(spare))
			mover->spare = spare;
		else if (!mover->evict || pulls == KMC_RESCUE_PULLS || !kmc_lru_evict(store, mover->from))
			break;
	}
	/* Also if what is in the chunk has just gone for want of it: then it need not be moved any more. */
	if (!mover->spare)
		kmc_count(&store->core->stats, slab_reassign_busy_nomem);
}

/* By itself for the thread sanitizer: late readers may be looking at these bytes. */
static void kmc_rescue_copy(u8 *to, const u8 *from, u32 len)
{
	memcpy(to, from, len);
}

/* The copy's header, but for what belongs to its place. Stripe lock. */
static void kmc_rescue_header(struct kmc_item *copy, const struct kmc_item *item)
{
	WRITE_ONCE(copy->seen, READ_ONCE(item->seen));
	WRITE_ONCE(copy->exptime, item->exptime);
	WRITE_ONCE(copy->nbytes, item->nbytes);
	WRITE_ONCE(copy->client_flags, item->client_flags);
	WRITE_ONCE(copy->nkey, item->nkey);
	WRITE_ONCE(copy->class, item->class);
	WRITE_ONCE(copy->generation, item->generation);
	WRITE_ONCE(copy->cas, item->cas);
	WRITE_ONCE(copy->flags, item->flags);
}

/* The copy is the item now; the old one is nobody's but of those who hold it. */
static bool kmc_rescue_swap(struct kmc_store *store, struct kmc_rescue *rescue, struct kmc_item *copy,
			    u32 handle)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, rescue->hash);
	struct kmc_item *item = rescue->item;
	bool chunked = kmc_item_chunked(item), done = false;

	spin_lock(&stripe->lock);
	if (!kmc_rescue_linked(store, rescue) || (chunked && !kmc_rescue_alone(rescue)))
		goto out;
	kmc_rescue_header(copy, item);
	refcount_inc(&copy->ref);
	write_seqcount_begin(&stripe->sequence);
	kmc_index_replace(store, rescue->hash, rescue->owner, handle);
	WRITE_ONCE(item->flags, item->flags & ~KMC_ITEM_LINKED);
	write_seqcount_end(&stripe->sequence);
	kmc_lru_replace(store, item, rescue->owner, copy, handle);
	if (chunked)	/* they are the copy's */
		*kmc_item_first(item) = 0;
	done = true;
out:
	spin_unlock(&stripe->lock);
	return done;
}

/* The copy is held, so its chunks stay; and nobody else wants to know whose they are. */
static void kmc_rescue_own(struct kmc_store *store, struct kmc_item *copy, u32 handle)
{
	u32 next = *kmc_item_first(copy);

	while (next) {
		struct kmc_chunk *chunk = (void *)kmc_item_at(&store->slab, next);

		WRITE_ONCE(chunk->owner, handle);
		next = chunk->next;
		cond_resched();
	}
}

static enum kmc_move_status kmc_rescue_item(struct kmc_store *store, struct kmc_rescue *rescue)
{
	struct kmc_mover *mover = &store->mover;
	struct kmc_item *item = rescue->item, *copy = mover->spare;
	u32 handle = mover->spare_handle, class_size = store->slab.classes[mover->from].chunk_size;
	bool chunked = kmc_item_chunked(item), alone, done;
	u32 len = kmc_item_head(item->nkey, chunked) + (chunked ? 0 : item->nbytes);

	kmc_rescue_copy(copy->data, item->data, len - (u32)sizeof(*item));
	local_bh_disable();
	alone = kmc_rescue_alone(rescue);
	done = kmc_rescue_swap(store, rescue, copy, handle);
	if (done)
		kmc_count(&store->core->stats, slab_reassign_rescues);
	local_bh_enable();
	if (!done)
		return KMC_BUSY_HELD;
	kmc_poison((u8 *)copy + len, class_size - len);
	mover->spare = NULL;
	if (chunked)
		kmc_rescue_own(store, copy, handle);
	local_bh_disable();
	kmc_item_put(store, item);	/* the index' */
	kmc_item_put(store, copy);
	local_bh_enable();
	return alone ? KMC_MOVED_AWAY : KMC_BUSY_HELD;
}

/* Where the chunk hangs. The item is held, and who holds an item finds its chunks as they are. */
static bool kmc_rescue_seek(struct kmc_store *store, struct kmc_rescue *rescue)
{
	struct kmc_item *item = rescue->item;

	if (!kmc_item_chunked(item))
		return false;
	rescue->link = kmc_item_first(item);
	rescue->left = item->nbytes;
	while (*rescue->link && *rescue->link != rescue->handle) {
		u32 size = 0;
		struct kmc_chunk *chunk = kmc_chunk_at(&store->slab, *rescue->link, &size);

		if (WARN_ON_ONCE(!chunk))
			return false;
		rescue->left -= min(rescue->left, size - (u32)sizeof(*chunk));
		rescue->link = &chunk->next;
		cond_resched();
	}
	return *rescue->link;
}

static enum kmc_move_status kmc_rescue_piece(struct kmc_store *store, struct kmc_rescue *rescue)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, rescue->hash);
	struct kmc_mover *mover = &store->mover;
	struct kmc_chunk *copy = (void *)mover->spare, *chunk;
	u32 size = store->slab.classes[mover->from].chunk_size, len;
	bool done;

	if (!kmc_rescue_seek(store, rescue))
		return KMC_BUSY_FLOATING;
	chunk = (void *)kmc_item_at(&store->slab, rescue->handle);
	len = min(rescue->left, size - (u32)sizeof(*chunk));
	kmc_rescue_copy(copy->data, chunk->data, len);
	local_bh_disable();
	spin_lock(&stripe->lock);
	done = kmc_rescue_linked(store, rescue) && kmc_rescue_alone(rescue);
	if (done) {
		WRITE_ONCE(copy->owner, rescue->owner);
		WRITE_ONCE(copy->next, chunk->next);
		refcount_set(&copy->ref, KMC_CHUNK_REF);
		WRITE_ONCE(*rescue->link, mover->spare_handle);
		kmc_count(&store->core->stats, slab_reassign_chunk_rescues);
	}
	spin_unlock(&stripe->lock);
	local_bh_enable();
	if (!done)
		return KMC_BUSY_HELD;
	kmc_poison(copy->data + len, size - len - (u32)sizeof(*copy));
	mover->spare = NULL;
	refcount_set(&chunk->ref, 0);
	kmc_slab_free(store, rescue->handle);
	return KMC_MOVED_AWAY;
}

/* Somebody would not let go of an item in chunks: then it is none of the cache's. BH off. */
static void kmc_rescue_give_up(struct kmc_store *store, struct kmc_rescue *rescue)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, rescue->hash);
	bool linked;

	spin_lock(&stripe->lock);
	linked = kmc_rescue_linked(store, rescue);
	if (linked) {
		kmc_item_unlink(store, rescue->hash, rescue->item, rescue->owner);
		kmc_count(&store->core->stats, slab_reassign_busy_deletes);
	}
	spin_unlock(&stripe->lock);
	if (linked)
		kmc_item_put(store, rescue->item);	/* the index' */
}

/* What stands in the way of moving what @rescue holds; KMC_MOVED_AWAY: nothing. BH off. */
static enum kmc_move_status kmc_rescue_ready(struct kmc_store *store, struct kmc_rescue *rescue)
{
	if (kmc_item_chunked(rescue->item) && !kmc_rescue_alone(rescue)) {
		if (store->mover.passes > KMC_MOVER_PATIENCE)
			kmc_rescue_give_up(store, rescue);
		return KMC_BUSY_HELD;
	}
	return store->mover.spare ? KMC_MOVED_AWAY : KMC_BUSY_NO_MEMORY;
}

/* Whether the chunk holds an item, or a piece of one, that is now held. *@piece: the latter. BH off. */
static enum kmc_move_status kmc_rescue_find(struct kmc_store *store, struct kmc_rescue *rescue, bool *piece)
{
	struct kmc_item *item = kmc_item_at(&store->slab, rescue->handle);
	u32 refs = refcount_read(&item->ref);

	*piece = refs == KMC_CHUNK_REF;
	/* Before anything is held: what has to go may well be what is in this chunk. */
	if (*piece || (refs && READ_ONCE(item->flags) & KMC_ITEM_LINKED))
		kmc_rescue_prepare(store);
	if (!refcount_read(&item->ref))
		return KMC_MOVED_FREE;
	rescue->owner = *piece ? READ_ONCE(((struct kmc_chunk *)item)->owner) : rescue->handle;
	return kmc_rescue_hold(store, rescue);
}

enum kmc_move_status kmc_rescue(struct kmc_store *store, u32 handle)
{
	struct kmc_rescue rescue = { .handle = handle };
	enum kmc_move_status status;
	bool piece = false;

	kmc_assert_process();
	local_bh_disable();
	status = kmc_rescue_find(store, &rescue, &piece);
	if (status == KMC_MOVED_AWAY)
		status = kmc_rescue_ready(store, &rescue);
	local_bh_enable();
	if (status == KMC_MOVED_AWAY)
		status = piece ? kmc_rescue_piece(store, &rescue) : kmc_rescue_item(store, &rescue);
	if (rescue.item) {
		local_bh_disable();
		kmc_item_put(store, rescue.item);
		local_bh_enable();
	}
	return status;
}
