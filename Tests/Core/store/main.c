// SPDX-License-Identifier: GPL-2.0
#include "suites.h"

int main(int argc, char **argv)
{
	const struct tap_suite suites[] = {
		basics_suite,
	};

	return tap_main(argc, argv, suites, sizeof(suites) / sizeof(suites[0]));
}
