// SPDX-License-Identifier: GPL-2.0
/* The first place of the section of fault sites, by link order. */
#include "fault.h"

struct kmc_fault_site kmc_fault_first __section(".kmc_faults") __aligned(8) = { .what = "first" };
