/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes looked at and copied eight at a time. The kernel's own functions go byte by byte (memchr), or cost
 * more to call than a key or a short value takes to copy (memcpy, where it is a string instruction).
 *
 * Nothing is read or written outside of what the caller names.
 */
#ifndef KMC_BYTES_H
#define KMC_BYTES_H

#include "kernel.h"

#define KMC_BYTE_ONES		0x0101010101010101ULL
#define KMC_BYTE_TOPS		0x8080808080808080ULL
#define KMC_BYTES_SHORT		256	/* from here on a call is worth it */

/* Eight bytes; the first is in the lowest bits. */
static __always_inline u64 kmc_word(const u8 *at)
{
	u64 word;

	__builtin_memcpy(&word, at, sizeof(word));
	return le64_to_cpu((__force __le64)word);
}

/*
 * Which bytes of @word are @byte: the top bit of each. The lowest that is set is right; above it there may
 * be some that are set for nothing.
 */
static __always_inline u64 kmc_word_match(u64 word, u8 byte)
{
	u64 x = word ^ byte * KMC_BYTE_ONES;

	return (x - KMC_BYTE_ONES) & ~x & KMC_BYTE_TOPS;
}

/* The first byte in [@at, @end) that is @a or @b, else @end. */
static __always_inline const u8 *kmc_seek_either(const u8 *at, const u8 *end, u8 a, u8 b)
{
	if (end - at >= 8) {
		do {
			u64 word = kmc_word(at);
			u64 match = kmc_word_match(word, a);

			if (a != b)
				match |= kmc_word_match(word, b);
			if (match)
				return at + __ffs64(match) / 8;
			at += 8;
		} while (end - at >= 8);
	}
	while (at < end && *at != a && *at != b)
		at++;
	return at;
}

/* The first @byte in [@at, @end), else @end. */
static __always_inline const u8 *kmc_seek(const u8 *at, const u8 *end, u8 byte)
{
	return kmc_seek_either(at, end, byte, byte);
}

/* As kmc_word_match(), but other bits than the top one of each byte are left as they come. */
static __always_inline u64 kmc_word_match_roughly(u64 word, u8 byte)
{
	u64 x = word ^ byte * KMC_BYTE_ONES;

	return (x - KMC_BYTE_ONES) & ~x;
}

/* The same where it is likely to be far away. */
static __always_inline const u8 *kmc_seek_far(const u8 *at, const u8 *end, u8 byte)
{
	for (; end - at >= 32; at += 32) {
		u64 match = kmc_word_match_roughly(kmc_word(at), byte) | kmc_word_match_roughly(kmc_word(at + 8), byte) |
			    kmc_word_match_roughly(kmc_word(at + 16), byte) |
			    kmc_word_match_roughly(kmc_word(at + 24), byte);

		if (match & KMC_BYTE_TOPS)
			break;
	}
	return kmc_seek(at, end, byte);
}

/* The first byte in [@at, @end) that is a blank or below (line ends are), else @end. */
static __always_inline const u8 *kmc_seek_blank(const u8 *at, const u8 *end)
{
	if (end - at >= 8) {
		do {
			u64 word = kmc_word(at);
			u64 match = (word - (' ' + 1) * KMC_BYTE_ONES) & ~word & KMC_BYTE_TOPS;

			if (match)
				return at + __ffs64(match) / 8;
			at += 8;
		} while (end - at >= 8);
	}
	while (at < end && *at > ' ')
		at++;
	return at;
}

/* 8 to 16 bytes: two words, which may overlap. */
static __always_inline void kmc_copy_words(u8 *to, const u8 *from, size_t len)
{
	u64 first, last;

	__builtin_memcpy(&first, from, 8);
	__builtin_memcpy(&last, from + len - 8, 8);
	__builtin_memcpy(to, &first, 8);
	__builtin_memcpy(to + len - 8, &last, 8);
}

/* Less than 8 bytes. */
static __always_inline void kmc_copy_few(u8 *to, const u8 *from, size_t len)
{
	if (len & 4) {
		__builtin_memcpy(to, from, 4);
		to += 4;
		from += 4;
	}
	if (len & 2) {
		__builtin_memcpy(to, from, 2);
		to += 2;
		from += 2;
	}
	if (len & 1)
		*to = *from;
}

/* Copy @len bytes. Return: behind them in @to. They do not overlap. */
static __always_inline u8 *kmc_copy(u8 *to, const u8 *from, size_t len)
{
	u8 *end = to + len;
	const u8 *last;

	if (len < 8) {
		kmc_copy_few(to, from, len);
	} else if (len <= 16) {
		kmc_copy_words(to, from, len);
	} else if (len <= 32) {
		kmc_copy_words(to, from, 16);
		kmc_copy_words(end - 16, from + len - 16, 16);
	} else if (len < KMC_BYTES_SHORT) {
		last = from + len - 8;	/* the last word over a part of the one before */
		for (; from < last; to += 8, from += 8)
			__builtin_memcpy(to, from, 8);
		__builtin_memcpy(end - 8, last, 8);
	} else {
		memcpy(to, from, len);
	}
	return end;
}

/* Whether @len bytes are the same. */
static __always_inline bool kmc_same(const u8 *a, const u8 *b, size_t len)
{
	if (len >= 8) {		/* the last word over a part of the one before */
		const u8 *last = a + len - 8;

		for (; a < last; a += 8, b += 8)
			if (kmc_word(a) != kmc_word(b))
				return false;
		return kmc_word(last) == kmc_word(b - (a - last));
	}
	for (; len; len--)
		if (*a++ != *b++)
			return false;
	return true;
}

#endif
