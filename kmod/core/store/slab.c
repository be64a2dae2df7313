// SPDX-License-Identifier: GPL-2.0
/* Pages: had from the system, given to classes, taken from them, given back. Chunks: chunk.c. */
#include "state.h"

#define KMC_CEILING_TIME	(10 * HZ)	/* for so long after the system was short of memory we do not grow */

u32 kmc_slab_pages(const struct kmc_slab *slab)
{
	return READ_ONCE(slab->granted) + READ_ONCE(slab->pooled);
}

u64 kmc_slab_limit(const struct kmc_store *store)
{
	u64 bytes = READ_ONCE(store->core->settings.memory_limit);
	u64 limit = (bytes - min(bytes, store->core->settings.initial_malloc)) / KMC_PAGE_SIZE;
	u32 ceiling = READ_ONCE(store->slab.ceiling);

	return ceiling ? min_t(u64, limit, ceiling) : limit;
}

int kmc_slab_init(struct kmc_store *store)
{
	const struct kmc_settings *settings = &store->core->settings;
	struct kmc_slab *slab = &store->slab;
	u32 sizes[KMC_CLASSES_MAX];
	u32 id;

	slab->last = kmc_classes_sizes(settings, sizes);
	slab->save = KMC_NOMINAL_HEADER + (settings->cas ? KMC_NOMINAL_CAS : 0) + KMC_NOMINAL_TAILS -
		     (u32)sizeof(struct kmc_item);
	slab->save = ALIGN_DOWN(slab->save, KMC_NOMINAL_ALIGN);
	spin_lock_init(&slab->lock);
	for (id = 1; id <= slab->last; id++) {
		struct kmc_slab_class *class = &slab->classes[id];

		spin_lock_init(&class->lock);
		class->nominal = sizes[id];
		/* A size that was asked for may be too small for any item; then it is never used. */
		class->chunk_size = max_t(u32, ALIGN_DOWN(sizes[id] - slab->save, KMC_NOMINAL_ALIGN),
					  sizeof(struct kmc_item));
		class->per_page = KMC_PAGE_SIZE / class->chunk_size;
		if (WARN_ON(class->per_page > KMC_CHUNK_MASK))
			return -EINVAL;
	}
	kmc_classes_index(slab);
	return 0;
}

void kmc_slab_exit(struct kmc_store *store)
{
	struct kmc_slab *slab = &store->slab;
	u32 number;

	for (number = 0; number < slab->numbers; number++) {
		u8 *base = kmc_page(slab, number)->base;

		if (base)
			kmc_unpoison(base, KMC_PAGE_SIZE);
		kvfree(base);
		cond_resched();
	}
	while (slab->reserve) {
		void *page = slab->reserve;

		slab->reserve = *slab->reserve;
		kvfree(page);
	}
	for (number = 0; number < slab->nr_leaves; number++)
		kvfree(slab->leaves[number]);
}

/* How many pages may be in reserve beside those of the pool. */
static u32 kmc_slab_room(const struct kmc_store *store)
{
	u64 limit = kmc_slab_limit(store);
	u32 pages = kmc_slab_pages(&store->slab);

	return limit > pages ? (u32)(limit - pages) : 0;
}

