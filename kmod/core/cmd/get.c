// SPDX-License-Identifier: GPL-2.0
/*
 * get, gets, gat, gats. Keys are taken from the input one by one; each is answered before the next is
 * looked at, so that a get of any length can stop and go on behind any key. And gets of one key, which came
 * with the head.
 */
#include "command.h"
#include "../bytes.h"
#include "../proto/text.h"

static bool kmc_get_touches(const struct kmc_session *s)
{
	return s->req.op == KMC_OP_TOUCH_GET || s->req.op == KMC_OP_TOUCH_GET_ONE;
}

static enum kmc_result kmc_get_miss(struct kmc_session *s, struct kmc_turn *turn)
{
	if (kmc_get_touches(s))
		kmc_count(kmc_session_stats(s), touch_misses);
	else
		kmc_count(kmc_session_stats(s), get_misses);
	kmc_prefix_note(s->core, s->req.key, s->req.nkey, KMC_PREFIX_GET, false);
	if (s->protocol->miss)
		s->protocol->miss(turn->reply, &s->req);
	return KMC_DONE;
}

static void kmc_get_count(struct kmc_session *s, u8 class)
{
	if (kmc_get_touches(s))
		kmc_count_in(kmc_session_stats(s), class & KMC_ITEM_CLASS, touch_hits);
	else
		kmc_count_hit(s, class);
	kmc_prefix_note(s->core, s->req.key, s->req.nkey, KMC_PREFIX_GET, true);
}

/* Hold the item; its value is shown by kmc_get_show(). */
static enum kmc_result kmc_get_hold(struct kmc_session *s, struct kmc_turn *turn,
				    const struct kmc_key *key)
{
	struct kmc_store *store = s->core->store;
	enum kmc_miss miss;

	if (kmc_get_touches(s))
		s->item = kmc_store_get_touch(store, key, kmc_store_deadline(store, s->req.exptime),
					      &miss);
	else
		s->item = kmc_store_get(store, key, &miss);
	if (!s->item)
		return kmc_get_miss(s, turn);
	kmc_get_count(s, READ_ONCE(s->item->class));
	s->phase = KMC_PHASE_HIT;
	return KMC_DONE;
}

/* Copy the peeked value behind its head. The bytes may be changing meanwhile. Return: how many there are. */
static u32 kmc_get_copy(struct kmc_session *s, u8 *at, const struct kmc_peek *peek)
{
	const struct kmc_protocol_ops *protocol = s->protocol;
	const struct kmc_hit hit = {
		.key = s->req.key,
		.nkey = s->req.nkey,
		.client_flags = peek->client_flags,
		.nbytes = peek->nbytes,
		.cas = peek->cas,
	};
	u8 *end = at + protocol->hit(at, &s->req, &hit);

	end = kmc_copy(end, peek->value, peek->nbytes);
	return (u32)(kmc_copy(end, protocol->tail, protocol->tail_len) - at);
}

void kmc_get_watch(struct kmc_session *s, const struct kmc_key *key, const struct kmc_peek *peek)
{
	if (kmc_watched(&s->core->watch, KMC_WATCH_FETCHERS))
		kmc_watch_fetch(s->core, key, peek->miss, peek->class & KMC_ITEM_CLASS, peek->nbytes);
}

/* Without a lock, if it is small. What was copied is an answer only if the peek is still valid then. */
static enum kmc_result kmc_get_peek(struct kmc_session *s, struct kmc_turn *turn,
				    const struct kmc_key *key)
{
	struct kmc_store *store = s->core->store;
	struct kmc_peek peek __uninitialized;
	u32 i, len;
	u8 *at;

	/* Else an empty reply could be too full. */
	BUILD_BUG_ON(KMC_LINE_MAX + KMC_COPY_MAX + sizeof(s->protocol->tail) > KMC_REPLY_ROOM_MIN);
	for (i = 0; i < KMC_PEEK_TRIES; i++) {
		kmc_peek_begin(store, key, &peek);
		if (!peek.item) {
			kmc_get_watch(s, key, &peek);
			return kmc_get_miss(s, turn);
		}
		if (!peek.value || peek.nbytes > KMC_COPY_MAX)
			break;
		at = kmc_reply_room(turn->reply, KMC_LINE_MAX + peek.nbytes + s->protocol->tail_len);
		if (!at)
			return kmc_wait(turn, KMC_NEED_SEND);
		len = kmc_get_copy(s, at, &peek);
		if (kmc_peek_valid(store, key, &peek)) {
			kmc_reply_keep(turn->reply, len);
			kmc_get_watch(s, key, &peek);
			kmc_peek_touch(store, key, &peek);
			kmc_get_count(s, peek.class);
			return KMC_DONE;
		}
	}
	return kmc_get_hold(s, turn, key);
}

