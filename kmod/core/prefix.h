/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting by key prefix: "stats detail" (protocol.txt knows it by name only; 1.6.45, stats_prefix.c).
 *
 * A prefix is what stands before the delimiter in a key; keys without one are not counted. Prefixes are
 * made as they come, out of memory that may be had with BH off, and no more than KMC_PREFIXES_MAX of them:
 * the clients choose their names. Those that come later are not counted.
 *
 * "stats reset" ends an age: prefixes of another one count for nothing, and make room when their bucket
 * gets a new one.
 *
 * Locking: one lock, innermost, BH off.
 */
#ifndef KMC_PREFIX_H
#define KMC_PREFIX_H

#include "kernel.h"

struct kmc_core;

#define KMC_PREFIXES_MAX	65536	/* of one age: 1.6.45, MAX_PREFIX_COUNT */
#define KMC_PREFIX_BUCKETS	1024

enum kmc_prefix_count {
	KMC_PREFIX_GET,
	KMC_PREFIX_HIT,
	KMC_PREFIX_SET,
	KMC_PREFIX_DELETE,
	KMC_PREFIX_COUNTS
};

struct kmc_prefix {
	struct kmc_prefix *next;
	u64 count[KMC_PREFIX_COUNTS];
	u32 age;
	u8 len;
	u8 name[];
};

/* A copy to be shown. */
struct kmc_prefix_row {
	u64 count[KMC_PREFIX_COUNTS];
	u32 len;
	u8 name[U8_MAX];
};

/**
 * struct kmc_prefixes - all of a cache
 * @lock: protects the rest but @buckets itself
 * @key: of the hash; fixed
 * @age: number of resets; @count: prefixes of this age
 * @buckets: KMC_PREFIX_BUCKETS of them; a new prefix comes to the end of its chain
 */
struct kmc_prefixes {
	spinlock_t lock;
	siphash_key_t key;
	u32 age;
	u32 count;
	struct kmc_prefix **buckets;
};

/* Process context. 0 or -ENOMEM. */
int kmc_prefixes_init(struct kmc_prefixes *prefixes);
void kmc_prefixes_exit(struct kmc_prefixes *prefixes);

/* BH off. The caller has asked whether detailed statistics are on. @hit: of KMC_PREFIX_GET */
void kmc_prefix_add(struct kmc_core *core, const u8 *key, u32 nkey, enum kmc_prefix_count what, bool hit);

/* Count the key, if that is wanted. */
#define kmc_prefix_note(core, key, nkey, what, hit) \
	do { \
		if (unlikely(READ_ONCE((core)->settings.stats_detail))) \
			kmc_prefix_add(core, key, nkey, what, hit); \
	} while (0)

void kmc_prefixes_reset(struct kmc_prefixes *prefixes);

/**
 * kmc_prefix_next - the next prefix of a listing
 * @at: where it stands, 0 at first
 * BH off. Return: false: there are no more. The listing may be left and taken up again at any time.
 */
bool kmc_prefix_next(struct kmc_prefixes *prefixes, u32 *at, struct kmc_prefix_row *row);

#endif
