// SPDX-License-Identifier: GPL-2.0
#include "frag.h"

#include <linux/bottom_half.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#define SPARE_FRAGS	32

struct kmc_frags {
	struct page_frag spare[SPARE_FRAGS];
	u32 last;	/* taken last */
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
	place = page_is_pfmemalloc(frag->page) ? NULL : free_place(this_cpu_ptr(&frags));
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
