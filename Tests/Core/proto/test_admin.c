// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "drive.h"
#include "sim/sim.h"

static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s", name);
}

static void test_shutdown(const char *in, bool graceful)
{
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.shutdown_enabled = 1;
	drive_open(&d, &settings);
	say(&d, "shutdown now\r\n", "CLIENT_ERROR invalid shutdown mode\r\n", "shutdown of another kind");
	say(&d, "shutdown graceful now\r\n", "CLIENT_ERROR invalid shutdown mode\r\n", "shutdown with words");
	tap_ok(!d.shut && !d.closed, "nothing was shut down");
	say(&d, in, "", in);
	tap_ok(d.shut && d.graceful == graceful && d.closed, "shut down and closed");
	drive_close(&d);
}

static void test_flush_refused(void)
{
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.flush_enabled = 0;
	drive_open(&d, &settings);
	say(&d, "flush_all\r\nflush_all x\r\nflush_all noreply\r\n",
	    "CLIENT_ERROR flush_all not allowed\r\nCLIENT_ERROR flush_all not allowed\r\n",
	    "flush_all where it is not allowed");
	tap_number(drive_count(&d, KMC_COUNT_cmd_flush), 3, "is counted all the same");
	drive_close(&d);
}

static void test_time(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "set a 0 10 1\r\n1\r\nset b 0 0 1\r\n1\r\ntouch b 20\r\n", "STORED\r\nSTORED\r\nTOUCHED\r\n",
	    "items with a time");
	kmc_sim_clock_advance(9000);
	say(&d, "get a b\r\n", "VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n1\r\nEND\r\n", "are there before it");
	kmc_sim_clock_advance(1000);
	say(&d, "get a b\r\ngat 100 a b\r\n", "VALUE b 0 1\r\n1\r\nEND\r\nVALUE b 0 1\r\n1\r\nEND\r\n",
	    "and gone from it on");
	kmc_sim_clock_advance(50000);
	say(&d, "get b\r\nflush_all 10\r\nget b\r\n", "VALUE b 0 1\r\n1\r\nEND\r\nOK\r\nVALUE b 0 1\r\n1\r\nEND\r\n",
	    "a later time counts; a flush waits");
	kmc_sim_clock_advance(10000);
	say(&d, "get b\r\nset b 0 0 1\r\n2\r\nget b\r\n", "END\r\nSTORED\r\nVALUE b 0 1\r\n2\r\nEND\r\n",
	    "then takes what was stored before");
	kmc_sim_clock_set_wall(1700000000);
	say(&d, "set a 0 0 1\r\n1\r\nflush_all 1700000000\r\nget a\r\nset b 0 0 1\r\n2\r\n",
	    "STORED\r\nOK\r\nEND\r\nSTORED\r\n", "one with a time that has passed is now");
	say(&d, "flush_all 10\r\nflush_all 2592001\r\n", "OK\r\nOK\r\n", "one before the beginning");
	kmc_sim_clock_advance(10000);
	say(&d, "get b\r\n", "VALUE b 0 1\r\n2\r\nEND\r\n", "makes it forgotten");
	drive_close(&d);
}

void test_admin(void)
{
	struct drive d;

	test_shutdown("shutdown\r\n", false);
	test_shutdown("shutdown graceful\r\n", true);
	test_shutdown("shutdown g\r\n", true);
	test_flush_refused();
	test_time();
	drive_open(&d, NULL);
	say(&d, "verbosity 1\r\n", "OK\r\n", "verbosity");
	tap_ok(d.level == 1 && d.core.settings.verbose == 1, "is told to those around");
	say(&d, "verbosity 9\r\n", "OK\r\n", "verbosity above the highest");
	tap_ok(d.level == 2 && d.core.settings.verbose == 2, "is the highest");
	drive_close(&d);
}
