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
 * A page belongs to a class, or waits in the pool for one. Chunks are taken from and given back to their
 * page, and a class knows which of its pages have any; so a page that is to go is no longer allocated
 * from as soon as the class forgets it (kmc_slab_part()), and what is in it is for the mover to empty.
 * An empty page is taken out of the lookup, and gets another class, or goes back to the system, after a
 * grace period: whoever looks up without a lock finds the page that was, or none.
 *
 * How many pages there are. @granted belong to classes, @pooled wait for any: both together are what
 * memcached calls malloced, and the limit is for them. Further ones are held in reserve, as much as there
 * is room below the limit, because with BH off no page can be had.
 *
 * Locks: a class's lock protects its counts, its lists, and struct kmc_page_use of its pages; the pool
 * lock, taken inside, all that no class has. A page descriptor is written while nobody can find it,
 * before its base is published under the pool lock.
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
#define KMC_CLASS_SMALL		1024U	/* nominal bytes of items whose class is looked up, not sought */

struct kmc_store;

/**
 * struct kmc_page - where a page's chunks are. Constant while @base is set.
 */
struct kmc_page {
	u8 *base;
	u32 chunk_size;
	u16 chunks;
	u8 class;
};

/**
 * struct kmc_page_use - what of a page is in use. Apart from where it is, which everybody reads. Links
 *	are page numbers + 1; 0: none.
 * @next, @prev: pages of the class that have free chunks, if @listed
 * @younger: the page that the class got after this one; of a free number, the next such
 * @free: the first chunk that was given back, chained through struct kmc_item.next; 0: none
 * @fresh: chunks from the beginning of the page that were ever taken
 * @used: chunks that are taken
 * @parted: the class does not count its free chunks any more
 */
struct kmc_page_use {
	u32 next, prev;
	u32 younger;
	u16 free;
	u16 fresh;
	u16 used;
	bool listed;
	bool parted;
};

/* Descriptors come by the leaf, while the cache serves, and stay until its end. */
#define KMC_LEAF_BITS		9
#define KMC_LEAF_PAGES		(1U << KMC_LEAF_BITS)
#define KMC_LEAVES		(KMC_PAGES_MAX >> KMC_LEAF_BITS)

struct kmc_leaf {
	struct kmc_page pages[KMC_LEAF_PAGES];
	struct kmc_page_use uses[KMC_LEAF_PAGES];
};

/**
 * struct kmc_slab_class - one size
 * @nominal, @chunk_size, @per_page: constant
 * @lock: protects the rest
 * @partial: first of the pages that have free chunks
 * @oldest, @youngest: of the pages, by when the class got them; a parted one is none of them
 * @pages: how many, with one that is parted
 */
struct kmc_slab_class {
	u32 nominal;
	u32 chunk_size;
	u32 per_page;
	spinlock_t lock;
	u32 partial;
	u32 oldest, youngest;
	u32 pages;
	u64 free_chunks;
} ____cacheline_aligned_in_smp;

/**
 * struct kmc_slab - all classes and their pages
 * @last: largest class id; ids start at 1
 * @save: bytes by which a real chunk is smaller than a nominal one
 * @small: classes by nominal size, up to KMC_CLASS_SMALL, in steps of KMC_NOMINAL_ALIGN; constant
 * @leaves: descriptors by page number; set once, under @lock
 * @lock: protects the rest
 * @nr_leaves: of @leaves that are set; there is a number for each page that is granted or in @reserve
 * @numbers: page numbers that were ever used; @free_number: the first one that is not
 * @granted: pages that classes have
 * @reserve: pages that wait for a class, @reserved of them, each begins with a pointer to the next
 * @pooled: how many of those were given back by classes
 * @wanted: pages that somebody who was told -EAGAIN could use at once
 * @ceiling: the most pages that @granted and @pooled may be while the system is short of memory, until
 *	@ceiling_ends (jiffies); 0: no such thing
 * @reclaimed: pages that went back to the system, ever
 * @first_wanted: a class has no page at all, and the limit is reached: one more page is allowed
 * @starved: the system had no page for us; store as if the limit were reached
 * @shrinking: there are more pages than there may be, because that was changed
 */
struct kmc_slab {
	u32 last;
	u32 save;
	u8 small[KMC_CLASS_SMALL / KMC_NOMINAL_ALIGN + 1];
	struct kmc_leaf *leaves[KMC_LEAVES];
	spinlock_t lock;
	u32 nr_leaves;
	u32 numbers, free_number;
	u32 granted;
	u32 reserved, pooled;
	u32 wanted;
	void **reserve;
	u32 ceiling;
	unsigned long ceiling_ends;
	u64 reclaimed;
	bool first_wanted;
	bool starved;
	bool shrinking;
	struct kmc_slab_class classes[KMC_CLASSES_MAX];
};

/**
 * kmc_classes_listed - the sizes that slab_sizes names
 * @sizes: KMC_CLASSES_MAX entries, set from 1 on
 * Return: how many; 0: none, they grow by the factor; -ERANGE: one is smaller than size_min or larger
 * than slab_chunk_max, or no number; -EINVAL: one is not larger than the one before it by more than 8, or
 * there are too many.
 */
int kmc_classes_listed(const struct kmc_settings *settings, u32 *sizes);

/* Note the classes of small items, once all are known. Their sizes but the last are multiples of KMC_NOMINAL_ALIGN. */
void kmc_classes_index(struct kmc_slab *slab);

