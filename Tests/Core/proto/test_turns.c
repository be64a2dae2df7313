// SPDX-License-Identifier: GPL-2.0
/*
 * Verdicts: when a session comes back, with how much taken, and what its budget says then.
 */
#include "test.h"
#include "drive.h"
#include "sim/sim.h"
#include <stdlib.h>

static enum kmc_verdict turn(struct drive *d, const void *data, size_t len, size_t *used,
			     struct kmc_budget *budget)
{
	enum kmc_verdict verdict;

	local_bh_disable();
	verdict = kmc_session_input(d->session, data, len, used, &d->reply, budget);
	local_bh_enable();
	return verdict;
}

static void sent(struct drive *d)
{
	local_bh_disable();
	kmc_reply_sent(&d->reply, d->reply.bytes);
	local_bh_enable();
}

/* With pages at hand, so that nothing needs process context. */
static void open_ready(struct drive *d)
{
	drive_open(d, NULL);
	BUG_ON(kmc_store_provide(d->core.store));
}

#ifndef WITH_DOUBLE
/* The real store begins with few pages: sets of many sizes use them up, and the next has to wait. */
static void test_first_page(void)
{
	struct kmc_budget before, budget = { .requests = 100, .keys = 100, .bytes = 100000 };
	enum kmc_verdict verdict = KMC_NEED_INPUT;
	struct drive d;
	size_t used;
	char in[1024];
	u32 size, i;

	drive_open(&d, NULL);
	for (size = 100; size < 900 && verdict == KMC_NEED_INPUT; size += 100) {
		i = sprintf(in, "set a 0 0 %u\r\n", size);
		memset(in + i, 'x', size);
		memcpy(in + i + size, "\r\n", 2);
		before = budget;
		verdict = turn(&d, in, i + size + 2, &used, &budget);
	}
	tap_number(verdict, KMC_NEED_PROCESS, "a set needs process context");
	tap_number(used, 0, "none of it is taken");
	tap_ok(budget.requests == before.requests && budget.bytes == before.bytes, "and nothing charged");
	sent(&d);
	kmc_session_process(d.session);
	size -= 100;
	tap_number(turn(&d, in, i + size + 2, &used, &budget), KMC_NEED_INPUT, "then it goes on");
	tap_number(used, i + size + 2, "to the end");
	tap_number(d.reply.bytes, strlen("STORED\r\n"), "and is answered");
	drive_close(&d);
}
#endif

/* A get is one request, whatever its keys. */
static void test_budget_requests(void)
{
	static const char in[] = "get a b c\r\nversion\r\nversion\r\n";
	const size_t two = strlen("get a b c\r\nversion\r\n");
	struct kmc_budget budget = { .requests = 2, .keys = 3, .bytes = 1000 };
	struct drive d;
	size_t used;

	open_ready(&d);
	tap_number(turn(&d, in, sizeof(in) - 1, &used, &budget), KMC_NEED_TURN, "two commands, then a turn");
	tap_number(used, two, "taken up to the last command");
	tap_number(budget.requests, 0, "the budget is used up");
	tap_number(budget.keys, 0, "keys are counted by themselves");
	tap_number(budget.bytes, 1000 - used, "bytes are counted");
	tap_ok(!kmc_session_busy(d.session), "not busy between requests");
	tap_number(turn(&d, in + two, sizeof(in) - 1 - two, &used, &budget), KMC_NEED_TURN,
		   "no budget, no work");
	tap_number(used, 0, "and no byte taken");
	tap_number(turn(&d, NULL, 0, &used, &budget), KMC_NEED_INPUT, "nothing to do needs no budget");
	budget.requests = 1;
	tap_number(turn(&d, in + two, sizeof(in) - 1 - two, &used, &budget), KMC_NEED_INPUT,
		   "the last command fits, and needs no key");
	drive_close(&d);
}

/* Keys have a bound of their own, over all gets of a turn. */
static void test_budget_keys(void)
{
	static const char in[] = "get a\r\nget b c\r\nversion\r\n";
	const size_t two = strlen("get a\r\nget b");
	struct kmc_budget budget = { .requests = 10, .keys = 2, .bytes = 1000 };
	struct drive d;
	size_t used;

	open_ready(&d);
	tap_number(turn(&d, in, sizeof(in) - 1, &used, &budget), KMC_NEED_TURN, "two keys, then a turn");
	tap_number(used, two, "taken up to the third key");
	tap_number(budget.requests, 8, "two requests are charged");
	tap_ok(kmc_session_busy(d.session), "busy within a get");
	budget.keys = 1;
	tap_number(turn(&d, in + two, sizeof(in) - 1 - two, &used, &budget), KMC_NEED_INPUT,
		   "a key, and what needs none");
	tap_number(budget.requests, 7, "a get that goes on is not charged again");
	drive_close(&d);
}

