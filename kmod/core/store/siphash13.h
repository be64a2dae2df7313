/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SipHash-1-3: one round for each word of input, three at the end, 64 bits of result (Aumasson and Bernstein,
 * "SipHash: a fast short-input PRF"). Whoever does not know the key cannot make keys collide: what hash
 * tables need, at half the rounds of the kernel's siphash(), whose hsiphash() has 32 bits only.
 */
#ifndef KMC_SIPHASH13_H
#define KMC_SIPHASH13_H

#include "../bytes.h"

struct kmc_sip {
	u64 a, b, c, d;
};

static __always_inline void kmc_sip_round(struct kmc_sip *v)
{
	v->a += v->b;
	v->c += v->d;
	v->b = rol64(v->b, 13) ^ v->a;
	v->d = rol64(v->d, 16) ^ v->c;
	v->a = rol64(v->a, 32) + v->d;
	v->c += v->b;
	v->d = rol64(v->d, 21) ^ v->a;
	v->b = rol64(v->b, 17) ^ v->c;
	v->c = rol64(v->c, 32);
}

static __always_inline void kmc_sip_word(struct kmc_sip *v, u64 word)
{
	v->d ^= word;
	kmc_sip_round(v);
	v->a ^= word;
}

/* The last word: what is left, and the length in the top byte. */
static __always_inline u64 kmc_sip_tail(const u8 *at, u32 len)
{
	u64 word = (u64)len << 56;
	u32 i;

	if (!(len % 8))
		return word;
	if (len > 8)	/* the last eight bytes, without those that are in the word before */
		return word | kmc_word(at + len % 8 - 8) >> (64 - len % 8 * 8);
	for (i = 0; i < len % 8; i++)
		word |= (u64)at[i] << 8 * i;
	return word;
}

static __always_inline u64 kmc_siphash13(const siphash_key_t *key, const u8 *data, u32 len)
{
	struct kmc_sip v = {
		.a = 0x736f6d6570736575ULL ^ key->key[0],
		.b = 0x646f72616e646f6dULL ^ key->key[1],
		.c = 0x6c7967656e657261ULL ^ key->key[0],
		.d = 0x7465646279746573ULL ^ key->key[1],
	};
	const u8 *at = data;
	u32 left;

	for (left = len; left >= 8; left -= 8, at += 8)
		kmc_sip_word(&v, kmc_word(at));
	kmc_sip_word(&v, kmc_sip_tail(at, len));
	v.c ^= 0xff;
	kmc_sip_round(&v);
	kmc_sip_round(&v);
	kmc_sip_round(&v);
	return v.a ^ v.b ^ v.c ^ v.d;
}

#endif
