// SPDX-License-Identifier: GPL-2.0
/*
 * Lines at and above the longest, and gets without an end.
 */
#include "test.h"
#include "drive.h"
#include "sim/sim.h"
#include <stdlib.h>

#define BAD	"CLIENT_ERROR bad command line format\r\n"

/* @head, then @fill until there are @len bytes, then @end. Return: a string to free. */
static char *line(const char *head, char fill, size_t len, const char *end)
{
	char *text = malloc(len + strlen(end) + 1);

	memset(text, fill, len);
	memcpy(text, head, strlen(head));
	strcpy(text + len, end);
	return text;
}

/* The answer to @text, and whether the session closed, whatever the runs. */
static void test_line(const char *text, const char *wanted, bool closed, const char *name)
{
	static const size_t runs[] = { 0, 1, 2, 100, 251, 252, 2047, 2048, 2049 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		struct drive d;

		drive_open(&d, NULL);
		d.run = runs[i];
		drive_feed(&d, text, strlen(text));
		tap_bytes(d.out, d.nout, wanted, strlen(wanted), "%s, in runs of %zu", name, runs[i]);
		tap_ok(d.closed == closed, "%s, in runs of %zu: %s", name, runs[i],
		       closed ? "closed" : "open");
		drive_close(&d);
	}
}

static void test_filled(const char *head, char fill, size_t len, const char *end, const char *wanted,
			bool closed, const char *name)
{
	char *text = line(head, fill, len, end);

	test_line(text, wanted, closed, name);
	free(text);
}

/* Keys enough for a line of more than 2048 bytes; every tenth is there. */
static void test_long_get(const char *head, const char *tail, const char *behind, bool cas,
			  const char *name)
{
	char *in = malloc(100000), *out = malloc(100000);
	size_t nin = 0, nout = 0;
	int i;

	nin += sprintf(in, "set k0 0 0 2\r\nv0\r\nset k10 0 0 3\r\nv10\r\nset k20 0 0 3\r\nv20\r\n%s", head);
	nout += sprintf(out, "STORED\r\nSTORED\r\nSTORED\r\n");
	for (i = 0; i < 2000; i++) {
		nin += sprintf(in + nin, " k%d", i);
		if (i == 0 || i == 10 || i == 20)
			nout += sprintf(out + nout, "VALUE k%d 0 %d%s\r\nv%d\r\n", i, i ? 3 : 2,
					!cas ? "" : i == 0 ? " 2" : i == 10 ? " 3" : " 4", i);
	}
	sprintf(in + nin, "%s", tail);
	sprintf(out + nout, "%s", behind);
	test_line(in, out, false, name);
	free(in);
	free(out);
}

/* The longest keys, the first of them there; the last is @last bytes long. */
static void test_longest_keys(size_t last, const char *wanted, const char *name)
{
	char key[KMC_KEY_MAX + 1], in[8192], out[1024];
	size_t n;
	int i;

	memset(key, 'k', KMC_KEY_MAX);
	key[KMC_KEY_MAX] = 0;
	n = sprintf(in, "set %s 0 0 1\r\nx\r\nget", key);
	sprintf(out, "STORED\r\nVALUE %s 0 1\r\nx\r\n%sEND\r\n", key, wanted);
	for (i = 0; i < 12; i++) {
		n += sprintf(in + n, " %s", key);
		key[i] = 'x';
	}
	in[n++] = ' ';
	memset(in + n, 'y', last);
	strcpy(in + n + last, "\r\nget z\r\n");
	test_line(in, out, false, name);
}

