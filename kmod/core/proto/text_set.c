// SPDX-License-Identifier: GPL-2.0
/* The line of a set as nearly all are, read in one go. */
#include "text.h"

/* Digits that a number has which needs no look at its size. */
#define KMC_TEXT_SHORT	9

/* A short number behind the blank at @at, each byte read once (splice). Return: behind it; NULL: it is none. */
static __always_inline const u8 *kmc_text_short(const u8 *at, const u8 *end, u32 *value)
{
	const u8 *most;
	u32 sum, digit;

	if (end - at < 2 || *at != ' ')
		return NULL;
	sum = (u8)(READ_ONCE(at[1]) - '0');
	if (sum > 9)
		return NULL;
	most = end - at > KMC_TEXT_SHORT ? at + 1 + KMC_TEXT_SHORT : end;
	for (at += 2; at < most && (digit = (u8)(READ_ONCE(*at) - '0')) <= 9; at++)
		sum = sum * 10 + digit;
	*value = sum;
	return at;
}

/* "set <key> <flags> <exptime> <bytes>[ noreply]" as nearly all are: short numbers, single blanks, no sign. */
size_t kmc_text_read_set(const u8 *data, size_t len, struct kmc_text_set *set)
{
	static const u8 silent[] = { ' ', 'n', 'o', 'r', 'e', 'p', 'l', 'y' };
	const u8 *end = data + len, *key = data + 4, *at;
	size_t nkey;

	if (len < 13 || memcmp(data, "set ", 4))
		return 0;
	at = kmc_seek_blank(key, end);
	nkey = at - key;
	if (!nkey || nkey > KMC_TEXT_KEY_MAX)
		return 0;
	at = kmc_text_short(at, end, &set->client_flags);
	at = at ? kmc_text_short(at, end, &set->exptime) : NULL;
	at = at ? kmc_text_short(at, end, &set->nbytes) : NULL;
	set->noreply = at && end - at > (ptrdiff_t)sizeof(silent) && kmc_same(at, silent, sizeof(silent));
	if (set->noreply)
		at += sizeof(silent);
	if (!at || end - at < 2 || at[0] != '\r' || at[1] != '\n')
		return 0;
	set->key = key;
	set->nkey = (u32)nkey;
	return at + 2 - data;
}
