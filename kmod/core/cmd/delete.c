// SPDX-License-Identifier: GPL-2.0
#include "command.h"

enum kmc_result kmc_delete_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_key key = kmc_session_key(s);
	u32 class;

	switch (kmc_store_delete(s->core->store, &key, s->req.cas, &class)) {
	case KMC_STORED:
		kmc_count_in(kmc_session_stats(s), class, delete_hits);
		return kmc_say(s, turn, KMC_ANSWER_DELETED);
	case KMC_EXISTS:
		return kmc_say(s, turn, KMC_ANSWER_EXISTS);
	default:
		kmc_count(kmc_session_stats(s), delete_misses);
		return kmc_say(s, turn, KMC_ANSWER_NOT_FOUND);
	}
}
