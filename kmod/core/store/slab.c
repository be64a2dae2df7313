// SPDX-License-Identifier: GPL-2.0
#include "state.h"

/*
 * memcached multiplies sizes by a double. Where the exact product is a whole number the rounded one may
 * be just below it, and the size a step smaller; so factor and product are rounded as IEEE 754 does it:
 * a factor of @mantissa / 2^@shift, 2^52 <= mantissa < 2^53.
 */
struct kmc_factor {
	u64 mantissa;
	u32 shift;
};

static struct kmc_factor kmc_factor(u32 thousandths)
{
	struct kmc_factor factor = { .shift = 0 };
	u64 rest;
	u32 odd;

	while (div_u64((u64)thousandths << factor.shift, 1000) < 1ULL << 52)
		factor.shift++;
	rest = (u64)thousandths << factor.shift;
	factor.mantissa = div_u64_rem(rest, 1000, &odd);
	if (odd > 500 || (odd == 500 && factor.mantissa & 1))
		factor.mantissa++;
	return factor;
}

static u32 kmc_factor_scale(struct kmc_factor factor, u32 size)
{
	unsigned __int128 product = (unsigned __int128)factor.mantissa * size;
	u32 extra = fls64((u64)(product >> 53));	/* bits that a double has no room for */
	unsigned __int128 half = extra ? (unsigned __int128)1 << (extra - 1) : 0;
	unsigned __int128 cut = product & (((unsigned __int128)1 << extra) - 1);
	u64 rounded = (u64)(product >> extra);

	if (extra && (cut > half || (cut == half && rounded & 1)))
		rounded++;
	return (u32)(((unsigned __int128)rounded << extra) >> factor.shift);
}

/* size >= limit / factor, with the quotient rounded to the nearest double. */
static bool kmc_factor_reaches(struct kmc_factor factor, u32 size, u32 limit)
{
	unsigned __int128 left, right, half_step;

	if (size >= limit)
		return true;
	left = (unsigned __int128)limit << factor.shift;
	right = (unsigned __int128)factor.mantissa * size;
	half_step = (unsigned __int128)factor.mantissa << (fls(size) - 1);
	return left << 53 <= (right << 53) + half_step;
}

/* The sizes of memcached's slabs_init(). Return: the largest id. */
static u32 kmc_slab_sizes(const struct kmc_settings *settings, u32 *sizes)
{
	struct kmc_factor factor = kmc_factor(settings->growth_factor);
	u32 size = KMC_NOMINAL_HEADER + settings->size_min;
	u32 id;

	for (id = 1; id < KMC_CLASSES_MAX - 1; id++) {
		if (kmc_factor_reaches(factor, size, settings->slab_chunk_max))
			break;
		size = ALIGN(size, KMC_NOMINAL_ALIGN);
		sizes[id] = size;
		size = kmc_factor_scale(factor, size);
	}
	sizes[id] = settings->slab_chunk_max;
	return id;
}

static u64 kmc_slab_limit_pages(const struct kmc_store *store)
{
	return READ_ONCE(store->core->settings.memory_limit) / KMC_PAGE_SIZE;
}

int kmc_slab_init(struct kmc_store *store)
{
	const struct kmc_settings *settings = &store->core->settings;
	struct kmc_slab *slab = &store->slab;
	u32 sizes[KMC_CLASSES_MAX];
	u32 id;

	slab->last = kmc_slab_sizes(settings, sizes);
	slab->save = KMC_NOMINAL_HEADER + (settings->cas ? KMC_NOMINAL_CAS : 0) + KMC_NOMINAL_TAILS -
		     (u32)sizeof(struct kmc_item);
	slab->save = ALIGN_DOWN(slab->save, KMC_NOMINAL_ALIGN);
	spin_lock_init(&slab->lock);
	for (id = 1; id <= slab->last; id++) {
		struct kmc_slab_class *class = &slab->classes[id];

		spin_lock_init(&class->lock);
		class->nominal = sizes[id];
		class->chunk_size = ALIGN_DOWN(sizes[id] - slab->save, KMC_NOMINAL_ALIGN);
		class->per_page = KMC_PAGE_SIZE / class->chunk_size;
		if (WARN_ON(class->chunk_size < sizeof(struct kmc_item) ||
			    class->per_page > KMC_CHUNK_MASK))
			return -EINVAL;
	}
	/* Above the limit there is one page for each class that has none. */
	slab->page_max = (u32)min_t(u64, kmc_slab_limit_pages(store) + slab->last, KMC_PAGES_MAX);
	slab->pages = kvcalloc(slab->page_max, sizeof(*slab->pages), GFP_KERNEL_ACCOUNT);
	return slab->pages ? 0 : -ENOMEM;
}

void kmc_slab_exit(struct kmc_store *store)
{
	struct kmc_slab *slab = &store->slab;
	u32 i;

	for (i = 0; i < slab->granted; i++) {
		kmc_unpoison(slab->pages[i].base, KMC_PAGE_SIZE);
		kvfree(slab->pages[i].base);
		cond_resched();
	}
	while (slab->reserve) {
		void *page = slab->reserve;

		slab->reserve = *slab->reserve;
		kvfree(page);
	}
	kvfree(slab->pages);
}

