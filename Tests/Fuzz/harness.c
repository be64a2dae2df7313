// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FUZZ_LOCKED
#define FUZZ_LOCKED 0	/* only who knows user "u" and password "p" is served */
#endif

#define FUZZ_SETTINGS 4

static struct fuzz_pair fuzz_pairs[FUZZ_SETTINGS];

void fuzz_finding(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

static void fuzz_end(void)
{
	size_t i;

	for (i = 0; i < FUZZ_SETTINGS; i++) {
		if (!fuzz_pairs[i].whole)
			continue;
		kmcsim_cache_destroy(fuzz_pairs[i].whole);
		kmcsim_cache_destroy(fuzz_pairs[i].parts);
	}
	FUZZ_DEMAND(kmcsim_live_allocations() == 0);
}

static kmcsim_cache *fuzz_cache(uint8_t with)
{
	const kmcsim_setting list[] = {
		{ "memory_limit", 16 << 20 },
		{ "hashpower", 12 },
		{ "shutdown_enabled", 1 },
		{ "cas", !(with & 1) },
		{ "stats_detail", with >> 1 & 1 },
		{ "auth", FUZZ_LOCKED ? 1 + (with & 1) : 0 },
	};
	const char *complaint;
	kmcsim_cache *cache;

	cache = kmcsim_cache_create(list, sizeof(list) / sizeof(*list), &complaint);
	if (!cache)
		fuzz_finding(complaint, __FILE__, __LINE__);
	FUZZ_DEMAND(!FUZZ_LOCKED || kmcsim_cache_admit(cache, "u", "p"));
	return cache;
}

/* Time stands while an input runs; what was stored before it is older than the flush. */
static void fuzz_empty(kmcsim_cache *cache)
{
	static const char flush[] = "flush_all\r\n";
	kmcsim_session *session;

	if (FUZZ_LOCKED)	/* what its inputs store is theirs to see */
		return;
	session = kmcsim_session_open(cache, 1);

	FUZZ_DEMAND(session);
	fuzz_feed(session, (const uint8_t *)flush, strlen(flush));
	kmcsim_session_close(session);
}

struct fuzz_pair fuzz_pair(uint8_t with)
{
	struct fuzz_pair *pair = &fuzz_pairs[with % FUZZ_SETTINGS];
	static bool begun;

	if (!begun) {
		kmcsim_random_seed(1);
		kmcsim_clock_set_wall(1000000000);
		atexit(fuzz_end);
		begun = true;
	}
	if (!pair->whole) {
		pair->whole = fuzz_cache(with);
		pair->parts = fuzz_cache(with);
	}
	kmcsim_clock_advance(2000);
	fuzz_empty(pair->whole);
	fuzz_empty(pair->parts);
	kmcsim_clock_advance(2000);
	return *pair;
}

bool fuzz_feed(kmcsim_session *session, const uint8_t *bytes, size_t len)
{
	uint8_t *run = malloc(len ? len : 1);
	bool open;

	FUZZ_DEMAND(run);
	if (len)
		memcpy(run, bytes, len);
	open = kmcsim_session_feed(session, run, len);
	free(run);
	return open;
}
