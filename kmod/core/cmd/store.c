// SPDX-License-Identifier: GPL-2.0
/*
 * set, add, replace, append, prepend, cas, and what ms has in common with them. The item is had before its value is read, and the value goes
 * from the input into the item without another stop.
 */
#include "meta.h"
#include "../bytes.h"
#include "../proto/text.h"

#define KMC_SET_TAIL	2	/* bytes behind a value: \r\n */

static void kmc_store_watch_refusal(struct kmc_session *s, const struct kmc_key *key, bool too_large)
{
	const struct kmc_watch_store line = {
		.status = too_large ? KMC_TOO_LARGE : KMC_NO_MEMORY,
		.mode = s->req.op == KMC_OP_META_SET ? kmc_meta_set_mode(s) : kmc_commands[s->req.op].mode,
	};

	if (kmc_watched(&s->core->watch, KMC_WATCH_MUTATIONS))
		kmc_watch_store(s->core, key, &line);
}

/* The value that follows is not wanted. */
static enum kmc_result kmc_store_refuse(struct kmc_session *s, struct kmc_turn *turn,
					const struct kmc_key *key, bool too_large, bool drop)
{
	if (s->protocol->counts_refusals && too_large)
		kmc_count(kmc_session_stats(s), store_too_large);
	else if (s->protocol->counts_refusals)
		kmc_count(kmc_session_stats(s), store_no_memory);
	kmc_store_watch_refusal(s, key, too_large);
	if (drop)
		kmc_store_delete(s->core->store, key, 0, NULL);
	s->phase = KMC_PHASE_SWALLOW;
	return kmc_say(s, turn, too_large ? KMC_ANSWER_TOO_LARGE : KMC_ANSWER_NO_MEMORY_STORING);
}

enum kmc_result kmc_store_open(struct kmc_session *s, struct kmc_turn *turn, const struct kmc_key *key,
			       u32 deadline, bool drop)
{
	struct kmc_store *store = s->core->store;
	struct kmc_item *item;

	item = kmc_item_alloc(store, key, s->req.client_flags, deadline, s->req.nbytes);
	if (item == ERR_PTR(-EAGAIN) && kmc_starve(s) == KMC_PROCESS)
		return KMC_PROCESS;
	s->left = s->req.nbytes + s->protocol->tail_len;
	s->got = 0;
	if (IS_ERR(item))
		return kmc_store_refuse(s, turn, key, item == ERR_PTR(-E2BIG), drop);
	kmc_count_in(kmc_session_stats(s), kmc_item_class(item), cmd_set);
	s->item = item;
	s->hash = key->hash;
	s->phase = KMC_PHASE_VALUE;
	kmc_cursor_init(store, &s->cursor, item);
	return KMC_DONE;
}

enum kmc_result kmc_store_prepare(struct kmc_session *s, struct kmc_turn *turn)
{
	u8 room[KMC_KEY_MAX] __uninitialized;
	struct kmc_key key = kmc_session_own_key(s, room);
	enum kmc_result result;

	BUILD_BUG_ON(KMC_TEXT_KEY_MAX > KMC_KEY_MAX);
	/* Who asked for a new value must not find the old one (memcached: set only). */
	result = kmc_store_open(s, turn, &key, kmc_store_deadline(s->core->store, s->req.exptime),
				s->req.op == KMC_OP_SET);
	if (result != KMC_PROCESS)
		kmc_prefix_note(s->core, key.data, key.len, KMC_PREFIX_SET, false);
	return result;
}

/* Some bytes of the value, or of the tail behind it. Return: how many were taken; 0: something is wrong. */
static u32 kmc_store_put(struct kmc_session *s, const u8 *data, size_t len)
{
	u32 tail = s->protocol->tail_len;
	u32 n;

	if (s->left > tail) {
		n = min_t(size_t, len, s->left - tail);
		return kmc_cursor_write(s->core->store, &s->cursor, data, n);
	}
	n = min_t(size_t, len, s->left);
	memcpy(s->tail + s->got, data, n);
	s->got += n;
	return n;
}

/* All of the value lies there, with what stands behind it, and goes into one piece. Return: whether it did. */
static bool kmc_store_fill_at_once(struct kmc_session *s, struct kmc_turn *turn)
{
	const u32 tail = s->protocol->tail_len, value = s->left - tail;
	const u8 *data;
	size_t len;
	u8 *at;

	data = kmc_window(s, turn, &len);
	if (s->got || s->left <= tail || len < s->left || turn->budget->bytes < s->left ||
	    value >= KMC_BYTES_SHORT || kmc_cursor_run(&s->cursor, &at) != value)
		return false;
	kmc_copy(at, data, value);
	memcpy(s->tail, data + value, tail);
	kmc_take(s, turn, s->left);
	s->got = (u8)tail;
	s->left = 0;
	s->phase = KMC_PHASE_LINK;
	return true;
}

static enum kmc_result kmc_store_fill(struct kmc_session *s, struct kmc_turn *turn)
{
	if (kmc_store_fill_at_once(s, turn))
		return KMC_DONE;
	while (s->left) {
		const u8 *data;
		size_t len;
		u32 n;

		data = kmc_window(s, turn, &len);
		if (!len)
			return kmc_wait(turn, KMC_NEED_INPUT);
		if (!turn->budget->bytes)
			return kmc_wait(turn, KMC_NEED_TURN);
		n = kmc_store_put(s, data, min_t(size_t, len, turn->budget->bytes));
		if (!n)
			return KMC_FAIL;
		kmc_take(s, turn, n);
		s->left -= n;
	}
	s->phase = KMC_PHASE_LINK;
	return KMC_DONE;
}