static void test_budget_bytes(void)
{
	static const char in[] = "set a 0 0 20\r\n01234567890123456789\r\n";
	struct kmc_budget budget = { .requests = 10, .keys = 10, .bytes = 18 };
	struct drive d;
	size_t used;

	open_ready(&d);
	tap_number(turn(&d, in, sizeof(in) - 1, &used, &budget), KMC_NEED_TURN, "a value ends with the bytes");
	tap_number(used, 18, "exactly");
	tap_number(budget.bytes, 0, "none is left");
	tap_ok(kmc_session_busy(d.session), "busy within a value");
	budget.bytes = 3;
	tap_number(turn(&d, in + 18, sizeof(in) - 19, &used, &budget), KMC_NEED_TURN, "three more");
	tap_number(used, 3, "and no more than three");
	budget.bytes = 1000;
	tap_number(turn(&d, in + 21, sizeof(in) - 22, &used, &budget), KMC_NEED_INPUT, "the rest");
	tap_number(d.reply.bytes, strlen("STORED\r\n"), "answered once");
	budget.bytes = 4;
	tap_number(turn(&d, "set a 0 0 9999999\r\nxxxx", 23, &used, &budget), KMC_NEED_TURN,
		   "a line may take more bytes than there are, what is swallowed not");
	tap_number(used, 19, "the whole line");
	tap_number(budget.bytes, 0, "the budget stops at 0");
	drive_close(&d);
}

/* One item of @len bytes: a digit behind spaces. */
static void put_long(struct drive *d, const char *key, size_t len)
{
	char head[32];
	char *value = malloc(len + 2);

	memset(value, ' ', len);
	memcpy(value + len - 1, "7\r\n", 3);
	drive_feed(d, head, sprintf(head, "set %s 0 0 %zu\r\n", key, len));
	drive_feed(d, value, len + 2);
	free(value);
}

/* @request, twice in a row, has the store copy @least bytes each time: of the second nothing is taken in the same turn. */
static void test_work(struct drive *d, const char *request, u32 least)
{
	struct kmc_budget budget;
	enum kmc_verdict verdict;
	char in[128];
	size_t used, all = 0, len = sprintf(in, "%s%s", request, request) / 2;

	do {
		budget = (struct kmc_budget){ .requests = 10, .keys = 10, .bytes = least };
		verdict = turn(d, in + all, 2 * len - all, &used, &budget);
		all += used;
		if (verdict == KMC_NEED_PROCESS)
			kmc_session_process(d->session);
	} while (verdict == KMC_NEED_PROCESS);
	tap_number(verdict, KMC_NEED_TURN, "%.*s copies much for few bytes", (int)strcspn(request, "\r"), request);
	tap_number(all, len, "and has a turn of its own");
	tap_number(budget.requests, 9, "of which nothing but bytes is used up");
	budget.bytes = 2 * least;
	tap_number(turn(d, in + len, len, &used, &budget), KMC_NEED_INPUT, "with enough of them it is taken");
	tap_ok(budget.bytes < least, "and charged");
	sent(d);
}

static void test_budget_work(void)
{
	struct drive d;

	open_ready(&d);
	put_long(&d, "large", 600000);
	test_work(&d, "append large 0 0 1\r\nx\r\n", 600000);
	test_work(&d, "prepend large 0 0 1\r\nx\r\n", 600000);
	test_work(&d, "ms large 1 MA\r\nx\r\n", 600000);
#ifndef WITH_DOUBLE	/* whose numbers are short */
	put_long(&d, "number", 300000);
	test_work(&d, "incr number 1\r\n", 300000);
	test_work(&d, "ma number MD\r\n", 300000);
	put_long(&d, "spaces", 300000);
	drive_feed(&d, "append spaces 0 0 1\r\nx\r\n", 24);
	test_work(&d, "decr spaces 1\r\n", 300000);
#endif
	drive_close(&d);
}

