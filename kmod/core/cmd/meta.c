// SPDX-License-Identifier: GPL-2.0
/* What the meta commands share, and the two that do little: me and mn. */
#include "meta.h"
#include "../proto/base64.h"
#include "../proto/text.h"

struct kmc_key kmc_meta_key(struct kmc_session *s, u8 *room)
{
	struct kmc_store *store = s->core->store;
	u32 len = 0;

	BUILD_BUG_ON(KMC_BASE64_BYTES(KMC_TEXT_KEY_MAX) > KMC_KEY_MAX);
	if (kmc_meta_has(s, KMC_META('b'))) {
		len = kmc_base64_decode(room, s->req.key, s->req.nkey);
		/* No longer than a decoded one, be it none any more: what shows it in base64 counts on that (KMC_LINE_MAX). */
		s->req.nkey = min_t(u32, s->req.nkey, KMC_BASE64_BYTES(KMC_TEXT_KEY_MAX));
	}
	if (len)
		return kmc_key(store, room, len);
	/* So too where a sender on this machine has changed it since it was parsed (splice): any key will do, but none. */
	return kmc_session_own_key(s, room);
}

struct kmc_meta_item kmc_meta_nothing(struct kmc_session *s, const struct kmc_key *key)
{
	return (struct kmc_meta_item){
		.key = key->data,
		.nkey = key->len,
		.binary = kmc_meta_has(s, KMC_META('b')),
	};
}

void kmc_meta_look_at(struct kmc_session *s, struct kmc_meta_item *item, u8 flags, u32 seen)
{
	u32 now = kmc_store_now(s->core->store), last = seen & KMC_SEEN_TIME;

	item->now = now;
	item->idle = now > last ? now - last : 0;
	item->fetched = seen & KMC_SEEN_FETCHED;
	item->binary = flags & KMC_ITEM_BINARY;
}

struct kmc_change kmc_meta_change(struct kmc_session *s)
{
	struct kmc_change change = {
		.cas = s->req.meta.cas,
		.with_cas = kmc_meta_has(s, KMC_META('E')),
		.with_deadline = kmc_meta_has(s, KMC_META('T')),
	};

	if (change.with_deadline)
		change.deadline = kmc_store_deadline(s->core->store, s->req.exptime);
	return change;
}

u32 kmc_meta_vivified(struct kmc_session *s)
{
	const struct kmc_meta *meta = &s->req.meta;
	s64 exptime = 0;
	u32 i;

	for (i = 0; i < meta->count; i++) {
		if (meta->order[i] == 'N')
			exptime = meta->vivify;
		else if (meta->order[i] == 'T')
			exptime = s->req.exptime;
	}
	return kmc_store_deadline(s->core->store, exptime);
}

enum kmc_result kmc_meta_say(struct kmc_session *s, struct kmc_turn *turn, const char *code,
			     struct kmc_meta_item *item, u64 show)
{
	u8 *line = kmc_reply_add(turn->reply, KMC_LINE_MAX), *at;

	if (WARN_ON_ONCE(!line))
		return KMC_FAIL;
	memcpy(line, code, 2);
	at = kmc_meta_put(line + 2, &s->req, item, show);
	memcpy(at, "\r\n", 2);
	kmc_reply_trim(turn->reply, KMC_LINE_MAX - (u32)(at + 2 - line));
	return KMC_DONE;
}

const char *kmc_meta_code(enum kmc_store_status status)
{
	switch (status) {
	case KMC_EXISTS:
		return "EX";
	case KMC_NOT_FOUND:
		return "NF";
	default:
		/* Also an append that finds no memory: so 1.6.45 says. */
		return "NS";
	}
}

/* No access: who looks at an item from outside does not want to change what he sees. */
enum kmc_result kmc_meta_debug_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_store *store = s->core->store;
	u8 room[KMC_KEY_MAX];
	struct kmc_key key = kmc_meta_key(s, room);
	struct kmc_meta_item item = kmc_meta_nothing(s, &key);
	struct kmc_peek peek;
	u8 *line;

	kmc_count(kmc_session_stats(s), cmd_meta);
	kmc_peek_begin(store, &key, &peek);
	kmc_get_watch(s, &key, &peek);
	if (!peek.item)
		return kmc_say(s, turn, KMC_ANSWER_META_MISS);
	kmc_meta_look_at(s, &item, peek.flags, peek.seen);
	item.exptime = peek.exptime;
	item.cas = peek.cas;
	line = kmc_reply_add(turn->reply, KMC_LINE_MAX);
	if (WARN_ON_ONCE(!line))
		return KMC_FAIL;
	kmc_reply_trim(turn->reply, KMC_LINE_MAX -
		       kmc_meta_put_debug(line, &item, peek.class & KMC_ITEM_CLASS,
					  kmc_item_nominal(store, key.len, peek.client_flags, peek.nbytes)));
	return KMC_DONE;
}

enum kmc_result kmc_meta_noop_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	return kmc_say(s, turn, KMC_ANSWER_META_NOOP);
}
