/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys in base64 (RFC 4648, section 4), as lenient as 1.6.45 reads them: bytes of no meaning are skipped,
 * and what stands behind a group that ends with '=' is ignored.
 */
#ifndef KMC_BASE64_H
#define KMC_BASE64_H

#include "../kernel.h"

/* Bytes that @len characters stand for at most, and characters for @len bytes. */
#define KMC_BASE64_BYTES(len)	((len) / 4 * 3)
#define KMC_BASE64_CHARS(len)	(((len) + 2) / 3 * 4)

/* To @at, which has room for KMC_BASE64_BYTES(@len). Return: how many bytes; 0: this is not base64. */
u32 kmc_base64_decode(u8 *at, const u8 *text, u32 len);

/* To @at, which has room for KMC_BASE64_CHARS(@len). Return: how many characters. */
u32 kmc_base64_encode(u8 *at, const u8 *data, u32 len);

#endif
