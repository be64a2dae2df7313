// SPDX-License-Identifier: GPL-2.0
/* Runs a target once on each file that is named, without libFuzzer: for measuring what kept inputs reach. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	static uint8_t data[LONGEST];
	int i;

	for (i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t size;

		if (!file)
			return EXIT_FAILURE;
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	return EXIT_SUCCESS;
}
