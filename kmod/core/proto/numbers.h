/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers in text, both ways. Nothing here needs a terminated string: every text has an explicit end.
 */
#ifndef KMC_NUMBERS_H
#define KMC_NUMBERS_H

#include "../kernel.h"

#define KMC_U64_DIGITS	20	/* of the largest u64 */

/*
 * Strict: the whole text is digits, the signed ones with at most one '-' in front. Leading zeros
 * count as characters: 32-bit numbers take 11, 64-bit numbers 22 (so 1.6.45 limits them). A '-' alone
 * is 0, as memcached 1.6.45 has it. An empty text is 0.
 * Return: false when the text is no such number or out of range; @value is not touched then.
 */
bool kmc_parse_u32(const u8 *text, size_t len, u32 *value);
bool kmc_parse_u64(const u8 *text, size_t len, u64 *value);
bool kmc_parse_s32(const u8 *text, size_t len, s32 *value);
bool kmc_parse_s64(const u8 *text, size_t len, s64 *value);

/*
 * Loose: as strtoul() and strtol() of a 64-bit C library read, which is how 1.6.45 still reads client
 * flags and the exptime of storage commands. White space, then a sign, then digits, then white space, a
 * zero byte, or the end of the text; cut to 32 bits. "-1" is no unsigned number, but -(2^64 - 1) is 1.
 * @text: goes to the end of the line, not of the token: leading white space may be a tab and then a blank
 */
bool kmc_parse_loose_u32(const u8 *text, size_t len, u32 *value);
bool kmc_parse_loose_s32(const u8 *text, size_t len, s32 *value);

/*
 * A fraction, "0.8", "2", ".5", in millionths; what is above 4294 or has more digits is cut, and what is
 * below 0 is 0. false: it is none.
 */
bool kmc_parse_millionths(const u8 *text, size_t len, u32 *value);

u32 kmc_put_large(u8 *at, u64 value);

/* Decimal digits of @value to @at, up to KMC_U64_DIGITS. Return: how many. */
static inline u32 kmc_put_u64(u8 *at, u64 value)
{
	if (value < 10) {
		at[0] = '0' + (u8)value;
		return 1;
	}
	if (value < 100) {
		at[0] = '0' + (u8)((u32)value / 10);
		at[1] = '0' + (u8)((u32)value % 10);
		return 2;
	}
	return kmc_put_large(at, value);
}

#endif
