// SPDX-License-Identifier: GPL-2.0
#include "auth.h"

struct kmc_auth_table *kmc_auth_table_create(const u8 *salt, u32 rounds, const void *digests, u32 count)
{
	struct kmc_auth_table *table = kzalloc(struct_size(table, digests, count), KMC_GFP);

	if (!table)
		return NULL;
	table->rounds = rounds;
	table->count = count;
	memcpy(table->salt, salt, sizeof(table->salt));
	if (count)
		memcpy(table->digests, digests, (size_t)count * KMC_AUTH_DIGEST_LEN);
	return table;
}

void kmc_auth_table_free(struct kmc_auth_table *table)
{
	kfree_sensitive(table);
}

void kmc_auth_replace(struct kmc_core *core, struct kmc_auth_table *table)
{
	struct kmc_auth_table *old;

	kmc_assert_process();
	spin_lock_bh(&core->auth_lock);
	old = rcu_dereference_protected(core->auth, lockdep_is_held(&core->auth_lock));
	rcu_assign_pointer(core->auth, table);
	spin_unlock_bh(&core->auth_lock);
	if (!old)
		return;
	synchronize_rcu();
	kmc_auth_table_free(old);
}

void kmc_auth_digest(u8 digest[KMC_AUTH_DIGEST_LEN], const u8 *salt, u32 rounds, const u8 *user, u32 nuser,
		     const u8 *password, u32 npassword)
{
	u8 block[KMC_AUTH_SALT_LEN + 2 * KMC_AUTH_DIGEST_LEN];
	u32 i;

	BUILD_BUG_ON(KMC_AUTH_DIGEST_LEN != SHA256_DIGEST_SIZE);
	memcpy(block, salt, KMC_AUTH_SALT_LEN);
	sha256(user, nuser, block + KMC_AUTH_SALT_LEN);
	sha256(password, npassword, block + KMC_AUTH_SALT_LEN + KMC_AUTH_DIGEST_LEN);
	sha256(block, sizeof(block), digest);
	memcpy(block + KMC_AUTH_DIGEST_LEN, salt, KMC_AUTH_SALT_LEN);
	for (i = 0; i < rounds; i++) {
		memcpy(block, digest, KMC_AUTH_DIGEST_LEN);
		sha256(block, KMC_AUTH_DIGEST_LEN + KMC_AUTH_SALT_LEN, digest);
	}
	memzero_explicit(block, sizeof(block));
}

bool kmc_auth_check(struct kmc_core *core, const u8 *user, u32 nuser, const u8 *password, u32 npassword)
{
	const struct kmc_auth_table *table;
	u8 digest[KMC_AUTH_DIGEST_LEN];
	unsigned int known = 0;
	u32 i;

	kmc_assert_bh_off();
	rcu_read_lock();
	table = rcu_dereference(core->auth);
	if (table) {
		kmc_auth_digest(digest, table->salt, table->rounds, user, nuser, password, npassword);
		for (i = 0; i < table->count; i++)
			known |= !crypto_memneq(digest, table->digests[i], sizeof(digest));
		memzero_explicit(digest, sizeof(digest));
	}
	rcu_read_unlock();
	return known;
}
