// SPDX-License-Identifier: GPL-2.0
/* watch: lines, rings that run full, watchers that come and go. */
#include "test.h"
#include "conversation.h"
#include "drive.h"
#include "sim/sim.h"
#include <stdlib.h>

#define READY	"OK\r\n"
#define KEY	K250

/* What the watcher has to read. */
static void heard(struct drive *w, const char *out, const char *name)
{
	drive_forget(w);
	drive_listen(w);
	tap_bytes(w->out, w->nout, out, strlen(out), "%s", name);
}

static void say(struct drive *d, const char *in, const char *out, const char *name)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s", name);
}

static void do_quietly(struct drive *d, const char *in)
{
	drive_feed(d, in, strlen(in));
}

/* A watcher of a cache; the clock stands at a time that is known. */
static void begin(struct drive *d, struct drive *w, const char *watch)
{
	drive_open(d, NULL);
	d->peer.number = 41;
	drive_join(w, d);
	kmc_sim_clock_set_wall(1700000000);
	say(w, watch, READY, watch);
}

static void end(struct drive *d, struct drive *w)
{
	drive_leave(w);
	drive_close(d);
}

#define CLSID	"1"

static void test_stores(void)
{
	struct drive d, w;

	begin(&d, &w, "watch mutations deletions\r\n");
	do_quietly(&d, "set a%b 5 100 3\r\nabc\r\n");
	heard(&w, "ts=1700000000.0 gid=2 type=item_store key=a%25b status=stored cmd=set ttl=100 clsid=" CLSID
	      " cfd=41 size=3\n", "a set with a time");
	do_quietly(&d, "add a%b 0 0 1\r\nx\r\nreplace n 0 0 1\r\nx\r\n");
	heard(&w, "ts=1700000000.0 gid=3 type=item_store key=a%25b status=not_stored cmd=add ttl=0 clsid=" CLSID
	      " cfd=41 size=1\n"
	      "ts=1700000000.0 gid=4 type=item_store key=n status=not_stored cmd=replace ttl=0 clsid=" CLSID
	      " cfd=41 size=1\n", "what is not stored");
	do_quietly(&d, "append a%b 0 0 2\r\nde\r\nprepend a%b 0 0 1\r\n<\r\n");
	heard(&w, "ts=1700000000.0 gid=5 type=item_store key=a%25b status=stored cmd=append ttl=100 clsid=" CLSID
	      " cfd=41 size=5\n"
	      "ts=1700000000.0 gid=6 type=item_store key=a%25b status=stored cmd=prepend ttl=100 clsid=" CLSID
	      " cfd=41 size=6\n", "what is joined: size and time of the whole");
	do_quietly(&d, "cas a%b 0 0 1 999\r\nx\r\ncas n 0 0 1 1\r\nx\r\n");
	heard(&w, "ts=1700000000.0 gid=7 type=item_store key=a%25b status=exists cmd=cas ttl=0 clsid=" CLSID
	      " cfd=41 size=1\n"
	      "ts=1700000000.0 gid=8 type=item_store key=n status=not_found cmd=cas ttl=0 clsid=" CLSID
	      " cfd=41 size=1\n", "cas");
	do_quietly(&d, "ma c N0 J5\r\nma c\r\nincr c 1\r\nmg v N0 v\r\nms m 2 MA N40\r\nhi\r\n");
	heard(&w, "ts=1700000000.0 gid=9 type=item_store key=c status=stored cmd=add ttl=0 clsid=" CLSID
	      " cfd=41 size=1\n"
	      "ts=1700000000.0 gid=10 type=item_store key=m status=stored cmd=append ttl=40 clsid=" CLSID
	      " cfd=41 size=2\n", "numbers and items that mg makes are no stores, but a first number is");
	do_quietly(&d, "delete c\r\ndelete c\r\nmd m I\r\nmd m x\r\nmd m\r\n");
	heard(&w, "ts=1700000000.0 gid=11 type=deleted key=c cmd=delete clsid=" CLSID " size=1\n"
	      "ts=1700000000.0 gid=12 type=item_store key=m status=stored cmd=set ttl=0 clsid=" CLSID
	      " cfd=41 size=0\n"
	      "ts=1700000000.0 gid=13 type=deleted key=m cmd=md clsid=" CLSID " size=0\n"
	      "ts=1700000000.0 gid=14 type=deleted key=m cmd=md clsid=" CLSID " size=0\n", "deletions");
	end(&d, &w);
}

static void test_too_large(void)
{
	struct drive d, w;
	char *value = malloc(1048579);

	begin(&d, &w, "watch m\r\n");
	memset(value, 'x', 1048577);
	memcpy(value + 1048577, "\r\n", 2);
	do_quietly(&d, "set big 0 0 1048577\r\n");
	drive_feed(&d, value, 1048579);
	do_quietly(&d, "ms big 1048577 MP\r\n");
	drive_feed(&d, value, 1048579);
	heard(&w, "ts=1700000000.0 gid=2 type=item_store key=big status=too_large cmd=set ttl=0 clsid=0"
	      " cfd=41 size=0\n"
	      "ts=1700000000.0 gid=3 type=item_store key=big status=too_large cmd=prepend ttl=0 clsid=0"
	      " cfd=41 size=0\n", "values that are too large");
	free(value);
	end(&d, &w);
}

