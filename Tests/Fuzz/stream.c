// SPDX-License-Identifier: GPL-2.0
/*
 * One client of a stream, in the protocol that FUZZ_PROTOCOL names. Two caches get the same bytes, one at
 * once and without limits, the other in pieces, in small turns and with slow sending: the answers must be
 * the same, since where TCP cuts a stream is nobody's business.
 *
 * Input: a byte of settings, a byte of pieces, the stream.
 */
#include "harness.h"
#include <string.h>

#define FUZZ_PIECES 128

/* What counts turns, bytes or sessions, or looks at what upkeep has done, may differ. */
static bool fuzz_may_differ(const uint8_t *bytes, size_t len)
{
	static const char * const words[] = { "stat", "watch", "lru", "slabs", "cache_memlimit", "\x10" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (memmem(bytes, len, words[i], strlen(words[i])))
			return true;
	return false;
}

/* Return: the session is still open. */
static bool fuzz_whole(kmcsim_session *session, const uint8_t *bytes, size_t len)
{
	return fuzz_feed(session, bytes, len);
}

static bool fuzz_parts(kmcsim_session *session, const uint8_t *bytes, size_t len, uint8_t how)
{
	/* A line is looked at again with each piece that comes: four thousand pieces would take all of the time. */
	size_t at, run, size = 1 + (how & 0x3f) + len / FUZZ_PIECES;
	bool open = true;

	kmcsim_session_limits(session, 1 + (how >> 6), 64U << (how >> 6), (uint32_t)size * 16);
	for (at = 0; open && at < len; at += run) {
		run = size < len - at ? size : len - at;
		open = fuzz_feed(session, bytes + at, run);
	}
	return open;
}

static void fuzz_compare(kmcsim_session *a, kmcsim_session *b)
{
	const uint8_t *left, *right;
	size_t nleft, nright;

	left = kmcsim_session_replies(a, &nleft);
	right = kmcsim_session_replies(b, &nright);
	FUZZ_DEMAND(nleft == nright);
	FUZZ_DEMAND(!nleft || !memcmp(left, right, nleft));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kmcsim_session *whole, *parts;
	struct fuzz_pair pair;
	bool open, still;

	if (size < 3)
		return 0;
	pair = fuzz_pair(data[0]);
	whole = kmcsim_session_open(pair.whole, FUZZ_PROTOCOL);
	parts = kmcsim_session_open(pair.parts, FUZZ_PROTOCOL);
	FUZZ_DEMAND(whole && parts);
	open = fuzz_whole(whole, data + 2, size - 2);
	still = fuzz_parts(parts, data + 2, size - 2, data[1]);
	if (!fuzz_may_differ(data, size)) {
		FUZZ_DEMAND(open == still);
		fuzz_compare(whole, parts);
	}
	kmcsim_session_close(whole);
	kmcsim_session_close(parts);
	return 0;
}