/* How many pages should be at hand. */
static u32 kmc_slab_target(const struct kmc_store *store)
{
	const struct kmc_slab *slab = &store->slab;
	u64 reserve = clamp(kmc_slab_limit(store) / 16, (u64)2, (u64)KMC_RESERVE_MAX);
	u32 target;

	target = min(READ_ONCE(slab->pooled) + kmc_slab_room(store),
		     max((u32)reserve, READ_ONCE(slab->wanted)));
	if (!target && READ_ONCE(slab->first_wanted))
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

static void kmc_reserve_push(struct kmc_slab *slab, void **page)
{
	lockdep_assert_held(&slab->lock);
	*page = slab->reserve;
	slab->reserve = page;
	WRITE_ONCE(slab->reserved, slab->reserved + 1);
}

static void *kmc_reserve_pop(struct kmc_slab *slab)
{
	void **page = slab->reserve;

	lockdep_assert_held(&slab->lock);
	slab->reserve = *page;
	*page = NULL;
	WRITE_ONCE(slab->reserved, slab->reserved - 1);
	return page;
}

/* Whether there is a descriptor for one page more than there is. */
static bool kmc_slab_described(const struct kmc_slab *slab)
{
	lockdep_assert_held(&slab->lock);
	return slab->granted + slab->reserved < slab->nr_leaves * KMC_LEAF_PAGES;
}

/* See to it that there is. */
static int kmc_slab_describe(struct kmc_slab *slab)
{
	struct kmc_leaf *leaf;
	bool described;

	spin_lock_bh(&slab->lock);
	described = kmc_slab_described(slab);
	spin_unlock_bh(&slab->lock);
	if (described)
		return 0;
	leaf = kvzalloc(sizeof(*leaf), KMC_GFP);
	if (!leaf)
		return -ENOMEM;
	spin_lock_bh(&slab->lock);
	if (!kmc_slab_described(slab) && slab->nr_leaves < KMC_LEAVES) {
		smp_store_release(&slab->leaves[slab->nr_leaves], leaf);
		slab->nr_leaves++;
		leaf = NULL;
	}
	spin_unlock_bh(&slab->lock);
	kvfree(leaf);
	return 0;
}

/* One page for the reserve. Return: 0, also if there is enough now, or -ENOMEM. */
static int kmc_slab_provide_one(struct kmc_store *store)
{
	const struct kmc_core_ops *ops = store->core->ops;
	struct kmc_slab *slab = &store->slab;
	int err = ops->room && !ops->room(store->core) ? -ENOMEM : kmc_slab_describe(slab);
	void **page = err ? NULL : kvmalloc(KMC_PAGE_SIZE, KMC_GFP | __GFP_ZERO);

	spin_lock_bh(&slab->lock);
	if (page && !kmc_slab_described(slab))	/* the last number is taken */
		err = -ENOMEM;
	WRITE_ONCE(slab->starved, !page || err);
	if (page && !err && slab->reserved < kmc_slab_target(store)) {
		kmc_reserve_push(slab, page);
		page = NULL;
	} else if (!page) {
		err = -ENOMEM;
	}
	if (err)
		WRITE_ONCE(slab->wanted, 0);
	spin_unlock_bh(&slab->lock);
	kvfree(page);
	return err;
}

int kmc_slab_provide(struct kmc_store *store)
{
	struct kmc_slab *slab = &store->slab;

	kmc_assert_process();
	while (READ_ONCE(slab->reserved) < kmc_slab_target(store)) {
		int err = kmc_slab_provide_one(store);

		if (err)
			return err;
		cond_resched();
	}
	WRITE_ONCE(slab->wanted, 0);
	return 0;
}

void kmc_slab_limit_changed(struct kmc_store *store)
{
	WRITE_ONCE(store->slab.shrinking, kmc_slab_pages(&store->slab) > kmc_slab_limit(store));
	kmc_store_wake(store);
}

void kmc_slab_press(struct kmc_store *store, u32 pages)
{
	struct kmc_slab *slab = &store->slab;
	u32 now;

	spin_lock_bh(&slab->lock);
	now = kmc_slab_pages(slab);
	now = slab->ceiling ? min(now, slab->ceiling) : now;
	WRITE_ONCE(slab->ceiling, now > pages ? now - pages : 1);
	WRITE_ONCE(slab->ceiling_ends, jiffies + KMC_CEILING_TIME);
	WRITE_ONCE(slab->shrinking, true);
	spin_unlock_bh(&slab->lock);
}

/* What is in reserve only because it may be wanted, and each page of a class but its first. */
u32 kmc_slab_spare(const struct kmc_store *store)
{
	const struct kmc_slab *slab = &store->slab;
	u32 spare = READ_ONCE(slab->reserved);
	u32 id;

	for (id = 1; id <= slab->last; id++) {
		u32 pages = READ_ONCE(slab->classes[id].pages);

		spare += pages ? pages - 1 : 0;
	}
	return spare;
}

/* A page that is idle and too many, or NULL. */
static void *kmc_slab_trim_one(struct kmc_store *store)
{
	struct kmc_slab *slab = &store->slab;
	void *page = NULL;

	spin_lock_bh(&slab->lock);
	if (slab->pooled && kmc_slab_pages(slab) > kmc_slab_limit(store)) {
		WRITE_ONCE(slab->pooled, slab->pooled - 1);
		page = kmc_reserve_pop(slab);
	} else if (slab->reserved > slab->pooled + kmc_slab_room(store) && !slab->first_wanted) {
		page = kmc_reserve_pop(slab);
	}
	if (page && slab->ceiling)
		WRITE_ONCE(slab->reclaimed, slab->reclaimed + 1);
	if (kmc_slab_pages(slab) <= kmc_slab_limit(store))
		WRITE_ONCE(slab->shrinking, false);
	spin_unlock_bh(&slab->lock);
	return page;
}

u32 kmc_slab_trim(struct kmc_store *store, u32 most)
{
	struct kmc_slab *slab = &store->slab;
	u32 done;

	kmc_assert_process();
	if (slab->ceiling && time_after(jiffies, READ_ONCE(slab->ceiling_ends)))
		WRITE_ONCE(slab->ceiling, 0);
	for (done = 0; done < most; done++) {
		void *page = kmc_slab_trim_one(store);

		if (!page)
			break;
		kvfree(page);
		cond_resched();
	}
	return done;
}

/*
 * Numbers, descriptors and the lists of classes.
 */

static u32 kmc_number_take(struct kmc_slab *slab)
{
	u32 link = slab->free_number;

	lockdep_assert_held(&slab->lock);
	if (!link)
		return slab->numbers++;
	slab->free_number = kmc_page_use(slab, link - 1)->younger;
	return link - 1;
}

static void kmc_number_give(struct kmc_slab *slab, u32 number)
{
	lockdep_assert_held(&slab->lock);
	kmc_page_use(slab, number)->younger = slab->free_number;
	slab->free_number = number + 1;
}

void kmc_partial_add(struct kmc_slab *slab, struct kmc_slab_class *class, u32 number)
{
	struct kmc_page_use *use = kmc_page_use(slab, number);

	lockdep_assert_held(&class->lock);
	use->listed = true;
	use->prev = 0;
	use->next = class->partial;
	if (use->next)
		kmc_page_use(slab, use->next - 1)->prev = number + 1;
	class->partial = number + 1;
}

void kmc_partial_remove(struct kmc_slab *slab, struct kmc_slab_class *class, u32 number)
{
	struct kmc_page_use *use = kmc_page_use(slab, number);

	lockdep_assert_held(&class->lock);
	use->listed = false;
	if (use->prev)
		kmc_page_use(slab, use->prev - 1)->next = use->next;
	else
		class->partial = use->next;
	if (use->next)
		kmc_page_use(slab, use->next - 1)->prev = use->prev;
}

static void kmc_class_append(struct kmc_slab *slab, struct kmc_slab_class *class, u32 number)
{
	kmc_page_use(slab, number)->younger = 0;
	if (class->youngest)
		kmc_page_use(slab, class->youngest - 1)->younger = number + 1;
	else
		class->oldest = number + 1;
	class->youngest = number + 1;
}

/* A page and its chunks become the class's. Class lock and pool lock. */
static void kmc_class_adopt(struct kmc_slab *slab, u32 id, u32 number, u8 *base)
{
	struct kmc_slab_class *class = &slab->classes[id];
	struct kmc_page *page = kmc_page(slab, number);

	lockdep_assert_held(&class->lock);
	lockdep_assert_held(&slab->lock);
	*kmc_page_use(slab, number) = (struct kmc_page_use){ };
	page->chunk_size = class->chunk_size;
	page->chunks = (u16)class->per_page;
	page->class = (u8)id;
	kmc_class_append(slab, class, number);
	kmc_partial_add(slab, class, number);
	WRITE_ONCE(class->pages, class->pages + 1);
	WRITE_ONCE(class->free_chunks, class->free_chunks + class->per_page);
	kmc_poison(base, KMC_PAGE_SIZE);
	smp_store_release(&page->base, base);
}

/*
 * memcached's rule: up to the limit, and whatever is in the pool, but a class's first page is granted above
 * the limit too.
 */
int kmc_slab_grant(struct kmc_store *store, u32 id)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[id];
	bool room, first = !class->pages;
	int err = 0;

	lockdep_assert_held(&class->lock);
	spin_lock(&slab->lock);
	room = slab->pooled || kmc_slab_room(store);
	if (!room && !first) {
		err = -ENOMEM;
	} else if (!slab->reserved) {
		if (!room)
			WRITE_ONCE(slab->first_wanted, true);
		err = slab->starved ? -ENOMEM : -EAGAIN;
	} else {
		kmc_class_adopt(slab, id, kmc_number_take(slab), kmc_reserve_pop(slab));
		WRITE_ONCE(slab->granted, slab->granted + 1);
		if (slab->pooled)
			WRITE_ONCE(slab->pooled, slab->pooled - 1);
		WRITE_ONCE(slab->first_wanted, false);
	}
	spin_unlock(&slab->lock);
	return err;
}

