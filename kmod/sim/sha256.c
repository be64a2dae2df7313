// SPDX-License-Identifier: GPL-2.0
#include "sha256.h"
#include "sim.h"

#define BLOCK	64

/* FIPS 180-4, 4.2.2: of the cube roots of the first 64 primes; 5.3.3: of the square roots of the first 8. */
static const u32 constants[BLOCK] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static const u32 beginning[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static u32 turned(u32 x, int n)
{
	return x >> n | x << (32 - n);
}

/* FIPS 180-4, 6.2.2 */
static void block(u32 state[8], const u8 *data)
{
	u32 w[BLOCK], v[8], one, two;
	int i;

	for (i = 0; i < 16; i++)
		w[i] = (u32)data[4 * i] << 24 | (u32)data[4 * i + 1] << 16 | (u32)data[4 * i + 2] << 8 | data[4 * i + 3];
	for (; i < BLOCK; i++)
		w[i] = (turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ w[i - 2] >> 10) + w[i - 7] +
		       (turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 16];
	memcpy(v, state, sizeof(v));
	for (i = 0; i < BLOCK; i++) {
		one = v[7] + (turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25)) +
		      ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[i] + w[i];
		two = (turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22)) +
		      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += one;
		v[0] = one + two;
	}
	for (i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256(const u8 *data, unsigned int len, u8 *digest)
{
	u64 bits = (u64)len * 8;
	u8 end[2 * BLOCK] = { 0 };
	size_t rest = len % BLOCK, total = rest + 9 > BLOCK ? 2 * BLOCK : BLOCK, i;
	u32 state[8];

	memcpy(state, beginning, sizeof(state));
	for (i = 0; i + BLOCK <= len; i += BLOCK)
		block(state, data + i);
	if (rest)
		memcpy(end, data + i, rest);
	end[rest] = 0x80;
	for (i = 0; i < 8; i++)
		end[total - 1 - i] = (u8)(bits >> 8 * i);
	for (i = 0; i < total; i += BLOCK)
		block(state, end + i);
	for (i = 0; i < SHA256_DIGEST_SIZE; i++)
		digest[i] = (u8)(state[i / 4] >> (24 - 8 * (i % 4)));
}

static u64 comparisons;

u64 kmc_sim_comparisons(void)
{
	return __atomic_load_n(&comparisons, __ATOMIC_RELAXED);
}

unsigned long crypto_memneq(const void *a, const void *b, size_t len)
{
	const volatile u8 *x = a, *y = b;
	unsigned long differs = 0;

	__atomic_fetch_add(&comparisons, 1, __ATOMIC_RELAXED);
	while (len--)
		differs |= *x++ ^ *y++;
	return differs;
}
