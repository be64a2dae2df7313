// SPDX-License-Identifier: GPL-2.0
/* Meta commands: what they do as time goes by, what they count, and values that do not fit into a reply. */
#include "test.h"
#include "drive.h"
#include "sim/sim.h"
#include <stdlib.h>

/* The class that the tests' small items are in. */
#ifdef WITH_DOUBLE
#define CLASS	"7"
#else
#define CLASS	"1"
#endif

static void say(struct drive *d, const char *in, const char *out)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%.*s", (int)strcspn(in, "\r"), in);
}

static void test_time(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "ms a 1 T100\r\n1\r\n", "HD\r\n");
	kmc_sim_clock_advance(5000);
	say(&d, "mg a u l t\r\n", "HD l5 t95\r\n");
	say(&d, "mg a l h t\r\n", "HD l5 h0 t95\r\n");
	say(&d, "mg a l h R90\r\n", "HD l0 h1\r\n");
	kmc_sim_clock_advance(6000);
	say(&d, "mg a R90 t l\r\n", "HD t89 l6 W\r\n");
	kmc_sim_clock_advance(89000);
	say(&d, "mg a\r\n", "EN\r\n");
	say(&d, "mg a N10\r\n", "HD W\r\n");
	kmc_sim_clock_advance(10000);
	say(&d, "mg a N10 t\r\n", "HD t10 W\r\n");
	say(&d, "ms a 1 T-1\r\n1\r\n", "HD\r\n");
	say(&d, "mg a v\r\n", "EN\r\n");
#ifndef WITH_DOUBLE	/* whose clock starts later */
	/* A deadline in the past is shown as it is stored, wrapped: second 1 seen from second 112. */
	say(&d, "ms a 1\r\n1\r\n", "HD\r\n");
	say(&d, "mg a T-1 t\r\n", "HD t4294967185\r\n");
#endif
	drive_close(&d);
}

static void test_debug(void)
{
	struct drive d;

	drive_open(&d, NULL);
	say(&d, "ms a 2\r\nhi\r\n", "HD\r\n");
	say(&d, "me a\r\n", "ME a exp=-1 la=0 cas=2 fetch=no cls=" CLASS " size=62\r\n");
	say(&d, "ms a 2 F1 T30\r\nhi\r\n", "HD\r\n");
	kmc_sim_clock_advance(3000);
	say(&d, "me a\r\n", "ME a exp=27 la=3 cas=3 fetch=no cls=" CLASS " size=66\r\n");
	say(&d, "mg a\r\n", "HD\r\n");
	say(&d, "me a k\r\n", "ME a exp=27 la=0 cas=3 fetch=yes cls=" CLASS " size=66\r\n");
	say(&d, "ms AAE= 2 b\r\nhi\r\n", "HD\r\n");
	say(&d, "me AAE= b\r\n", "ME AAE= exp=-1 la=0 cas=4 fetch=no cls=" CLASS " size=63\r\n");
	say(&d, "me AAE= b more\r\n", "ME AAE= exp=-1 la=0 cas=4 fetch=no cls=" CLASS " size=63\r\n");
	say(&d, "me AAE=\r\n", "EN\r\n");
	tap_number(drive_count(&d, KMC_COUNT_cmd_meta), 6, "each me is counted");
	tap_number(drive_count(&d, KMC_COUNT_get_misses), 0, "and is no get");
	drive_close(&d);
}

static void counts(struct drive *d, const char *in, enum kmc_counter all, enum kmc_class_counter by_class,
		   u32 nall, u32 nclass)
{
	u64 all_before = drive_count(d, all), class_before = drive_count_class(d, by_class);

	drive_feed(d, in, strlen(in));
	tap_ok(drive_count(d, all) - all_before == nall &&
	       drive_count_class(d, by_class) - class_before == nclass, "%.*s counts %u and %u",
	       (int)strcspn(in, "\r"), in, nall, nclass);
}

