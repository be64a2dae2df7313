// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "drive.h"
#include <stdlib.h>

/* The value of row @name in what was sent, or NULL. */
static const char *row(struct drive *d, const char *name)
{
	static char value[300];
	char head[100];
	const u8 *at;
	int nhead = snprintf(head, sizeof(head), "STAT %s ", name);
	size_t n = 0;

	at = memmem(d->out, d->nout, head, nhead);
	if (!at)
		return NULL;
	for (at += nhead; *at != '\r'; at++)
		value[n++] = *at;
	value[n] = 0;
	return value;
}

static void test_row(struct drive *d, const char *name, const char *wanted)
{
	const char *got = row(d, name);

	if (!tap_ok(got && !strcmp(got, wanted), "%s is %s", name, wanted))
		tap_ok(false, "# got %s", got ? got : "nothing");
}

static void ask(struct drive *d, const char *what)
{
	drive_forget(d);
	drive_feed(d, what, strlen(what));
}

static const char traffic[] =
	"set a 0 0 1\r\n1\r\nset b 0 0 1\r\nx\r\nget a b c d e\r\nset t 0 0 9999999\r\n";

static const char more_traffic[] =
	"incr a 1\r\nincr a 1\r\nincr z 1\r\ndecr a 1\r\ndecr z 1\r\ntouch a 0\r\ntouch z 0\r\ngat 0 a z z\r\n"
	"delete b\r\ndelete z\r\ncas a 0 0 1 1\r\nx\r\ncas z 0 0 1 1\r\nx\r\nflush_all 1000\r\n";

static void test_counters(struct drive *d)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "cmd_get", "5" }, { "get_hits", "2" }, { "get_misses", "3" },
		{ "cmd_set", "4" }, { "store_too_large", "1" }, { "store_no_memory", "0" },
		{ "incr_hits", "2" }, { "incr_misses", "1" }, { "decr_hits", "1" }, { "decr_misses", "1" },
		{ "cmd_touch", "5" }, { "touch_hits", "2" }, { "touch_misses", "3" },
		{ "delete_hits", "1" }, { "delete_misses", "1" },
		{ "cas_misses", "1" }, { "cas_badval", "1" }, { "cas_hits", "0" },
		{ "cmd_flush", "1" }, { "curr_items", "1" }, { "pid", "4711" },
		{ "version", "1.6.45-kmemcache-0.1.0" }, { "pointer_size", "64" },
		{ "max_connections", "1024" }, { "limit_maxbytes", "16777216" }, { "threads", "4" },
		{ "accepting_conns", "1" }, { "curr_connections", "1" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(d, rows[i].name, rows[i].value);
	tap_ok(!row(d, "idle_kicks"), "idle_kicks is shown with idle_timeout only");
	tap_ok(row(d, "rejected_connections") != NULL, "rejected_connections with maxconns_fast");
	tap_ok(d->nout > 5 && !memcmp(d->out + d->nout - 5, "END\r\n", 5), "END at the end");
}

static void test_reset(struct drive *d)
{
	ask(d, "stats reset\r\n");
	tap_bytes(d->out, d->nout, "RESET\r\n", 7, "reset");
	ask(d, "get a\r\nstats\r\n");
	test_row(d, "cmd_get", "1");
	test_row(d, "get_hits", "1");
	test_row(d, "cmd_set", "0");
	test_row(d, "touch_misses", "0");
	test_row(d, "curr_items", "1");
}

static void test_settings_rows(struct drive *d)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "maxbytes", "16777216" }, { "maxconns", "1024" }, { "evictions", "on" },
		{ "umask", "700" }, { "growth_factor", "1.25" }, { "chunk_size", "48" },
		{ "stat_key_prefix", ":" }, { "cas_enabled", "yes" }, { "tcp_backlog", "1024" },
		{ "binding_protocol", "auto-negotiate" }, { "item_size_max", "1048576" },
		{ "maxconns_fast", "yes" }, { "hashpower_init", "12" }, { "slab_chunk_max", "524288" },
		{ "flush_enabled", "yes" }, { "idle_timeout", "0" }, { "inter", "NULL" },
		{ "shutdown_command", "no" }, { "reqs_per_event", "20" }, { "verbosity", "0" },
	};
	size_t i;

	ask(d, "stats settings\r\n");
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(d, rows[i].name, rows[i].value);
	ask(d, "stats s\r\n");
	test_row(d, "maxbytes", "16777216");
}

