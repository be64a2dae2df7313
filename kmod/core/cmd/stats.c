// SPDX-License-Identifier: GPL-2.0
/* stats: rows of a group, detail, cachedump, reset. */
#include "dump.h"
#include "../proto/numbers.h"

struct kmc_stats_sink {
	struct kmc_session *s;
	struct kmc_turn *turn;
	bool full;
};

static bool kmc_stats_show(void *ctx, const struct kmc_stats_row *row)
{
	struct kmc_stats_sink *sink = ctx;
	struct kmc_session *s = sink->s;

	sink->full = !s->protocol->stat(sink->turn->reply, &s->req, row->name, row->value);
	return !sink->full;
}

/* The end of a listing, as soon as there is room. */
static enum kmc_result kmc_stats_end(struct kmc_session *s, struct kmc_turn *turn)
{
	if (!kmc_reply_fits(turn->reply, KMC_LINE_MAX))
		return kmc_wait(turn, KMC_NEED_SEND);
	return kmc_say(s, turn, KMC_ANSWER_END);
}

static enum kmc_result kmc_stats_rows_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_stats_sink sink = { .s = s, .turn = turn };
	bool done = false;
	int rows;

	if (s->phase == KMC_PHASE_BEGIN) {
		s->group = kmc_stats_group((const char *)s->req.args, s->req.nargs);
		if (!s->group)
			return kmc_say(s, turn, KMC_ANSWER_UNKNOWN);
		s->row = 0;
		s->phase = KMC_PHASE_SHOW;
	}
	if (s->phase == KMC_PHASE_SHOW) {
		rows = kmc_stats_rows(s->core, s->group, strlen(s->group), s->row, kmc_stats_show,
				      &sink, &done);
		if (rows < 0)
			return KMC_FAIL;
		s->row = rows;
		if (!done)
			return kmc_wait(turn, sink.full ? KMC_NEED_SEND : KMC_NEED_TURN);
		s->phase = KMC_PHASE_SHOWN;
	}
	return kmc_stats_end(s, turn);
}

static enum kmc_result kmc_stats_reset_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	kmc_stats_reset(kmc_session_stats(s));
	kmc_store_reset(s->core->store);
	kmc_prefixes_reset(&s->core->prefixes);
	return kmc_say(s, turn, KMC_ANSWER_RESET);
}

/* get <number> hit <number> set <number> del <number> */
static bool kmc_stats_prefix(struct kmc_session *s, struct kmc_turn *turn, const struct kmc_prefix_row *prefix)
{
	char counts[sizeof("get  hit  set  del ") + KMC_PREFIX_COUNTS * KMC_U64_DIGITS];

	snprintf(counts, sizeof(counts), "get %llu hit %llu set %llu del %llu", prefix->count[KMC_PREFIX_GET],
		 prefix->count[KMC_PREFIX_HIT], prefix->count[KMC_PREFIX_SET], prefix->count[KMC_PREFIX_DELETE]);
	return s->protocol->prefix(turn->reply, &s->req, prefix->name, prefix->len, counts);
}

static enum kmc_result kmc_stats_detail_dump(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_prefix_row row;
	u32 at;

	if (s->phase == KMC_PHASE_BEGIN) {
		s->row = 0;
		s->phase = KMC_PHASE_SHOW;
	}
	for (;;) {
		if (!turn->budget->keys)
			return kmc_wait(turn, KMC_NEED_TURN);
		at = s->row;
		if (!kmc_prefix_next(&s->core->prefixes, &at, &row))
			break;
		if (!kmc_stats_prefix(s, turn, &row))
			return kmc_wait(turn, KMC_NEED_SEND);
		s->row = at;
		turn->budget->keys--;
	}
	return kmc_stats_end(s, turn);
}

static enum kmc_result kmc_stats_detail_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_settings *settings = &s->core->settings;

	if (!settings->dump_enabled)
		return kmc_say(s, turn, KMC_ANSWER_DETAIL_REFUSED);
	if (s->req.how == KMC_VERB_DUMP)
		return kmc_stats_detail_dump(s, turn);
	if (s->req.how == KMC_VERB_WRONG)
		return kmc_say(s, turn, s->req.refusal);
	WRITE_ONCE(settings->stats_detail, s->req.how == KMC_VERB_ON);
	return kmc_say(s, turn, KMC_ANSWER_OK);
}

static enum kmc_result kmc_stats_cachedump_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	if (!s->core->settings.dump_enabled)
		return kmc_say(s, turn, KMC_ANSWER_CACHEDUMP_REFUSED);
	if (s->req.how == KMC_VERB_WRONG)
		return kmc_say(s, turn, s->req.refusal);
	if (s->phase == KMC_PHASE_BEGIN)
		kmc_dump_begin(s, turn, &kmc_cachedump, s->req.level ? : U32_MAX);
	return kmc_dump_show(s, turn, &kmc_cachedump);
}

enum kmc_result kmc_stats_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	switch (s->req.verb) {
	case KMC_VERB_RESET:
		return kmc_stats_reset_execute(s, turn);
	case KMC_VERB_DETAIL:
		return kmc_stats_detail_execute(s, turn);
	case KMC_VERB_CACHEDUMP:
		return kmc_stats_cachedump_execute(s, turn);
	default:
		return kmc_stats_rows_execute(s, turn);
	}
}
