// SPDX-License-Identifier: GPL-2.0
/* ma: incr and decr, which can also begin with a number of their own. */
#include "meta.h"

/* Somebody makes and deletes the item in turn: not for ever. */
#define KMC_META_ARITH_TRIES	16

/* N: the first number. KMC_NOT_STORED: somebody was faster. */
static enum kmc_store_status kmc_meta_arith_vivify(struct kmc_session *s, const struct kmc_key *key,
						   struct kmc_delta *delta)
{
	u8 marks = kmc_meta_has(s, KMC_META('b')) ? KMC_ITEM_BINARY : 0;

	delta->value = kmc_meta_has(s, KMC_META('J')) ? s->req.meta.initial : 0;
	return kmc_arith_create(s, key, delta, kmc_meta_vivified(s), marks);
}

static enum kmc_result kmc_meta_arith_say(struct kmc_session *s, struct kmc_turn *turn,
					  const struct kmc_delta *delta, struct kmc_meta_item *shown)
{
	u8 *line, *at;

	if (kmc_meta_has(s, KMC_META('q')))
		return KMC_DONE;
	if (!kmc_meta_has(s, KMC_META('v')))
		return kmc_meta_say(s, turn, "HD", shown, KMC_META_SHOW_NUMBER);
	line = kmc_reply_add(turn->reply, KMC_LINE_MAX);
	if (WARN_ON_ONCE(!line))
		return KMC_FAIL;
	memcpy(line, "VA ", 3);
	at = line + 3 + kmc_put_u64(line + 3, delta->len);
	at = kmc_meta_put(at, &s->req, shown, KMC_META_SHOW_NUMBER);
	memcpy(at, "\r\n", 2);
	memcpy(at + 2, delta->text, delta->len);
	memcpy(at + 2 + delta->len, "\r\n", 2);
	kmc_reply_trim(turn->reply, KMC_LINE_MAX - (u32)(at + 4 + delta->len - line));
	return KMC_DONE;
}

static enum kmc_result kmc_meta_arith_answer(struct kmc_session *s, struct kmc_turn *turn,
					     const struct kmc_key *key, enum kmc_store_status status,
					     const struct kmc_delta *delta, bool created)
{
	struct kmc_meta_item shown = kmc_meta_nothing(s, key);

	switch (status) {
	case KMC_STORED:
		if (!created)
			kmc_arith_hit(s, delta);
		shown.created = created;
		shown.cas = delta->cas_out;
		shown.now = kmc_store_now(s->core->store);
		shown.exptime = delta->exptime;
		shown.touched = delta->change.deadline;
		shown.vivified = kmc_store_deadline(s->core->store, created ? s->req.meta.vivify : 0);
		return kmc_meta_arith_say(s, turn, delta, &shown);
	case KMC_NOT_FOUND:
		kmc_arith_miss(s, delta);
		return kmc_meta_say(s, turn, "NF", &shown, KMC_META_SHOW_KEY);
	case KMC_EXISTS:
	case KMC_NOT_STORED:
		return kmc_meta_say(s, turn, kmc_meta_code(status), &shown, KMC_META_SHOW_KEY);
	case KMC_NON_NUMERIC:
		return kmc_say(s, turn, KMC_ANSWER_NON_NUMERIC);
	default:
		return kmc_say(s, turn, created ? KMC_ANSWER_NO_MEMORY_NEW : KMC_ANSWER_NO_MEMORY);
	}
}

enum kmc_result kmc_meta_arith_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_delta delta = {
		.delta = s->req.delta,
		.decrement = s->req.meta.mode == 'D' || s->req.meta.mode == '-',
		.cas = kmc_meta_has(s, KMC_META('C')) ? s->req.cas : 0,
		.change = kmc_meta_change(s),
	};
	u8 room[KMC_KEY_MAX];
	struct kmc_key key = kmc_meta_key(s, room);
	enum kmc_store_status status;
	bool created;
	u32 tries = 0;

	do {
		status = kmc_store_delta(s->core->store, &key, &delta);
		created = status == KMC_NOT_FOUND && kmc_meta_has(s, KMC_META('N'));
		if (created)
			status = kmc_meta_arith_vivify(s, &key, &delta);
	} while (created && status == KMC_NOT_STORED && ++tries < KMC_META_ARITH_TRIES);
	kmc_spend(turn, delta.work);
	if (status == KMC_AGAIN && kmc_starve(s) == KMC_PROCESS)
		return KMC_PROCESS;
	return kmc_meta_arith_answer(s, turn, &key, status, &delta, created);
}
