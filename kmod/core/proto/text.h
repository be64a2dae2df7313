/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text protocol (memcached's protocol.txt; what that leaves open is as 1.6.45 does it).
 */
#ifndef KMC_TEXT_H
#define KMC_TEXT_H

#include "numbers.h"
#include "protocol.h"
#include "../bytes.h"

#define KMC_TEXT_KEY_MAX	250	/* protocol.txt, "Keys" */

/* "VALUE <key> <flags> <bytes>", to @at. Return: behind it. */
static __always_inline u8 *kmc_text_put_hit(u8 *at, const u8 *key, u32 nkey, u32 client_flags, u32 nbytes)
{
	at = kmc_copy(at, (const u8 *)"VALUE ", 6);
	at = kmc_copy(at, key, nkey);
	*at++ = ' ';
	at += kmc_put_u64(at, client_flags);
	*at++ = ' ';
	return at + kmc_put_u64(at, nbytes);
}

/**
 * struct kmc_text_set - a set as nearly all are
 * @key: @nkey bytes of what was parsed
 */
struct kmc_text_set {
	const u8 *key;
	u32 nkey;
	u32 client_flags;
	u32 exptime;
	u32 nbytes;
	bool noreply;
};

/* Return: bytes of the line at @data; 0: it is another, or not all there. */
size_t kmc_text_read_set(const u8 *data, size_t len, struct kmc_text_set *set);

/* For text_auth.c, which speaks no other way. */
void kmc_text_answer(struct kmc_reply *reply, const struct kmc_request *req, enum kmc_answer answer);
size_t kmc_text_grab(const u8 *data, size_t have, const u8 *run, size_t len);

#endif
