/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may come in. A table of digests, made by whoever knows names and passwords; here is neither of them.
 * How a digest is made is part of the contract (kmemcache.h, KMC_CMD_AUTH).
 *
 * A check does the same work whether there is such a user or not: one digest, of fixed cost but for the length of
 * what the client itself has sent, then a comparison with each of the table's, to the last one and in constant time.
 *
 * Lifetimes: a table is the core's once it was given to kmc_auth_replace(); checks look at it under RCU, and
 * whoever replaces it waits for them before it is wiped and freed.
 */
#ifndef KMC_AUTH_H
#define KMC_AUTH_H

#include "core.h"
#include "../include/uapi/linux/kmemcache.h"

/**
 * struct kmc_auth_table - fixed once it is published
 * @rounds: 1 to KMC_AUTH_ROUNDS_MAX
 * @count: of @digests, 0 to KMC_AUTH_USERS_MAX
 */
struct kmc_auth_table {
	u32 rounds;
	u32 count;
	u8 salt[KMC_AUTH_SALT_LEN];
	u8 digests[][KMC_AUTH_DIGEST_LEN];
};

/* Process context. Limits are the caller's business. @digests: @count of them. Return: a table, or NULL. */
struct kmc_auth_table *kmc_auth_table_create(const u8 *salt, u32 rounds, const void *digests, u32 count);

/* NULL is fine. */
void kmc_auth_table_free(struct kmc_auth_table *table);

/**
 * kmc_auth_replace - from now on this table counts
 * @table: becomes the core's; NULL: nobody may come in
 *
 * Process context, BH on; waits for a grace period. Any number of callers at once.
 */
void kmc_auth_replace(struct kmc_core *core, struct kmc_auth_table *table);

/* Make the digest that a table with this salt has for a user. Any context. */
void kmc_auth_digest(u8 digest[KMC_AUTH_DIGEST_LEN], const u8 *salt, u32 rounds, const u8 *user, u32 nuser,
		     const u8 *password, u32 npassword);

/* Whether somebody of this name and password may come in. BH off; bounded by KMC_AUTH_ROUNDS_MAX. */
bool kmc_auth_check(struct kmc_core *core, const u8 *user, u32 nuser, const u8 *password, u32 npassword);

#endif
