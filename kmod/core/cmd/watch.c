// SPDX-License-Identifier: GPL-2.0
/*
 * watch: the connection becomes a watcher, for good. What it says from then on is thrown away, as 1.6.45
 * does it, and what it hears comes from its ring.
 */
#include "command.h"

void kmc_watch_prepare(struct kmc_session *s)
{
	if (!s->watcher)
		s->watcher = kmc_watcher_create(s->core, s->core->settings.watcher_logbuf_size);
	s->starved = !s->watcher;
}

/* Return: KMC_MORE: it is a watcher. */
static enum kmc_result kmc_watch_begin(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_core *core = s->core;

	if (!core->settings.watch_enabled)
		return kmc_say(s, turn, KMC_ANSWER_WATCH_REFUSED);
	if (!kmc_reply_empty(turn->reply))
		return kmc_say(s, turn, KMC_ANSWER_WATCH_PIPELINED);
	if (s->req.invalid)
		return kmc_say(s, turn, KMC_ANSWER_UNKNOWN);
	if (!s->watcher && kmc_watchers(&core->watch) == KMC_WATCHERS_MAX)
		return kmc_say(s, turn, KMC_ANSWER_WATCHERS_MANY);
	if (!s->peer || (!s->watcher && s->starved))
		return kmc_say(s, turn, KMC_ANSWER_WATCHER_FAILED);
	if (!s->watcher)
		return KMC_PROCESS;
	kmc_watcher_start(core, s->watcher, s->peer, s->req.level);
	s->phase = KMC_PHASE_SHOW;
	return KMC_MORE;
}

/* Nobody listens to a watcher. */
static bool kmc_watch_hush(struct kmc_session *s, struct kmc_turn *turn)
{
	size_t len;

	for (;;) {
		kmc_window(s, turn, &len);
		if (!len)
			return true;
		if (!turn->budget->bytes)
			return false;
		kmc_take(s, turn, min_t(size_t, len, turn->budget->bytes));
	}
}

enum kmc_result kmc_watch_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result;
	const u8 *at;
	u32 len;

	if (s->phase == KMC_PHASE_BEGIN) {
		result = kmc_watch_begin(s, turn);
		if (result != KMC_MORE)
			return result;
	}
	if (!kmc_watch_hush(s, turn))
		return kmc_wait(turn, KMC_NEED_TURN);
	while ((len = kmc_watcher_run(s->watcher, &at))) {
		len = min(len, turn->reply->size - turn->reply->used);
		if (!len || !kmc_reply_copy(turn->reply, at, len))
			return kmc_wait(turn, KMC_NEED_SEND);
		kmc_watcher_advance(s->watcher, len);
		turn->budget->bytes -= min(len, turn->budget->bytes);
		if (!turn->budget->bytes)
			return kmc_wait(turn, KMC_NEED_TURN);
	}
	return kmc_wait(turn, KMC_NEED_INPUT);
}