#define GOT(gid, key, status, clsid, size) "ts=1700000000.0 gid=" gid " type=item_get key=" key " status=" status \
	" clsid=" clsid " cfd=41 size=" size "\n"

/* Lookups are told by the store. */
static void test_fetches(void)
{
	struct drive d, w;

	begin(&d, &w, "watch\r\n");
	do_quietly(&d, "set a 0 0 3\r\nabc\r\nget a b\r\n");
	heard(&w, GOT("2", "a", "not_found", "0", "0") GOT("3", "a", "found", "1", "3")
	      GOT("4", "b", "not_found", "0", "0"), "a set looks, too; a get");
	do_quietly(&d, "gat 0 a\r\ntouch a 0\r\nappend a 0 0 1\r\nx\r\nincr b 1\r\ndelete b\r\n");
	heard(&w, GOT("5", "a", "found", "1", "3") GOT("6", "a", "found", "1", "3") GOT("7", "a", "found", "1", "3")
	      GOT("8", "b", "not_found", "0", "0") GOT("9", "b", "not_found", "0", "0"), "other commands, once each");
	do_quietly(&d, "mg a v\r\nmg v N0 v\r\nmg v\r\nmg a T0\r\nme a\r\nmd b x\r\nma c N0\r\n");
	heard(&w, GOT("10", "a", "found", "1", "4") GOT("11", "v", "not_found", "0", "0")
	      GOT("12", "v", "found", "1", "0") GOT("13", "a", "found", "1", "4") GOT("14", "a", "found", "1", "4")
	      GOT("15", "b", "not_found", "0", "0") GOT("16", "c", "not_found", "0", "0")
	      GOT("17", "c", "not_found", "0", "0"), "meta commands as 1.6.45 tells them");
	do_quietly(&d, "set e 0 -1 1\r\nx\r\nget e\r\nflush_all\r\nget a\r\nmg YQ== b\r\n");
	heard(&w, GOT("18", "e", "not_found", "0", "0") GOT("19", "e", "expired", "0", "0")
	      GOT("20", "a", "flushed", "0", "0") GOT("21", "a", "not_found", "0", "0"), "why something is missing");
	end(&d, &w);
}

static void test_evictions(void)
{
	struct kmc_settings settings;
	struct drive d, w;
	char line[64];
	u32 i;

	drive_settings(&settings);
	settings.memory_limit = 2 << 20;
	settings.item_size_max = 1 << 20;
	drive_open(&d, &settings);
	drive_join(&w, &d);
	say(&w, "watch evictions\r\n", READY, "watch evictions");
	for (i = 0; i < 200; i++) {
		char value[20002];

		memset(value, 'v', 20000);
		memcpy(value + 20000, "\r\n", 2);
		snprintf(line, sizeof(line), "set k%u 0 %u 20000\r\n", i, i ? 0 : 1000);
		do_quietly(&d, line);
		drive_feed(&d, value, sizeof(value));
	}
	drive_forget(&w);
	drive_listen(&w);
	tap_ok(w.nout > 60 && !!memmem(w.out, w.nout, "type=eviction key=k0 fetch=no ttl=1000 la=0 clsid=", 50),
	       "the first that goes, with its time");
	tap_ok(!!memmem(w.out, w.nout, "type=eviction key=k1 fetch=no ttl=-1 la=0 clsid=", 48), "and one without");
	tap_ok(!!memmem(w.out, w.nout, " size=20000\n", 12), "and the size of its value");
	end(&d, &w);
}

/* A reader that is slow: what finds no room is skipped, and he is told how much that was. */
static void test_skipping(void)
{
	struct kmc_settings settings;
	struct drive d, w;
	u32 i;

	drive_settings(&settings);
	settings.watcher_logbuf_size = 1024;
	drive_open(&d, &settings);
	drive_join(&w, &d);
	kmc_sim_clock_set_wall(1700000000);
	say(&w, "watch mutations\r\n", READY, "watch with a small ring");
	for (i = 0; i < 100; i++)
		do_quietly(&d, "set a 0 0 1\r\nx\r\n");
	tap_number(drive_count(&d, KMC_COUNT_log_worker_written), 100, "all lines are counted");
	tap_ok(drive_count(&d, KMC_COUNT_log_watcher_skipped) > 80, "most are skipped");
	tap_number(drive_count(&d, KMC_COUNT_log_watcher_sent) + drive_count(&d, KMC_COUNT_log_watcher_skipped),
		   100, "each is either sent or skipped");
	drive_forget(&w);
	drive_listen(&w);
	tap_ok(w.nout < 1024 && w.nout > 800 && w.out[w.nout - 1] == '\n', "the ring holds whole lines");
	tap_ok(!memmem(w.out, w.nout, "skipped", 7), "and none that says how many are missing, yet");
	i = drive_count(&d, KMC_COUNT_log_watcher_skipped);
	do_quietly(&d, "set b 0 0 1\r\nx\r\n");
	drive_forget(&w);
	drive_listen(&w);
	{
		char expect[64];
		u32 n = snprintf(expect, sizeof(expect), "skipped=%u\nts=1700000000.0 gid=102 ", i);

		tap_ok(w.nout > n && !memcmp(w.out, expect, n), "that comes before the next line");
	}
	end(&d, &w);
}

