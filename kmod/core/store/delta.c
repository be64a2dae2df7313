// SPDX-License-Identifier: GPL-2.0
/* incr and decr. What counts as a number is what memcached's safe_strtoull() takes for one. */
#include "state.h"

static bool kmc_space(u8 c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Space, a sign, digits, and then the end, or space or a zero byte and whatever. A minus is for a number that is still
 * below 2^63 after its sign was applied in 64 bits, which is odd, but theirs.
 */
static bool kmc_number(const u8 *text, u32 len, u64 *number)
{
	bool minus = false;
	u64 value = 0;
	u32 i = 0, digits;

	while (i < len && kmc_space(text[i]))
		i++;
	if (i < len && (text[i] == '-' || text[i] == '+'))
		minus = text[i++] == '-';
	for (digits = i; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		if (check_mul_overflow(value, 10ULL, &value) ||
		    check_add_overflow(value, (u64)(text[i] - '0'), &value))
			return false;
	if (i == digits || (i < len && text[i] && !kmc_space(text[i])))
		return false;
	if (minus)
		value = -value;
	if (minus && (s64)value < 0)
		return false;
	*number = value;
	return true;
}

static bool kmc_delta_apply(struct kmc_delta *delta, const struct kmc_item *item)
{
	u64 number;

	delta->work += item->nbytes;
	if (!kmc_number(item->data + item->nkey, item->nbytes, &number))
		return false;
	if (!delta->decrement)
		number += delta->delta;	/* wraps: protocol.txt, "Increment/Decrement" */
	else
		number -= min(number, delta->delta);
	delta->value = number;
	delta->class = kmc_item_class(item);
	delta->exptime = item->exptime;
	delta->len = (u32)scnprintf(delta->text, sizeof(delta->text), "%llu", (unsigned long long)number);
	return true;
}

/* The number, and spaces up to the item's end. */
static void kmc_delta_write(struct kmc_item *item, const struct kmc_delta *delta)
{
	u8 *value = kmc_item_value(item);

	memcpy(value, delta->text, delta->len);
	memset(value + delta->len, ' ', item->nbytes - delta->len);
}

/* Over the old digits; the length stays. Stripe lock. */
static void kmc_delta_overwrite(struct kmc_store *store, const struct kmc_key *key, struct kmc_item *item,
				u32 handle, struct kmc_delta *delta)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	/* So long a value is read by none but who holds the item (struct kmc_peek): nobody waits for all its spaces. */
	const bool apart = item->nbytes > KMC_COPY_MAX;

	delta->cas_out = kmc_cas_for(store, &delta->change);
	if (apart)
		kmc_delta_write(item, delta);
	write_seqcount_begin(&stripe->sequence);
	if (!apart)
		kmc_delta_write(item, delta);
	WRITE_ONCE(item->cas, delta->cas_out);
	if (delta->change.with_deadline)
		WRITE_ONCE(item->exptime, delta->change.deadline);
	write_seqcount_end(&stripe->sequence);
	kmc_expiry_note(&store->expiry, item->exptime);
	kmc_lru_access(store, item, handle, key->hash, kmc_item_segment(item), false);
}

/*
 * Anew: the number has outgrown the item, or somebody holds that. Who holds it may be a reply, but also the page mover;
 * so that no client can tell, a number that would have fitted leaves everything as if it had been written in place.
 */
static enum kmc_store_status kmc_delta_renew(struct kmc_store *store, const struct kmc_key *key,
					     struct kmc_item *old, struct kmc_delta *delta, bool *tried)
{
	bool fits = delta->len <= old->nbytes;
	struct kmc_swap swap = { .old = old, .change = &delta->change, .as_old = fits };
	enum kmc_store_status status;
	struct kmc_item *item;

	item = kmc_item_alloc(store, key, old->client_flags, READ_ONCE(old->exptime),
			      fits ? old->nbytes : delta->len);
	if (IS_ERR(item))
		return kmc_store_error(PTR_ERR(item));
	kmc_delta_write(item, delta);
	swap.item = item;
	status = kmc_item_swap(store, key, &swap);
	*tried = status == KMC_AGAIN;
	delta->cas_out = swap.cas_out;
	kmc_item_put(store, item);
	return status;
}

static enum kmc_store_status kmc_delta_once(struct kmc_store *store, const struct kmc_key *key,
					    struct kmc_delta *delta, bool *tried)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, key->hash);
	enum kmc_store_status status = KMC_STORED;
	struct kmc_item *item;
	enum kmc_miss miss;
	bool renew = false;
	u32 handle;

	spin_lock(&stripe->lock);
	item = kmc_item_find(store, key, &handle, &miss);
	if (!item) {
		status = KMC_NOT_FOUND;
	} else if (!item->nbytes || kmc_item_chunked(item)) {	/* before the CAS value, as memcached */
		status = KMC_NON_NUMERIC;
	} else if (delta->cas && delta->cas != item->cas) {
		status = KMC_EXISTS;
	} else if (!kmc_delta_apply(delta, item)) {
		status = KMC_NON_NUMERIC;
	} else if (delta->len <= item->nbytes && refcount_read(&item->ref) == 1) {
		kmc_delta_overwrite(store, key, item, handle, delta);
	} else {
		refcount_inc(&item->ref);
		renew = true;
	}
	spin_unlock(&stripe->lock);
	if (renew) {
		status = kmc_delta_renew(store, key, item, delta, tried);
		kmc_item_put(store, item);
	}
	return status;
}

enum kmc_store_status kmc_store_delta(struct kmc_store *store, const struct kmc_key *key,
				      struct kmc_delta *delta)
{
	enum kmc_store_status status;
	u32 tries = 0;
	bool tried;

	kmc_assert_bh_off();
	do {
		tried = false;
		status = kmc_delta_once(store, key, delta, &tried);
	} while (tried && ++tries < KMC_SWAPS_MAX);
	return status;
}
