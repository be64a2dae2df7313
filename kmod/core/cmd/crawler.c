// SPDX-License-Identifier: GPL-2.0
/*
 * lru_crawler. A crawl is the store's own business, in the background. A dump is the session's: any number of
 * them at a time, each at the pace of its reader, and none in the way of a crawl.
 */
#include "dump.h"

#define KMC_CRAWLER_SLEEP_MAX	(1000 * 1000)	/* microseconds */

static enum kmc_answer kmc_crawler_switch(struct kmc_settings *settings, bool on)
{
	if (on && settings->lru_crawler)
		return KMC_ANSWER_CRAWLER_RUNS;
	WRITE_ONCE(settings->lru_crawler, on);
	return KMC_ANSWER_OK;
}

static enum kmc_answer kmc_crawler_sleep(struct kmc_settings *settings, u32 sleep)
{
	if (sleep > KMC_CRAWLER_SLEEP_MAX)
		return KMC_ANSWER_CRAWLER_SLEEP;
	WRITE_ONCE(settings->lru_crawler_sleep, sleep);
	return KMC_ANSWER_OK;
}

static enum kmc_answer kmc_crawler_crawl(struct kmc_session *s)
{
	if (!READ_ONCE(s->core->settings.lru_crawler))
		return KMC_ANSWER_CRAWLER_DISABLED;
	if (s->req.invalid)
		return KMC_ANSWER_BAD_CLASS;
	if (s->req.classes & KMC_CLASSES_INDEX)
		return kmc_store_crawls(s->core->store) ? KMC_ANSWER_CRAWLER_BUSY :
							  KMC_ANSWER_CRAWLER_FAILED;
	if (!s->req.classes)
		return KMC_ANSWER_NOT_STARTED;
	if (kmc_store_crawl(s->core->store, s->req.classes))
		return KMC_ANSWER_CRAWLER_BUSY;
	return KMC_ANSWER_OK;
}

/* Why there is no dump, or KMC_ANSWER_OK. */
static enum kmc_answer kmc_crawler_may_dump(struct kmc_session *s, struct kmc_turn *turn, bool meta)
{
	const struct kmc_settings *settings = &s->core->settings;

	if (!READ_ONCE(settings->lru_crawler))
		return KMC_ANSWER_CRAWLER_DISABLED;
	if (!settings->dump_enabled)
		return meta ? KMC_ANSWER_METADUMP_REFUSED : KMC_ANSWER_MGDUMP_REFUSED;
	if (!kmc_reply_empty(turn->reply))
		return meta ? KMC_ANSWER_METADUMP_PIPELINED : KMC_ANSWER_MGDUMP_PIPELINED;
	if (s->req.invalid)
		return KMC_ANSWER_BAD_CLASS;
	return s->req.classes ? KMC_ANSWER_OK : KMC_ANSWER_NOT_STARTED;
}

void kmc_dump_abandon(struct kmc_session *s)
{
	if (s->phase == KMC_PHASE_SHOW)
		atomic_dec(&s->core->dumps);
}

static enum kmc_result kmc_crawler_dump(struct kmc_session *s, struct kmc_turn *turn, bool meta)
{
	const struct kmc_dump_form *form = meta ? &kmc_metadump : &kmc_mgdump;
	enum kmc_result result;
	enum kmc_answer answer;

	if (s->phase == KMC_PHASE_BEGIN) {
		answer = kmc_crawler_may_dump(s, turn, meta);
		if (answer != KMC_ANSWER_OK)
			return kmc_say(s, turn, answer);
		kmc_count(kmc_session_stats(s), lru_crawler_starts);
		atomic_inc(&s->core->dumps);
		kmc_dump_begin(s, turn, form, U32_MAX);
	}
	result = kmc_dump_show(s, turn, form);
	if (result == KMC_DONE)
		atomic_dec(&s->core->dumps);
	return result;
}

enum kmc_result kmc_crawler_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_settings *settings = &s->core->settings;
	enum kmc_answer answer = KMC_ANSWER_OK;

	switch (s->req.verb) {
	case KMC_VERB_METADUMP:
	case KMC_VERB_MGDUMP:
		return kmc_crawler_dump(s, turn, s->req.verb == KMC_VERB_METADUMP);
	case KMC_VERB_CRAWL:
		answer = kmc_crawler_crawl(s);
		break;
	case KMC_VERB_SLEEP:
		answer = kmc_crawler_sleep(settings, s->req.level);
		break;
	case KMC_VERB_TOCRAWL:
		WRITE_ONCE(settings->lru_crawler_tocrawl, s->req.level);
		break;
	case KMC_VERB_ENABLE:
	case KMC_VERB_DISABLE:
		answer = kmc_crawler_switch(settings, s->req.verb == KMC_VERB_ENABLE);
		break;
	default:
		answer = s->req.refusal;
		break;
	}
	return kmc_say(s, turn, answer);
}
