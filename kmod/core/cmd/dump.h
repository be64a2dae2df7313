/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listings of items: metadump, mgdump, cachedump. A listing stops behind any item, when the reply is full or
 * the turn is over, and holds nothing while it waits for its reader: no item, no lock, no buffer.
 */
#ifndef KMC_DUMP_H
#define KMC_DUMP_H

#include "command.h"

/* The longest line: a key of 250 bytes, all encoded, six numbers, and what stands around them. */
#define KMC_DUMP_LINE_MAX	(KMC_PERCENT_BYTES(KMC_KEY_MAX) + 6 * 20 + 80)

/**
 * struct kmc_dump_form - what a listing looks like
 * @head: before it, "" for nothing; @end: behind it
 * @line: an item, to @at (KMC_DUMP_LINE_MAX bytes), under its stripe lock. Return: length, 0: not shown.
 */
struct kmc_dump_form {
	const char *head;
	const char *end;
	u32 (*line)(struct kmc_session *s, u8 *at, struct kmc_item *item);
};

extern const struct kmc_dump_form kmc_metadump;
extern const struct kmc_dump_form kmc_mgdump;
extern const struct kmc_dump_form kmc_cachedump;

/* Begin one of the items of @s->req.classes, @most at most. There must be room for an answer. */
void kmc_dump_begin(struct kmc_session *s, struct kmc_turn *turn, const struct kmc_dump_form *form, u32 most);

/* Go on with it. Return: KMC_DONE, or KMC_MORE. */
enum kmc_result kmc_dump_show(struct kmc_session *s, struct kmc_turn *turn, const struct kmc_dump_form *form);

#endif