#define COUNTS(in, all, by_class, nall, nclass) \
	counts(&d, in "\r\n", KMC_COUNT_##all, KMC_CLASS_##by_class, nall, nclass)

static void test_counts(void)
{
	struct drive d;

	drive_open(&d, NULL);
	COUNTS("mg a", get_misses, hits_to_hot, 1, 0);
	COUNTS("mg a q", get_misses, hits_to_hot, 1, 0);
	COUNTS("mg a T10", get_misses, touch_hits, 1, 0);
	COUNTS("mg a T10 v", touch_misses, touch_hits, 0, 0);
	COUNTS("mg n N10", get_misses, hits_to_hot, 0, 1);
	COUNTS("mg o N10 T10", get_misses, touch_hits, 0, 1);
	COUNTS("mg n N10", get_misses, hits_to_hot, 0, 1);
	COUNTS("ms a 1\r\n1", total_items, cmd_set, 1, 1);
	COUNTS("ms a 1 ME\r\n1", total_items, cmd_set, 0, 1);
	COUNTS("mg a v", get_misses, hits_to_hot, 0, 1);
	COUNTS("mg a T100", get_misses, touch_hits, 0, 1);
	COUNTS("mg a T100", get_misses, hits_to_hot, 0, 0);
	COUNTS("mg a z", get_misses, hits_to_hot, 0, 0);
	COUNTS("mg a", cmd_meta, hits_to_hot, 0, 1);
	COUNTS("ms a 1 C1\r\n2", cas_misses, cas_badval, 0, 1);
	COUNTS("ms a 1 C1 I\r\n2", cas_misses, cas_hits, 0, 1);
	COUNTS("ms b 1 C1\r\n2", cas_misses, cas_hits, 1, 0);
	COUNTS("ma a", incr_misses, incr_hits, 0, 1);
	COUNTS("ma a MD", decr_misses, decr_hits, 0, 1);
	COUNTS("ma b", incr_misses, incr_hits, 1, 0);
	COUNTS("ma b MD", decr_misses, decr_hits, 1, 0);
	COUNTS("ma c N0", incr_misses, incr_hits, 0, 0);
	COUNTS("ma c C99", incr_misses, incr_hits, 0, 0);
	COUNTS("md a I", delete_misses, delete_hits, 0, 0);
	COUNTS("md a x", delete_misses, delete_hits, 0, 1);
	COUNTS("md a C1", delete_misses, delete_hits, 1, 0);
	COUNTS("md a", delete_misses, delete_hits, 0, 1);
	COUNTS("md a", delete_misses, delete_hits, 1, 0);
	COUNTS("ms a 2000000", store_too_large, cmd_set, 1, 0);
	drive_close(&d);
}

/* Values that leave in many sends; the marks on the item are made once. */
static void test_long(u32 size, u32 send)
{
	u64 live = kmc_sim_live_allocations();
	u8 *in = malloc(size + 200), *out = malloc(3 * size + 200);
	size_t nin, nhead, nout = 0;
	struct drive d;
	u32 i;

	nhead = sprintf((char *)in, "ms a %u\r\n", size);
	nin = nhead;
	for (i = 0; i < size; i++)
		in[nin++] = (u8)(i * 7);
	nin += sprintf((char *)in + nin, "\r\nmd a I q\r\nmg a v k\r\nmg a v T9 t\r\nmg a v O1 l\r\n");
	nout = sprintf((char *)out, "HD\r\n");
	for (i = 0; i < 3; i++) {
		static const char *const flags[] = { " ka X W", " t9 Z X", " O1 l0 Z X" };

		nout += sprintf((char *)out + nout, "VA %u%s\r\n", size, flags[i]);
		memcpy(out + nout, in + nhead, size);
		nout += size;
		nout += sprintf((char *)out + nout, "\r\n");
	}
	drive_open(&d, NULL);
	d.run = 1460;
	d.send = send;
	drive_feed(&d, in, nin);
	tap_bytes(d.out, d.nout, out, nout, "mg of %u bytes, sent by %u", size, send);
	drive_close(&d);
	tap_number(kmc_sim_live_allocations(), live, "and nothing is left over");
	free(in);
	free(out);
}

/* Small answers until the room is full, many times over: none is lost, none is said twice. */
static void test_full(const char *in, const char *out, u32 times)
{
	size_t nin = strlen(in), nout = strlen(out), i;
	struct drive d;
	char *all = malloc(nin * times), *wanted = malloc(nout * times);

	for (i = 0; i < times; i++) {
		memcpy(all + i * nin, in, nin);
		memcpy(wanted + i * nout, out, nout);
	}
	drive_open(&d, NULL);
	drive_feed(&d, "ms a 1\r\n1\r\nms n 1 q\r\n0\r\n", 24);
	drive_forget(&d);
	d.send = 1000;
	drive_feed(&d, all, nin * times);
	tap_bytes(d.out, d.nout, wanted, nout * times, "%u times %.*s", times, (int)strcspn(in, "\r"), in);
	drive_close(&d);
	free(all);
	free(wanted);
}

/* What is refused leaves nothing: the old value goes in any mode, as in memcached. */
static void test_refused(void)
{
	static const char *const lines[] = { "ms a 2000000\r\n", "ms a 2000000 MA q\r\n", "ms a 2000000 ME\r\n" };
	u8 *value = calloc(1, 2000002);
	struct drive d;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		drive_open(&d, NULL);
		say(&d, "ms a 1\r\n1\r\n", "HD\r\n");
		say(&d, lines[i], "SERVER_ERROR object too large for cache\r\n");
		drive_feed(&d, value, 2000002);
		say(&d, "mg a v\r\n", "EN\r\n");
		drive_close(&d);
	}
	free(value);
}