void kmc_get_open(struct kmc_session *s, struct kmc_item *item)
{
	s->item = item;
	kmc_cursor_init(s->core->store, &s->cursor, item);
	s->phase = KMC_PHASE_SHOW;
}

/* What stands before the held item's value. */
static enum kmc_result kmc_get_head(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_item *item = s->item;
	const struct kmc_hit hit = {
		.key = kmc_item_key(item),
		.nkey = item->nkey,
		.client_flags = item->client_flags,
		.nbytes = item->nbytes,
		.cas = READ_ONCE(item->cas),
	};
	u8 *at = kmc_reply_add(turn->reply, KMC_LINE_MAX);

	if (!at)
		return kmc_wait(turn, KMC_NEED_SEND);
	kmc_reply_trim(turn->reply, KMC_LINE_MAX - s->protocol->hit(at, &s->req, &hit));
	kmc_get_open(s, item);
	return KMC_DONE;
}

/* Its value: small ones are copied, so that they share a segment with their neighbours. */
static enum kmc_result kmc_get_value(struct kmc_session *s, struct kmc_turn *turn)
{
	bool copy = s->item->nbytes <= KMC_COPY_MAX, added;
	u32 run;
	u8 *at;

	while ((run = kmc_cursor_run(&s->cursor, &at))) {
		added = copy ? kmc_reply_copy(turn->reply, at, run) :
			       kmc_reply_item(turn->reply, s->item, at, run);
		if (!added)
			return kmc_wait(turn, KMC_NEED_SEND);
		kmc_cursor_advance(s->core->store, &s->cursor, run);
	}
	s->phase = KMC_PHASE_SHOWN;
	return KMC_DONE;
}

enum kmc_result kmc_get_show(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result = KMC_DONE;

	if (s->phase == KMC_PHASE_HIT)
		result = kmc_get_head(s, turn);
	if (s->phase == KMC_PHASE_SHOW)
		result = kmc_get_value(s, turn);
	if (s->phase != KMC_PHASE_SHOWN)
		return result;
	if (!kmc_reply_copy(turn->reply, s->protocol->tail, s->protocol->tail_len))
		return kmc_wait(turn, KMC_NEED_SEND);
	kmc_drop_item(s);
	s->phase = KMC_PHASE_BEGIN;
	return KMC_DONE;
}

/* Find the next key, *@used bytes with what stands before it. */
static enum kmc_result kmc_get_next(struct kmc_session *s, struct kmc_turn *turn,
				    enum kmc_key_status *status, size_t *used)
{
	enum kmc_result result;
	const u8 *data;
	size_t len;

	do {
		if (!kmc_reply_fits(turn->reply, KMC_LINE_MAX))
			return kmc_wait(turn, KMC_NEED_SEND);
		data = kmc_window(s, turn, &len);
		if (!len)
			return kmc_wait(turn, KMC_NEED_INPUT);
		if (!turn->budget->bytes)
			return kmc_wait(turn, KMC_NEED_TURN);
		*status = s->protocol->next_key(data, len, used, &s->req);
		if (*status != KMC_KEY_MORE)
			return KMC_DONE;
		kmc_take(s, turn, *used);
		result = kmc_gather(s, turn);
	} while (result == KMC_DONE);
	return result;
}

/* A bad key: what was shown before it is out already, so say what is wrong and leave out the rest. */
static enum kmc_result kmc_get_skip(struct kmc_session *s, struct kmc_turn *turn)
{
	bool end = false;