/* Most of a million keys are missing; what is carried never grows, and each turn has its end. */
static void test_million(void)
{
	static const char first[] = "set key:0123456789 0 0 1\r\nx\r\nget";
	static const char key[] = " key:0123456789";
	const u32 keys = 1000 * 1000;
	u64 before = kmc_sim_live_allocations();
	struct drive d;
	u32 i;

	drive_open(&d, NULL);
	drive_feed(&d, first, strlen(first));
	drive_forget(&d);
	d.budget.keys = 20;
	d.send = 0;
	for (i = 0; i < keys; i++) {
		drive_feed(&d, i % 1000 ? " k" : key, i % 1000 ? 2 : sizeof(key) - 1);
		BUG_ON(kmc_sim_live_allocations() > before + 40);
	}
	drive_feed(&d, "\r\n", 2);
	tap_number(d.nout, 1000 * strlen("VALUE key:0123456789 0 1\r\nx\r\n") + strlen("END\r\n"),
		   "a million keys: a thousand are there");
	tap_number(drive_count(&d, KMC_COUNT_get_misses), keys - 1000, "and all others are missed");
	drive_close(&d);
}

static void test_million_whole(void)
{
	const u32 keys = 1000 * 1000;
	char *in = malloc(2 * keys + 32);
	struct drive d;
	u32 i;

	memcpy(in, "get", 3);
	for (i = 0; i < keys; i++)
		memcpy(in + 3 + 2 * i, " k", 2);
	memcpy(in + 3 + 2 * keys, "\r\nget k\r\n", 9);
	drive_open(&d, NULL);
	d.budget.keys = 20;
	d.run = 1460;
	tap_number(drive_feed(&d, in, 2 * keys + 12), 2 * keys + 12, "a million keys in packets: all taken");
	tap_bytes(d.out, d.nout, "END\r\nEND\r\n", 10, "a million keys in packets");
	tap_ok(d.turns > keys / 25, "in turns of at most twenty keys (%u)", d.turns);
	drive_close(&d);
	free(in);
}

/* Lines that are read in one go if they are plain, and what is just not plain any more. */
static void test_nearly_plain(void)
{
	test_line("set a\x01z 7 0 1\r\nx\r\nget a\x01z\r\nmg a\x01z v\r\n",
		  "STORED\r\nVALUE a\x01z 7 1\r\nx\r\nEND\r\nVA 1\r\nx\r\n", false, "a control character in a key");
	test_line("set a\rz 0 0 1\r\nx\r\nget a\rz b\r\nmg a\rz v\r\n",
		  "STORED\r\nVALUE a\rz 0 1\r\nx\r\nEND\r\nVA 1\r\nx\r\n", false, "a carriage return in a key");
	test_line("set  a 0 0 1\r\nx\r\nget  a  a \r\nmg  a  v \r\n",
		  "STORED\r\nVALUE a 0 1\r\nx\r\nVALUE a 0 1\r\nx\r\nEND\r\nVA 1\r\nx\r\n", false, "blanks");
	test_line("set a 0 0 1\nx\r\nget a\nmg a v\n", "STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\nVA 1\r\nx\r\n", false,
		  "newlines alone");
	test_line("set a 999999999 0 1\r\nx\r\nset b 4294967295 0 1\r\nx\r\nget a b\r\n",
		  "STORED\r\nSTORED\r\nVALUE a 999999999 1\r\nx\r\nVALUE b 4294967295 1\r\nx\r\nEND\r\n", false,
		  "numbers of nine and ten digits");
	test_line("set a 0 0 0000000001\r\nx\r\nset b 0 0 1 noreply\r\ny\r\nset c 0 0 +1\r\nget a b c\r\n",
		  "STORED\r\n" BAD "VALUE a 0 1\r\nx\r\nVALUE b 0 1\r\ny\r\nEND\r\n", false, "other ways to say a length");
	test_line("set a 0 0 1\r\nx\r\nmg a v\r\nmg n v\r\nmg a\r\nmg a v v\r\nmg a v1\r\nmg a vk\r\nmg a v k\r\nmn\r\n",
		  "STORED\r\nVA 1\r\nx\r\nEN\r\nHD\r\nCLIENT_ERROR duplicate flag\r\nVA 1\r\nx\r\nVA 1\r\nx\r\n"
		  "VA 1 ka\r\nx\r\nMN\r\n", false, "a row of mg");
	test_line("get a\r\nset a 0 0 0\r\n\r\nmg a v\r\nget \r\nget\r\n",
		  "END\r\nSTORED\r\nVA 0\r\n\r\n" BAD BAD, false, "an empty value, no key");
}

