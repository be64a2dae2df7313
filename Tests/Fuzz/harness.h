/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzz targets share: small caches, and a client that hands over exact copies of its bytes.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "sim/include/ckmccore.h"

/* Ends the run as a finding. */
#define FUZZ_DEMAND(condition) ((condition) ? (void)0 : fuzz_finding(#condition, __FILE__, __LINE__))
void fuzz_finding(const char *what, const char *file, int line) __attribute__((noreturn));

/**
 * struct fuzz_pair - two caches that have seen the same bytes
 * @whole: got them at once
 * @parts: got them in pieces
 */
struct fuzz_pair {
	kmcsim_cache *whole, *parts;
};

/**
 * fuzz_pair - the caches with these settings, without an item
 * @with: two bits, a setting that differs from the default each; the others do not count
 *
 * Making a cache takes longer than a thousand inputs: they stay, and are emptied. At the end of the
 * process they go, and a byte of theirs that is left is a finding.
 */
struct fuzz_pair fuzz_pair(uint8_t with);

/* Feed a copy of exactly @len bytes, so that a read beyond them is seen. false: the session is closed. */
bool fuzz_feed(kmcsim_session *session, const uint8_t *bytes, size_t len);

#endif
