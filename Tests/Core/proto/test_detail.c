// SPDX-License-Identifier: GPL-2.0
/* stats detail: counting by key prefix. */
#include "test.h"
#include "drive.h"
#include <stdlib.h>

static void feed(struct drive *d, const char *in)
{
	drive_feed(d, in, strlen(in));
}

static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s", name);
}

static void test_words(void)
{
	struct kmc_settings settings;
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "stats detail\r\nstats detail x\r\nstats d onn\r\n",
	    "CLIENT_ERROR usage: stats detail on|off|dump\r\n"
	    "CLIENT_ERROR usage: stats detail on|off|dump\r\n"
	    "CLIENT_ERROR usage: stats detail on|off|dump\r\n", "words that it does not know");
	say(&d, "stats d o\r\nstats detail of\r\nstats det dum\r\n", "OK\r\nOK\r\nEND\r\n", "any beginning will do");
	tap_ok(!d.core.settings.stats_detail, "off is off");
	drive_close(&d);
	drive_settings(&settings);
	settings.dump_enabled = 0;
	drive_open(&d, &settings);
	say(&d, "stats detail on\r\nstats detail\r\nstats cachedump 1 1\r\nstats cachedump\r\n",
	    "CLIENT_ERROR stats detail not allowed\r\nCLIENT_ERROR stats detail not allowed\r\n"
	    "CLIENT_ERROR stats cachedump not allowed\r\nCLIENT_ERROR stats cachedump not allowed\r\n",
	    "where dumping is not allowed");
	tap_ok(!d.core.settings.stats_detail, "nothing was switched");
	drive_close(&d);
}

static void test_counts(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "set p:1 0 0 1\r\nx\r\nstats detail dump\r\n", "STORED\r\nEND\r\n", "nothing is counted while it is off");
	feed(&d, "stats detail on\r\n");
	feed(&d, "set p:1 0 0 1\r\nx\r\nget p:1 p:2 q\r\ngat 0 p:2\r\nmg p:1 v\r\nms p:1 1\r\nx\r\nmd p:1\r\nincr p:1 1\r\ntouch p:1 0\r\nset p:1 0 0 1\r\nx\r\ndelete p:9\r\n");
	say(&d, "stats detail dump\r\n", "PREFIX p get 3 hit 1 set 2 del 1\r\nEND\r\n", "are counted as 1.6.45 counts");
	say(&d, "stats reset\r\nstats detail dump\r\n", "RESET\r\nEND\r\n", "and forgotten with a reset");
	say(&d, "get p:1\r\nstats detail off\r\nget p:1\r\nstats detail dump\r\n",
	    "VALUE p:1 0 1\r\nx\r\nEND\r\nOK\r\nVALUE p:1 0 1\r\nx\r\nEND\r\n"
	    "PREFIX p get 1 hit 1 set 0 del 0\r\nEND\r\n", "what was counted stays when counting stops");
	drive_close(&d);
}

/* Many prefixes: all of them, once each, however small replies and turns are; and no more than the most. */
static void test_many(u32 keys, u32 send)
{
	u32 i, at, found = 0, twice = 0;
	static u8 seen[70000];
	struct drive d;
	char line[64];

	drive_open(&d, NULL);
	feed(&d, "stats detail on\r\n");
	for (i = 0; i < 70000; i++)
		drive_feed(&d, line, snprintf(line, sizeof(line), "get %u:x\r\n", i));
	drive_forget(&d);
	d.budget.keys = keys;
	d.send = send;
	feed(&d, "stats detail dump\r\n");
	memset(seen, 0, sizeof(seen));
	for (at = 0; at + 7 < d.nout && !memcmp(d.out + at, "PREFIX ", 7);) {
		u32 n = (u32)strtoul((char *)d.out + at + 7, NULL, 10);

		twice += n < 70000 && seen[n]++;
		found++;
		at = (u32)((u8 *)memchr(d.out + at, '\n', d.nout - at) + 1 - d.out);
	}
	tap_number(found, KMC_PREFIXES_MAX, "no more prefixes than the most are counted");
	tap_number(twice, 0, "each is shown once");
	tap_bytes(d.out + at, d.nout - at, "END\r\n", 5, "and then the end");
	feed(&d, "stats reset\r\nget new:x\r\n");
	drive_forget(&d);
	feed(&d, "stats detail dump\r\n");
	tap_bytes(d.out, d.nout, "PREFIX new get 1 hit 0 set 0 del 0\r\nEND\r\n",
		  sizeof("PREFIX new get 1 hit 0 set 0 del 0\r\nEND\r\n") - 1, "after a reset there is room");
	drive_close(&d);
}

void test_detail(void)
{
	test_words();
	test_counts();
	test_many(0, 0);
	test_many(3, 5);
}
