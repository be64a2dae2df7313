// SPDX-License-Identifier: GPL-2.0
/*
 * debugtime and debugitem: hooks of memcached's own tests, served where the module was loaded with
 * debug_commands. Elsewhere there are no such commands.
 *
 * What a client holds with debugitem is noted in the cache, by key, and held until it is let go or the cache
 * ends, whoever asked for it. 1.6.45 lets go of references that nobody took; here that is a miss. An item
 * that is locked is one that is held: who wants to move it or let it go finds it busy.
 */
#include "command.h"
#include "../debug.h"

enum kmc_result kmc_debug_time_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_store *store = s->core->store;

	if (!s->core->debug)
		return kmc_say(s, turn, KMC_ANSWER_UNKNOWN);
	switch (s->req.verb) {
	case KMC_VERB_PAUSE:
	case KMC_VERB_RESUME:
		kmc_store_pause(store, s->req.verb == KMC_VERB_PAUSE);
		break;
	case KMC_VERB_MOVE:
		kmc_store_shift(store, s->req.shift);
		break;
	default:
		return kmc_say(s, turn, s->req.refusal);
	}
	return kmc_say(s, turn, KMC_ANSWER_OK);
}

static enum kmc_answer kmc_debug_hold(struct kmc_session *s, bool lock)
{
	struct kmc_key key = kmc_session_key(s);
	enum kmc_miss miss;
	struct kmc_item *item = kmc_store_get(s->core->store, &key, &miss);

	if (!item)
		return lock ? KMC_ANSWER_OK : KMC_ANSWER_MISS;
	return kmc_debug_keep(s->core, item, lock) ? KMC_ANSWER_OK : KMC_ANSWER_NO_MEMORY;
}

enum kmc_result kmc_debug_item_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_core *core = s->core;
	enum kmc_answer answer = KMC_ANSWER_OK;

	if (!core->debug)
		return kmc_say(s, turn, KMC_ANSWER_UNKNOWN);
	switch (s->req.verb) {
	case KMC_VERB_LOCK:
	case KMC_VERB_REF:
		answer = kmc_debug_hold(s, s->req.verb == KMC_VERB_LOCK);
		break;
	case KMC_VERB_UNLOCK:
		kmc_debug_drop(core, s->req.key, s->req.nkey, true);
		break;
	case KMC_VERB_UNREF:
		if (!kmc_debug_drop(core, s->req.key, s->req.nkey, false))
			answer = KMC_ANSWER_MISS;
		break;
	case KMC_VERB_UNREF_LAST:
		kmc_debug_drop(core, NULL, 0, false);
		break;
	default:
		answer = s->req.refusal;
		break;
	}
	return kmc_say(s, turn, answer);
}
