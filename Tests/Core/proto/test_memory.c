// SPDX-License-Identifier: GPL-2.0
/*
 * What happens when memory is short. Needs the stand-in for the store and its knobs.
 */
#include "test.h"
#include "double.h"
#include "drive.h"
#include "sim/sim.h"

#define NO_MEMORY	"SERVER_ERROR out of memory storing object\r\n"

static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s", name);
}

/* The request waits for process context and is then done as if nothing had been. */
static void test_again(size_t run)
{
	static const struct {
		const char *in, *out;
	} requests[] = {
		{ "set a 1 0 1\r\n5\r\n", "STORED\r\n" },
		{ "append a 0 0 1\r\n1\r\n", "STORED\r\n" },
		{ "incr a 1\r\n", "52\r\n" },
		{ "flush_all\r\n", "OK\r\n" },
	};
	struct drive d;
	size_t i;
	u32 again;

	for (again = 1; again < 4; again++) {
		drive_open(&d, NULL);
		d.run = run;
		for (i = 0; i < ARRAY_SIZE(requests); i++) {
			double_knobs.again = again;
			double_knobs.provided = 0;
			say(&d, requests[i].in, requests[i].out, requests[i].in);
			tap_number(d.processes, again, "after %u times in process context", again);
			tap_number(double_knobs.provided, again, "where pages were had");
		}
		tap_number(drive_count(&d, KMC_COUNT_cmd_flush), 1, "a flush that waited is counted once");
		tap_number(drive_count_class(&d, KMC_CLASS_cmd_set), 2, "and so are sets");
		tap_number(drive_count_class(&d, KMC_CLASS_incr_hits), 1, "and incr");
		drive_close(&d);
	}
}

/* append: its own item is had, the joined one is not. */
static void test_again_link(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "set a 0 0 1\r\n1\r\nappend a 0 0 3\r\n", "STORED\r\n", "an append that waits for its value");
	double_knobs.again = 2;
	say(&d, "234\r\nget a\r\n", "STORED\r\nVALUE a 0 4\r\n1234\r\nEND\r\n", "is joined later");
	tap_number(d.processes, 2, "after two times in process context");
	double_knobs.full = 1;
	say(&d, "incr a 9999\r\nget a\r\n", "SERVER_ERROR out of memory\r\nVALUE a 0 4\r\n1234\r\nEND\r\n",
	    "incr without memory");
	say(&d, "append a 0 0 1\r\n", "", "another append");
	double_knobs.full = 1;
	say(&d, "x\r\nget a\r\n", "NOT_STORED\r\nVALUE a 0 4\r\n1234\r\nEND\r\n", "append without memory");
	drive_close(&d);
}

/* Nothing is had in process context either: one more try, then the answer. Never for ever. */
static void test_starved(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "set a 0 0 1\r\n1\r\n", "STORED\r\n", "a value to begin with");
	double_knobs.again = U32_MAX;
	double_knobs.provide_fails = true;
	say(&d, "set b 0 0 7\r\nget a\r\n\r\nget a b\r\n", NO_MEMORY "VALUE a 0 1\r\n1\r\nEND\r\n",
	    "a set that starves");
	tap_number(d.processes, 1, "after one time in process context");
	say(&d, "set a 0 0 1\r\n1\r\nget a\r\n", NO_MEMORY "END\r\n", "takes the old value with it");
	tap_number(drive_count(&d, KMC_COUNT_store_no_memory), 2, "and is counted");
	double_knobs.again = 0;
	say(&d, "set a 0 0 1\r\n1\r\n", "STORED\r\n", "a value again");
	double_knobs.again = U32_MAX;
	say(&d, "add a 0 0 1\r\n2\r\nincr a 1\r\nget a\r\n",
	    NO_MEMORY "SERVER_ERROR out of memory\r\nVALUE a 0 1\r\n1\r\nEND\r\n", "others leave it");
	say(&d, "set a 0 0 1 noreply\r\n1\r\nget a\r\n", "END\r\n", "without a reply");
	double_knobs.provide_fails = false;
	say(&d, "set a 0 0 1\r\n1\r\n", NO_MEMORY, "pages that others take first");
	tap_ok(d.processes > 1 && d.processes < 100, "end a request after %u times", d.processes);
	say(&d, "flush_all\r\n", "SERVER_ERROR out of memory\r\n", "and a flush");
	double_knobs.again = 0;
	double_knobs.full = 1;
	say(&d, "set a 0 0 1\r\n1\r\nset a 0 0 1\r\n2\r\n", NO_MEMORY "STORED\r\n", "a full cache");
	drive_close(&d);
}

/* No memory for what straddles two runs: memcached's words, and the end. */
static void test_carry(void)
{
	static const char *const lines[] = { "get a", "get ", "set a 0 0 1" };
	struct drive d;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		drive_open(&d, NULL);
		kmc_sim_fail(1, 1);
		say(&d, lines[i], "SERVER_ERROR out of memory reading request\r\n", "half a line, no memory");
		tap_ok(d.closed, "closes");
		tap_number(drive_count(&d, KMC_COUNT_read_buf_oom), 1, "and is counted");
		kmc_sim_fail(0, 0);
		drive_close(&d);
	}
	drive_open(&d, NULL);
	kmc_sim_fail(1, 1000);
	say(&d, "get a\r\nget b\r\nversion\r\n", "END\r\nEND\r\nVERSION 1.6.45-kmemcache-0.1.0\r\n",
	    "whole lines need no memory");
	kmc_sim_fail(0, 0);
	drive_close(&d);
}

/* A set that asked for process context, and went the straight way in the end, has ended: the next may ask as often. */
static void test_tries_end_with_their_request(void)
{
	struct drive d;
	u32 i;

	drive_open(&d, NULL);
	for (i = 0; i < 40; i++) {
		double_knobs.again = 1;
		say(&d, "set a 0 0 1\r\nx\r\n", "STORED\r\n", "stored at the second try, as those before");
	}
	drive_close(&d);
}

static void test_create(void)
{
	struct drive d;

	drive_open(&d, NULL);
	kmc_sim_fail(1, 1);
	tap_ok(!kmc_session_create(&d.core, 0, GFP_KERNEL), "no memory, no session");
	kmc_sim_fail(0, 0);
	kmc_session_destroy(NULL);
	drive_close(&d);
}

static void test_torn(void)
{
	struct drive d;
	u32 torn;

	drive_open(&d, NULL);
	say(&d, "set a 1 0 3\r\nabc\r\n", "STORED\r\n", "a value");
	for (torn = 0; torn < 12; torn++) {
		double_knobs.torn = torn;
		double_knobs.peeks = 0;
		say(&d, "gets a\r\n", "VALUE a 1 3 2\r\nabc\r\nEND\r\n", "read while it changes");
		tap_number(double_knobs.peeks, min_t(u32, torn + 1, KMC_PEEK_TRIES), "torn %u times", torn);
	}
	tap_number(drive_count_class(&d, KMC_CLASS_hits_to_hot), 12, "each is one hit");
	drive_close(&d);
}

void test_memory(void)
{
	test_again(0);
	test_again(1);
	test_again_link();
	test_starved();
	test_tries_end_with_their_request();
	test_carry();
	test_create();
	test_torn();
}
