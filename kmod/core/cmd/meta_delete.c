// SPDX-License-Identifier: GPL-2.0
/* md: deletes an item, or leaves it as one to be renewed (I), or without its value (x), or both. */
#include "meta.h"

/* An empty item for x. Nothing is made for an item that is not there. Return: 0, -ENOENT, or no memory. */
static int kmc_meta_delete_dig(struct kmc_session *s, const struct kmc_key *key, struct kmc_discard *how)
{
	struct kmc_store *store = s->core->store;
	struct kmc_peek peek;
	struct kmc_item *item;

	kmc_peek_begin(store, key, &peek);
	if (!peek.item) {
		kmc_get_watch(s, key, &peek);
		return -ENOENT;
	}
	item = kmc_item_alloc(store, key, s->req.client_flags, how->change.deadline, 0);
	if (IS_ERR(item))
		return (int)PTR_ERR(item);
	how->tombstone = item;
	return 0;
}

/* What is left in an item's place was stored there. */
static void kmc_meta_delete_watch_grave(struct kmc_session *s, const struct kmc_key *key,
					const struct kmc_discard *how)
{
	const struct kmc_watch_store line = {
		.status = KMC_STORED,
		.mode = KMC_SET,
		.deadline = how->tombstone->exptime,
		.class = how->class,
	};

	if (kmc_watched(&s->core->watch, KMC_WATCH_MUTATIONS))
		kmc_watch_store(s->core, key, &line);
}

static enum kmc_result kmc_meta_delete_answer(struct kmc_session *s, struct kmc_turn *turn,
					      const struct kmc_key *key, enum kmc_store_status status,
					      const struct kmc_discard *how)
{
	struct kmc_meta_item shown = kmc_meta_nothing(s, key);

	if (status != KMC_STORED) {
		kmc_count(kmc_session_stats(s), delete_misses);
		return kmc_meta_say(s, turn, kmc_meta_code(status), &shown, KMC_META_SHOW_KEY);
	}
	if (how->tombstone)
		kmc_meta_delete_watch_grave(s, key, how);
	if (!how->stale) {
		kmc_count_in(kmc_session_stats(s), how->class, delete_hits);
		if (kmc_watched(&s->core->watch, KMC_WATCH_DELETIONS))
			kmc_watch_delete(s->core, key, "md", how->class, how->nbytes);
	}
	if (kmc_meta_has(s, KMC_META('q')))
		return KMC_DONE;
	return kmc_meta_say(s, turn, "HD", &shown, KMC_META_SHOW_KEY);
}

enum kmc_result kmc_meta_delete_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_store *store = s->core->store;
	struct kmc_discard how = {
		.cas = s->req.cas,
		.with_cas = kmc_meta_has(s, KMC_META('C')),
		.stale = kmc_meta_has(s, KMC_META('I')),
		.change = kmc_meta_change(s),
	};
	enum kmc_store_status status = KMC_NOT_FOUND;
	u8 room[KMC_KEY_MAX];
	struct kmc_key key = kmc_meta_key(s, room);
	int err = 0;

	if (kmc_meta_has(s, KMC_META('x')))
		err = kmc_meta_delete_dig(s, &key, &how);
	if (err == -EAGAIN && kmc_starve(s) == KMC_PROCESS)
		return KMC_PROCESS;
	if (err && err != -ENOENT)
		return kmc_say(s, turn, KMC_ANSWER_NO_MEMORY);
	if (!err)
		status = kmc_store_discard(store, &key, &how);
	if (how.tombstone)
		kmc_item_put(store, how.tombstone);
	return kmc_meta_delete_answer(s, turn, &key, status, &how);
}
