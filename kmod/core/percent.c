// SPDX-License-Identifier: GPL-2.0
#include "percent.h"

static bool kmc_percent_unreserved(u8 c)
{
	u8 letter = c | 0x20;

	return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

u32 kmc_percent_encode(u8 *to, const u8 *from, u32 len)
{
	static const char digits[] = "0123456789ABCDEF";
	u8 *at = to;
	u32 i;

	for (i = 0; i < len; i++) {
		if (kmc_percent_unreserved(from[i])) {
			*at++ = from[i];
			continue;
		}
		*at++ = '%';
		*at++ = digits[from[i] >> 4];
		*at++ = digits[from[i] & 15];
	}
	return (u32)(at - to);
}
