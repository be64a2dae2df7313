// SPDX-License-Identifier: GPL-2.0
#include "command.h"

static void kmc_lru_tune(struct kmc_settings *settings, const struct kmc_lru_change *change)
{
	WRITE_ONCE(settings->hot_lru_pct, change->hot_pct);
	WRITE_ONCE(settings->warm_lru_pct, change->warm_pct);
	WRITE_ONCE(settings->hot_max_factor, change->hot_factor);
	WRITE_ONCE(settings->warm_max_factor, change->warm_factor);
}

static void kmc_lru_temporary(struct kmc_settings *settings, s32 ttl)
{
	if (ttl >= 0)
		WRITE_ONCE(settings->temporary_ttl, ttl);
	WRITE_ONCE(settings->temp_lru, ttl >= 0);
}

/* Shares can be tuned though nobody heeds them; what needs the maintainer is refused without. */
enum kmc_result kmc_lru_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_settings *settings = &s->core->settings;
	const struct kmc_lru_change *change = &s->req.lru;

	if (change->what != KMC_LRU_TUNE && !settings->lru_maintainer)
		return kmc_say(s, turn, KMC_ANSWER_UNKNOWN);
	switch (change->what) {
	case KMC_LRU_TUNE:
		kmc_lru_tune(settings, change);
		break;
	case KMC_LRU_FLAT:
	case KMC_LRU_SEGMENTED:
		WRITE_ONCE(settings->lru_segmented, change->what == KMC_LRU_SEGMENTED);
		break;
	case KMC_LRU_TEMP_TTL:
		kmc_lru_temporary(settings, change->ttl);
		break;
	}
	return kmc_say(s, turn, KMC_ANSWER_OK);
}