bool kmc_slab_unpool(struct kmc_store *store, u32 to)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[to];
	bool done;

	kmc_assert_bh_off();
	spin_lock(&class->lock);
	done = READ_ONCE(slab->pooled) > 1 && !kmc_slab_grant(store, to);
	spin_unlock(&class->lock);
	return done;
}

bool kmc_slab_part(struct kmc_store *store, u32 id, u32 *number, u32 *used)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[id];
	struct kmc_page_use *use;
	bool parted = false;

	kmc_assert_bh_off();
	spin_lock(&class->lock);
	if (class->pages < 2)
		goto out;
	*number = class->oldest - 1;
	use = kmc_page_use(slab, *number);
	class->oldest = use->younger;
	if (use->listed)
		kmc_partial_remove(slab, class, *number);
	WRITE_ONCE(class->free_chunks, class->free_chunks - (class->per_page - use->used));
	*used = use->used;
	use->parted = true;
	parted = true;
out:
	spin_unlock(&class->lock);
	return parted;
}

void kmc_slab_unpart(struct kmc_store *store, u32 number)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[kmc_page(slab, number)->class];
	struct kmc_page_use *use = kmc_page_use(slab, number);

	kmc_assert_bh_off();
	spin_lock(&class->lock);
	use->parted = false;
	kmc_class_append(slab, class, number);
	WRITE_ONCE(class->free_chunks, class->free_chunks + class->per_page - use->used);
	if (use->used < class->per_page)
		kmc_partial_add(slab, class, number);
	spin_unlock(&class->lock);
}

