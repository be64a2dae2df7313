/* SPDX-License-Identifier: GPL-2.0 */
/* SipHash-2-4 (Aumasson and Bernstein, 2012), by the names of linux/siphash.h; random numbers that a
 * test can repeat.
 */
#ifndef KMC_SIM_SIPHASH_H
#define KMC_SIM_SIPHASH_H

#include "types.h"

typedef struct {
	u64 key[2];
} siphash_key_t;

u64 siphash(const void *data, size_t len, const siphash_key_t *key);
void get_random_bytes(void *buf, size_t len);

#endif
