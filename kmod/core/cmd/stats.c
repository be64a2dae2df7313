// SPDX-License-Identifier: GPL-2.0
#include "command.h"

struct kmc_stats_sink {
	struct kmc_session *s;
	struct kmc_turn *turn;
};

static bool kmc_stats_show(void *ctx, const struct kmc_stats_row *row)
{
	struct kmc_stats_sink *sink = ctx;
	struct kmc_session *s = sink->s;

	return s->protocol->stat(sink->turn->reply, &s->req, row->name, row->value);
}

/* "stats reset", or any beginning of that word. */
static bool kmc_stats_is_reset(const struct kmc_request *req)
{
	static const char reset[] = "reset";

	return req->nargs && req->nargs < sizeof(reset) && !memcmp(req->args, reset, req->nargs);
}

enum kmc_result kmc_stats_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_stats_sink sink = { s, turn };
	bool done = false;
	int rows;

	if (s->phase == KMC_PHASE_BEGIN) {
		if (kmc_stats_is_reset(&s->req)) {
			kmc_stats_reset(kmc_session_stats(s));
			kmc_store_reset(s->core->store);
			return kmc_say(s, turn, KMC_ANSWER_RESET);
		}
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
			return kmc_wait(turn, KMC_NEED_SEND);
		s->phase = KMC_PHASE_SHOWN;
	}
	if (!kmc_reply_fits(turn->reply, KMC_LINE_MAX))
		return kmc_wait(turn, KMC_NEED_SEND);
	return kmc_say(s, turn, KMC_ANSWER_END);
}
