// SPDX-License-Identifier: GPL-2.0
/* cache_memlimit and slabs, to the byte; what they do is tested with the store. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include "test.h"
#include "drive.h"

static const struct {
	const char *in, *out;
} lines[] = {
	{ "cache_memlimit\r\n", "ERROR\r\n" },
	{ "cache_memlimit x\r\n", "ERROR\r\n" },
	{ "cache_memlimit -8\r\n", "ERROR\r\n" },
	{ "cache_memlimit 4294967296\r\n", "ERROR\r\n" },
	{ "cache_memlimit 7\r\n", "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n" },
	{ "cache_memlimit 1000000001\r\n", "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n" },
	{ "cache_memlimit 1000000000\r\n", "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n" },
	{ "cache_memlimit 8\r\n", "OK\r\n" },
	{ "cache_memlimit 9 noreply\r\ncache_memlimit 7 noreply\r\n", "" },
	{ "slabs\r\n", "ERROR\r\n" },
	{ "slabs reassign\r\n", "ERROR\r\n" },
	{ "slabs reassign 5\r\n", "ERROR\r\n" },
	{ "slabs reassign 1 2 3\r\n", "ERROR\r\n" },
	{ "slabs reassign 1 2 noreply\r\n", "" },
	{ "slabs reassigns 1 2\r\n", "ERROR\r\n" },
	{ "slabs reassign one two\r\n", "CLIENT_ERROR bad command line format\r\n" },
	{ "slabs r 1 1\r\n", "SAME src and dst class are identical\r\n" },
	{ "slabs reassign -5 70\r\n", "BADCLASS invalid src or dst class id\r\n" },
	{ "slabs reassign 2 1\r\n", "NOSPARE source class has no spare pages\r\n" },
	{ "slabs automove\r\n", "ERROR\r\n" },
	{ "slabs automove 3\r\n", "ERROR\r\n" },
	{ "slabs automove x\r\n", "CLIENT_ERROR bad command line format\r\n" },
	{ "slabs automove 2\r\nslabs automove 0 noreply\r\nslabs automove 1\r\n", "OK\r\nOK\r\n" },
	{ "slabs automove window\r\n", "CLIENT_ERROR bad command line format\r\n" },
	{ "slabs automove window x\r\n", "CLIENT_ERROR bad command line format\r\n" },
	{ "slabs automove window 2\r\n", "CLIENT_ERROR automove window too low or too high\r\n" },
	{ "slabs automove window 1801\r\n", "CLIENT_ERROR automove window too low or too high\r\n" },
	{ "slabs automove window 3\r\n", "OK\r\n" },
	{ "slabs automove ratio\r\n", "ERROR\r\n" },
	{ "slabs automove ratio x\r\n", "ERROR\r\n" },
	{ "slabs automove ratio 0.567\r\n", "OK\r\n" },
	{ "slabs automove freeratio .01\r\n", "OK\r\n" },
	{ "slabs automove freeratio\r\n", "ERROR\r\n" },
};

static bool shows(struct drive *d, const char *row)
{
	drive_forget(d);
	drive_feed(d, "stats settings\r\n", 16);
	return memmem(d->out, d->nout, row, strlen(row));
}

static void test_disabled(void)
{
	static const char refused[] = "CLIENT_ERROR slab reassignment disabled\r\nCLIENT_ERROR slab reassignment disabled\r\n";
	static const char in[] = "slabs reassign 1 2\r\nslabs reassign a b\r\n";
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.slab_reassign = 0;
	drive_open(&d, &settings);
	drive_feed(&d, in, sizeof(in) - 1);
	tap_bytes(d.out, d.nout, refused, sizeof(refused) - 1, "reassign where it is not wanted");
	tap_ok(shows(&d, "STAT slab_reassign no\r\n"), "is told");
	drive_close(&d);
}

static void test_sizes(void)
{
	/* Key, value and 59 bytes, 4 more with flags, in steps of 32. */
	static const char in[] = "set a 0 0 4\r\n1234\r\nset b 0 0 4\r\n1234\r\nset c 5 0 1\r\n1\r\nset d 0 0 1\r\n1\r\n"
				 "delete d\r\nset b 0 0 100\r\n%0100d\r\nincr c 99\r\nstats sizes\r\n";
	static const char out[] = "STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nDELETED\r\nSTORED\r\n100\r\n"
				  "STAT 64 1\r\nSTAT 96 1\r\nSTAT 160 1\r\nEND\r\n";
	struct kmc_settings settings;
	char text[512];
	struct drive d;

	snprintf(text, sizeof(text), in, 0);
	drive_settings(&settings);
	settings.track_sizes = 1;
	drive_open(&d, &settings);
	drive_feed(&d, text, strlen(text));
	tap_bytes(d.out, d.nout, out, sizeof(out) - 1, "items by size");
	drive_close(&d);
	drive_open(&d, NULL);
	drive_feed(&d, "stats sizes\r\n", 13);
	tap_bytes(d.out, d.nout, "STAT sizes_status disabled\r\nEND\r\n", 33, "if they are not counted");
	drive_close(&d);
}