/* All sizes, the largest included. Return: its id. */
u32 kmc_classes_sizes(const struct kmc_settings *settings, u32 *sizes);

/* Process context. */
int kmc_slab_init(struct kmc_store *store);
void kmc_slab_exit(struct kmc_store *store);
int kmc_slab_provide(struct kmc_store *store);

/* Shared by slab.c and chunk.c; class lock. Grant: 0, -ENOMEM, or -EAGAIN. */
int kmc_slab_grant(struct kmc_store *store, u32 class);
void kmc_partial_add(struct kmc_slab *slab, struct kmc_slab_class *class, u32 number);
void kmc_partial_remove(struct kmc_slab *slab, struct kmc_slab_class *class, u32 number);

/* Who got -EAGAIN could use @pages pages at once. BH off. */
void kmc_slab_want(struct kmc_store *store, u32 pages);

/* Whether the reserve could do with kmc_slab_provide(). Any context, a hint. */
bool kmc_slab_low(struct kmc_store *store);

/* Pages that count: of classes and in the pool. Any context, a hint. */
u32 kmc_slab_pages(const struct kmc_slab *slab);

/* How many of those there may be now. */
u64 kmc_slab_limit(const struct kmc_store *store);

/* The memory limit was changed, in the settings. BH off. */
void kmc_slab_limit_changed(struct kmc_store *store);

/**
 * kmc_slab_trim - give back to the system what lies idle above the limit
 * @most: pages
 * Process context. Return: how many went.
 */
u32 kmc_slab_trim(struct kmc_store *store, u32 most);

/**
 * kmc_slab_press - the system is short of memory: have less for some time
 * @pages: by how many
 * Any context. Idle pages are then for kmc_slab_trim(), others for the mover.
 */
void kmc_slab_press(struct kmc_store *store, u32 pages);

/* Pages that could be given back at all. Any context, a hint. */
u32 kmc_slab_spare(const struct kmc_store *store);

/**
 * kmc_slab_part - the oldest page of a class is to go: nothing is allocated from it any more
 * @number: set to the page's number; @used: to how many of its chunks are in use
 * BH off. One page at a time. Return: false: the class has fewer than two pages.
 */
bool kmc_slab_part(struct kmc_store *store, u32 class, u32 *number, u32 *used);

/* And yet it stays, as the youngest. BH off. */
void kmc_slab_unpart(struct kmc_store *store, u32 number);

/* Take a parted page out of the lookup if all its chunks are free. BH off. Return: its memory, or NULL. */
u8 *kmc_slab_detach(struct kmc_store *store, u32 number);

/* After a grace period: a detached page goes to class @to, 0: into the pool. Process context. */
void kmc_slab_attach(struct kmc_store *store, u32 number, u8 *base, u32 to);

/* A page of the pool goes to a class. BH off. Return: false: there are fewer than two. */
bool kmc_slab_unpool(struct kmc_store *store, u32 to);

/**
 * kmc_slab_alloc - a chunk of a class
 * @need: bytes that will be used; the rest is poisoned where that is possible
 * @handle: its name
 * @grow: whether the class may get another page for it
 * BH off. The chunk has one reference and its own handle in @next; all else is unset.
 * Return: the chunk, or ERR_PTR(-ENOMEM) at the limit, or ERR_PTR(-EAGAIN): the page reserve is empty.
 */
struct kmc_item *kmc_slab_alloc(struct kmc_store *store, u32 class, u32 need, bool grow, u32 *handle);

/* Give a chunk back. Its reference count must be 0. Any context. */
void kmc_slab_free(struct kmc_store *store, u32 handle);

/* The same, BH off, for who knows where it is. */
void kmc_slab_give(struct kmc_store *store, struct kmc_item *item, u32 handle);

/* The smallest class whose nominal chunk takes @nominal bytes, or the largest. */
u32 kmc_slab_class(const struct kmc_slab *slab, u64 nominal);

static inline struct kmc_leaf *kmc_leaf(const struct kmc_slab *slab, u32 number)
{
	return smp_load_acquire(&slab->leaves[number >> KMC_LEAF_BITS]);
}

/* The number must be good. */
static inline struct kmc_page *kmc_page(const struct kmc_slab *slab, u32 number)
{
	return &kmc_leaf(slab, number)->pages[number % KMC_LEAF_PAGES];
}

static inline struct kmc_page_use *kmc_page_use(const struct kmc_slab *slab, u32 number)
{
	return &kmc_leaf(slab, number)->uses[number % KMC_LEAF_PAGES];
}

/**
 * kmc_chunk_at - what a handle names, if anything
 * @size: set to the chunk's size
 * Any context in which pages stay (BH off, or a reference on the chunk). Trusts nothing of @handle.
 */
static inline void *kmc_chunk_at(const struct kmc_slab *slab, u32 handle, u32 *size)
{
	u32 number = handle >> KMC_CHUNK_BITS;
	u32 chunk = (handle & KMC_CHUNK_MASK) - 1;
	const struct kmc_leaf *leaf = kmc_leaf(slab, number);
	const struct kmc_page *page;
	u8 *base;

	if (unlikely(!leaf))
		return NULL;
	page = &leaf->pages[number % KMC_LEAF_PAGES];
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
	return kmc_page(slab, handle >> KMC_CHUNK_BITS)->class;
}

#endif
