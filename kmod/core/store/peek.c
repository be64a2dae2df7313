// SPDX-License-Identifier: GPL-2.0
/*
 * Readers without a lock. Whatever they read may be torn, or belong to a chunk's next user: lengths are
 * checked against the chunk they were read from, and all of it is believed only if no write section of the
 * stripe came between. An item's memory gets another user only after it was unlinked, in such a section.
 */
#include "state.h"

static void kmc_peek_look(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	struct kmc_found found = kmc_index_find(store, key);
	struct kmc_item *item = found.item;

	peek->item = item;
	peek->value = NULL;
	peek->miss = KMC_MISS_ABSENT;
	if (!item) {
		peek->class = 0;
		peek->nbytes = 0;
		return;
	}
	peek->handle = found.handle;
	peek->cas = READ_ONCE(item->cas);
	peek->nbytes = READ_ONCE(item->nbytes);
	peek->client_flags = READ_ONCE(item->client_flags);
	peek->exptime = READ_ONCE(item->exptime);
	peek->seen = READ_ONCE(item->seen);
	peek->class = READ_ONCE(item->class);
	peek->flags = READ_ONCE(item->flags);
	peek->now = kmc_store_now(store);
	peek->miss = kmc_expiry_verdict(store, READ_ONCE(item->generation), peek->exptime, peek->now);
	/* kmc_index_find() compared that many bytes within the chunk. */
	if (peek->nbytes <= KMC_COPY_MAX && peek->nbytes <= found.size - (u32)sizeof(*item) - key->len &&
	    !(peek->flags & KMC_ITEM_CHUNKED))
		peek->value = item->data + key->len;
}

/* What was found is dead: take it out, and say so once. */
static void kmc_peek_bury(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	u32 handle;

	spin_lock(&stripe->lock);
	if (!kmc_item_seek(store, key, &handle, &peek->miss)) {
		peek->item = NULL;
		peek->value = NULL;
	} else {
		kmc_peek_look(store, key, peek);
		peek->sequence = read_seqcount_begin(&stripe->sequence);
	}
	spin_unlock(&stripe->lock);
}

void kmc_peek_begin(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	u32 tries, sequence;

	kmc_assert_bh_off();
	for (tries = 0; tries < KMC_PEEK_TRIES; tries++) {
		sequence = read_seqcount_begin(&stripe->sequence);
		kmc_peek_look(store, key, peek);
		if (likely(!read_seqcount_retry(&stripe->sequence, sequence)))
			break;
	}
	if (unlikely(tries == KMC_PEEK_TRIES)) {
		spin_lock(&stripe->lock);
		sequence = read_seqcount_begin(&stripe->sequence);
		kmc_peek_look(store, key, peek);
		spin_unlock(&stripe->lock);
	}
	peek->sequence = sequence;
	if (unlikely(peek->item && peek->miss != KMC_MISS_NONE))
		kmc_peek_bury(store, key, peek);
}

bool kmc_peek_valid(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	return !read_seqcount_retry(&kmc_stripe(&store->index, key->hash)->sequence, peek->sequence);
}

void kmc_peek_touch(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	kmc_lru_access_at(store, (struct kmc_item *)peek->item, peek->handle, key->hash,
			  peek->class >> KMC_ITEM_SEGMENT, true, peek->now);
}