/* A client that never reads. */
static void test_full(void)
{
	u64 live = kmc_sim_live_allocations();
	struct kmc_budget budget = { U32_MAX, U32_MAX, U32_MAX };
	enum kmc_verdict verdict;
	struct drive d;
	size_t used;

	open_ready(&d);
	do {
		verdict = turn(&d, "version\r\n", 9, &used, &budget);
	} while (verdict == KMC_NEED_INPUT);
	tap_number(verdict, KMC_NEED_SEND, "a full reply stops");
	tap_number(used, 0, "and takes nothing");
	tap_ok(d.reply.bytes > KMC_REPLY_ROOM_MIN - 500, "not before it is nearly full");
	sent(&d);
	tap_number(turn(&d, "version\r\n", 9, &used, &budget), KMC_NEED_INPUT, "sent, it goes on");
	drive_close(&d);
	tap_number(kmc_sim_live_allocations(), live, "nothing is left over");
}

/* Hang up in every state that holds something. */
static void test_hang_up(void)
{
	static const struct {
		const char *what;
		const char *in;
	} states[] = {
		{ "in a line", "set a 0 0 1" },
		{ "before a value", "set a 0 0 10\r\n" },
		{ "in a value", "set a 0 0 10\r\n12345" },
		{ "in a value's end", "set a 0 0 1\r\n1\r" },
		{ "in a value that is swallowed", "set a 0 0 99999999\r\n12345" },
		{ "in a key", "get a b" },
		{ "in a large value that goes out", "get large large\r\n" },
	};
	u64 live = kmc_sim_live_allocations();
	u8 *value = calloc(1, 600000);
	struct kmc_budget budget;
	struct drive d;
	size_t i, j, used;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		open_ready(&d);
		drive_feed(&d, "set large 0 0 600000\r\n", 22);
		drive_feed(&d, value, 600000);
		drive_feed(&d, "\r\n", 2);
		for (j = 0; j < strlen(states[i].in); j += used) {
			budget = (struct kmc_budget){ U32_MAX, U32_MAX, U32_MAX };
			if (turn(&d, states[i].in + j, strlen(states[i].in) - j, &used, &budget) !=
			    KMC_NEED_INPUT)
				break;
		}
		drive_close(&d);
		tap_number(kmc_sim_live_allocations(), live, "hung up %s: nothing is left over",
			   states[i].what);
	}
	free(value);
}

static void test_closed(void)
{
	struct kmc_budget budget = { 10, 10, 1000 };
	struct drive d;
	size_t used;

	open_ready(&d);
	tap_number(turn(&d, "version\r\nquit\r\nversion\r\n", 24, &used, &budget), KMC_NEED_CLOSE, "quit");
	tap_number(used, 15, "what stands behind it is not taken");
	tap_ok(d.reply.bytes > 9, "what stands before it is answered");
	sent(&d);
	tap_number(turn(&d, "version\r\n", 9, &used, &budget), KMC_NEED_CLOSE, "closed for good");
	tap_number(used, 0, "not a byte more");
	tap_ok(kmc_reply_empty(&d.reply), "not a word more");
	drive_close(&d);
}

/* Idle connections hold no buffer. */
static void test_idle(void)
{
	struct drive d;
	u64 live;

	open_ready(&d);
	live = kmc_sim_live_allocations();
	d.run = 1;
	drive_feed(&d, "get a", 5);
	tap_number(kmc_sim_live_allocations(), live + 1, "half a line is carried");
	drive_feed(&d, "\r\n", 2);
	tap_number(kmc_sim_live_allocations(), live, "a whole one no more");
	drive_close(&d);
}

static void test_protocols(void)
{
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.protocol = 2;
	drive_open(&d, &settings);
	drive_feed(&d, "version\r\nversion\r\nversion\r\n", 27);
	tap_ok(d.closed && !d.nout, "text where only binary may be spoken");
	drive_close(&d);
	settings.protocol = 1;
	drive_open(&d, &settings);
	drive_feed(&d, "version\r\n", 9);
	tap_ok(!d.closed && d.nout, "text where only text may be spoken");
	drive_close(&d);
}

void test_turns(void)
{
#ifndef WITH_DOUBLE
	test_first_page();
#endif
	test_budget_requests();
	test_budget_keys();
	test_budget_bytes();
	test_budget_work();
	test_full();
	test_hang_up();
	test_closed();
	test_idle();
	test_protocols();
}