u8 *kmc_slab_detach(struct kmc_store *store, u32 number)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_page *page = kmc_page(slab, number);
	struct kmc_slab_class *class = &slab->classes[page->class];
	struct kmc_page_use *use = kmc_page_use(slab, number);
	u8 *base = NULL;

	kmc_assert_bh_off();
	spin_lock(&class->lock);
	if (!use->used) {
		base = page->base;
		spin_lock(&slab->lock);
		WRITE_ONCE(page->base, NULL);
		spin_unlock(&slab->lock);
		WRITE_ONCE(class->pages, class->pages - 1);
	}
	spin_unlock(&class->lock);
	return base;
}

void kmc_slab_attach(struct kmc_store *store, u32 number, u8 *base, u32 to)
{
	struct kmc_slab *slab = &store->slab;
	struct kmc_slab_class *class = &slab->classes[to];

	kmc_assert_process();
	kmc_unpoison(base, KMC_PAGE_SIZE);
	if (to) {
		spin_lock_bh(&class->lock);
		spin_lock(&slab->lock);
		kmc_class_adopt(slab, to, number, base);
		spin_unlock(&slab->lock);
		spin_unlock_bh(&class->lock);
		return;
	}
	spin_lock_bh(&slab->lock);
	kmc_number_give(slab, number);
	WRITE_ONCE(slab->granted, slab->granted - 1);
	WRITE_ONCE(slab->pooled, slab->pooled + 1);
	kmc_reserve_push(slab, (void **)base);
	spin_unlock_bh(&slab->lock);
}
