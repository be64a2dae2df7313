/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of a session, for the commands: one table, operation to {name, prepare, execute}. Here, and
 * only here, protocol and store meet.
 */
#ifndef KMC_COMMAND_H
#define KMC_COMMAND_H

#include "session.h"
#include "../proto/protocol.h"
#include "../store/store.h"

/**
 * enum kmc_result - what became of a step
 * @KMC_DONE: the request is finished and answered
 * @KMC_MORE: call again; struct kmc_turn.why says what has to happen before
 * @KMC_FAIL: the connection cannot go on; close it
 * @KMC_PROCESS: needs process context. Nothing was done: no counter, no answer.
 */
enum kmc_result {
	KMC_DONE,
	KMC_MORE,
	KMC_FAIL,
	KMC_PROCESS,
};

/**
 * struct kmc_turn - one call of kmc_session_input()
 * @data, @len, @used: the run of input
 * @why: what KMC_MORE waits for
 */
struct kmc_turn {
	const u8 *data;
	size_t len;
	size_t used;
	struct kmc_reply *reply;
	struct kmc_budget *budget;
	enum kmc_verdict why;
};

struct kmc_session;

/**
 * struct kmc_command - what to do for an operation
 * @mode: for those that store
 * @prepare: optional; before the request's head is taken from the input. Anything but KMC_DONE ends
 *	the call, and the head is parsed again later.
 * @finish: of those that store: the value is complete, there is room for an answer
 * @abandon: optional; the session ends in the middle of the request
 * @execute: called until it returns something else than KMC_MORE. KMC_PROCESS in KMC_PHASE_BEGIN gives
 *	the head back, to be parsed again; in a later phase execute is only called again.
 *	There is room for an answer (KMC_LINE_MAX) on the first call.
 */
struct kmc_command {
	const char *name;
	enum kmc_store_mode mode;
	enum kmc_result (*prepare)(struct kmc_session *s, struct kmc_turn *turn);
	enum kmc_result (*execute)(struct kmc_session *s, struct kmc_turn *turn);
	enum kmc_result (*finish)(struct kmc_session *s, struct kmc_turn *turn);
	void (*abandon)(struct kmc_session *s);
};

extern const struct kmc_command kmc_commands[KMC_OP_NR];

/* Where a request in progress stands. Each command uses some of these. */
enum kmc_phase {
	KMC_PHASE_BEGIN,
	KMC_PHASE_VALUE,	/* bytes of a value go into @item */
	KMC_PHASE_SWALLOW,	/* @left bytes are thrown away */
	KMC_PHASE_LINK,		/* the value is complete */
	KMC_PHASE_HIT,		/* @item is to be shown: what stands before it */
	KMC_PHASE_SHOW,		/* its value */
	KMC_PHASE_SHOWN,	/* what stands behind it */
	KMC_PHASE_SKIP,		/* keys are thrown away */
};

/**
 * struct kmc_session - a conversation
 * @offered: enum kmc_protocol of the contract
 * @protocol: NULL until the first byte
 * @command: of the request in progress, NULL between requests
 * @req: its arguments. Its pointers into input are good for the first call of execute only.
 * @carry: KMC_HEAD_MAX bytes, or NULL while nothing straddles runs; [@carry_from, @carry_to) are input
 *	that comes before the run at hand
 * @item: one reference; a value that comes in or goes out
 * @cursor: in @item; @group: of statistics; @sweep: of a listing of items: never two of them at a time
 * @peer: whom it talks to; may be NULL
 * @watcher: from the command on that makes it one, NULL before
 * @hash: of @item's key
 * @left: bytes to come, the tail included; items that a listing may still show; keys of a get behind its first
 * @got: bytes of the tail that came, kept in @tail
 * @row: of statistics, the next to be shown
 * @any_key: this get had a key; this token a blank
 * @challenged: SASL has begun, without the token that it needs
 * @tries: how often the request asked for process context
 * @starved: memory could not be had there
 * @reads: holds a buffer of @core->buffers, and so many @answers that are not sent
 * @closing: nothing more is taken; @ending: enum kmc_ending, why
 */
struct kmc_session {
	struct kmc_core *core;
	const struct kmc_protocol_ops *protocol;
	const struct kmc_command *command;
	enum kmc_phase phase : 8;
	u8 offered;
	u8 tries;
	bool starved : 1;
	bool closing : 1;
	bool reads : 1;
	bool any_key : 1;
	bool challenged : 1;
	u8 got;
	u8 tail[2];
	u8 ending;
	u16 carry_from, carry_to;
	u32 answers;
	u8 *carry;
	struct kmc_request req;
	struct kmc_item *item;
	union {
		struct kmc_cursor cursor;
		struct kmc_sweep sweep;
		const char *group;
	};
	u64 hash;
	u32 left;
	u32 row;
	struct kmc_peer *peer;
	struct kmc_watcher *watcher;
};

/* The input that comes next, in one piece: what is carried, else the run. */
static inline const u8 *kmc_window(struct kmc_session *s, const struct kmc_turn *turn, size_t *len)
{
	if (unlikely(s->carry_to != s->carry_from)) {
		*len = s->carry_to - s->carry_from;
		return s->carry + s->carry_from;
	}
	*len = turn->len - turn->used;
	return turn->data + turn->used;
}

/* Work that no byte of input stands for counts as so many bytes of it, or a client had much done for a few. */
static inline void kmc_spend(struct kmc_turn *turn, u64 n)
{
	turn->budget->bytes -= min_t(u64, n, turn->budget->bytes);
}

/* @n bytes of the run are taken. */
static inline void kmc_advance(struct kmc_turn *turn, size_t n)
{
	turn->used += n;
	kmc_spend(turn, n);
}

