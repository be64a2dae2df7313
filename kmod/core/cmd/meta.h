/* SPDX-License-Identifier: GPL-2.0 */
/* What the meta commands share. */
#ifndef KMC_CMD_META_H
#define KMC_CMD_META_H

#include "command.h"
#include "../proto/meta.h"
#include "../proto/numbers.h"

static inline bool kmc_meta_has(const struct kmc_session *s, u64 flags)
{
	return s->req.meta.flags & flags;
}

/**
 * kmc_meta_key - the key that the request means
 * @room: KMC_KEY_MAX bytes that outlive the key, which is there
 * Return: a key of 1 to KMC_KEY_MAX bytes, whatever became of the input since it was parsed.
 */
struct kmc_key kmc_meta_key(struct kmc_session *s, u8 *room);

/* An item that is not there, as replies show it. */
struct kmc_meta_item kmc_meta_nothing(struct kmc_session *s, const struct kmc_key *key);

/* What an item's flags (KMC_ITEM_*) and its struct kmc_item.seen say, and the time now. */
void kmc_meta_look_at(struct kmc_session *s, struct kmc_meta_item *item, u8 flags, u32 seen);

/* What E and T change. */
struct kmc_change kmc_meta_change(struct kmc_session *s);

/* The deadline that an item which N makes has in the end: T may come behind N. */
u32 kmc_meta_vivified(struct kmc_session *s);

/**
 * kmc_meta_say - a reply without a value
 * @code: two letters
 * @show: KMC_META() of the flags it knows
 * There must be room. Return: KMC_DONE.
 */
enum kmc_result kmc_meta_say(struct kmc_session *s, struct kmc_turn *turn, const char *code,
			     struct kmc_meta_item *item, u64 show);

/* EX, NF or NS. */
const char *kmc_meta_code(enum kmc_store_status status);

/* What ms does. */
enum kmc_store_mode kmc_meta_set_mode(struct kmc_session *s);

#endif
