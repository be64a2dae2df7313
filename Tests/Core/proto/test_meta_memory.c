// SPDX-License-Identifier: GPL-2.0
/* Meta commands when memory is short, and when somebody else is faster. Needs the stand-in's knobs. */
#include "test.h"
#include "double.h"
#include "drive.h"

static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s: %.*s", name, (int)strcspn(in, "\r"), in);
}

static const struct {
	const char *in, *out;
} requests[] = {
	{ "ms a 1 k Oq c\r\n5\r\n", "HD ka Oq c2\r\n" },
	{ "ms a 1 MA s\r\n1\r\n", "HD s2\r\n" },
	{ "ma a v k\r\n", "VA 2 ka\r\n52\r\n" },
	{ "ma YmI= b N0 J7 v k\r\n", "VA 1 kYmI= b\r\n7\r\n" },
	{ "mg Y2M= b N30 t k\r\n", "HD t30 kY2M= b W\r\n" },
	{ "md a x k\r\n", "HD ka\r\n" },
};

/* They wait for process context, and are then done once. */
static void test_again(size_t run)
{
	struct drive d;
	size_t i;

	drive_open(&d, NULL);
	d.run = run;
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		double_knobs.again = 2;
		double_knobs.provided = 0;
		say(&d, requests[i].in, requests[i].out, "waits");
		tap_number(double_knobs.provided, 2, "twice");
	}
	tap_number(drive_count_class(&d, KMC_CLASS_cmd_set), 2, "sets are counted once");
	tap_number(drive_count_class(&d, KMC_CLASS_hits_to_hot), 1, "and so are gets");
	drive_close(&d);
}

static void test_full(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "ms a 1\r\n5\r\n", "HD\r\n", "beginning");
	double_knobs.full = 1;
	say(&d, "mg b N30 k\r\n", "EN kb\r\n", "full");
	double_knobs.full = 1;
	say(&d, "mg b N30 q\r\nmn\r\n", "MN\r\n", "full");
	double_knobs.full = 1;
	say(&d, "ma b N30 q\r\n", "SERVER_ERROR Out of memory allocating new item\r\n", "full");
	double_knobs.full = 1;
	say(&d, "ma a q\r\n", "SERVER_ERROR out of memory\r\n", "full");
	double_knobs.full = 1;
	say(&d, "md a x q\r\nmg a v\r\n", "SERVER_ERROR out of memory\r\nVA 1\r\n5\r\n", "full");
	double_knobs.full = 1;
	say(&d, "md none x\r\n", "NF\r\n", "an item that is not there needs no memory");
	double_knobs.full = 0;
	say(&d, "ms a 1 MA k\r\n", "", "an append");
	double_knobs.full = 1;
	say(&d, "1\r\nmg a v\r\n", "NS ka\r\nVA 1\r\n5\r\n", "full");
	double_knobs.full = 1;
	say(&d, "ms a 1 q\r\n1\r\nmg a\r\n", "SERVER_ERROR out of memory storing object\r\nEN\r\n", "full");
	drive_close(&d);
}

/* Nothing is had in process context either: one try, then the answer. */
static void test_starved(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "ms a 1\r\n5\r\n", "HD\r\n", "beginning");
	double_knobs.again = U32_MAX;
	double_knobs.provide_fails = true;
	say(&d, "mg b N30\r\n", "EN\r\n", "starved");
	say(&d, "ma b N30\r\n", "SERVER_ERROR Out of memory allocating new item\r\n", "starved");
	say(&d, "ma a\r\n", "SERVER_ERROR out of memory\r\n", "starved");
	say(&d, "md a x\r\n", "SERVER_ERROR out of memory\r\n", "starved");
	say(&d, "ms a 1\r\n1\r\n", "SERVER_ERROR out of memory storing object\r\n", "starved");
	drive_close(&d);
}

/* Whoever wants to make an item finds one that is gone when it is looked at. */
static void test_rivals(void)
{
	struct drive d;

	drive_open(&d, NULL);
	double_knobs.rivals = 3;
	say(&d, "mg a N30\r\n", "HD W\r\n", "rivals");
	double_knobs.rivals = 3;
	say(&d, "ma b N30 v\r\n", "VA 1\r\n0\r\n", "rivals");
	double_knobs.rivals = U32_MAX;
	say(&d, "mg c N30\r\n", "EN\r\n", "rivals without end");
	say(&d, "ma c N30 k\r\n", "NS kc\r\n", "rivals without end");
	drive_close(&d);
}

/* What writes nothing takes no lock, as long as nobody else writes all the time. */
static void test_lock(void)
{
	static const struct {
		const char *in, *out;
		u32 looks;
	} gets[] = {
		{ "mg a s v t f c k l h Oq q u\r\n", "VA 1 s1 t30 f0 c2 ka l0 h0 Oq\r\n5\r\n", 0 },
		{ "mg a v N30 E7 R10 C9\r\n", "VA 1\r\n5\r\n", 0 },
		{ "mg none v\r\n", "EN\r\n", 0 },
		{ "mg none2 N30 v\r\n", "VA 0 W\r\n\r\n", 0 },
		{ "mg none2 N30\r\n", "HD Z\r\n", 0 },
		{ "mg a T30\r\n", "HD\r\n", 1 },
		{ "mg a R40\r\n", "HD W\r\n", 1 },
		{ "mg a R40 v\r\n", "VA 1 Z\r\n5\r\n", 0 },
		{ "md a I\r\nmg a\r\n", "HD\r\nHD X W\r\n", 1 },
		{ "mg a\r\n", "HD Z X\r\n", 0 },
	};
	struct drive d;
	size_t i;
	u32 torn;

	drive_open(&d, NULL);
	say(&d, "ms a 1 T30\r\n5\r\n", "HD\r\n", "beginning");
	for (i = 0; i < ARRAY_SIZE(gets); i++) {
		double_knobs.looks = 0;
		say(&d, gets[i].in, gets[i].out, "lock");
		tap_number(double_knobs.looks, gets[i].looks, "taken %u times", gets[i].looks);
	}
	for (torn = 0; torn < 12; torn++) {
		double_knobs.torn = torn;
		double_knobs.looks = 0;
		say(&d, "mg a k v\r\n", "VA 1 ka Z X\r\n5\r\n", "torn");
		tap_number(double_knobs.looks, torn >= KMC_PEEK_TRIES, "read while it changes, %u times", torn);
		double_knobs.torn = 0;
	}
	drive_close(&d);
}

void test_meta_memory(void)
{
	test_again(0);
	test_again(1);
	test_full();
	test_starved();
	test_rivals();
	test_lock();
}
