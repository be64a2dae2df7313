/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slab classes: pages of 1 MiB cut into chunks of one size each.
 *
 * A chunk is named by a handle: 17 bits of page number, 15 bits of chunk number counted from 1, so that
 * no chunk has handle 0. What a handle names is looked up without a lock and checked against the page's
 * bounds: a stale handle leads to some chunk, or to none, but never outside a page. 2^17 pages make the
 * largest -m: 128 GiB.
 *
 * Classes are memcached's: nominal sizes follow its rules to the byte (slabs_init()), and an item's class
 * is found by the bytes that it would take there, so ids, and what counts as too large, agree. Our
 * headers are smaller, and the real chunk is smaller than the nominal one by what they save.
 *
 * Locks: a class's lock protects its free chunks and its counts; the pool lock, taken inside, the pages.
 * A page descriptor is written once, under the pool lock, before its base is published.
 */
#ifndef KMC_SLAB_H
#define KMC_SLAB_H

#include "../core.h"
#include "item.h"

#define KMC_CHUNK_BITS		15
#define KMC_CHUNK_MASK		((1U << KMC_CHUNK_BITS) - 1)
#define KMC_PAGES_MAX		(1U << (32 - KMC_CHUNK_BITS))
#define KMC_RESERVE_MAX		16	/* pages, unless somebody wants more at once */

/* memcached 1.6.45 on 64 bits, memcached.h: struct _stritem, CAS, the bytes behind key and value, client
 * flags, struct _strchunk. What its class sizes and limits are counted in.
 */
#define KMC_NOMINAL_HEADER	48U
#define KMC_NOMINAL_CAS		8U
#define KMC_NOMINAL_TAILS	3U
#define KMC_NOMINAL_FLAGS	4U
#define KMC_NOMINAL_CHUNK	48U
#define KMC_NOMINAL_ALIGN	8U

struct kmc_store;

/**
 * struct kmc_page - where a page's chunks are. Constant once @base is set.
 */
struct kmc_page {
	u8 *base;
	u32 chunk_size;
	u16 chunks;
	u8 class;
};

/**
 * struct kmc_slab_class - one size
 * @nominal, @chunk_size, @per_page: constant
 * @lock: protects the rest
 * @free: handle of the first chunk that was given back; chained through struct kmc_item.next
 * @fresh: handle of the next chunk of the newest page that was never used; @fresh_left of them
 */
struct kmc_slab_class {
	u32 nominal;
	u32 chunk_size;
	u32 per_page;
	spinlock_t lock;
	u32 free;
	u32 fresh, fresh_left;
	u32 pages;
	u64 free_chunks;
} ____cacheline_aligned_in_smp;

/**
 * struct kmc_slab - all classes and their pages
 * @last: largest class id; ids start at 1
 * @save: bytes by which a real chunk is smaller than a nominal one
 * @pages: descriptors by page number, @page_max of them
 * @lock: protects the rest
 * @granted: pages that classes have; descriptors [0, @granted) are set
 * @reserve: pages that wait for a class, @reserved of them, each begins with a pointer to the next
 * @wanted: pages that somebody who was told -EAGAIN could use at once
 * @first_wanted: a class has no page at all, and the limit is reached: one more page is allowed
 * @starved: the system had no page for us; store as if the limit were reached
 */
struct kmc_slab {
	u32 last;
	u32 save;
	struct kmc_page *pages;
	u32 page_max;
	spinlock_t lock;
	u32 granted;
	u32 reserved;
	u32 wanted;
	void **reserve;
	bool first_wanted;
	bool starved;
	struct kmc_slab_class classes[KMC_CLASSES_MAX];
};

/* Process context. */
int kmc_slab_init(struct kmc_store *store);
void kmc_slab_exit(struct kmc_store *store);
int kmc_slab_provide(struct kmc_store *store);

/* Who got -EAGAIN could use @pages pages at once. BH off. */
void kmc_slab_want(struct kmc_store *store, u32 pages);

/* Whether the reserve could do with kmc_slab_provide(). Any context, a hint. */
bool kmc_slab_low(struct kmc_store *store);

/**
 * kmc_slab_alloc - a chunk of a class
 * @need: bytes that will be used; the rest is poisoned where that is possible
 * @handle: its name
 * BH off. The chunk has one reference and its own handle in @next; all else is unset.
 * Return: the chunk, or ERR_PTR(-ENOMEM) at the limit, or ERR_PTR(-EAGAIN): the page reserve is empty.
 */
struct kmc_item *kmc_slab_alloc(struct kmc_store *store, u32 class, u32 need, u32 *handle);

/* Give a chunk back. Its reference count must be 0. Any context. */
void kmc_slab_free(struct kmc_store *store, u32 handle);

/* The smallest class whose nominal chunk takes @nominal bytes, or the largest. */
u32 kmc_slab_class(const struct kmc_slab *slab, u64 nominal);

/**
 * kmc_chunk_at - what a handle names, if anything
 * @size: set to the chunk's size
 * Any context in which pages stay (BH off, or a reference on the chunk). Trusts nothing of @handle.
 */
static inline void *kmc_chunk_at(const struct kmc_slab *slab, u32 handle, u32 *size)
{
	u32 number = handle >> KMC_CHUNK_BITS;
	u32 chunk = (handle & KMC_CHUNK_MASK) - 1;
	const struct kmc_page *page;
	u8 *base;

	if (unlikely(number >= slab->page_max))
		return NULL;
	page = &slab->pages[number];
	base = smp_load_acquire(&page->base);
	if (unlikely(!base || chunk >= page->chunks))
		return NULL;
	*size = page->chunk_size;
	return base + (size_t)chunk * page->chunk_size;
}

static inline struct kmc_item *kmc_item_at(const struct kmc_slab *slab, u32 handle)
{
	u32 size;

	return kmc_chunk_at(slab, handle, &size);
}

/* The class that a chunk was cut for. The handle must be good. */
static inline u32 kmc_chunk_class(const struct kmc_slab *slab, u32 handle)
{
	return slab->pages[handle >> KMC_CHUNK_BITS].class;
}

#endif