/* @n bytes of the window are done with. The bytes themselves stay until the next kmc_gather(). */
static inline void kmc_take(struct kmc_session *s, struct kmc_turn *turn, size_t n)
{
	if (unlikely(s->carry_to != s->carry_from))
		s->carry_from += n;
	else
		kmc_advance(turn, n);
}

/*
 * The window holds the beginning of something that needs more: make it longer out of the run.
 * Return: KMC_DONE: it is longer; KMC_MORE: the run is used up; KMC_FAIL: no memory to carry it.
 */
enum kmc_result kmc_gather(struct kmc_session *s, struct kmc_turn *turn);

static inline enum kmc_result kmc_wait(struct kmc_turn *turn, enum kmc_verdict why)
{
	turn->why = why;
	return KMC_MORE;
}

/*
 * The store has no page at hand: process context, or, when that was tried and did not help, an end to
 * it. Return: KMC_PROCESS, or KMC_DONE: treat it as out of memory.
 */
enum kmc_result kmc_starve(struct kmc_session *s);

/* Answer; there must be room. Return: KMC_DONE */
enum kmc_result kmc_say(struct kmc_session *s, struct kmc_turn *turn, enum kmc_answer answer);

/* Throw @left bytes away. */
enum kmc_result kmc_swallow(struct kmc_session *s, struct kmc_turn *turn);

void kmc_drop_item(struct kmc_session *s);

/* One answer more of @core->buffers. Return: false: there is no room, which is counted. */
bool kmc_answer_more(struct kmc_session *s);

static inline bool kmc_answer_begin(struct kmc_session *s)
{
	return likely(!s->core->buffers) || kmc_answer_more(s);
}

/* The last @nr of them were none. */
void kmc_answer_undo(struct kmc_session *s, u32 nr);

static inline struct kmc_stats *kmc_session_stats(struct kmc_session *s)
{
	return &s->core->stats;
}

/* A get has found an item. @class: struct kmc_item.class */
static inline void kmc_count_hit(struct kmc_session *s, u8 class)
{
	kmc_count_class(kmc_session_stats(s), class & KMC_ITEM_CLASS,
			KMC_CLASS_hits_to_hot + (class >> KMC_ITEM_SEGMENT));
}

static inline struct kmc_key kmc_session_key(struct kmc_session *s)
{
	return kmc_key(s->core->store, s->req.key, s->req.nkey);
}

/*
 * The key, copied to @room (KMC_KEY_MAX bytes) before it is hashed. Input may lie in pages that a sender on the same
 * machine still writes to (splice): whoever may make an item must give it the very bytes that were hashed.
 */
static inline struct kmc_key kmc_session_own_key(struct kmc_session *s, u8 *room)
{
	memcpy(room, s->req.key, s->req.nkey);
	return kmc_key(s->core->store, room, s->req.nkey);
}

/**
 * kmc_store_open - make an item for the value that follows
 * @deadline: on the cache's clock
 * @drop: if that cannot be, the present item goes
 * Return: KMC_DONE, with @s->item or its value to be swallowed; KMC_PROCESS.
 */
enum kmc_result kmc_store_open(struct kmc_session *s, struct kmc_turn *turn, const struct kmc_key *key,
			       u32 deadline, bool drop);

/*
 * The sets that lie ahead whole in the run, one after the other without a stop, until there is one that needs more.
 * There is budget for one, and room for its answer. Return: whether there was any.
 */
bool kmc_set_ahead(struct kmc_session *s, struct kmc_turn *turn);

/* Who watches is told of a peek that has ended; lookups with a lock tell it themselves. */
void kmc_get_watch(struct kmc_session *s, const struct kmc_key *key, const struct kmc_peek *peek);

/* Show the value of @s->item; KMC_PHASE_SHOW. Return: KMC_DONE: the item is let go. */
void kmc_get_open(struct kmc_session *s, struct kmc_item *item);
enum kmc_result kmc_get_show(struct kmc_session *s, struct kmc_turn *turn);

/**
 * kmc_arith_create - store the number that a counter begins with
 * @delta: @value is that number; @change counts; filled as kmc_store_delta() does
 * @marks: KMC_ITEM_* of the item
 * Return: KMC_NOT_STORED: somebody was faster; KMC_AGAIN, KMC_NO_MEMORY.
 */
enum kmc_store_status kmc_arith_create(struct kmc_session *s, const struct kmc_key *key,
				       struct kmc_delta *delta, u32 deadline, u8 marks);
/* Process context: memory for a session that wants to watch. */
void kmc_watch_prepare(struct kmc_session *s);

/* A connection ends in the middle of a dump. */
void kmc_dump_abandon(struct kmc_session *s);

void kmc_arith_hit(struct kmc_session *s, const struct kmc_delta *delta);
void kmc_arith_miss(struct kmc_session *s, const struct kmc_delta *delta);

enum kmc_result kmc_get_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_get_one_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_store_prepare(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_store_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_store_finish(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_delete_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_arith_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_touch_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_flush_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_version_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_verbosity_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_quit_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_shutdown_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_memlimit_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_reassign_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_automove_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_stats_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_auth_token_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_auth_mechanisms_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_auth_sasl_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_noop_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_lru_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_watch_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_crawler_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_debug_time_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_debug_item_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_meta_get_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_meta_set_prepare(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_meta_set_finish(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_meta_delete_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_meta_arith_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_meta_debug_execute(struct kmc_session *s, struct kmc_turn *turn);
enum kmc_result kmc_meta_noop_execute(struct kmc_session *s, struct kmc_turn *turn);

#endif
