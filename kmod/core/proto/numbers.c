// SPDX-License-Identifier: GPL-2.0
#include "numbers.h"

/* Characters that a strict number may have: enough for the longest, with some leading zeros. */
#define KMC_STRICT_32	11
#define KMC_STRICT_64	22

/* No number of so many digits is above any maximum in use. */
#define KMC_SURE_DIGITS	9

/* All of @text as digits, up to @max, which is at least S32_MAX. */
static bool kmc_digits(const u8 *text, size_t len, u64 max, u64 *value)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		u8 digit = text[i] - '0';

		if (digit > 9)
			return false;
		if (i >= KMC_SURE_DIGITS && sum > (max - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

bool kmc_parse_u32(const u8 *text, size_t len, u32 *value)
{
	u64 sum;

	if (len > KMC_STRICT_32 || !kmc_digits(text, len, U32_MAX, &sum))
		return false;
	*value = sum;
	return true;
}

bool kmc_parse_u64(const u8 *text, size_t len, u64 *value)
{
	return len <= KMC_STRICT_64 && kmc_digits(text, len, U64_MAX, value);
}

/* @max: of the positive side; the negative one has one more. */
static bool kmc_signed(const u8 *text, size_t len, u64 max, s64 *value)
{
	bool negative = len && text[0] == '-';
	u64 sum;

	if (!kmc_digits(text + negative, len - negative, max + negative, &sum))
		return false;
	*value = negative ? (s64)(0 - sum) : (s64)sum;
	return true;
}

bool kmc_parse_s32(const u8 *text, size_t len, s32 *value)
{
	s64 sum;

	if (len > KMC_STRICT_32 || !kmc_signed(text, len, S32_MAX, &sum))
		return false;
	*value = sum;
	return true;
}

bool kmc_parse_s64(const u8 *text, size_t len, s64 *value)
{
	return len <= KMC_STRICT_64 && kmc_signed(text, len, S64_MAX, value);
}

static bool kmc_blank(u8 c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The magnitude that strtoul() would find in @text, and whether a '-' stood before it. */
static bool kmc_loose(const u8 *text, size_t len, u64 *value, bool *negative)
{
	size_t from = 0, to;

	if (len > 1 && (u8)(text[0] - '0') <= 9 && text[1] == ' ') {	/* as nearly all are */
		*value = text[0] - '0';
		*negative = false;
		return true;
	}
	while (from < len && kmc_blank(text[from]))
		from++;
	*negative = from < len && text[from] == '-';
	if (from < len && (text[from] == '-' || text[from] == '+'))
		from++;
	for (to = from; to < len && text[to] >= '0' && text[to] <= '9'; to++)
		;
	if (to == from || (to < len && text[to] && !kmc_blank(text[to])))
		return false;
	return kmc_digits(text + from, to - from, U64_MAX, value);
}

bool kmc_parse_loose_u32(const u8 *text, size_t len, u32 *value)
{
	bool negative;
	u64 sum;

	if (!kmc_loose(text, len, &sum, &negative))
		return false;
	if (negative) {
		sum = 0 - sum;
		if ((s64)sum < 0)
			return false;
	}
	*value = (u32)sum;
	return true;
}

bool kmc_parse_loose_s32(const u8 *text, size_t len, s32 *value)
{
	bool negative;
	u64 sum;

	if (!kmc_loose(text, len, &sum, &negative) || sum > (u64)S64_MAX + negative)
		return false;
	*value = (s32)(u32)(negative ? 0 - sum : sum);
	return true;
}

bool kmc_parse_millionths(const u8 *text, size_t len, u32 *value)
{
	bool negative = len && text[0] == '-', point = false, any = false;
	u64 sum = 0;
	u32 unit = 1000000;
	size_t i;

	for (i = negative; i < len; i++) {
		u8 digit = text[i] - '0';

		if (text[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (digit > 9)
			return false;
		any = true;
		if (point)
			unit /= 10;
		sum = min_t(u64, point ? sum + digit * unit : sum * 10 + digit * 1000000ULL, U32_MAX);
	}
	if (any)
		*value = negative ? 0 : (u32)sum;
	return any;
}

u32 kmc_put_large(u8 *at, u64 value)
{
	u64 rest = value;
	u32 n = 1, i;

	while ((rest /= 10))
		n++;
	for (i = n; i--; value /= 10)
		at[i] = '0' + value % 10;
	return n;
}
