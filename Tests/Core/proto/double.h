/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stand-in for the store: a list, and knobs for what the real one does rarely. It keeps memcached's
 * rules, so that every conversation can be held with it as well.
 */
#ifndef DOUBLE_H
#define DOUBLE_H

#include "core/store/store.h"

/**
 * struct double_knobs - what happens next; all zero: nothing special
 * @again: so many allocations (also those of append and incr) say -EAGAIN
 * @full: so many allocations say -ENOMEM, after @again
 * @provide_fails: kmc_store_provide() finds nothing
 * @torn: so many peeks turn out torn
 * @rivals: so many additions find that somebody was faster, who is gone again at once
 * @provided, @peeks, @looks: counted
 */
struct double_knobs {
	u32 again;
	u32 full;
	bool provide_fails;
	u32 torn;
	u32 rivals;
	u32 provided;
	u32 peeks;
	u32 looks;
};

extern struct double_knobs double_knobs;

/* Values above this lie in runs of this many bytes. */
#define DOUBLE_RUN	8192

/* References to items that somebody still holds, the list's own not counted. */
u32 double_held(struct kmc_store *store);

#endif
