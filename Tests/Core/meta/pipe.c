// SPDX-License-Identifier: GPL-2.0
/*
 * The core as a filter, for whoever wants to talk with it: requests come in on standard input and answers
 * go out on standard output, each with its length of four bytes in front. An answer behind which the core
 * closes has the highest bit of its length set; the next request begins a conversation of its own.
 */
#include "../proto/drive.h"
#include <stdio.h>
#include <stdlib.h>

static bool get(void *data, size_t len)
{
	return fread(data, 1, len, stdin) == len;
}

int main(void)
{
	struct kmc_settings settings;
	struct drive d;
	u32 len;

	drive_settings(&settings);
	settings.memory_limit = 64 << 20;
	drive_open(&d, &settings);
	while (get(&len, sizeof(len))) {
		u8 *in = malloc(len ? len : 1);
		u32 nout;

		if (!get(in, len))
			return 1;
		drive_feed(&d, in, len);
		free(in);
		nout = (u32)d.nout | (u32)d.closed << 31;
		fwrite(&nout, sizeof(nout), 1, stdout);
		fwrite(d.out, 1, d.nout, stdout);
		fflush(stdout);
		drive_forget(&d);
		if (d.closed)
			drive_again(&d);
	}
	drive_close(&d);
	return 0;
}