static void test_classes(struct drive *d)
{
	u32 class = 0;
	char name[64];

	ask(d, "stats slabs\r\n");
	do {
		snprintf(name, sizeof(name), "%u:cmd_set", ++class);
	} while (class < 64 && !row(d, name));
	tap_ok(class < 64, "a slab class was used (%u)", class);
	test_row(d, name, "4");
	snprintf(name, sizeof(name), "%u:get_hits", class);
	test_row(d, name, "2");
	tap_ok(row(d, "active_slabs") && row(d, "total_malloced"), "the totals are there");
	ask(d, "stats items\r\n");
	snprintf(name, sizeof(name), "items:%u:number", class);
	test_row(d, name, "1");
	snprintf(name, sizeof(name), "items:%u:hits_to_hot", class);
	test_row(d, name, "2");
}

struct sink {
	struct kmc_stats_row rows[200];
	u32 count, most;
};

static bool take(void *ctx, const struct kmc_stats_row *row)
{
	struct sink *sink = ctx;

	if (!sink->most)
		return false;
	sink->most--;
	sink->rows[sink->count++] = *row;
	return true;
}

/* A listing taken @step rows at a time has the same rows as one taken at once. */
static void test_cursor(struct drive *d, const char *group, u32 step)
{
	struct sink *whole = calloc(1, sizeof(*whole)), *parts = calloc(1, sizeof(*parts));
	bool done = false;
	int skip = 0;
	u32 i;

	local_bh_disable();
	whole->most = 200;
	kmc_stats_rows(&d->core, group, strlen(group), 0, take, whole, &done);
	tap_ok(done && whole->count > 0, "\"%s\" has %u rows", group, whole->count);
	do {
		parts->most = step;
		skip = kmc_stats_rows(&d->core, group, strlen(group), skip, take, parts, &done);
	} while (!done && skip >= 0 && parts->count < 200);
	local_bh_enable();
	for (i = 0; i < whole->count && i < parts->count; i++)
		if (strcmp(whole->rows[i].name, parts->rows[i].name))
			break;
	tap_ok(i == whole->count && i == parts->count, "\"%s\" by %u: the same rows", group, step);
	free(whole);
	free(parts);
}

static void test_small_reply(struct drive *d)
{
	static const char ask_all[] = "stats\r\nstats\r\nstats\r\nstats settings\r\nstats slabs\r\nstats items\r\n";
	size_t first, nwhole;
	u8 *whole;

	/* "bytes" of time may pass between the two, but nothing else changes. */
	ask(d, ask_all);
	nwhole = d->nout;
	whole = malloc(nwhole);
	memcpy(whole, d->out, nwhole);
	for (first = 0; first < 3; first++) {
		d->send = first ? first * 1000 : 1;
		ask(d, ask_all);
		tap_bytes(d->out, d->nout, whole, nwhole, "statistics sent by %u", d->send);
		tap_ok(d->sends > 0, "in more than one reply");
	}
	d->send = 0;
	free(whole);
}

void test_stats(void)
{
	static const char *const groups[] = { "", "settings", "items", "slabs", "sizes", "memory", "conns" };
	size_t i;
	bool done;
	struct drive d;

	drive_open(&d, NULL);
	drive_feed(&d, traffic, sizeof(traffic) - 1);
	{
		static u8 zeros[9999999 + 2];

		drive_feed(&d, zeros, sizeof(zeros));
	}
	drive_feed(&d, more_traffic, sizeof(more_traffic) - 1);
	ask(&d, "stats\r\n");
	test_counters(&d);
	test_classes(&d);
	test_settings_rows(&d);
	test_small_reply(&d);
	test_cursor(&d, "", 1);
	test_cursor(&d, "", 7);
	test_cursor(&d, "settings", 3);
	test_cursor(&d, "slabs", 4);
	test_cursor(&d, "items", 5);
	test_cursor(&d, "sizes", 1);
	test_reset(&d);
	local_bh_disable();
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		done = false;
		tap_ok(kmc_stats_rows(&d.core, groups[i], strlen(groups[i]), U32_MAX, take, NULL, &done) >= 0 && done,
		       "\"%s\" has nothing behind its end", groups[i]);
	}
	local_bh_enable();
	tap_number(-kmc_stats_rows(&d.core, "what", 4, 0, take, NULL, &done), ENOENT, "no such group");
	drive_close(&d);
}
