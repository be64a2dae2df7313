// SPDX-License-Identifier: GPL-2.0
/* Written from the paper: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", section 2. */
#include "sim.h"

static u64 random_state;

struct state {
	u64 v0, v1, v2, v3;
};

static void rounds(struct state *s, int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rol64(s->v1, 13) ^ s->v0;
		s->v3 = rol64(s->v3, 16) ^ s->v2;
		s->v0 = rol64(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rol64(s->v1, 17) ^ s->v2;
		s->v3 = rol64(s->v3, 21) ^ s->v0;
		s->v2 = rol64(s->v2, 32);
	}
}

static void absorb(struct state *s, u64 word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

u64 siphash(const void *data, size_t len, const siphash_key_t *key)
{
	struct state s = {
		key->key[0] ^ 0x736f6d6570736575ULL, key->key[1] ^ 0x646f72616e646f6dULL,
		key->key[0] ^ 0x6c7967656e657261ULL, key->key[1] ^ 0x7465646279746573ULL,
	};
	const u8 *p = data;
	u64 word;
	size_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, p + i, 8);
		absorb(&s, word);
	}
	word = (u64)len << 56;
	for (size_t j = 0; i + j < len; j++)
		word |= (u64)p[i + j] << (8 * j);
	absorb(&s, word);
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void kmc_sim_random_seed(u64 seed)
{
	WRITE_ONCE(random_state, seed);
}

void get_random_bytes(void *buf, size_t len)
{
	static const siphash_key_t key = { { 0x6b6d656d, 0x63616368 } };
	u8 *p = buf;

	while (len) {
		u64 n = __atomic_fetch_add(&random_state, 1, __ATOMIC_RELAXED);
		u64 word = siphash(&n, sizeof(n), &key);
		size_t some = min(len, sizeof(word));

		memcpy(p, &word, some);
		p += some;
		len -= some;
	}
}
