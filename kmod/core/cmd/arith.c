// SPDX-License-Identifier: GPL-2.0
#include "command.h"
#include "../proto/numbers.h"

void kmc_arith_hit(struct kmc_session *s, const struct kmc_delta *delta)
{
	if (delta->decrement)
		kmc_count_in(kmc_session_stats(s), delta->class, decr_hits);
	else
		kmc_count_in(kmc_session_stats(s), delta->class, incr_hits);
}

void kmc_arith_miss(struct kmc_session *s, const struct kmc_delta *delta)
{
	if (delta->decrement)
		kmc_count(kmc_session_stats(s), decr_misses);
	else
		kmc_count(kmc_session_stats(s), incr_misses);
}

enum kmc_store_status kmc_arith_create(struct kmc_session *s, const struct kmc_key *key,
				       struct kmc_delta *delta, u32 deadline, u8 marks)
{
	struct kmc_linking how = { .mode = KMC_ADD, .change = delta->change };
	struct kmc_store *store = s->core->store;
	enum kmc_store_status status;
	struct kmc_item *item;

	delta->len = kmc_put_u64((u8 *)delta->text, delta->value);
	item = kmc_item_alloc(store, key, 0, deadline, delta->len);
	if (IS_ERR(item))
		return item == ERR_PTR(-EAGAIN) ? KMC_AGAIN : KMC_NO_MEMORY;
	memcpy(kmc_item_value(item), delta->text, delta->len);
	kmc_item_mark(item, marks);
	status = kmc_store_link_as(store, key, item, &how);
	delta->cas_out = how.cas_out;
	delta->exptime = 0;
	kmc_item_put(store, item);
	return status;
}

static enum kmc_result kmc_arith_answer(struct kmc_session *s, struct kmc_turn *turn,
					enum kmc_store_status status, const struct kmc_delta *delta,
					bool created)
{
	switch (status) {
	case KMC_STORED:
		if (!created)
			kmc_arith_hit(s, delta);
		s->req.cas = delta->cas_out;
		s->protocol->number(turn->reply, &s->req, delta->value);
		return KMC_DONE;
	case KMC_NOT_FOUND:
		kmc_arith_miss(s, delta);
		return kmc_say(s, turn, KMC_ANSWER_NOT_FOUND);
	case KMC_EXISTS:
		return kmc_say(s, turn, KMC_ANSWER_EXISTS);
	case KMC_NOT_STORED:
		return kmc_say(s, turn, KMC_ANSWER_NOT_STORED);
	case KMC_NON_NUMERIC:
		return kmc_say(s, turn, KMC_ANSWER_NON_NUMERIC);
	default:
		return kmc_say(s, turn, created ? KMC_ANSWER_NO_MEMORY_NEW : KMC_ANSWER_NO_MEMORY);
	}
}

enum kmc_result kmc_arith_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_delta delta = {
		.delta = s->req.delta,
		.decrement = s->req.op == KMC_OP_DECR,
		.cas = s->req.cas,
	};
	u8 room[KMC_KEY_MAX] __uninitialized;
	struct kmc_key key = kmc_session_own_key(s, room);
	struct kmc_store *store = s->core->store;
	enum kmc_store_status status = kmc_store_delta(store, &key, &delta);
	bool created = status == KMC_NOT_FOUND && s->req.creates;

	kmc_spend(turn, delta.work);
	if (created) {
		delta.value = s->req.binary.initial;
		status = kmc_arith_create(s, &key, &delta,
					  kmc_store_deadline(store, s->req.exptime), 0);
	}
	if (status == KMC_AGAIN && kmc_starve(s) == KMC_PROCESS)
		return KMC_PROCESS;
	return kmc_arith_answer(s, turn, status, &delta, created);
}
