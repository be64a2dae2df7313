// SPDX-License-Identifier: GPL-2.0
#include "dump.h"
#include "../proto/base64.h"
#include "../proto/numbers.h"

static u8 *kmc_dump_put(u8 *at, const char *text)
{
	size_t len = strlen(text);

	memcpy(at, text, len);
	return at + len;
}

/* "name=number " */
static u8 *kmc_dump_number(u8 *at, const char *name, u64 number)
{
	at = kmc_dump_put(at, name);
	at += kmc_put_u64(at, number);
	*at++ = ' ';
	return at;
}

/* The Unix time of a second of the cache's clock. */
static u64 kmc_dump_time(struct kmc_session *s, u32 second)
{
	struct kmc_store *store = s->core->store;

	return (u64)(kmc_store_real(store) - kmc_store_now(store) + second);
}

static u32 kmc_metadump_line(struct kmc_session *s, u8 *line, struct kmc_item *item)
{
	u32 seen = READ_ONCE(item->seen);
	u8 *at = kmc_dump_put(line, "key=");

	at += kmc_percent_encode(at, kmc_item_key(item), item->nkey);
	if (item->exptime)
		at = kmc_dump_number(at, " exp=", kmc_dump_time(s, item->exptime));
	else
		at = kmc_dump_put(at, " exp=-1 ");
	at = kmc_dump_number(at, "la=", kmc_dump_time(s, seen & KMC_SEEN_TIME));
	at = kmc_dump_number(at, "cas=", item->cas);
	at = kmc_dump_put(at, seen & KMC_SEEN_FETCHED ? "fetch=yes " : "fetch=no ");
	at = kmc_dump_number(at, "cls=", kmc_item_class(item));
	at = kmc_dump_number(at, "size=", kmc_item_nominal(s->core->store, item->nkey, item->client_flags,
							   item->nbytes));
	at = kmc_dump_number(at, "flags=", item->client_flags);
	*at++ = '\n';
	return (u32)(at - line);
}

static u32 kmc_mgdump_line(struct kmc_session *s, u8 *line, struct kmc_item *item)
{
	u8 *at = kmc_dump_put(line, "mg ");

	if (item->flags & KMC_ITEM_BINARY) {
		at += kmc_base64_encode(at, kmc_item_key(item), item->nkey);
		at = kmc_dump_put(at, " b");
	} else {
		memcpy(at, kmc_item_key(item), item->nkey);
		at += item->nkey;
	}
	at = kmc_dump_put(at, "\r\n");
	return (u32)(at - line);
}

/* A key ends at its first zero byte, and those that came in base64 are left out: so 1.6.45. */
static u32 kmc_cachedump_line(struct kmc_session *s, u8 *line, struct kmc_item *item)
{
	const u8 *key = kmc_item_key(item), *zero = memchr(key, 0, item->nkey);
	u32 len = zero ? (u32)(zero - key) : item->nkey;
	u8 *at;

	if (item->flags & KMC_ITEM_BINARY)
		return 0;
	at = kmc_dump_put(line, "ITEM ");
	memcpy(at, key, len);
	at = kmc_dump_put(at + len, " [");
	at += kmc_put_u64(at, item->nbytes);
	at = kmc_dump_put(at, " b; ");
	at += kmc_put_u64(at, item->exptime ? kmc_dump_time(s, item->exptime) : 0);
	at = kmc_dump_put(at, " s]\r\n");
	return (u32)(at - line);
}

const struct kmc_dump_form kmc_metadump = { "OK\r\n", "END\r\n", kmc_metadump_line };
const struct kmc_dump_form kmc_mgdump = { "OK\r\n", "EN\r\n", kmc_mgdump_line };
const struct kmc_dump_form kmc_cachedump = { "", "END\r\n", kmc_cachedump_line };

struct kmc_dump_sink {
	struct kmc_session *s;
	struct kmc_turn *turn;
	const struct kmc_dump_form *form;
};

/* Under the item's stripe lock; that there is room was seen before. */
static bool kmc_dump_item(void *ctx, struct kmc_item *item)
{
	struct kmc_dump_sink *sink = ctx;
	u8 *at = kmc_reply_add(sink->turn->reply, KMC_DUMP_LINE_MAX);
	u32 len;

	if (WARN_ON_ONCE(!at))
		return false;
	len = sink->form->line(sink->s, at, item);
	kmc_reply_trim(sink->turn->reply, KMC_DUMP_LINE_MAX - len);
	sink->s->left -= len != 0;
	return true;
}

void kmc_dump_begin(struct kmc_session *s, struct kmc_turn *turn, const struct kmc_dump_form *form, u32 most)
{
	s->sweep = (struct kmc_sweep){ };
	s->left = most;
	s->phase = KMC_PHASE_SHOW;
	kmc_reply_copy(turn->reply, form->head, (u32)strlen(form->head));
}

enum kmc_result kmc_dump_show(struct kmc_session *s, struct kmc_turn *turn, const struct kmc_dump_form *form)
{
	struct kmc_dump_sink sink = { s, turn, form };

	while (s->left && !s->sweep.done) {
		if (!turn->budget->keys)
			return kmc_wait(turn, KMC_NEED_TURN);
		if (!kmc_reply_fits(turn->reply, KMC_DUMP_LINE_MAX))
			return kmc_wait(turn, KMC_NEED_SEND);
		turn->budget->keys--;
		kmc_store_sweep(s->core->store, &s->sweep, s->req.classes, kmc_dump_item, &sink);
	}
	if (!kmc_reply_copy(turn->reply, form->end, (u32)strlen(form->end)))
		return kmc_wait(turn, KMC_NEED_SEND);
	return KMC_DONE;
}
