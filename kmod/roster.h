/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listeners and connections as clients see them ("stats conns"). A listener's id is its place among the
 * instance's listeners, from 1; connections have what is free above those, the smallest first, as
 * descriptors are given out.
 */
#ifndef KMC_ROSTER_H
#define KMC_ROSTER_H

#include "core/core.h"

/* The entry with the smallest id from @from on. BH off. Return: false: there is none. */
bool kmc_roster_next(struct kmc_core *core, u32 from, struct kmc_core_conn *found);

#endif