/* Several keys, and behind the line what would be too long for one, or is. */
static void test_several_keys(void)
{
	char value[301] = "", text[1024];

	memset(value, 'v', sizeof(value) - 1);
	sprintf(text, "set b 0 0 1\r\nB\r\nget a b\r\nset k 0 0 300\r\n%s\r\nget b k2 \r\n", value);
	test_line(text, "STORED\r\nVALUE b 0 1\r\nB\r\nEND\r\nSTORED\r\nVALUE b 0 1\r\nB\r\nEND\r\n", false,
		  "gets of two keys around a long value");
	sprintf(text, "set b 0 0 1\r\nB\r\nget b %.251s b\r\nget a b\r\n", value);
	test_line(text, "STORED\r\n" BAD "VALUE b 0 1\r\nB\r\nEND\r\n", false, "a key of 251 bytes between two");
	sprintf(text, "set b 0 0 1\r\nB\r\nget b %.250s b\r\nget a b\n", value);
	test_line(text, "STORED\r\nVALUE b 0 1\r\nB\r\nVALUE b 0 1\r\nB\r\nEND\r\nVALUE b 0 1\r\nB\r\nEND\r\n", false,
		  "a key of 250 bytes between two");
}

void test_lines(void)
{
	test_several_keys();
	test_nearly_plain();
	test_filled("", 'x', 2046, "\r\n", "ERROR\r\n", false, "unknown, 2048 bytes");
	test_filled("", 'x', 2047, "\r\n", "", true, "unknown, 2049 bytes");
	test_filled("", 'x', 5000, "", "", true, "unknown, without end");
	test_filled("", ' ', 5000, "\r\n", "", true, "blanks without end");
	test_filled("set ", 'k', 2046, "\r\n", BAD, false, "set with a key that fills the line");
	test_filled("set ", 'k', 3000, " 0 0 1\r\n1\r\n", "", true, "set with a longer key");
	test_filled("get ", 'k', 2046, "\r\n", BAD, false, "get of a key that fills the line");
	test_filled("get ", 'k', 2047, "\r\nget a\r\n", BAD "END\r\n", false, "get of a longer key");
	test_filled("get ", 'k', 9000, "\r\nget a\r\n", BAD "END\r\n", false, "get of a much longer key");
	test_filled("get a ", 'k', 9000, " b\r\nget a\r\n", BAD "END\r\n", false,
		    "get of a key, and one much too long");
	test_filled("get ", ' ', 9000, "\r\nget a\r\n", BAD "END\r\n", false, "get of nothing");
	test_filled("get a", ' ', 9000, "\r\nget a\r\n", "END\r\nEND\r\n", false, "get with many blanks");
	test_filled("gat 0 a", ' ', 9000, "\r\nget a\r\n", "END\r\nEND\r\n", false, "gat with many blanks");
	test_filled("gat ", ' ', 9000, "\r\n", "", true, "gat without a time in reach");
	test_filled("gat ", '1', 9000, " a\r\n", "", true, "gat with a time that is too long");
	test_filled("gat x ", 'k', 9000, "\r\n", "", true, "gat with a wrong time");
	test_filled(" get ", 'k', 9000, "\r\n", "", true, "a blank before a get without end");
	test_filled("gets", 's', 9000, "\r\n", "", true, "a word that begins like a get");
	test_long_get("get", "\r\n", "END\r\n", false, "get of 2000 keys");
	test_long_get("gets", " \n", "END\r\n", true, "gets of 2000 keys");
	test_long_get("gats 0", "\r\n", "END\r\n", true, "gats of 2000 keys");
	test_longest_keys(KMC_KEY_MAX, "END\r\n", "get of many keys of 250 bytes");
	test_longest_keys(KMC_KEY_MAX + 1, BAD, "get of many keys of 250 bytes and one of 251");
	test_longest_keys(KMC_KEY_MAX + 2, BAD, "get of many keys of 250 bytes and one of 252");
	test_million();
	test_million_whole();
}
