// SPDX-License-Identifier: GPL-2.0
/*
 * The turns of a session. A request is parsed when its head is there, then executed, in as many calls
 * as it takes; what its phases are is the command's own business.
 *
 * Lifetimes: the session owns one reference of an item (a value coming in or going out), the carry
 * buffer and, if it watches, a watcher; kmc_session_destroy() drops all of them.
 */
#include "command.h"
#include "../buffers.h"
#include "../proto/binary.h"
#include "../../include/uapi/linux/kmemcache.h"

/* There is one for each connection, idle ones too: it fills its slab object, and no larger one. */
#ifndef __CHECKER__	/* sparse gives each bit-field of another enum a word of its own */
static_assert(sizeof(struct kmc_session) <= 256);
#endif

struct kmc_session *kmc_session_create(struct kmc_core *core, u8 protocol, gfp_t gfp)
{
	struct kmc_session *s = kzalloc(sizeof(*s), gfp);

	if (!s)
		return NULL;
	s->core = core;
	s->offered = protocol;
	return s;
}

/* Who counts: UDP does not, it has a request of one datagram at a time. */
static struct kmc_buffers *kmc_session_buffers(const struct kmc_session *s)
{
	return s->peer ? s->core->buffers : NULL;
}

/* Input has come. Return: whether there is room for it. */
static bool kmc_session_read(struct kmc_session *s)
{
	struct kmc_buffers *buffers = kmc_session_buffers(s);

	if (likely(!buffers) || s->reads)
		return true;
	s->reads = kmc_buffers_read(buffers, s->peer->number);
	if (!s->reads)
		kmc_count(kmc_session_stats(s), read_buf_oom);
	return s->reads;
}

static void kmc_session_read_done(struct kmc_session *s)
{
	if (s->reads)
		kmc_buffers_read_done(s->core->buffers, s->peer->number);
	s->reads = false;
}

void kmc_session_sent(struct kmc_session *s)
{
	if (s->answers)
		kmc_buffers_sent(s->core->buffers, s->peer->number, s->answers);
	s->answers = 0;
}

bool kmc_answer_more(struct kmc_session *s)
{
	struct kmc_buffers *buffers = kmc_session_buffers(s);

	if (likely(!buffers))
		return true;
	if (!kmc_buffers_answer(buffers, s->peer->number)) {
		kmc_count(kmc_session_stats(s), response_obj_oom);
		return false;
	}
	s->answers++;
	return true;
}

void kmc_answer_undo(struct kmc_session *s, u32 nr)
{
	nr = min(nr, s->answers);
	if (!nr)
		return;
	kmc_buffers_sent(s->core->buffers, s->peer->number, nr);
	s->answers -= nr;
}

/* A request has ended: the next has its tries before it. */
static void kmc_session_forget_tries(struct kmc_session *s)
{
	s->tries = 0;
	s->starved = false;
}

bool kmc_session_renew(struct kmc_session *s)
{
	kmc_assert_bh_off();
	if (kmc_session_busy(s) || s->item || s->watcher || s->carry || s->reads || s->answers)
		return false;
	s->protocol = NULL;
	kmc_session_forget_tries(s);
	s->closing = false;
	s->any_key = false;
	s->challenged = false;
	s->ending = KMC_ENDING_ERROR;
	return true;
}

void kmc_session_destroy(struct kmc_session *s)
{
	if (!s)
		return;
	local_bh_disable();
	if (s->command && s->command->abandon)
		s->command->abandon(s);
	kmc_drop_item(s);
	kmc_session_sent(s);
	kmc_session_read_done(s);
	local_bh_enable();
	kmc_watcher_destroy(s->core, s->watcher);
	kfree(s->carry);
	kfree(s);
}

bool kmc_session_takes_value(const struct kmc_session *s)
{
	return s->command && s->phase == KMC_PHASE_VALUE;
}

bool kmc_session_swallows(const struct kmc_session *s)
{
	return s->command && (s->phase == KMC_PHASE_SWALLOW || s->phase == KMC_PHASE_SKIP);
}

void kmc_session_too_much(struct kmc_session *s, struct kmc_reply *reply)
{
	kmc_assert_bh_off();
	s->closing = true;
	if (s->protocol)
		s->protocol->answer(reply, &s->req, KMC_ANSWER_NO_MEMORY);
}

void kmc_session_meet(struct kmc_session *s, struct kmc_peer *peer)
{
	s->peer = peer;
}

bool kmc_session_pending(const struct kmc_session *s)
{
	return s->watcher && kmc_watcher_pending(s->watcher);
}

enum kmc_ending kmc_session_ending(const struct kmc_session *s)
{
	return s->ending;
}

bool kmc_session_busy(const struct kmc_session *s)
{
	return s->command || s->carry_to != s->carry_from;
}

