// SPDX-License-Identifier: GPL-2.0
#include "command.h"

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

enum kmc_result kmc_arith_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_delta delta = {
		.delta = s->req.delta,
		.decrement = s->req.op == KMC_OP_DECR,
	};
	struct kmc_key key = kmc_session_key(s);
	enum kmc_store_status status = kmc_store_delta(s->core->store, &key, &delta);

	if (status == KMC_AGAIN && kmc_starve(s) == KMC_PROCESS)
		return KMC_PROCESS;
	switch (status) {
	case KMC_STORED:
		kmc_arith_hit(s, &delta);
		s->protocol->number(turn->reply, &s->req, delta.value);
		return KMC_DONE;
	case KMC_NOT_FOUND:
		kmc_arith_miss(s, &delta);
		return kmc_say(s, turn, KMC_ANSWER_NOT_FOUND);
	case KMC_NON_NUMERIC:
		return kmc_say(s, turn, KMC_ANSWER_NON_NUMERIC);
	default:
		return kmc_say(s, turn, KMC_ANSWER_NO_MEMORY);
	}
}
