// SPDX-License-Identifier: GPL-2.0
#include "command.h"

enum kmc_result kmc_delete_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_key key = kmc_session_key(s);
	struct kmc_discard how = { .cas = s->req.cas, .with_cas = s->req.cas };

	kmc_prefix_note(s->core, key.data, key.len, KMC_PREFIX_DELETE, false);
	switch (kmc_store_discard(s->core->store, &key, &how)) {
	case KMC_STORED:
		kmc_count_in(kmc_session_stats(s), how.class, delete_hits);
		if (kmc_watched(&s->core->watch, KMC_WATCH_DELETIONS))
			kmc_watch_delete(s->core, &key, "delete", how.class, how.nbytes);
		return kmc_say(s, turn, KMC_ANSWER_DELETED);
	case KMC_EXISTS:
		return kmc_say(s, turn, KMC_ANSWER_EXISTS);
	default:
		kmc_count(kmc_session_stats(s), delete_misses);
		return kmc_say(s, turn, KMC_ANSWER_NOT_FOUND);
	}
}
