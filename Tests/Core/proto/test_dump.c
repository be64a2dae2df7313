// SPDX-License-Identifier: GPL-2.0
/* Listings of items: cachedump. */
#include "test.h"
#include "drive.h"
#include "sim/sim.h"
#include <stdlib.h>

#ifdef WITH_DOUBLE
#define CLSID	"7"
#else
#define CLSID	"1"
#endif

static void feed(struct drive *d, const char *in)
{
	drive_feed(d, in, strlen(in));
}

static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	feed(d, in);
	tap_bytes(d->out, d->nout, out, strlen(out), "%s", name);
}

static void test_cachedump(void)
{
	struct drive d;

	drive_open(&d, NULL);
	kmc_sim_clock_set_wall(1700000000);
	say(&d, "stats cachedump\r\nstats cachedump 1\r\nstats cachedump x 1\r\nstats cachedump 1 x\r\n"
	    "stats cachedump 64 1\r\nstats c 0 0\r\n",
	    "CLIENT_ERROR bad command line\r\nCLIENT_ERROR bad command line\r\n"
	    "CLIENT_ERROR bad command line format\r\nCLIENT_ERROR bad command line format\r\n"
	    "CLIENT_ERROR Illegal slab id\r\nEND\r\n", "words of cachedump");
	feed(&d, "set a 0 100 3\r\nabc\r\n");
	say(&d, "stats cachedump " CLSID " 0\r\nstats cachedump 9 0\r\n", "ITEM a [3 b; 1700000100 s]\r\nEND\r\nEND\r\n",
	    "an item of the class, none of another");
	feed(&d, "set a 0 0 3\r\nabc\r\nset b 0 -1 1\r\nx\r\nms YmI= 1 b\r\nx\r\n");
	say(&d, "stats cachedump " CLSID " 0\r\n", "ITEM a [3 b; 0 s]\r\nEND\r\n",
	    "neither what is dead, nor keys that came in base64");
	feed(&d, "set c 0 0 1\r\nx\r\nset d 0 0 1\r\nx\r\n");
	drive_forget(&d);
	feed(&d, "stats cachedump " CLSID " 2\r\n");
	tap_ok(d.nout == 2 * strlen("ITEM a [3 b; 0 s]\r\n") + 5, "no more than the limit");
	drive_close(&d);
}

#define ITEMS	3000

/* How often each of ITEMS keys is listed in what was sent. Return: lines that are none. */
static u32 count_lines(struct drive *d, const char *before, u8 *seen)
{
	u32 at = 0, strange = 0, n;
	const u8 *end;

	memset(seen, 0, ITEMS);
	while (at < d->nout && (end = memchr(d->out + at, '\n', d->nout - at))) {
		if (memcmp(d->out + at, before, strlen(before)))
			strange++;
		else if ((n = (u32)strtoul((char *)d->out + at + strlen(before), NULL, 10)) < ITEMS)
			seen[n]++;
		at = (u32)(end + 1 - d->out);
	}
	return strange;
}

/* Every item once, however little room there is for each, while others come and the index grows. */
static void test_all(const char *command, const char *before, u32 keys, u32 send, u32 strange)
{
	static u8 seen[ITEMS];
	u32 i, once = 0;
	char line[64];
	struct drive d;

	drive_open(&d, NULL);
	for (i = 0; i < ITEMS; i++)
		drive_feed(&d, line, snprintf(line, sizeof(line), "set k%u 0 0 1\r\nx\r\n", i));
	d.budget.keys = keys;
	d.send = send;
	drive_forget(&d);
	feed(&d, command);
	tap_number(count_lines(&d, before, seen), strange, "nothing but items and the end");
	for (i = 0; i < ITEMS; i++)
		once += seen[i] == 1;
	tap_number(once, ITEMS, "each of %u items once: %s", ITEMS, command);
	drive_close(&d);
}

void test_dump(void)
{
	test_cachedump();
	test_all("stats cachedump " CLSID " 0\r\n", "ITEM k", 0, 0, 1);
	test_all("stats cachedump " CLSID " 0\r\n", "ITEM k", 3, 11, 1);
}
