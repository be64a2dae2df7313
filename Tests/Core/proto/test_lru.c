// SPDX-License-Identifier: GPL-2.0
/* "lru" as a client says it, what it sets, and what statistics show of the LRUs by the settings. */
#include "test.h"
#include "drive.h"

#define PCT	"ERROR hot and warm pcts must not exceed 80\r\n"
#define FACTOR	"ERROR hot/warm age factors must be greater than 0\r\n"

static void say_as(struct drive *d, const char *known, const char *in, const char *out)
{
	drive_forget(d);
	drive_feed(d, in, strlen(in));
	tap_bytes(d->out, d->nout, out, strlen(out), "%s%.*s", known, (int)strcspn(in, "\r"), in);
}

static void say(struct drive *d, const char *in, const char *out)
{
	say_as(d, "", in, out);
}

static bool shown(struct drive *d, const char *group, const char *line)
{
	drive_forget(d);
	drive_feed(d, group, strlen(group));
	return memmem(d->out, d->nout, line, strlen(line));
}

static void test_shown(struct drive *d, const char *line)
{
	tap_ok(shown(d, "stats settings\r\n", line), "shown: %.*s", (int)strcspn(line, "\r"), line);
}

static const struct {
	const char *in, *out;
} refused[] = {
	{ "lru\r\n", "ERROR\r\n" }, { "lru x\r\n", "ERROR\r\n" }, { "lru tune\r\n", "ERROR\r\n" },
	{ "lru tune 10 20 0.5\r\n", "ERROR\r\n" }, { "lru tune a 20 0.5 1\r\n", "ERROR\r\n" },
	{ "lru tune 10 -1 0.5 1\r\n", "ERROR\r\n" }, { "lru tune 10 20 0.5 x\r\n", "ERROR\r\n" },
	{ "lru tune 10 20 0.5x 1\r\n", "ERROR\r\n" }, { "lru tuner 10 20 0.5 1\r\n", "ERROR\r\n" },
	{ "lru tune 41 40 0.5 1\r\n", PCT }, { "lru tune 4294967295 1 0.5 1\r\n", PCT },
	{ "lru tune 10 20 0 1\r\n", FACTOR }, { "lru tune 10 20 1 -0.5\r\n", FACTOR },
	{ "lru tune 50 50 0 0\r\n", PCT },
	{ "lru mode fla\r\n", "ERROR\r\n" },
	{ "lru temp_ttl x\r\n", "ERROR\r\n" },
	{ "lru temp_ttl 2147483648\r\n", "ERROR\r\n" },
};

static void test_changes(void)
{
	struct drive d;
	size_t i;

	drive_open(&d, NULL);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		say(&d, refused[i].in, refused[i].out);
	say_as(&d, "CVE-2019-11596: ", "lru mode\r\n", "ERROR\r\n");
	say_as(&d, "CVE-2019-11596: ", "lru temp_ttl\r\n", "ERROR\r\n");
	test_shown(&d, "STAT hot_lru_pct 20\r\nSTAT warm_lru_pct 40\r\nSTAT hot_max_factor 0.20\r\n"
		   "STAT warm_max_factor 2.00\r\nSTAT temp_lru no\r\nSTAT temporary_ttl 61\r\n");
	say(&d, "lru tune 10 70 0.123 1.5 more\r\n", "OK\r\n");
	test_shown(&d, "STAT hot_lru_pct 10\r\nSTAT warm_lru_pct 70\r\nSTAT hot_max_factor 0.12\r\n"
		   "STAT warm_max_factor 1.50\r\n");
	say(&d, " lru t 0 0 1 1\r\n", "OK\r\n");
	test_shown(&d, "STAT hot_lru_pct 0\r\nSTAT warm_lru_pct 0\r\n");
	test_shown(&d, "STAT lru_maintainer_thread yes\r\nSTAT lru_segmented yes\r\n");
	say(&d, "lru mode flat\r\n", "OK\r\n");
	test_shown(&d, "STAT lru_segmented no\r\n");
	say(&d, "lru m segmented noreply\r\n", "");
	test_shown(&d, "STAT lru_segmented yes\r\n");
	say(&d, "lru temp_ttl 0\r\n", "OK\r\n");
	test_shown(&d, "STAT temp_lru yes\r\nSTAT temporary_ttl 0\r\n");
	say(&d, "lru temp_ttl 2147483647\r\n", "OK\r\n");
	test_shown(&d, "STAT temporary_ttl 2147483647\r\n");
	say(&d, "lru temp_ttl -1\r\n", "OK\r\n");
	test_shown(&d, "STAT temp_lru no\r\nSTAT temporary_ttl 2147483647\r\n");
	drive_close(&d);
}

static const char *const with_maintainer[] = { "lru_maintainer_juggles", "evicted_active", "moves_to_cold",
	"moves_to_warm", "moves_within_lru", "direct_reclaims", "lru_bumps_dropped" };
static const char *const with_crawler[] = { "lru_crawler_running", "lru_crawler_starts" };

static void test_rows(struct drive *d, const char *const *names, size_t count, bool wanted)
{
	char line[64];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "STAT %s ", names[i]);
		tap_ok(shown(d, "stats\r\n", line) == wanted, "%s is shown: %d", names[i], wanted);
	}
}

static void test_without(void)
{
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.lru_maintainer = 0;
	settings.lru_segmented = 0;
	settings.lru_crawler = 0;
	settings.hash_algorithm = 1;
	drive_open(&d, &settings);
	test_shown(&d, "STAT lru_crawler no\r\n");
	test_shown(&d, "STAT hash_algorithm jenkins\r\nSTAT lru_maintainer_thread no\r\nSTAT lru_segmented no\r\n");
	say(&d, "lru mode segmented\r\n", "ERROR\r\n");
	say(&d, "lru temp_ttl 5\r\n", "ERROR\r\n");
	say(&d, "lru tune 10 10 1 1\r\n", "OK\r\n");
	test_rows(&d, with_maintainer, ARRAY_SIZE(with_maintainer), false);
	test_rows(&d, with_crawler, ARRAY_SIZE(with_crawler), false);
	say(&d, "set a 0 0 1\r\n1\r\n", "STORED\r\n");
	tap_ok(!shown(&d, "stats items\r\n", "number_hot"), "no segments in stats items");
	tap_ok(!shown(&d, "stats items\r\n", "hits_to"), "nor their hits");
	tap_ok(shown(&d, "stats items\r\n", ":evicted_time 0\r\n"), "but the rest");
	drive_close(&d);
}

static void test_with(void)
{
	struct drive d;

	drive_open(&d, NULL);
	test_rows(&d, with_maintainer, ARRAY_SIZE(with_maintainer), true);
	test_rows(&d, with_crawler, ARRAY_SIZE(with_crawler), true);
	say(&d, "set a 0 0 1\r\n1\r\n", "STORED\r\n");
	tap_ok(shown(&d, "stats items\r\n", "number_hot"), "segments in stats items");
	tap_ok(!shown(&d, "stats items\r\n", "number_temp"), "the temporary one only if it is on");
	say(&d, "lru temp_ttl 5\r\n", "OK\r\n");
	tap_ok(shown(&d, "stats items\r\n", "number_temp"), "and then it is");
	drive_close(&d);
}

void test_lru(void)
{
	test_changes();
	test_without();
	test_with();
}