	do {
		const u8 *data;
		size_t len;

		data = kmc_window(s, turn, &len);
		if (!len)
			return kmc_wait(turn, KMC_NEED_INPUT);
		if (!turn->budget->bytes)
			return kmc_wait(turn, KMC_NEED_TURN);
		kmc_take(s, turn, s->protocol->skip_keys(data, len, &end));
	} while (!end);
	return KMC_DONE;
}

/* More keys than answers may wait: what is wrong takes the place of those that do. */
static enum kmc_result kmc_get_no_room(struct kmc_session *s, struct kmc_turn *turn)
{
	kmc_answer_undo(s, s->left);
	s->any_key = false;
	s->phase = KMC_PHASE_SKIP;
	return kmc_say(s, turn, KMC_ANSWER_NO_MEMORY_WRITING);
}

static enum kmc_result kmc_get_key(struct kmc_session *s, struct kmc_turn *turn, size_t used)
{
	struct kmc_key key = kmc_session_key(s);
	enum kmc_result result;

	if (!turn->budget->keys)
		return kmc_wait(turn, KMC_NEED_TURN);
	/* The first has the request's own answer. */
	if (s->any_key && !kmc_answer_begin(s))
		return kmc_get_no_room(s, turn);
	result = s->req.op == KMC_OP_GET ? kmc_get_peek(s, turn, &key) :
					kmc_get_hold(s, turn, &key);
	if (result != KMC_DONE) {
		if (s->any_key)
			kmc_answer_undo(s, 1);
		return result;
	}
	s->left = s->any_key ? s->left + 1 : 0;
	s->any_key = true;
	turn->budget->keys--;
	kmc_take(s, turn, used);
	return KMC_DONE;
}

/* The end of the line. A get without any key is no get. */
static enum kmc_result kmc_get_end(struct kmc_session *s, struct kmc_turn *turn, size_t used)
{
	kmc_take(s, turn, used);
	kmc_say(s, turn, s->any_key ? KMC_ANSWER_END : KMC_ANSWER_BAD_FORMAT);
	s->any_key = false;
	return KMC_DONE;
}

/* Whether keys of a get are answered by nothing but what the store has, and nobody wants to know. */
static bool kmc_get_is_plain(const struct kmc_session *s)
{
	const struct kmc_core *core = s->core;

	return s->req.op == KMC_OP_GET && s->protocol == &kmc_text && !s->req.with_cas && !s->item &&
	       s->phase == KMC_PHASE_BEGIN && s->carry_to == s->carry_from && !core->buffers &&
	       !kmc_watched(&core->watch, KMC_WATCH_FETCHERS) && !READ_ONCE(core->settings.stats_detail);
}

/* A value that is not copied: hold it. If it has gone meanwhile, the long way will see that. */
static noinline void kmc_get_seize(struct kmc_session *s, const struct kmc_key *key)
{
	enum kmc_miss miss;

	s->item = kmc_store_get(s->core->store, key, &miss);
	if (!s->item)
		return;
	kmc_count_hit(s, READ_ONCE(s->item->class));
	s->phase = KMC_PHASE_HIT;
}

/*
 * One key's answer, to @at, before @limit. Return: behind it; NULL: this is for the long way, nothing was done
 * but that a large value may have been taken hold of.
 */
static __always_inline u8 *kmc_get_plain(struct kmc_session *s, const u8 *data, u32 len, u32 now, u8 *at,
					 const u8 *limit)
{
	struct kmc_store *store = s->core->store;
	struct kmc_peek peek __uninitialized;
	struct kmc_key key __uninitialized;
	u8 *end;

	key.data = data;
	key.len = len;
	peek.now = now;
	kmc_peek_key(store, &key, &peek);
	if (unlikely(!peek.item)) {
		kmc_count(kmc_session_stats(s), get_misses);
		return at;
	}
	if (!peek.value)
		kmc_get_seize(s, &key);
	if (!peek.value || limit - at < (ptrdiff_t)(KMC_LINE_MAX + peek.nbytes))
		return NULL;
	end = kmc_text_put_hit(at, data, len, peek.client_flags, peek.nbytes);
	end = kmc_copy(end, (const u8 *)"\r\n", 2);
	end = kmc_copy(end, peek.value, peek.nbytes);
	end = kmc_copy(end, (const u8 *)"\r\n", 2);
	if (unlikely(!kmc_peek_done(store, &key, &peek)))
		return NULL;
	kmc_count_hit(s, peek.class);
	return end;
}