/* A table of sizes so long that it is looked through by and by: 2 MiB of sizes at a time. */
static void test_many_sizes(u32 send, u32 turns)
{
	static const u32 sizes[] = { 1, 100, 500, (1 << 21) - 100, (1 << 21) + 100, 5 << 20, (32 << 20) - 100 };
	struct kmc_settings settings;
	char head[64], out[1024];
	size_t i, n = 0;
	bool done = false;
	struct drive d;
	u8 *value = calloc(1, 32 << 20);

	drive_settings(&settings);
	settings.track_sizes = 1;
	settings.memory_limit = 200 << 20;
	settings.item_size_max = 32 << 20;
	drive_open(&d, &settings);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		drive_feed(&d, head, snprintf(head, sizeof(head), "set k%zu 0 0 %u\r\n", i, sizes[i]));
		drive_feed(&d, value, sizes[i]);
		drive_feed(&d, "\r\n", 2);
		/* Key, value and 59 bytes, in steps of 32. */
		n += snprintf(out + n, sizeof(out) - n, "STAT %u 1\r\n", (sizes[i] + 2 + 59 + 31) / 32 * 32);
	}
	n += snprintf(out + n, sizeof(out) - n, "END\r\n");
	drive_forget(&d);
	d.send = send;
	drive_feed(&d, "stats sizes\r\n", 13);
	tap_bytes(d.out, d.nout, out, n, "sizes up to 32 MiB, sent by %u", send);
	local_bh_disable();
	tap_ok(kmc_stats_rows(&d.core, "sizes", 5, U32_MAX, NULL, NULL, &done) >= 0 && done, "and nothing behind");
	local_bh_enable();
	tap_number(d.turns, turns, "others had a turn for each 2 MiB of them");
	drive_close(&d);
	free(value);
}

void test_slabs(void)
{
	struct drive d;
	size_t i;

	drive_open(&d, NULL);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		drive_forget(&d);
		drive_feed(&d, lines[i].in, strlen(lines[i].in));
		tap_bytes(d.out, d.nout, lines[i].out, strlen(lines[i].out), "%.*s",
			  (int)strcspn(lines[i].in, "\r"), lines[i].in);
	}
	tap_ok(shows(&d, "STAT maxbytes 9437184\r\n"), "the limit is set");
	tap_ok(shows(&d, "STAT slab_automove 1\r\n"), "the level is set");
	tap_ok(shows(&d, "STAT slab_automove_window 3\r\n"), "the window is set");
	tap_ok(shows(&d, "STAT slab_automove_ratio 0.57\r\n"), "the ratio is set");
	drive_close(&d);
	test_disabled();
	test_sizes();
	test_many_sizes(0, 16);
	test_many_sizes(7, 16);
}
