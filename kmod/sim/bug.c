// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "kernel.h"

void kmc_sim_die(const char *file, int line, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: kernel would complain: %s\n", file, line, what);
	abort();
}
