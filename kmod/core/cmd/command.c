// SPDX-License-Identifier: GPL-2.0
#include "command.h"

static enum kmc_result kmc_refuse_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	if (s->phase == KMC_PHASE_BEGIN) {
		s->phase = KMC_PHASE_SWALLOW;
		s->left = s->req.nbytes;
		kmc_say(s, turn, s->req.refusal);
		s->closing = s->req.last;
	}
	return kmc_swallow(s, turn);
}

#define KMC_STORES(text, how) \
	{ text, .mode = how, .prepare = kmc_store_prepare, .execute = kmc_store_execute, \
	  .finish = kmc_store_finish }

const struct kmc_command kmc_commands[KMC_OP_NR] = {
	[KMC_OP_REFUSE] = { "refuse", .execute = kmc_refuse_execute },
	[KMC_OP_GET] = { "get", .execute = kmc_get_execute },
	[KMC_OP_TOUCH_GET] = { "gat", .execute = kmc_get_execute },
	[KMC_OP_GET_ONE] = { "get", .execute = kmc_get_one_execute },
	[KMC_OP_TOUCH_GET_ONE] = { "gat", .execute = kmc_get_one_execute },
	[KMC_OP_SET] = KMC_STORES("set", KMC_SET),
	[KMC_OP_ADD] = KMC_STORES("add", KMC_ADD),
	[KMC_OP_REPLACE] = KMC_STORES("replace", KMC_REPLACE),
	[KMC_OP_APPEND] = KMC_STORES("append", KMC_APPEND),
	[KMC_OP_PREPEND] = KMC_STORES("prepend", KMC_PREPEND),
	[KMC_OP_CAS] = KMC_STORES("cas", KMC_CAS),
	[KMC_OP_DELETE] = { "delete", .execute = kmc_delete_execute },
	[KMC_OP_INCR] = { "incr", .execute = kmc_arith_execute },
	[KMC_OP_DECR] = { "decr", .execute = kmc_arith_execute },
	[KMC_OP_TOUCH] = { "touch", .execute = kmc_touch_execute },
	[KMC_OP_FLUSH] = { "flush_all", .execute = kmc_flush_execute },
	[KMC_OP_VERSION] = { "version", .execute = kmc_version_execute },
	[KMC_OP_VERBOSITY] = { "verbosity", .execute = kmc_verbosity_execute },
	[KMC_OP_QUIT] = { "quit", .execute = kmc_quit_execute },
	[KMC_OP_SHUTDOWN] = { "shutdown", .execute = kmc_shutdown_execute },
	[KMC_OP_STATS] = { "stats", .execute = kmc_stats_execute },
	[KMC_OP_NOOP] = { "noop", .execute = kmc_noop_execute },
	[KMC_OP_MEMLIMIT] = { "cache_memlimit", .execute = kmc_memlimit_execute },
	[KMC_OP_REASSIGN] = { "slabs reassign", .execute = kmc_reassign_execute },
	[KMC_OP_AUTOMOVE] = { "slabs automove", .execute = kmc_automove_execute },
	[KMC_OP_LRU] = { "lru", .execute = kmc_lru_execute },
	[KMC_OP_CRAWLER] = { "lru_crawler", .execute = kmc_crawler_execute, .abandon = kmc_dump_abandon },
	[KMC_OP_WATCH] = { "watch", .execute = kmc_watch_execute },
	[KMC_OP_DEBUG_TIME] = { "debugtime", .execute = kmc_debug_time_execute },
	[KMC_OP_DEBUG_ITEM] = { "debugitem", .execute = kmc_debug_item_execute },
	[KMC_OP_AUTH_TOKEN] = { "token", .execute = kmc_auth_token_execute },
	[KMC_OP_AUTH_MECHANISMS] = { "sasl_list_mechs", .execute = kmc_auth_mechanisms_execute },
	[KMC_OP_AUTH_START] = { "sasl_auth", .execute = kmc_auth_sasl_execute },
	[KMC_OP_AUTH_STEP] = { "sasl_step", .execute = kmc_auth_sasl_execute },
	[KMC_OP_META_GET] = { "mg", .execute = kmc_meta_get_execute },
	[KMC_OP_META_SET] = { "ms", .prepare = kmc_meta_set_prepare, .execute = kmc_store_execute,
			      .finish = kmc_meta_set_finish },
	[KMC_OP_META_DELETE] = { "md", .execute = kmc_meta_delete_execute },
	[KMC_OP_META_ARITH] = { "ma", .execute = kmc_meta_arith_execute },
	[KMC_OP_META_DEBUG] = { "me", .execute = kmc_meta_debug_execute },
	[KMC_OP_META_NOOP] = { "mn", .execute = kmc_meta_noop_execute },
};

enum kmc_result kmc_say(struct kmc_session *s, struct kmc_turn *turn, enum kmc_answer answer)
{
	s->protocol->answer(turn->reply, &s->req, answer);
	return KMC_DONE;
}

/* A trip to process context that did not help is repeated: others may have been faster. Not for ever. */
#define KMC_TRIES_MAX	16

enum kmc_result kmc_starve(struct kmc_session *s)
{
	if (s->starved || s->tries == KMC_TRIES_MAX)
		return KMC_DONE;
	s->tries++;
	return KMC_PROCESS;
}

void kmc_drop_item(struct kmc_session *s)
{
	if (s->item)
		kmc_item_put(s->core->store, s->item);
	s->item = NULL;
}

enum kmc_result kmc_gather(struct kmc_session *s, struct kmc_turn *turn)
{
	const u8 *run = turn->data + turn->used;
	size_t n = turn->len - turn->used;

	if (!n)
		return kmc_wait(turn, KMC_NEED_INPUT);
	if (!s->carry)
		s->carry = kmalloc(KMC_HEAD_MAX, KMC_GFP_ATOMIC);
	if (!s->carry) {
		kmc_count(kmc_session_stats(s), read_buf_oom);
		kmc_say(s, turn, KMC_ANSWER_NO_MEMORY_READING);
		return KMC_FAIL;
	}
	s->carry_to -= s->carry_from;
	memmove(s->carry, s->carry + s->carry_from, s->carry_to);
	s->carry_from = 0;
	n = min_t(size_t, s->protocol->grab(s->carry, s->carry_to, run, n), KMC_HEAD_MAX - s->carry_to);
	if (!n)
		return KMC_FAIL;
	memcpy(s->carry + s->carry_to, run, n);
	s->carry_to += n;
	kmc_advance(turn, n);
	return KMC_DONE;
}

enum kmc_result kmc_swallow(struct kmc_session *s, struct kmc_turn *turn)
{
	while (s->left) {
		size_t len;

		kmc_window(s, turn, &len);
		if (!len)
			return kmc_wait(turn, KMC_NEED_INPUT);
		if (!turn->budget->bytes)
			return kmc_wait(turn, KMC_NEED_TURN);
		len = min_t(size_t, len, min(s->left, turn->budget->bytes));
		kmc_take(s, turn, len);
		s->left -= len;
	}
	return KMC_DONE;
}
