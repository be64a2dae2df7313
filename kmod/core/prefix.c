// SPDX-License-Identifier: GPL-2.0
#include "core.h"

/* A place in a listing: bucket, and place in its chain. */
#define KMC_PLACE_BITS	20

int kmc_prefixes_init(struct kmc_prefixes *prefixes)
{
	spin_lock_init(&prefixes->lock);
	get_random_bytes(&prefixes->key, sizeof(prefixes->key));
	prefixes->buckets = kvcalloc(KMC_PREFIX_BUCKETS, sizeof(*prefixes->buckets), KMC_GFP);
	return prefixes->buckets ? 0 : -ENOMEM;
}

void kmc_prefixes_exit(struct kmc_prefixes *prefixes)
{
	struct kmc_prefix *prefix, *next;
	u32 i;

	for (i = 0; i < KMC_PREFIX_BUCKETS; i++) {
		for (prefix = prefixes->buckets[i]; prefix; prefix = next) {
			next = prefix->next;
			kfree(prefix);
		}
		cond_resched();
	}
	kvfree(prefixes->buckets);
	prefixes->buckets = NULL;
}

/* What stands before the delimiter. A zero byte before it makes the key one without prefix, as in 1.6.45. */
static bool kmc_prefix_len(const u8 *key, u32 nkey, u8 delimiter, u32 *len)
{
	const u8 *end = memchr(key, delimiter, nkey);

	if (!end || memchr(key, 0, end - key))
		return false;
	*len = (u32)(end - key);
	return true;
}

static struct kmc_prefix *kmc_prefix_create(struct kmc_prefixes *prefixes, const u8 *name, u32 len)
{
	struct kmc_prefix *prefix;

	if (prefixes->count == KMC_PREFIXES_MAX)
		return NULL;
	prefix = kzalloc(struct_size(prefix, name, len), KMC_GFP_ATOMIC);
	if (!prefix)
		return NULL;
	prefix->age = prefixes->age;
	prefix->len = len;
	memcpy(prefix->name, name, len);
	prefixes->count++;
	return prefix;
}

/* The prefix of this name, made if need be, or NULL. Those of former ages that are met are freed. */
static struct kmc_prefix *kmc_prefix_get(struct kmc_prefixes *prefixes, const u8 *name, u32 len)
{
	u64 hash = siphash(name, len, &prefixes->key);
	struct kmc_prefix **at = &prefixes->buckets[hash % KMC_PREFIX_BUCKETS];
	struct kmc_prefix *prefix;

	lockdep_assert_held(&prefixes->lock);
	while ((prefix = *at)) {
		if (prefix->age != prefixes->age) {
			*at = prefix->next;
			kfree(prefix);
			continue;
		}
		if (prefix->len == len && !memcmp(prefix->name, name, len))
			return prefix;
		at = &prefix->next;
	}
	*at = kmc_prefix_create(prefixes, name, len);
	return *at;
}

void kmc_prefix_add(struct kmc_core *core, const u8 *key, u32 nkey, enum kmc_prefix_count what, bool hit)
{
	struct kmc_prefixes *prefixes = &core->prefixes;
	struct kmc_prefix *prefix;
	u32 len;

	kmc_assert_bh_off();
	if (!kmc_prefix_len(key, nkey, core->settings.prefix_delim, &len))
		return;
	spin_lock(&prefixes->lock);
	prefix = kmc_prefix_get(prefixes, key, len);
	if (prefix) {
		prefix->count[what]++;
		prefix->count[KMC_PREFIX_HIT] += hit;
	}
	spin_unlock(&prefixes->lock);
}

void kmc_prefixes_reset(struct kmc_prefixes *prefixes)
{
	spin_lock_bh(&prefixes->lock);
	prefixes->age++;
	prefixes->count = 0;
	spin_unlock_bh(&prefixes->lock);
}

/* The one at place @nth of a chain, those of former ages left out, or NULL. */
static const struct kmc_prefix *kmc_prefix_nth(const struct kmc_prefixes *prefixes, u32 bucket, u32 nth)
{
	const struct kmc_prefix *prefix;

	for (prefix = prefixes->buckets[bucket]; prefix; prefix = prefix->next)
		if (prefix->age == prefixes->age && nth-- == 0)
			return prefix;
	return NULL;
}

bool kmc_prefix_next(struct kmc_prefixes *prefixes, u32 *at, struct kmc_prefix_row *row)
{
	u32 bucket = *at >> KMC_PLACE_BITS, nth = *at & ((1U << KMC_PLACE_BITS) - 1);
	const struct kmc_prefix *prefix = NULL;

	kmc_assert_bh_off();
	spin_lock(&prefixes->lock);
	for (; bucket < KMC_PREFIX_BUCKETS; bucket++, nth = 0) {
		prefix = kmc_prefix_nth(prefixes, bucket, nth);
		if (prefix)
			break;
	}
	if (prefix) {
		memcpy(row->count, prefix->count, sizeof(row->count));
		row->len = prefix->len;
		memcpy(row->name, prefix->name, prefix->len);
	}
	spin_unlock(&prefixes->lock);
	*at = (bucket << KMC_PLACE_BITS) + nth + 1;
	return prefix;
}