void kmc_session_process(struct kmc_session *s)
{
	kmc_assert_process();
	if (s->req.op == KMC_OP_WATCH) {
		kmc_watch_prepare(s);
		return;
	}
	if (kmc_store_provide(s->core->store))
		s->starved = true;
}

/*
 * By the first byte, if both may be spoken. Who must say who it is has to speak what that can be said in,
 * whatever the listener offers. Return: whether there is anything to be spoken.
 */
static bool kmc_session_detect(struct kmc_session *s, u8 first)
{
	bool binary = s->offered == KMC_PROTOCOL_BINARY ||
		      (s->offered == KMC_PROTOCOL_AUTO && first == KMC_BINARY_MAGIC);

	switch (s->core->settings.auth) {
	case KMC_AUTH_NONE:
		s->protocol = binary ? &kmc_binary : &kmc_text;
		break;
	case KMC_AUTH_TEXT:
		s->protocol = binary ? NULL : &kmc_text_locked;
		break;
	default:
		s->protocol = binary ? &kmc_binary_locked : NULL;
	}
	return s->protocol;
}

static enum kmc_result kmc_session_run(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result = s->command->execute(s, turn);

	if (result == KMC_DONE) {
		s->command = NULL;
		s->phase = KMC_PHASE_BEGIN;
		kmc_session_forget_tries(s);
	}
	return result;
}

/* A request whose head takes @head bytes of the window. */
static enum kmc_result kmc_session_start(struct kmc_session *s, struct kmc_turn *turn, size_t head)
{
	const struct kmc_command *command = &kmc_commands[s->req.op];
	const struct kmc_budget budget = *turn->budget;
	const u16 carry_from = s->carry_from;
	const size_t used = turn->used;
	enum kmc_result result = KMC_DONE;

	if (command->prepare)
		result = command->prepare(s, turn);
	if (result != KMC_DONE)
		return result;
	if (!kmc_answer_begin(s)) {
		/* As memcached ends such a connection: without what waits to be sent. */
		kmc_reply_clear(turn->reply);
		return KMC_FAIL;
	}
	s->command = command;
	kmc_take(s, turn, head);
	turn->budget->requests--;
	result = kmc_session_run(s, turn);
	if (result == KMC_PROCESS && s->phase == KMC_PHASE_BEGIN) {
		s->command = NULL;
		kmc_answer_undo(s, 1);
		s->carry_from = carry_from;
		turn->used = used;
		*turn->budget = budget;
	}
	return result;
}

/* Between requests. */
static enum kmc_result kmc_session_next(struct kmc_session *s, struct kmc_turn *turn)
{
	const u8 *data;
	ssize_t head;
	size_t len;

	data = kmc_window(s, turn, &len);
	if (!len) {
		kfree(s->carry);
		s->carry = NULL;
		s->carry_from = 0;
		s->carry_to = 0;
		return kmc_wait(turn, KMC_NEED_INPUT);
	}
	if (!turn->budget->requests || !turn->budget->bytes)
		return kmc_wait(turn, KMC_NEED_TURN);
	if (!kmc_reply_fits(turn->reply, KMC_LINE_MAX))
		return kmc_wait(turn, KMC_NEED_SEND);
	if (!s->protocol && !kmc_session_detect(s, *data))
		return KMC_FAIL;
	if (*data == 's' && kmc_set_ahead(s, turn)) {
		kmc_session_forget_tries(s);
		return KMC_DONE;
	}
	head = s->protocol->parse(data, len, &s->req);
	if (head < 0)
		return KMC_FAIL;
	return head ? kmc_session_start(s, turn, head) : kmc_gather(s, turn);
}

enum kmc_verdict kmc_session_input(struct kmc_session *s, const u8 *data, size_t len, size_t *used,
				   struct kmc_reply *reply, struct kmc_budget *budget)
{
	struct kmc_turn turn = {
		.data = data,
		.len = len,
		.reply = reply,
		.budget = budget,
	};
	enum kmc_result result = KMC_DONE;
	bool watched;

	kmc_assert_bh_off();
	if (!kmc_session_read(s))
		s->closing = true;
	watched = kmc_watched(&s->core->watch, ~0U);
	if (watched)
		__this_cpu_write(*s->core->watch.client, s->peer ? s->peer->number : 0);
	while (result == KMC_DONE && !s->closing)
		result = s->command ? kmc_session_run(s, &turn) : kmc_session_next(s, &turn);
	if (watched)
		__this_cpu_write(*s->core->watch.client, 0);
	*used = turn.used;
	if (result == KMC_FAIL)
		s->closing = true;
	if (!kmc_session_busy(s) && turn.used == len)
		kmc_session_read_done(s);
	if (s->closing)
		return KMC_NEED_CLOSE;
	return result == KMC_PROCESS ? KMC_NEED_PROCESS : turn.why;
}
