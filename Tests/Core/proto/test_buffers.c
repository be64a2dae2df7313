// SPDX-License-Identifier: GPL-2.0
/* What connections may hold at the same time (-o read_buf_mem_limit). */
#include "core/buffers.h"
#include "drive.h"
#include "test.h"

#define NO_ROOM "SERVER_ERROR out of memory writing get response\r\n"

/* Both ends are closed by hand: a session without room says nothing. */
static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s", name);
}

static void open_limited(struct drive *d, u32 limit, u32 threads)
{
	struct kmc_settings settings;

	drive_settings(&settings);
	settings.read_buf_mem_limit = limit;
	settings.threads = threads;
	drive_open(d, &settings);
}

static struct kmc_buffers_totals totals(struct drive *d)
{
	struct kmc_buffers_totals totals;

	kmc_buffers_totals(d->core.buffers, &totals);
	return totals;
}

static void test_none(void)
{
	struct drive d;

	drive_open(&d, NULL);
	tap_ok(!d.core.buffers, "without a limit nothing is counted");
	say(&d, "get a b c d e f g h i j k l m n o p\r\n", "END\r\n", "and a get may have any number of keys");
	tap_number(totals(&d).count, 0, "shown as none");
	drive_close(&d);
}

/* Two buffers: one for the request, one for 13 answers. */
static void test_answers(void)
{
	struct drive d;

	open_limited(&d, 1 << 20, 32);
	say(&d, "get 1 2 3 4 5 6 7 8 9 10 11 12 13\r\n", "END\r\n", "as many answers as one buffer has");
	say(&d, "get 1 2 3 4 5 6 7 8 9 10 11 12 13 14\r\nversion x\r\n", NO_ROOM "VERSION 1.6.45-kmemcache-0.1.0\r\n",
	    "one more");
	tap_number(drive_count(&d, KMC_COUNT_response_obj_oom), 1, "is counted");
	tap_number(totals(&d).count, 2, "both buffers are kept");
	tap_number(totals(&d).bytes, 32768, "in bytes");
	tap_number(totals(&d).free_bytes, 16384, "the request's is free again");
	tap_number(totals(&d).answers, 0, "and no answer waits");
	say(&d, "mn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\nmn\r\n", "",
	    "too many requests at once are answered with nothing");
	tap_ok(d.closed, "but the end");
	tap_number(drive_count(&d, KMC_COUNT_response_obj_oom), 2, "which is counted");
	drive_again(&d);
	say(&d, "mn\r\n", "MN\r\n", "what was held is free for the next");
	drive_close(&d);
}

/* One part has its last buffer taken by a request half read. */
static void test_reads(void)
{
	struct drive d, other, third;

	open_limited(&d, 3 * 16384, 1);
	say(&d, "set a 0 0 2\r\n", "", "half a request");
	drive_join(&other, &d);
	say(&other, "get a", "", "and another");
	drive_join(&third, &d);
	say(&third, "mn\r\n", "", "leave no room for a third");
	tap_ok(third.closed, "which is closed");
	tap_number(drive_count(&d, KMC_COUNT_read_buf_oom), 1, "and counted");
	drive_leave(&third);
	say(&d, "aa\r\n", "STORED\r\n", "whoever comes to its end");
	drive_join(&third, &d);
	say(&third, "mn\r\n", "MN\r\n", "makes room");
	drive_leave(&third);
	drive_leave(&other);
	tap_number(totals(&d).bytes - totals(&d).free_bytes, 16384, "only the buffer of answers stays in use");
	drive_close(&d);
}

void test_buffers(void)
{
	test_none();
	test_answers();
	test_reads();
}
