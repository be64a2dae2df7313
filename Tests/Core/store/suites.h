/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SUITES_H
#define SUITES_H

#include "tap.h"

extern const struct tap_suite basics_suite;

#endif
