// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "core/proto/numbers.h"

/* What each parser makes of a text: its number, or NO. */
#define NO S64_MIN

struct number {
	const char *text;
	s64 u32_, s32_, loose_u32, loose_s32;
};

static const struct number numbers[] = {
	{ "0", 0, 0, 0, 0 },
	{ "00000000007", 7, 7, 7, 7 },
	{ "000000000007", NO, NO, 7, 7 },
	{ "2147483647", 2147483647, 2147483647, 2147483647, 2147483647 },
	{ "2147483648", 2147483648, NO, 2147483648, -2147483648LL },
	{ "4294967295", 4294967295, NO, 4294967295, -1 },
	{ "4294967296", NO, NO, 0, 0 },
	{ "-2147483648", NO, -2147483648LL, NO, -2147483648LL },
	{ "-2147483649", NO, NO, NO, 2147483647 },
	{ "-1", NO, -1, NO, -1 },
	{ "-", NO, 0, NO, NO },
	{ "", 0, 0, NO, NO },
	{ "--1", NO, NO, NO, NO },
	{ "+1", NO, NO, 1, 1 },
	{ "1x", NO, NO, NO, NO },
	{ "x1", NO, NO, NO, NO },
	{ "1.5", NO, NO, NO, NO },
	{ "0x10", NO, NO, NO, NO },
	{ "1 2", NO, NO, 1, 1 },
	{ "1\t", NO, NO, 1, 1 },
	{ "\t 5 6", NO, NO, 5, 5 },
	{ "- 5", NO, NO, NO, NO },
	{ "9223372036854775807", NO, NO, 4294967295, -1 },
	{ "9223372036854775808", NO, NO, 0, NO },
	{ "-9223372036854775808", NO, NO, NO, 0 },
	{ "-9223372036854775809", NO, NO, 4294967295, NO },
	{ "18446744073709551615", NO, NO, 4294967295, NO },
	{ "18446744073709551616", NO, NO, NO, NO },
	{ "-18446744073709551615", NO, NO, 1, NO },
	{ "\xb1", NO, NO, NO, NO },
	{ "/", NO, NO, NO, NO },
	{ ":", NO, NO, NO, NO },
};

static s64 number_u32(bool (*parse)(const u8 *, size_t, u32 *), const char *text)
{
	u32 value = 0;

	return parse((const u8 *)text, strlen(text), &value) ? (s64)value : NO;
}

static s64 number_s32(bool (*parse)(const u8 *, size_t, s32 *), const char *text)
{
	s32 value = 0;

	return parse((const u8 *)text, strlen(text), &value) ? (s64)value : NO;
}

static void test_u64(const char *text, bool valid, u64 wanted)
{
	u64 value = 42;

	tap_ok(kmc_parse_u64((const u8 *)text, strlen(text), &value) == valid &&
	       value == (valid ? wanted : 42), "u64 \"%s\"", text);
}

static void test_s64(const char *text, bool valid, s64 wanted)
{
	s64 value = 42;

	tap_ok(kmc_parse_s64((const u8 *)text, strlen(text), &value) == valid &&
	       value == (valid ? wanted : 42), "s64 \"%s\"", text);
}

static void test_put(u64 value)
{
	char wanted[32];
	u8 got[KMC_U64_DIGITS];
	int len = snprintf(wanted, sizeof(wanted), "%llu", value);

	tap_bytes(got, kmc_put_u64(got, value), wanted, len, "digits of %llu", value);
}

void test_numbers(void)
{
	u64 power;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct number *n = &numbers[i];

		tap_ok(number_u32(kmc_parse_u32, n->text) == n->u32_, "u32 %zu", i);
		tap_ok(number_s32(kmc_parse_s32, n->text) == n->s32_, "s32 %zu", i);
		tap_ok(number_u32(kmc_parse_loose_u32, n->text) == n->loose_u32, "loose u32 %zu", i);
		tap_ok(number_s32(kmc_parse_loose_s32, n->text) == n->loose_s32, "loose s32 %zu", i);
	}
	tap_ok(kmc_parse_loose_u32((const u8 *)"7\0x", 3, &(u32){ 0 }), "a zero byte ends a loose number");
	test_u64("18446744073709551615", true, U64_MAX);
	test_u64("0018446744073709551615", true, U64_MAX);
	test_u64("00018446744073709551615", false, 0);
	test_u64("18446744073709551616", false, 0);
	test_u64("28446744073709551615", false, 0);
	test_u64("-1", false, 0);
	test_s64("9223372036854775807", true, S64_MAX);
	test_s64("9223372036854775808", false, 0);
	test_s64("-9223372036854775808", true, S64_MIN);
	test_s64("-9223372036854775809", false, 0);
	for (power = 1; power <= U64_MAX / 10; power *= 10) {
		test_put(power);
		test_put(power - 1);
	}
	test_put(U64_MAX);
}