static enum kmc_answer kmc_store_answer(enum kmc_store_status status)
{
	switch (status) {
	case KMC_STORED:
		return KMC_ANSWER_STORED;
	case KMC_EXISTS:
		return KMC_ANSWER_EXISTS;
	case KMC_NOT_FOUND:
		return KMC_ANSWER_NOT_FOUND;
	default:
		/* Also an append that finds no memory: so 1.6.45 says. */
		return KMC_ANSWER_NOT_STORED;
	}
}

/* Of set, add and replace with a CAS value only that counts (the binary protocol's). */
static enum kmc_store_mode kmc_store_mode(const struct kmc_session *s)
{
	enum kmc_store_mode mode = s->command->mode;

	if (!s->req.cas || !s->core->settings.cas || mode == KMC_APPEND || mode == KMC_PREPEND)
		return mode;
	return KMC_CAS;
}

enum kmc_result kmc_store_finish(struct kmc_session *s, struct kmc_turn *turn)
{
	const struct kmc_key key = {
		.data = kmc_item_key(s->item),
		.len = s->item->nkey,
		.hash = s->hash,
	};
	struct kmc_linking how = { .mode = kmc_store_mode(s), .cas = s->req.cas };
	enum kmc_answer answer = KMC_ANSWER_BAD_CHUNK;
	enum kmc_store_status status;

	if (kmc_same(s->tail, s->protocol->tail, s->protocol->tail_len)) {
		status = kmc_store_link_as(s->core->store, &key, s->item, &how);
		kmc_spend(turn, how.work);
		if (status == KMC_AGAIN && kmc_starve(s) == KMC_PROCESS)
			return KMC_PROCESS;
		if (status == KMC_STORED)
			s->req.cas = how.cas_out;
		answer = kmc_store_answer(status);
	}
	kmc_drop_item(s);
	return kmc_say(s, turn, answer);
}

enum kmc_result kmc_store_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result = KMC_DONE;

	if (s->phase == KMC_PHASE_SWALLOW)
		return kmc_swallow(s, turn);
	if (s->phase == KMC_PHASE_VALUE)
		result = kmc_store_fill(s, turn);
	if (result != KMC_DONE)
		return result;
	if (!kmc_reply_fits(turn->reply, KMC_LINE_MAX))
		return kmc_wait(turn, KMC_NEED_SEND);
	return s->command->finish(s, turn);
}

/* Whether sets are answered by nothing but what the store says, and nobody wants to know. */
static bool kmc_set_is_plain(const struct kmc_session *s)
{
	const struct kmc_core *core = s->core;

	return s->protocol == &kmc_text && s->carry_to == s->carry_from && !core->buffers &&
	       !kmc_watched(&core->watch, ~0U) && !READ_ONCE(core->settings.stats_detail);
}

/* The set at @data. Return: its bytes; 0: it needs more than this, and nothing was done. */
static __always_inline size_t kmc_set_one(struct kmc_session *s, const u8 *data, size_t len, u32 now,
					  struct kmc_reply *reply)
{
	static const u8 stored[] = { 'S', 'T', 'O', 'R', 'E', 'D', '\r', '\n' };
	struct kmc_store *store = s->core->store;
	struct kmc_text_set set __uninitialized;
	size_t head = kmc_text_read_set(data, len, &set);
	struct kmc_put put;
	const u8 *tail;
	u32 class;
	u8 *at;

	if (!head || len - head < KMC_SET_TAIL || len - head - KMC_SET_TAIL < set.nbytes)
		return 0;
	tail = data + head + set.nbytes;
	at = kmc_reply_room(reply, KMC_LINE_MAX);
	if (tail[0] != '\r' || tail[1] != '\n' || !at)
		return 0;
	put = (struct kmc_put){
		.key = set.key,
		.value = data + head,
		.nkey = set.nkey,
		.nbytes = set.nbytes,
		.client_flags = set.client_flags,
		.deadline = set.exptime ? kmc_store_deadline(store, set.exptime) : 0,
		.now = now,
	};
	if (!kmc_put_key(store, &put, &class))
		return 0;
	kmc_count_in(kmc_session_stats(s), class, cmd_set);
	if (!set.noreply) {
		kmc_copy(at, stored, sizeof(stored));
		kmc_reply_keep(reply, sizeof(stored));
	}
	return head + set.nbytes + KMC_SET_TAIL;
}

bool kmc_set_ahead(struct kmc_session *s, struct kmc_turn *turn)
{
	const u32 now = kmc_store_now(s->core->store);
	struct kmc_budget *budget = turn->budget;
	bool any = false;
	size_t used;

	if (!kmc_set_is_plain(s))
		return false;
	for (; budget->requests; budget->requests--) {
		used = kmc_set_one(s, turn->data + turn->used, min_t(size_t, turn->len - turn->used, budget->bytes), now,
				   turn->reply);
		if (!used)
			break;
		kmc_advance(turn, used);
		any = true;
	}
	return any;
}
