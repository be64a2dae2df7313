// SPDX-License-Identifier: GPL-2.0
/* Chunks: taken from a page and given back to it. */
#include "state.h"

static u32 kmc_handle(u32 number, u32 chunk)
{
	return number << KMC_CHUNK_BITS | chunk;
}

/* A free chunk's handle, or 0. */
static u32 kmc_slab_pop(struct kmc_slab *slab, struct kmc_slab_class *class)
{
	u32 number = class->partial - 1, handle;
	struct kmc_page_use *use;

	lockdep_assert_held(&class->lock);
	if (!class->partial)
		return 0;
	use = kmc_page_use(slab, number);
	if (use->free) {
		handle = kmc_handle(number, use->free);
		use->free = (u16)kmc_item_at(slab, handle)->next;
	} else {
		handle = kmc_handle(number, use->fresh + 1U);
		WRITE_ONCE(use->fresh, use->fresh + 1);
	}
	use->used++;
	WRITE_ONCE(class->free_chunks, class->free_chunks - 1);
	if (use->used == class->per_page)
		kmc_partial_remove(slab, class, number);
	return handle;
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
	*handle = kmc_slab_pop(slab, class);
	if (!*handle && grow) {
		err = kmc_slab_grant(store, id);
		granted = !err;
		if (granted)
			*handle = kmc_slab_pop(slab, class);
	}
	spin_unlock(&class->lock);
	if (!*handle)
		return ERR_PTR(err);
	if (unlikely(granted) && kmc_slab_low(store))
		kmc_store_wake(store);
	item = kmc_item_at(slab, *handle);
	kmc_unpoison(item, need);
	WRITE_ONCE(item->next, *handle);
	refcount_set(&item->ref, 1);
	return item;
}

void kmc_slab_free(struct kmc_store *store, u32 handle)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[kmc_chunk_class(slab, handle)];
	struct kmc_page_use *use = kmc_page_use(slab, handle >> KMC_CHUNK_BITS);
	struct kmc_item *item = kmc_item_at(slab, handle);

	if (WARN_ON_ONCE(refcount_read(&item->ref)))
		return;
	/* The links and the count stay readable: they are what makes it a free chunk. */
	kmc_poison((u8 *)item + sizeof(struct kmc_chunk), class->chunk_size - sizeof(struct kmc_chunk));
	spin_lock_bh(&class->lock);
	WRITE_ONCE(item->next, use->free);
	use->free = (u16)(handle & KMC_CHUNK_MASK);
	use->used--;
	if (!use->parted) {
		WRITE_ONCE(class->free_chunks, class->free_chunks + 1);
		if (!use->listed)
			kmc_partial_add(slab, class, handle >> KMC_CHUNK_BITS);
	}
	spin_unlock_bh(&class->lock);
}