static void test_without_cas(void)
{
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.cas = 0;
	drive_open(&d, &settings);
#ifndef WITH_DOUBLE
	say(&d, "ms a 1 c E5\r\n1\r\n", "HD c0\r\n");
	say(&d, "ms a 1 C5\r\n1\r\n", "EX\r\n");
	say(&d, "ms a 1 C5 MA\r\n2\r\n", "HD\r\n");
	say(&d, "ma a C5\r\n", "EX\r\n");
	say(&d, "mg a C0 v\r\n", "HD\r\n");
	say(&d, "md a C5\r\n", "EX\r\n");
	say(&d, "md a C0\r\n", "HD\r\n");
	say(&d, "ma a N0 c E7\r\n", "HD c0\r\n");
	say(&d, "mg b N0 c E7\r\n", "HD c0 W\r\n");
#endif
	drive_close(&d);
}

/* Hang up while a value comes in or goes out. */
static void test_hang_up(void)
{
	u64 live = kmc_sim_live_allocations();
	u8 *value = calloc(1, 600000);
	struct kmc_budget budget = { U32_MAX, U32_MAX, U32_MAX };
	struct drive d;
	size_t used;

	drive_open(&d, NULL);
	drive_feed(&d, "ms a 10 Oq\r\n12345", 17);
	drive_close(&d);
	tap_number(kmc_sim_live_allocations(), live, "hung up in the value of an ms");
	drive_open(&d, NULL);
	drive_feed(&d, "ms a 600000\r\n", 13);
	drive_feed(&d, value, 600000);
	drive_feed(&d, "\r\n", 2);
	local_bh_disable();
	kmc_session_input(d.session, (const u8 *)"mg a v\r\nmg a v\r\n", 16, &used, &d.reply, &budget);
	local_bh_enable();
	drive_close(&d);
	tap_number(kmc_sim_live_allocations(), live, "hung up in the value of an mg");
	free(value);
}

void test_meta_effects(void)
{
	static const u32 sizes[] = { 1, 4096, 4097, 60000, 600000 };
	size_t i;

	test_time();
	test_debug();
	test_counts();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		test_long(sizes[i], 0);
		test_long(sizes[i], 777);
	}
	test_full("mg a v k Oopaque\r\n", "VA 1 ka Oopaque\r\n1\r\n", 2000);
	test_full("mg miss k\r\n", "EN kmiss\r\n", 2000);
	test_full("mn\r\n", "MN\r\n", 5000);
	test_full("ma n D0 v\r\n", "VA 1\r\n0\r\n", 2000);
	test_full("ms n 1 k\r\n0\r\n", "HD kn\r\n", 2000);
	test_full("md miss k\r\n", "NF kmiss\r\n", 2000);
	test_refused();
	test_without_cas();
	test_hang_up();
}
