// SPDX-License-Identifier: GPL-2.0
/* cache_memlimit, slabs reassign, slabs automove. */
#include "command.h"

enum kmc_result kmc_memlimit_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_core *core = s->core;
	u64 bytes = s->req.delta << 20;

	if (bytes > KMC_MEMORY_MAX || (core->ops->claim && !core->ops->claim(core, bytes)))
		return kmc_say(s, turn, KMC_ANSWER_LIMIT_REFUSED);
	kmc_store_set_limit(core->store, bytes);
	return kmc_say(s, turn, KMC_ANSWER_OK);
}

enum kmc_result kmc_reassign_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	static const enum kmc_answer answers[] = {
		[KMC_MOVE_OK] = KMC_ANSWER_OK,
		[KMC_MOVE_RUNNING] = KMC_ANSWER_REASSIGN_BUSY,
		[KMC_MOVE_BAD_CLASS] = KMC_ANSWER_REASSIGN_CLASS,
		[KMC_MOVE_NO_SPARE] = KMC_ANSWER_REASSIGN_NO_SPARE,
		[KMC_MOVE_SAME] = KMC_ANSWER_REASSIGN_SAME,
	};
	enum kmc_answer answer;

	if (!s->core->settings.slab_reassign)
		answer = KMC_ANSWER_REASSIGN_DISABLED;
	else if (s->req.invalid)
		answer = KMC_ANSWER_BAD_FORMAT;
	else
		answer = answers[kmc_store_reassign(s->core->store, s->req.class_from, s->req.class_to)];
	return kmc_say(s, turn, answer);
}

enum kmc_result kmc_automove_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_settings *settings = &s->core->settings;
	u32 value = (u32)s->req.delta;

	switch ((enum kmc_automove_what)s->req.level) {
	case KMC_AUTOMOVE_LEVEL:
		WRITE_ONCE(settings->slab_automove, value);
		break;
	case KMC_AUTOMOVE_RATIO:
		WRITE_ONCE(settings->slab_automove_ratio, value);
		break;
	case KMC_AUTOMOVE_FREERATIO:
		WRITE_ONCE(settings->slab_automove_freeratio, value);
		break;
	case KMC_AUTOMOVE_WINDOW:
		WRITE_ONCE(settings->slab_automove_window, value);
		break;
	}
	return kmc_say(s, turn, KMC_ANSWER_OK);
}
