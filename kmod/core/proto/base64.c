// SPDX-License-Identifier: GPL-2.0
#include "base64.h"

#define KMC_BASE64_NONE	64

static u32 kmc_base64_value(u8 c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '/')
		return c == '+' ? 62 : 63;
	return c == '=' ? 0 : KMC_BASE64_NONE;
}

/*
 * The next four characters with a meaning, each read once: their sender may change them meanwhile (splice).
 * Return: behind them, or NULL: there are none.
 */
static const u8 *kmc_base64_group(const u8 *at, const u8 *end, u32 *bits, u32 *pads)
{
	u32 value, n = 0;

	*bits = 0;
	*pads = 0;
	while (n < 4) {
		u8 c;

		if (at == end)
			return NULL;
		c = READ_ONCE(*at++);
		value = kmc_base64_value(c);
		if (value != KMC_BASE64_NONE) {
			*bits = *bits << 6 | value;
			*pads += c == '=';
			n++;
		}
	}
	return at;
}

/* Whether there are some groups of four, and nothing beside. */
static bool kmc_base64_whole(const u8 *text, u32 len)
{
	u32 i, n = 0;

	for (i = 0; i < len; i++)
		n += kmc_base64_value(text[i]) != KMC_BASE64_NONE;
	return n && n % 4 == 0;
}

u32 kmc_base64_decode(u8 *at, const u8 *text, u32 len)
{
	const u8 *end = text + len;
	u32 bits, pads = 0;
	u8 *to = at;

	if (!kmc_base64_whole(text, len))
		return 0;
	while (!pads && (text = kmc_base64_group(text, end, &bits, &pads))) {
		if (pads > 2)
			return 0;
		*to++ = (u8)(bits >> 16);
		if (pads < 2)
			*to++ = (u8)(bits >> 8);
		if (pads < 1)
			*to++ = (u8)bits;
	}
	return (u32)(to - at);
}

u32 kmc_base64_encode(u8 *at, const u8 *data, u32 len)
{
	static const u8 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	u8 *to = at;
	u32 i;

	for (i = 0; i < len; i += 3) {
		u32 left = len - i;
		u32 bits = data[i] << 16 | (left > 1 ? data[i + 1] << 8 : 0) | (left > 2 ? data[i + 2] : 0);

		*to++ = digits[bits >> 18];
		*to++ = digits[bits >> 12 & 63];
		*to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[bits & 63] : '=';
	}
	return (u32)(to - at);
}