/* How many pages the reserve should hold. */
static u32 kmc_slab_target(const struct kmc_store *store)
{
	const struct kmc_slab *slab = &store->slab;
	u64 limit = kmc_slab_limit_pages(store);
	u32 granted = READ_ONCE(slab->granted);
	u64 room = limit > granted ? limit - granted : 0;
	u64 reserve = clamp(limit / 16, (u64)2, (u64)KMC_RESERVE_MAX);
	u32 target;

	target = (u32)min(room, max(reserve, (u64)READ_ONCE(slab->wanted)));
	if (!target && READ_ONCE(slab->first_wanted) && granted < slab->page_max)
		target = 1;
	return target;
}

void kmc_slab_want(struct kmc_store *store, u32 pages)
{
	struct kmc_slab *slab = &store->slab;

	spin_lock(&slab->lock);
	if (pages > READ_ONCE(slab->wanted))
		WRITE_ONCE(slab->wanted, pages);
	spin_unlock(&slab->lock);
}

bool kmc_slab_low(struct kmc_store *store)
{
	return READ_ONCE(store->slab.reserved) * 2 < kmc_slab_target(store);
}

int kmc_slab_provide(struct kmc_store *store)
{
	struct kmc_slab *slab = &store->slab;
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;

	kmc_assert_process();
	while (READ_ONCE(slab->reserved) < kmc_slab_target(store)) {
		void **page = kvmalloc(KMC_PAGE_SIZE, gfp);
		bool taken = false;

		spin_lock_bh(&slab->lock);
		WRITE_ONCE(slab->starved, !page);
		if (page && slab->reserved < kmc_slab_target(store)) {
			*page = slab->reserve;
			slab->reserve = page;
			WRITE_ONCE(slab->reserved, slab->reserved + 1);
			taken = true;
		}
		if (!page)
			WRITE_ONCE(slab->wanted, 0);
		spin_unlock_bh(&slab->lock);
		if (!page)
			return -ENOMEM;
		if (!taken)
			kvfree(page);
		cond_resched();
	}
	WRITE_ONCE(slab->wanted, 0);
	return 0;
}

/*
 * A page for a class, out of the reserve. memcached's rule: up to the limit, but a class's first page is
 * granted above it too. Return: the page's number, or -ENOMEM, or -EAGAIN.
 */
static int kmc_slab_grant(struct kmc_store *store, u32 id)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[id];
	struct kmc_page *page;
	int number = -ENOMEM;
	void **base;

	lockdep_assert_held(&class->lock);
	spin_lock(&slab->lock);
	if ((class->pages && slab->granted >= kmc_slab_limit_pages(store)) ||
	    slab->granted >= slab->page_max)
		goto out;
	if (!slab->reserved) {
		if (slab->granted >= kmc_slab_limit_pages(store))
			WRITE_ONCE(slab->first_wanted, true);
		number = slab->starved ? -ENOMEM : -EAGAIN;
		goto out;
	}
	number = (int)slab->granted;
	page = &slab->pages[number];
	page->chunk_size = class->chunk_size;
	page->chunks = (u16)class->per_page;
	page->class = (u8)id;
	base = slab->reserve;
	slab->reserve = *base;
	*base = NULL;
	WRITE_ONCE(slab->granted, slab->granted + 1);
	WRITE_ONCE(slab->reserved, slab->reserved - 1);
	WRITE_ONCE(slab->first_wanted, false);
	kmc_poison(base, KMC_PAGE_SIZE);
	smp_store_release(&page->base, (u8 *)base);
out:
	spin_unlock(&slab->lock);
	return number;
}

/* A free chunk's handle, or 0. */
static u32 kmc_slab_pop(struct kmc_slab *slab, struct kmc_slab_class *class)
{
	u32 handle = class->free;

	lockdep_assert_held(&class->lock);
	if (handle) {
		class->free = kmc_item_at(slab, handle)->next;
	} else if (class->fresh_left) {
		handle = class->fresh++;
		class->fresh_left--;
	} else {
		return 0;
	}
	class->free_chunks--;
	return handle;
}

struct kmc_item *kmc_slab_alloc(struct kmc_store *store, u32 id, u32 need, u32 *handle)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[id];
	struct kmc_item *item;
	int number = 0;

	kmc_assert_bh_off();
	spin_lock(&class->lock);
	*handle = kmc_slab_pop(slab, class);
	if (!*handle) {
		number = kmc_slab_grant(store, id);
		if (number >= 0) {
			class->pages++;
			class->fresh = (u32)number << KMC_CHUNK_BITS | 1;
			class->fresh_left = class->per_page;
			class->free_chunks += class->per_page;
			*handle = kmc_slab_pop(slab, class);
		}
	}
	spin_unlock(&class->lock);
	if (!*handle)
		return ERR_PTR(number);
	if (unlikely(number > 0) && kmc_slab_low(store))
		kmc_store_wake(store);
	item = kmc_item_at(slab, *handle);
	kmc_unpoison(item, need);
	item->next = *handle;
	refcount_set(&item->ref, 1);
	return item;
}

void kmc_slab_free(struct kmc_store *store, u32 handle)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[kmc_chunk_class(slab, handle)];
	struct kmc_item *item = kmc_item_at(slab, handle);

	if (WARN_ON_ONCE(refcount_read(&item->ref)))
		return;
	/* The links and the count stay readable: they are what makes it a free chunk. */
	kmc_poison((u8 *)item + sizeof(struct kmc_chunk), class->chunk_size - sizeof(struct kmc_chunk));
	spin_lock_bh(&class->lock);
	item->next = class->free;
	class->free = handle;
	class->free_chunks++;
	spin_unlock_bh(&class->lock);
}

u32 kmc_slab_class(const struct kmc_slab *slab, u64 nominal)
{
	u32 low = 1, high = slab->last;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (slab->classes[mid].nominal >= nominal)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}
