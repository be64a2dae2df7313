/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Client bytes in lines that a person reads: percent-encoding, as memcached's logs and metadump have it
 * (RFC 3986, "unreserved" stays, two upper case digits for all else).
 */
#ifndef KMC_PERCENT_H
#define KMC_PERCENT_H

#include "kernel.h"

/* Bytes that @len bytes can become. */
#define KMC_PERCENT_BYTES(len) (3 * (len))

/* @len bytes of @from to @to, KMC_PERCENT_BYTES(@len) of room. Return: bytes written. */
u32 kmc_percent_encode(u8 *to, const u8 *from, u32 len);

#endif