/* The end of the line at @at, behind a key that was answered. Return: whether it was there and has its answer. */
static __always_inline bool kmc_get_ends(const u8 *at, const u8 *end, u8 **to, const u8 *limit)
{
	static const u8 answer[] = { 'E', 'N', 'D', '\r', '\n' };

	if (end - at < 2 || at[0] != '\r' || at[1] != '\n' || limit - *to < (ptrdiff_t)sizeof(answer))
		return false;
	*to = kmc_copy(*to, answer, sizeof(answer));
	return true;
}

/*
 * The keys that lie ahead, one after the other without a stop, until there is one that needs more than a
 * glance: the long way goes on with that. Return: whether that was all of them, and the end of the line.
 */
static bool kmc_get_ahead(struct kmc_session *s, struct kmc_turn *turn)
{
	const u8 *data = turn->data + turn->used, *at = data, *stop;
	const u8 *end = data + min_t(size_t, turn->len - turn->used, turn->budget->bytes);
	u8 *room = kmc_reply_room(turn->reply, KMC_LINE_MAX), *to = room, *next;
	const u8 *limit = turn->reply->room + turn->reply->size;
	const u32 now = kmc_store_now(s->core->store);
	bool ends;

	BUILD_BUG_ON(KMC_LINE_MAX < sizeof("VALUE   \r\n\r\n") + KMC_TEXT_KEY_MAX + 2 * KMC_U64_DIGITS);
	if (!room)
		return false;
	for (; turn->budget->keys; turn->budget->keys--) {
		const u8 *key = at;

		while (key < end && *key == ' ')
			key++;
		stop = kmc_seek_blank(key, end);
		/* Another control character is a part of the key, and rare. */
		if (end - stop < 2 || stop == key || stop - key > KMC_TEXT_KEY_MAX ||
		    (*stop != ' ' && (stop[0] != '\r' || stop[1] != '\n')))
			break;
		next = kmc_get_plain(s, key, (u32)(stop - key), now, to, limit);
		if (!next && !s->item)
			break;
		at = stop;
		if (!next) {
			turn->budget->keys--;
			break;
		}
		to = next;
	}
	s->any_key = s->any_key || at != data;
	ends = s->any_key && !s->item && kmc_get_ends(at, end, &to, limit);
	if (to != room)
		kmc_reply_keep(turn->reply, (u32)(to - room));
	if (ends) {
		at += 2;
		s->any_key = false;
	}
	kmc_advance(turn, at - data);
	return ends;
}

enum kmc_result kmc_get_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_key_status status;
	enum kmc_result result;
	size_t used;

	for (;;) {
		if (s->phase == KMC_PHASE_SKIP)
			return kmc_get_skip(s, turn);
		if (kmc_get_is_plain(s) && kmc_get_ahead(s, turn))
			return KMC_DONE;
		result = s->item ? kmc_get_show(s, turn) : KMC_DONE;
		if (result == KMC_DONE)
			result = kmc_get_next(s, turn, &status, &used);
		if (result != KMC_DONE)
			return result;
		if (status == KMC_KEY_END)
			return kmc_get_end(s, turn, used);
		if (status == KMC_KEY_ONE) {
			result = kmc_get_key(s, turn, used);
			if (result != KMC_DONE)
				return result;
		} else {
			kmc_say(s, turn, KMC_ANSWER_BAD_FORMAT);
			s->any_key = false;
			s->phase = KMC_PHASE_SKIP;
		}
	}
}

/* The key goes with the head: where the reply has no room for a copy, the item is held until it has. */
enum kmc_result kmc_get_one_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result = KMC_MORE;

	if (s->phase == KMC_PHASE_BEGIN) {
		struct kmc_key key = kmc_session_key(s);

		if (s->req.op == KMC_OP_GET_ONE)
			result = kmc_get_peek(s, turn, &key);
		if (result == KMC_MORE)
			result = kmc_get_hold(s, turn, &key);
		if (!s->item)
			return result;
	}
	return kmc_get_show(s, turn);
}
