/* SPDX-License-Identifier: GPL-2.0 */
/* SHA-256 (FIPS 180-4) by the names of crypto/sha2.h, and the comparison that takes the same time for all. */
#ifndef KMC_SIM_SHA256_H
#define KMC_SIM_SHA256_H

#include "types.h"

#define SHA256_DIGEST_SIZE	32

void sha256(const u8 *data, unsigned int len, u8 *digest);
unsigned long crypto_memneq(const void *a, const void *b, size_t len);

#endif
