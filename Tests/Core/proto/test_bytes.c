// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "core/bytes.h"
#include <stdlib.h>

#define MOST	72	/* several words, and all that may be left of one */

/* What seeks find in @len bytes that nothing may be read behind, against a search byte by byte. */
static bool seeks_right(size_t len, size_t a_at, size_t b_at)
{
	u8 *bytes = malloc(len ? len : 1);
	size_t first = len, either = len;
	u8 *blank = bytes + min(a_at, b_at < len ? b_at : len);
	bool right;

	memset(bytes, '\xa0', len);	/* a blank but for the top bit */
	if (b_at < len)
		bytes[b_at] = '\n';
	if (a_at < len)
		bytes[a_at] = ' ';
	if (a_at < len)
		first = a_at;
	either = min(first, a_at != b_at && b_at < len ? b_at : len);
	right = kmc_seek(bytes, bytes + len, ' ') == bytes + first &&
		kmc_seek_far(bytes, bytes + len, ' ') == bytes + first &&
		kmc_seek_blank(bytes, bytes + len) == blank &&
		kmc_seek_either(bytes, bytes + len, ' ', '\n') == bytes + either;
	free(bytes);
	return right;
}

static void test_seeks(void)
{
	size_t len, a_at, b_at;
	u32 wrong = 0;

	for (len = 0; len <= MOST; len++)
		for (a_at = 0; a_at <= len; a_at++)
			for (b_at = 0; b_at <= len; b_at++)
				wrong += !seeks_right(len, a_at, b_at);
	tap_number(wrong, 0, "seeks find the first byte of those they look for");
}

static void test_copies(void)
{
	u32 wrong_copies = 0, wrong_same = 0;
	size_t len, i;

	for (len = 1; len <= KMC_BYTES_SHORT + MOST; len++) {
		u8 *from = malloc(len), *to = malloc(len);

		for (i = 0; i < len; i++)
			from[i] = (u8)(i * 7 + len);
		wrong_copies += kmc_copy(to, from, len) != to + len || memcmp(to, from, len) != 0;
		wrong_same += !kmc_same(to, from, len);
		for (i = 0; i < len; i++) {
			to[i] ^= 0x80;
			wrong_same += kmc_same(to, from, len);
			to[i] ^= 0x80;
		}
		free(from);
		free(to);
	}
	tap_number(wrong_copies, 0, "copies are what was copied");
	tap_number(wrong_same, 0, "bytes are the same if each is");
}

void test_bytes(void)
{
	test_seeks();
	test_copies();
}
