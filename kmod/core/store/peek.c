// SPDX-License-Identifier: GPL-2.0
/*
 * Readers without a lock. Whatever they read may be torn, or belong to a chunk's next user: lengths are
 * checked against the chunk they were read from, and all of it is believed only if no write section of the
 * stripe came between. An item's memory gets another user only after it was unlinked, in such a section.
 */
#include "find.h"
#include "siphash13.h"

/* @hops: see kmc_find(). As of @peek->now. Return: false: the key's chain is longer. */
static __always_inline bool kmc_peek_look(struct kmc_store *store, const struct kmc_key *key, u32 hops,
					  struct kmc_peek *peek)
{
	struct kmc_found found;
	struct kmc_item *item;
	bool near = kmc_find(store, key, hops, &found);

	item = found.item;
	peek->item = item;
	peek->value = NULL;
	peek->miss = KMC_MISS_ABSENT;
	if (!item) {
		peek->class = 0;
		peek->nbytes = 0;
		return near;
	}
	peek->handle = found.handle;
	peek->cas = READ_ONCE(item->cas);
	peek->nbytes = READ_ONCE(item->nbytes);
	peek->client_flags = READ_ONCE(item->client_flags);
	peek->exptime = READ_ONCE(item->exptime);
	peek->seen = READ_ONCE(item->seen);
	peek->class = READ_ONCE(item->class);
	peek->flags = READ_ONCE(item->flags);
	peek->miss = kmc_expiry_verdict(&store->expiry, READ_ONCE(item->generation), peek->exptime, peek->now);
	/* kmc_find() compared that many bytes within the chunk. */
	if (peek->nbytes <= KMC_COPY_MAX && peek->nbytes <= found.size - (u32)sizeof(*item) - key->len &&
	    !(peek->flags & KMC_ITEM_CHUNKED))
		peek->value = item->data + key->len;
	return true;
}

/* What was found is dead: take it out, and say so once. */
static noinline void kmc_peek_bury(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	u32 handle;

	spin_lock(&stripe->lock);
	if (!kmc_item_seek(store, key, &handle, &peek->miss)) {
		peek->item = NULL;
		peek->value = NULL;
	} else {
		kmc_peek_look(store, key, U32_MAX, peek);
		peek->sequence = read_seqcount_begin(&stripe->sequence);
	}
	spin_unlock(&stripe->lock);
}

/* Writers come too thick, or the chain is too long: look while they cannot. */
static noinline void kmc_peek_insist(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);

	spin_lock(&stripe->lock);
	peek->sequence = read_seqcount_begin(&stripe->sequence);
	kmc_peek_look(store, key, U32_MAX, peek);
	spin_unlock(&stripe->lock);
}

static __always_inline void kmc_peek_try(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	u32 tries;

	kmc_assert_bh_off();
	for (tries = 0; tries < KMC_PEEK_TRIES; tries++) {
		peek->sequence = read_seqcount_begin(&stripe->sequence);
		if (likely(kmc_peek_look(store, key, KMC_HOPS_MAX, peek) &&
			   !read_seqcount_retry(&stripe->sequence, peek->sequence)))
			break;
	}
	if (unlikely(tries == KMC_PEEK_TRIES))
		kmc_peek_insist(store, key, peek);
	if (unlikely(peek->item && peek->miss != KMC_MISS_NONE))
		kmc_peek_bury(store, key, peek);
}

/*
 * How nearly all lookups end: the first slot whose tag fits has the item, and it lives. Nothing is asked of the
 * sequence count yet. false: look closer.
 */
static __always_inline bool kmc_peek_glance(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	const struct kmc_bucket *bucket = kmc_place(&store->index, key->hash).bucket;
	u64 match = kmc_word_match(READ_ONCE(bucket->tags_low), kmc_tag(key->hash));
	struct kmc_found found;
	struct kmc_item *item;

	if (unlikely(!match))
		return false;
	found.handle = READ_ONCE(bucket->handle[__ffs64(match) / 8]);
	item = kmc_chunk_at(&store->slab, found.handle, &found.size);
	found.item = item;
	if (unlikely(!kmc_item_is(found, key)))
		return false;
	peek->exptime = READ_ONCE(item->exptime);
	if (unlikely(kmc_expiry_verdict(&store->expiry, READ_ONCE(item->generation), peek->exptime, peek->now) !=
		     KMC_MISS_NONE))
		return false;
	peek->item = item;
	peek->handle = found.handle;
	peek->cas = READ_ONCE(item->cas);
	peek->nbytes = READ_ONCE(item->nbytes);
	peek->client_flags = READ_ONCE(item->client_flags);
	peek->seen = READ_ONCE(item->seen);
	peek->class = READ_ONCE(item->class);
	peek->flags = READ_ONCE(item->flags);
	peek->miss = KMC_MISS_NONE;
	peek->value = NULL;
	if (likely(peek->nbytes <= KMC_COPY_MAX && peek->nbytes <= found.size - (u32)sizeof(*item) - key->len &&
		   !(peek->flags & KMC_ITEM_CHUNKED)))
		peek->value = item->data + key->len;
	return true;
}

void kmc_peek_begin(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	peek->now = kmc_expiry_now(&store->expiry);
	kmc_peek_try(store, key, peek);
}

void kmc_peek_key(struct kmc_store *store, struct kmc_key *key, struct kmc_peek *peek)
{
	kmc_assert_bh_off();
	key->hash = kmc_siphash13(&store->index.key, key->data, key->len);
	peek->sequence = read_seqcount_begin(&kmc_stripe(&store->index, key->hash)->sequence);
	if (unlikely(!kmc_peek_glance(store, key, peek)))
		kmc_peek_try(store, key, peek);
}

bool kmc_peek_valid(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	return !read_seqcount_retry(&kmc_stripe(&store->index, key->hash)->sequence, peek->sequence);
}

void kmc_peek_touch(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	/* Nothing that it would change: the most frequent case, for items that are used much. */
	if (peek->seen == ((peek->now & KMC_SEEN_TIME) | KMC_SEEN_FETCHED | KMC_SEEN_ACTIVE))
		return;
	kmc_lru_access_at(store, (struct kmc_item *)peek->item, peek->handle, key->hash,
			  peek->class >> KMC_ITEM_SEGMENT, true, peek->now);
}

bool kmc_peek_done(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	if (unlikely(!kmc_peek_valid(store, key, peek)))
		return false;
	kmc_peek_touch(store, key, peek);
	return true;
}
