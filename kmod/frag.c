// SPDX-License-Identifier: GPL-2.0
#include "frag.h"

#include <linux/bottom_half.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#define SPARE_FRAGS	32

/* A test of allocations that fail can do without: each turn has a page of its own then. */
#ifndef KMC_FRAG_SPARES
#define KMC_FRAG_SPARES true
#endif

struct kmc_frags {
	struct page_frag spare[SPARE_FRAGS];
	u32 last;		/* taken last */
	bool missed;		/* there was no new one to be had, before @again none is asked for */
	unsigned long again;	/* jiffies */
};

static DEFINE_PER_CPU(struct kmc_frags, frags);

static bool frag_serves(struct page_frag *frag, size_t size)
{
	if (frag->page && page_ref_count(frag->page) == 1)
		frag->offset = 0;
	return kmc_frag_room(frag) >= size;
}

/*
 * One that serves. An empty place is where somebody has taken one, a turn that sends a second piece at most; where there
 * are two, the second never had a page. None serves: all are on their way. Return: where to take from.
 */
static struct page_frag *frag_find(struct kmc_frags *mine, size_t size)
{
	struct page_frag *frag, *taken = NULL;
	u32 i;

	for (i = 0; i < SPARE_FRAGS; i++) {
		frag = &mine->spare[(mine->last + i) % SPARE_FRAGS];
		if (frag->page ? frag_serves(frag, size) : taken != NULL)
			return frag;
		if (!frag->page)
			taken = frag;
	}
	if (taken)
		return taken;
	put_page(frag->page);	/* a new one in the place of the last */
	frag->page = NULL;
	return frag;
}

/*
 * It is the taker's alone until it is given back: on the way a work item may be interrupted by softirqs that take and
 * give back others, or go to another CPU.
 */
void kmc_frag_take(struct page_frag *taken, size_t size)
{
	struct kmc_frags *mine;
	struct page_frag *frag;

	local_bh_disable();
	mine = this_cpu_ptr(&frags);
	frag = frag_find(mine, size);
	mine->last = (u32)(frag - mine->spare);
	*taken = *frag;
	frag->page = NULL;
	local_bh_enable();
}

static struct page *frag_new(struct kmc_frags *mine)
{
	struct page *page;

	if (mine->missed && time_before(jiffies, mine->again))
		return NULL;
	/* No reserves, for one can do without. */
	page = alloc_pages(GFP_NOWAIT | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN, KMC_FRAG_ORDER);
	mine->missed = !page;
	mine->again = jiffies + KMC_FRAG_PAUSE;
	return page;
}

bool kmc_frag_have(struct page_frag *frag, size_t size)
{
	kmc_frag_take(frag, size);
	if (frag->page)
		return true;
	local_bh_disable();
	frag->page = frag_new(this_cpu_ptr(&frags));
	local_bh_enable();
	frag->offset = 0;
	frag->size = KMC_FRAG_SIZE;
	return frag->page;
}

/* Where this CPU may keep one more: the place of the last, unless a softirq was faster. BH off. Return: NULL: nowhere. */
static struct page_frag *free_place(struct kmc_frags *mine)
{
	u32 i;

	for (i = 0; i < SPARE_FRAGS; i++) {
		struct page_frag *frag = &mine->spare[(mine->last + i) % SPARE_FRAGS];

		if (!frag->page)
			return frag;
	}
	return NULL;
}

void kmc_frag_give(struct page_frag *frag)
{
	struct page_frag *place;

	if (!frag->page)
		return;
	local_bh_disable();
	/* One of the reserves marks what it carries, and receivers on this machine drop that: it is not kept. */
	place = !KMC_FRAG_SPARES || page_is_pfmemalloc(frag->page) ? NULL : free_place(this_cpu_ptr(&frags));
	if (place)
		*place = *frag;
	else
		put_page(frag->page);
	local_bh_enable();
	frag->page = NULL;
}

void kmc_frag_exit(void)
{
	struct page_frag *spare;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < SPARE_FRAGS; i++) {
			spare = &per_cpu_ptr(&frags, cpu)->spare[i];
			if (spare->page)
				put_page(spare->page);
			spare->page = NULL;
		}
	}
}
