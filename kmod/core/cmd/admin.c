// SPDX-License-Identifier: GPL-2.0
/*
 * flush_all, noop, version, verbosity, quit, shutdown.
 */
#include "command.h"
#include "../version.h"

/* The highest that a client can set (memcached's MAX_VERBOSITY_LEVEL). */
#define KMC_VERBOSITY_MAX	2

/* The Unix time at second 0 of the cache's clock. Nothing was stored by then. */
static s64 kmc_began(struct kmc_store *store)
{
	return kmc_store_real(store) - kmc_store_now(store);
}

/*
 * What was stored before the second that is asked for goes. A time that has passed is now, but for one
 * before the cache began (a delay of more than 30 days, perhaps): as in memcached, that only makes a flush
 * forgotten that was to come. Return: 0, or -EAGAIN.
 */
static int kmc_flush(struct kmc_session *s)
{
	struct kmc_store *store = s->core->store;
	u32 deadline;

	if (s->req.exptime <= 0)
		return kmc_store_flush(store, 0);
	deadline = kmc_store_deadline(store, s->req.exptime);
	if (deadline > kmc_store_now(store))
		return kmc_store_flush(store, deadline - 1);
	return kmc_store_flush(store, s->req.exptime > kmc_began(store) ? 0 : KMC_FLUSH_NOTHING);
}

/* Only the text protocol counts it, as in memcached. */
static enum kmc_result kmc_flush_refuse(struct kmc_session *s, struct kmc_turn *turn)
{
	if (s->protocol->counts_refusals)
		kmc_count(kmc_session_stats(s), cmd_flush);
	return kmc_say(s, turn, KMC_ANSWER_FLUSH_REFUSED);
}

enum kmc_result kmc_flush_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_answer answer = KMC_ANSWER_OK;

	if (!s->core->settings.flush_enabled)
		return kmc_flush_refuse(s, turn);
	if (s->req.invalid)
		answer = KMC_ANSWER_BAD_EXPTIME;
	else if (kmc_flush(s)) {
		if (kmc_starve(s) == KMC_PROCESS)
			return KMC_PROCESS;
		answer = KMC_ANSWER_NO_MEMORY;
	}
	kmc_count(kmc_session_stats(s), cmd_flush);
	return kmc_say(s, turn, answer);
}

enum kmc_result kmc_version_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	s->protocol->version(turn->reply, &s->req, KMC_VERSION_TEXT);
	return KMC_DONE;
}

enum kmc_result kmc_verbosity_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_core *core = s->core;
	u32 level = min_t(u32, s->req.level, KMC_VERBOSITY_MAX);

	WRITE_ONCE(core->settings.verbose, level);
	core->ops->verbosity(core, level);
	return kmc_say(s, turn, KMC_ANSWER_OK);
}

enum kmc_result kmc_quit_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	s->closing = true;
	s->ending = KMC_ENDING_NORMAL;
	return kmc_say(s, turn, KMC_ANSWER_BYE);
}

enum kmc_result kmc_noop_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	return kmc_say(s, turn, KMC_ANSWER_OK);
}

/* Closes without a word, as memcached. */
enum kmc_result kmc_shutdown_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_core *core = s->core;

	if (!core->settings.shutdown_enabled)
		return kmc_say(s, turn, KMC_ANSWER_SHUTDOWN_REFUSED);
	if (s->req.invalid)
		return kmc_say(s, turn, KMC_ANSWER_BAD_SHUTDOWN);
	core->ops->shutdown(core, s->req.graceful);
	s->closing = true;
	s->ending = KMC_ENDING_SHUTDOWN;
	return KMC_DONE;
}
