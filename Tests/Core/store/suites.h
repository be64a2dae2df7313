/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SUITES_H
#define SUITES_H

#include "tap.h"

extern const struct tap_suite sim_suite, classes_suite, basics_suite, delta_suite, memory_suite,
	index_suite, expiry_suite, segments_suite, crawl_suite, poison_suite, marks_suite,
	mover_suite, automove_suite, limits_suite, moves_suite, put_suite, stress_suite;

#endif
