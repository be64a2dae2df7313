// SPDX-License-Identifier: GPL-2.0
/* debugtime, debugitem: hooks for memcached's tests. */
#include "test.h"
#include "drive.h"
#include "sim/sim.h"

static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s", name);
}

static void test_time(void)
{
	struct drive d;

	drive_open(&d, NULL);
	d.core.debug = true;
	kmc_sim_clock_set_wall(1700000000);
	say(&d, "debugtime\r\ndebugtime x\r\ndebugtime 1x\r\n", "ERROR\r\nERROR\r\nERROR\r\n", "words of debugtime");
	say(&d, "set a 0 100 1\r\n1\r\nset b 0 1700000200 1\r\n2\r\ndebugtime 99\r\nget a b\r\n",
	    "STORED\r\nSTORED\r\nOK\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n", "99 seconds on");
	say(&d, "debugtime 1\r\nget a b\r\n", "OK\r\nVALUE b 0 1\r\n2\r\nEND\r\n", "one more");
	say(&d, "set c 0 1700000201 1\r\n3\r\ndebugtime p\r\ndebugtime 100\r\nget b c\r\n",
	    "STORED\r\nOK\r\nOK\r\nVALUE c 0 1\r\n3\r\nEND\r\n", "also times of day");
	kmc_sim_clock_advance(5000);
	say(&d, "get c\r\n", "VALUE c 0 1\r\n3\r\nEND\r\n", "a clock that stands still");
	say(&d, "debugtime r\r\nget c\r\n", "OK\r\nEND\r\n", "goes on as if it never had");
	drive_close(&d);
}

static void test_item(void)
{
	struct drive d;

	drive_open(&d, NULL);
	d.core.debug = true;
	say(&d, "debugitem\r\ndebugitem ref\r\ndebugitem x k\r\n", "ERROR\r\nERROR\r\nERROR\r\n", "words of debugitem");
	say(&d, "debugitem ref k\r\ndebugitem unref k\r\ndebugitem lock k\r\ndebugitem unlock k\r\n",
	    "MISS\r\nMISS\r\nOK\r\nOK\r\n", "a key that is not there");
	say(&d, "set k 0 0 1\r\nx\r\ndebugitem ref k\r\ndebugitem lock k\r\ndelete k\r\nget k\r\n",
	    "STORED\r\nOK\r\nOK\r\nDELETED\r\nEND\r\n", "an item that is held may go");
	say(&d, "debugitem unlock k\r\ndebugitem unref k\r\ndebugitem unref k\r\n", "OK\r\nOK\r\nMISS\r\n",
	    "is let go as often as it was held");
	say(&d, "set k 0 0 1\r\ny\r\ndebugitem ref k\r\ndebugitem unref reffed\r\ndebugitem unref k\r\n",
	    "STORED\r\nOK\r\nOK\r\nMISS\r\n", "the last one that was held");
	say(&d, "debugitem ref k\r\ndebugitem lock k\r\n", "OK\r\nOK\r\n", "what is held still goes with the cache");
	drive_close(&d);
}

void test_hooks(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "debugtime 1\r\ndebugitem ref k\r\n", "ERROR\r\nERROR\r\n", "not without being told");
	drive_close(&d);
	test_time();
	test_item();
}
