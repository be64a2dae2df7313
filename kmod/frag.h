/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fragments of pages that TCP sends from. Each CPU has some. A page that nobody else holds any more is used from its
 * beginning again: else each reply of a page costs the zeroing of a new one (init_on_alloc). There are as many as
 * large replies have on their way at a time; one is enough for small ones, and then the others are never had.
 *
 * Who has taken one is the only one to write to it, from its offset on, and moves the offset behind what TCP was
 * given. What lies before that, TCP and receivers on this machine may look at as long as they hold the page.
 */
#ifndef KMC_FRAG_H
#define KMC_FRAG_H

#include <linux/mm_types_task.h>
#include <linux/types.h>

#define KMC_FRAG_ORDER	3		/* PAGE_ALLOC_COSTLY_ORDER, as the stack's own are */
#define KMC_FRAG_SIZE	(PAGE_SIZE << KMC_FRAG_ORDER)
#define KMC_FRAG_PAUSE	(HZ / 10)	/* looking in vain is no work for each request, and it wakes who compacts memory */

/* Bytes to write to. */
static inline u32 kmc_frag_room(const struct page_frag *frag)
{
	return frag->page ? frag->size - frag->offset : 0;
}

/* One of this CPU's with room for @size bytes, else @frag->page is NULL: there is none. Any context but a hard interrupt. */
void kmc_frag_take(struct page_frag *frag, size_t size);

/*
 * The same, and a new one where there is none, of KMC_FRAG_SIZE bytes. When no new one can be had, none is asked for in
 * the next KMC_FRAG_PAUSE on this CPU. Return: false: none; @frag->page is NULL.
 */
bool kmc_frag_have(struct page_frag *frag, size_t size);

/* Give one back, to this CPU if it can keep one more. NULL is fine. @frag->page is NULL then. */
void kmc_frag_give(struct page_frag *frag);

/* At unload: nobody has any. */
void kmc_frag_exit(void);

#endif
