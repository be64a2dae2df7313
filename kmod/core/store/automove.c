// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#define KMC_AUTOMOVE_SOURCE	2	/* pages that a class keeps */
#define KMC_AUTOMOVE_SHARE	65536	/* of one class in all evictions of a look: the whole */

/**
 * struct kmc_automove_look - a class at one look
 * @age: seconds since its coldest item was used
 * @share: of evictions since the look before, in KMC_AUTOMOVE_SHARE parts
 * @dirty: it evicted, found no memory, or has more pages than before
 * @evicted: it evicted
 */
struct kmc_automove_look {
	u32 age;
	u32 share;
	bool dirty;
	bool evicted;
};

struct kmc_automove_before {
	u64 evicted;
	u64 outofmemory;
	u32 pages;
};

/* A class summed up over the window. */
struct kmc_automove_sum {
	u64 age;
	u64 share;
	u32 dirty;
	u32 evicted;
};

/* What one look comes to. */
struct kmc_automove_choice {
	s32 oldest, youngest;
	u64 oldest_age, youngest_age;
	bool youngest_evicts;
	s32 idle;
};

void kmc_automove_exit(struct kmc_store *store)
{
	struct kmc_automove *automove = &store->automove;

	kvfree(automove->looks);
	kvfree(automove->before);
	automove->looks = NULL;
	automove->before = NULL;
}

static struct kmc_automove_before kmc_automove_counts(struct kmc_store *store, u32 id)
{
	struct kmc_stats *stats = &store->core->stats;

	return (struct kmc_automove_before){
		.evicted = kmc_stats_sum_class(stats, id, KMC_CLASS_evicted),
		.outofmemory = kmc_stats_sum_class(stats, id, KMC_CLASS_outofmemory),
		.pages = READ_ONCE(store->slab.classes[id].pages),
	};
}

/* Begin anew when a setting has changed. Return: false: there is no memory to remember anything. */
static bool kmc_automove_ready(struct kmc_store *store)
{
	const struct kmc_settings *settings = &store->core->settings;
	struct kmc_automove *automove = &store->automove;
	u32 window = READ_ONCE(settings->slab_automove_window);
	u32 ratio = READ_ONCE(settings->slab_automove_ratio);
	u32 id;

	if (automove->looks && automove->window == window && automove->ratio == ratio)
		return true;
	kmc_automove_exit(store);
	automove->looks = kvcalloc((size_t)window * KMC_CLASSES_MAX, sizeof(*automove->looks),
				   KMC_GFP);
	automove->before = kvcalloc(KMC_CLASSES_MAX, sizeof(*automove->before),
				    KMC_GFP);
	if (!automove->looks || !automove->before) {
		kmc_automove_exit(store);
		return false;
	}
	automove->window = window;
	automove->ratio = ratio;
	automove->count = 0;
	for (id = 1; id <= store->slab.last; id++)
		automove->before[id] = kmc_automove_counts(store, id);
	return true;
}

static void kmc_automove_note(struct kmc_automove_look *look, const struct kmc_automove_before *before,
			      const struct kmc_automove_before *now, u64 evicted_by_all)
{
	/* "stats reset" may have come between. */
	u64 evicted = now->evicted > before->evicted ? now->evicted - before->evicted : 0;

	*look = (struct kmc_automove_look){
		.evicted = evicted,
		.share = evicted ? (u32)div64_u64(evicted * KMC_AUTOMOVE_SHARE, evicted_by_all) : 0,
		.dirty = evicted || now->outofmemory > before->outofmemory || now->pages > before->pages,
	};
}

static struct kmc_automove_sum kmc_automove_sum(const struct kmc_automove_look *looks, u32 window)
{
	struct kmc_automove_sum sum = { };
	u32 i;

	for (i = 0; i < window; i++) {
		sum.age += looks[i].age;
		sum.share += looks[i].share;
		sum.dirty += looks[i].dirty;
		sum.evicted += looks[i].evicted;
	}
	return sum;
}

/* More than two and a half pages' worth of chunks are free. */
static bool kmc_automove_idle(const struct kmc_slab_class *class)
{
	return READ_ONCE(class->free_chunks) * 2 > (u64)class->per_page * 5;
}

static void kmc_automove_judge(struct kmc_store *store, u32 id, const struct kmc_automove_look *look,
			       struct kmc_automove_sum sum, struct kmc_automove_choice *choice)
{
	const struct kmc_slab_class *class = &store->slab.classes[id];
	u32 window = store->automove.window;
	u64 age = div_u64(sum.age, window);

	/* Only once all memory has been had. */
	if (kmc_automove_idle(class) && !sum.dirty &&
	    kmc_slab_pages(&store->slab) >= kmc_slab_limit(store)) {
		choice->idle = id;
		return;
	}
	if (age > choice->oldest_age && READ_ONCE(class->pages) > KMC_AUTOMOVE_SOURCE) {
		choice->oldest = id;
		choice->oldest_age = age;
	}
	if (age < choice->youngest_age &&
	    (sum.evicted > window / 2 || sum.share * 4 > (u64)window * KMC_AUTOMOVE_SHARE)) {
		choice->youngest = id;
		choice->youngest_age = age;
		choice->youngest_evicts = look->evicted;
	}
}

static void kmc_automove_look(struct kmc_store *store, struct kmc_automove_choice *choice)
{
	struct kmc_automove *automove = &store->automove;
	u64 before = 0, evicted = 0;
	u32 id;

	for (id = 1; id <= store->slab.last; id++) {
		evicted += kmc_stats_sum_class(&store->core->stats, id, KMC_CLASS_evicted);
		before += automove->before[id].evicted;
	}
	evicted = evicted > before ? evicted - before : 1;
	automove->count++;
	for (id = 1; id <= store->slab.last; id++) {
		struct kmc_automove_look *looks = &automove->looks[(size_t)id * automove->window];
		struct kmc_automove_look *look = &looks[automove->count % automove->window];
		struct kmc_automove_before now = kmc_automove_counts(store, id);

		kmc_automove_note(look, &automove->before[id], &now, evicted);
		local_bh_disable();
		look->age = kmc_lru_age(store, id, KMC_COLD);
		local_bh_enable();
		automove->before[id] = now;
		if (choice->idle == KMC_CLASS_ANY)
			kmc_automove_judge(store, id, look, kmc_automove_sum(looks, automove->window), choice);
		cond_resched();
	}
}

void kmc_automove_run(struct kmc_store *store, s32 *from, s32 *to)
{
	struct kmc_automove_choice choice = {
		.oldest = KMC_CLASS_ANY,
		.youngest = KMC_CLASS_ANY,
		.idle = KMC_CLASS_ANY,
		.youngest_age = U64_MAX,
	};
	struct kmc_automove *automove = &store->automove;
	u32 now = kmc_store_now(store);

	*from = KMC_CLASS_ANY;
	*to = 0;
	if (!READ_ONCE(store->core->settings.slab_automove) || !store->core->settings.slab_reassign ||
	    (automove->last == now && !automove->again) || !kmc_automove_ready(store))
		return;
	automove->last = now;
	kmc_automove_look(store, &choice);
	*from = choice.idle;
	automove->again = choice.idle != KMC_CLASS_ANY;
	if (automove->again || choice.oldest == KMC_CLASS_ANY || choice.youngest == KMC_CLASS_ANY ||
	    automove->count <= automove->window || !choice.youngest_evicts)
		return;
	if (choice.youngest_age * KMC_RATIO_ONE < choice.oldest_age * automove->ratio) {
		*from = choice.oldest;
		*to = choice.youngest;
	}
}