/* Lines go round the ring's end at every offset, in every size of reply. */
static void test_wrapping(void)
{
	struct kmc_settings settings;
	struct drive d, w;
	bool whole = true;
	char line[600];
	u32 i;

	drive_settings(&settings);
	settings.watcher_logbuf_size = 1031;
	drive_open(&d, &settings);
	drive_join(&w, &d);
	w.send = 7;
	say(&w, "watch deletions\r\n", READY, "watch in small pieces");
	for (i = 1; i <= 250; i++) {
		memset(line, 0, sizeof(line));
		snprintf(line, sizeof(line), "set %.*s 0 0 1\r\nx\r\ndelete %.*s\r\n", (int)i, KEY, (int)i, KEY);
		do_quietly(&d, line);
		drive_forget(&w);
		drive_listen(&w);
		if (w.nout < i || !memmem(w.out, w.nout, KEY, i) || w.out[w.nout - 1] != '\n')
			whole = false;
	}
	tap_ok(whole, "250 lines of all lengths come whole round a ring of 1031 bytes");
	end(&d, &w);
}

static void test_kicks(void)
{
	struct drive d, w;

	begin(&d, &w, "watch mutations\r\n");
	tap_ok(!kmc_session_pending(w.session), "nothing to say at first");
	do_quietly(&d, "set a 0 0 1\r\nx\r\n");
	tap_ok(kmc_session_pending(w.session) && w.kicked == 1, "an event wakes the watcher");
	do_quietly(&d, "set a 0 0 1\r\nx\r\nset a 0 0 1\r\nx\r\n");
	tap_number(w.kicked, 1, "further ones do not wake him again");
	drive_listen(&w);
	do_quietly(&d, "set a 0 0 1\r\nx\r\n");
	tap_number(w.kicked, 2, "until he has read");
	do_quietly(&d, "get a\r\n");
	tap_number(w.kicked, 2, "what he did not ask for is not told");
	drive_listen(&w);
	say(&w, "get a\r\nquit\r\nset a 0 0 5\r\n", "", "what a watcher says is not answered");
	tap_ok(!w.closed && kmc_session_busy(w.session), "and does not end him");
	drive_leave(&w);
	do_quietly(&d, "set a 0 0 1\r\nx\r\n");
	tap_number(kmc_watchers(&d.core.watch), 0, "he is gone when he hangs up");
	tap_ok(!d.core.watch.events, "and nothing is watched any more");
	drive_close(&d);
}

static void test_refusals(void)
{
	struct kmc_settings settings;
	struct drive d, w[KMC_WATCHERS_MAX + 1];
	u32 i;

	drive_open(&d, NULL);
	say(&d, "watch foo\r\nwatch fetchers foo\r\nwatch fetchersx\r\n", "ERROR\r\n"
	    "ERROR cannot pipeline other commands before watch\r\n"
	    "ERROR cannot pipeline other commands before watch\r\n", "unknown events");
	say(&d, " watch\r\n", "ERROR\r\n", "a blank before it");
	say(&d, "version\r\nwatch\r\n", "VERSION 1.6.45-kmemcache-0.1.0\r\n"
	    "ERROR cannot pipeline other commands before watch\r\n", "an answer waits before it");
	for (i = 0; i <= KMC_WATCHERS_MAX; i++)
		drive_join(&w[i], &d);
	for (i = 0; i < KMC_WATCHERS_MAX; i++)
		do_quietly(&w[i], i % 2 ? "watch r e f m s c proxyreqs proxyevents proxyuser d d\r\n" : "watch\r\n");
	tap_number(kmc_watchers(&d.core.watch), KMC_WATCHERS_MAX, "twenty may watch");
	say(&w[i], "watch\r\n", "WATCHER_TOO_MANY log watcher limit reached\r\n", "one more may not");
	drive_leave(&w[0]);
	say(&w[i], "watch\r\n", READY, "until another one goes");
	for (i = 1; i <= KMC_WATCHERS_MAX; i++)
		drive_leave(&w[i]);
	drive_close(&d);
	drive_settings(&settings);
	settings.watch_enabled = 0;
	drive_open(&d, &settings);
	say(&d, "watch\r\nwatch foo\r\n", "CLIENT_ERROR watch commands not allowed\r\n"
	    "CLIENT_ERROR watch commands not allowed\r\n", "where it is not allowed");
	drive_close(&d);
}

void test_watch(void)
{
	test_stores();
	test_too_large();
	test_fetches();
	test_evictions();
	test_skipping();
	test_wrapping();
	test_kicks();
	test_refusals();
}
