// SPDX-License-Identifier: GPL-2.0
#include "command.h"

enum kmc_result kmc_touch_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_store *store = s->core->store;
	struct kmc_key key = kmc_session_key(s);
	struct kmc_hit hit = { .key = key.data, .nkey = key.len };
	enum kmc_miss miss;
	struct kmc_item *item;

	item = kmc_store_get_touch(store, &key, kmc_store_deadline(store, s->req.exptime), &miss);
	if (!item) {
		kmc_count(kmc_session_stats(s), touch_misses);
		return kmc_say(s, turn, KMC_ANSWER_NOT_FOUND);
	}
	kmc_count_in(kmc_session_stats(s), kmc_item_class(item), touch_hits);
	hit.client_flags = item->client_flags;
	hit.nbytes = item->nbytes;
	hit.cas = READ_ONCE(item->cas);
	kmc_item_put(store, item);
	s->protocol->touched(turn->reply, &s->req, &hit);
	return KMC_DONE;
}
