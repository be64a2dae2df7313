// SPDX-License-Identifier: GPL-2.0
/* Chunks: taken from a page and given back to it. */
#include "state.h"

static u32 kmc_handle(u32 number, u32 chunk)
{
	return number << KMC_CHUNK_BITS | chunk;
}

/* A free chunk and its handle, or NULL. */
static struct kmc_item *kmc_slab_pop(struct kmc_slab *slab, struct kmc_slab_class *class, u32 *handle)
{
	u32 number = class->partial - 1, chunk;
	struct kmc_page_use *use;
	struct kmc_item *item;
	struct kmc_leaf *leaf;

	lockdep_assert_held(&class->lock);
	if (!class->partial)
		return NULL;
	leaf = kmc_leaf(slab, number);
	use = &leaf->uses[number % KMC_LEAF_PAGES];
	chunk = use->free ? use->free : use->fresh + 1U;
	*handle = kmc_handle(number, chunk);
	item = (void *)(leaf->pages[number % KMC_LEAF_PAGES].base + (size_t)(chunk - 1) * class->chunk_size);
	if (use->free)
		use->free = (u16)item->next;
	else
		WRITE_ONCE(use->fresh, use->fresh + 1);
	use->used++;
	WRITE_ONCE(class->free_chunks, class->free_chunks - 1);
	if (use->used == class->per_page)
		kmc_partial_remove(slab, class, number);
	return item;
}

struct kmc_item *kmc_slab_alloc(struct kmc_store *store, u32 id, u32 need, bool grow, u32 *handle)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[id];
	struct kmc_item *item;
	bool granted = false;
	int err = -ENOMEM;

	kmc_assert_bh_off();
	spin_lock(&class->lock);
	item = kmc_slab_pop(slab, class, handle);
	if (!item && grow) {
		err = kmc_slab_grant(store, id);
		granted = !err;
		if (granted)
			item = kmc_slab_pop(slab, class, handle);
	}
	spin_unlock(&class->lock);
	if (!item)
		return ERR_PTR(err);
	if (unlikely(granted) && kmc_slab_low(store))
		kmc_store_wake(store);
	kmc_unpoison(item, need);
	WRITE_ONCE(item->next, *handle);
	refcount_set(&item->ref, 1);
	return item;
}

void kmc_slab_give(struct kmc_store *store, struct kmc_item *item, u32 handle)
{
	struct kmc_slab *slab = &store->slab;
	u32 number = handle >> KMC_CHUNK_BITS;
	struct kmc_leaf *leaf = kmc_leaf(slab, number);
	struct kmc_slab_class *class = &slab->classes[leaf->pages[number % KMC_LEAF_PAGES].class];
	struct kmc_page_use *use = &leaf->uses[number % KMC_LEAF_PAGES];

	if (WARN_ON_ONCE(refcount_read(&item->ref)))
		return;
	/* The links and the count stay readable: they are what makes it a free chunk. */
	kmc_poison((u8 *)item + sizeof(struct kmc_chunk), class->chunk_size - sizeof(struct kmc_chunk));
	spin_lock(&class->lock);
	WRITE_ONCE(item->next, use->free);
	use->free = (u16)(handle & KMC_CHUNK_MASK);
	use->used--;
	if (!use->parted) {
		WRITE_ONCE(class->free_chunks, class->free_chunks + 1);
		if (!use->listed)
			kmc_partial_add(slab, class, number);
	}
	spin_unlock(&class->lock);
}

void kmc_slab_free(struct kmc_store *store, u32 handle)
{
	local_bh_disable();
	kmc_slab_give(store, kmc_item_at(&store->slab, handle), handle);
	local_bh_enable();
}
