// SPDX-License-Identifier: GPL-2.0
/* ms: the value comes in as with set; what is different is how the item is linked and what is said. */
#include "meta.h"

enum kmc_store_mode kmc_meta_set_mode(struct kmc_session *s)
{
	switch (s->req.meta.mode) {
	case 'E':
		return KMC_ADD;
	case 'A':
		return KMC_APPEND;
	case 'P':
		return KMC_PREPEND;
	case 'R':
		return kmc_meta_has(s, KMC_META('C')) ? KMC_CAS : KMC_REPLACE;
	default:
		return kmc_meta_has(s, KMC_META('C')) ? KMC_CAS : KMC_SET;
	}
}

static bool kmc_meta_set_vivifies(struct kmc_session *s)
{
	enum kmc_store_mode mode = kmc_meta_set_mode(s);

	return (mode == KMC_APPEND || mode == KMC_PREPEND) && kmc_meta_has(s, KMC_META('N'));
}

enum kmc_result kmc_meta_set_prepare(struct kmc_session *s, struct kmc_turn *turn)
{
	bool vivifies = kmc_meta_set_vivifies(s), dated = kmc_meta_has(s, KMC_META('T'));
	s32 exptime = vivifies ? s->req.meta.vivify : dated ? s->req.exptime : 0;
	u8 room[KMC_KEY_MAX];
	struct kmc_key key = kmc_meta_key(s, room);
	enum kmc_result result;

	result = kmc_store_open(s, turn, &key, kmc_store_deadline(s->core->store, exptime), true);
	if (s->item && kmc_meta_has(s, KMC_META('b')))
		kmc_item_mark(s->item, KMC_ITEM_BINARY);
	return result;
}

static enum kmc_store_status kmc_meta_set_link(struct kmc_session *s, struct kmc_turn *turn,
					       struct kmc_meta_item *shown)
{
	const struct kmc_key key = {
		.data = kmc_item_key(s->item),
		.len = s->item->nkey,
		.hash = s->hash,
	};
	struct kmc_linking how = {
		.mode = kmc_meta_set_mode(s),
		.cas = kmc_meta_has(s, KMC_META('C')) ? s->req.cas : 0,
		.vivify = kmc_meta_set_vivifies(s),
		.change.cas = s->req.meta.cas,
		/* 0 asks for the next one, here and nowhere else: so 1.6.45. */
		.change.with_cas = kmc_meta_has(s, KMC_META('E')) && s->req.meta.cas,
	};
	enum kmc_store_status status;

	how.stale = how.mode == KMC_CAS && kmc_meta_has(s, KMC_META('I'));
	status = kmc_store_link_as(s->core->store, &key, s->item, &how);
	kmc_spend(turn, how.work);
	*shown = kmc_meta_nothing(s, &key);
	shown->cas = how.cas_out;
	shown->nbytes = how.nbytes_out;
	return status;
}

enum kmc_result kmc_meta_set_finish(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result = KMC_DONE;
	enum kmc_store_status status;
	struct kmc_meta_item shown;

	if (memcmp(s->tail, s->protocol->tail, s->protocol->tail_len)) {
		kmc_drop_item(s);
		return kmc_say(s, turn, KMC_ANSWER_BAD_CHUNK);
	}
	status = kmc_meta_set_link(s, turn, &shown);
	if (status == KMC_AGAIN && kmc_starve(s) == KMC_PROCESS)
		return KMC_PROCESS;
	if (status != KMC_STORED)
		result = kmc_meta_say(s, turn, kmc_meta_code(status), &shown, KMC_META_SHOW_STORED);
	else if (!kmc_meta_has(s, KMC_META('q')))
		result = kmc_meta_say(s, turn, "HD", &shown, KMC_META_SHOW_STORED);
	kmc_drop_item(s);
	return result;
}
