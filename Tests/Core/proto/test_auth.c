// SPDX-License-Identifier: GPL-2.0
/*
 * Saying who one is: what each protocol answers, that nothing at all is served before, and what a new table changes.
 */
#include "test.h"
#include "drive.h"
#include "packets.h"
#include "core/auth.h"
#include "sim/sim.h"
#include <stdlib.h>

#define BYTES(text)	text, sizeof(text) - 1
#define ROUNDS		3

/**
 * struct said - a conversation, and whether it is closed at its end
 */
struct said {
	const char *name;
	const char *in;
	size_t nin;
	const char *out;
	size_t nout;
	bool closed;
};

#define TALK(name, in, out)	{ name, in, sizeof(in) - 1, out, sizeof(out) - 1, false }
#define LAST(name, in, out)	{ name, in, sizeof(in) - 1, out, sizeof(out) - 1, true }

/* A table of users and passwords, NULL at its end. */
static struct kmc_auth_table *table_of(const char *const users[][2])
{
	u8 salt[KMC_AUTH_SALT_LEN] = "salt", digests[8][KMC_AUTH_DIGEST_LEN];
	u32 count = 0;

	for (; users[count][0]; count++)
		kmc_auth_digest(digests[count], salt, ROUNDS, (const u8 *)users[count][0], strlen(users[count][0]),
				(const u8 *)users[count][1], strlen(users[count][1]));
	return kmc_auth_table_create(salt, ROUNDS, digests, count);
}

static const char *const users[][2] = {
	{ "foo", "bar" }, { "baaaz", "quux" }, { "foo", "second" }, { "spaces", "a b" }, { "", "nobody" }, { },
};
static const char *const others[][2] = { { "new", "word" }, { } };

static void begin(struct drive *d, u8 auth)
{
	struct kmc_settings settings;

	drive_settings(&settings);
	settings.auth = auth;
	if (auth == KMC_AUTH_TEXT)
		strcpy(settings.auth_file, "/etc/users");
	drive_open(d, &settings);
	kmc_auth_replace(&d->core, table_of(users));
}

static void hold(const struct said *said, size_t count, u8 auth)
{
	static const size_t runs[] = { 0, 1, 7 };
	size_t i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < ARRAY_SIZE(runs); j++) {
			struct drive d;

			begin(&d, auth);
			d.run = runs[j];
			drive_feed(&d, said[i].in, said[i].nin);
			tap_bytes(d.out, d.nout, said[i].out, said[i].nout, "%s, in runs of %zu", said[i].name, runs[j]);
			tap_ok(d.closed == said[i].closed, "%s, in runs of %zu: %s", said[i].name, runs[j],
			       said[i].closed ? "closed" : "open");
			drive_close(&d);
		}
	}
}

#define UNAUTHENTICATED	"CLIENT_ERROR unauthenticated\r\n"
#define BAD_TOKEN	"CLIENT_ERROR bad authentication token format\r\n"
#define FAILURE		"CLIENT_ERROR authentication failure\r\n"
#define LOGIN		"set x 0 0 7\r\nfoo bar\r\n"

static const struct said text[] = {
	TALK("a user and the password", LOGIN "get abc\r\nset a 0 0 1\r\n1\r\nget a\r\n",
	     "STORED\r\nEND\r\nSTORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("what stands on the line does not matter but for the length", "settle key flags time 7 noreply x\r\nfoo bar\r\n", "STORED\r\n"),
	TALK("the second user", "set x 0 0 10\r\nbaaaz quux\r\n", "STORED\r\n"),
	TALK("a user with two passwords", "set x 0 0 10\r\nfoo second\r\n", "STORED\r\n"),
	TALK("a password with blanks", "set x 0 0 10\r\nspaces a b\r\n", "STORED\r\n"),
	TALK("a user without a name", "set x 0 0 7\r\n nobody\r\n", "STORED\r\n"),
	TALK("wrong password", "set x 0 0 7\r\nfoo baz\r\n", FAILURE),
	TALK("the beginning of a password", "set x 0 0 6\r\nfoo ba\r\n", FAILURE),
	TALK("more than the password", "set x 0 0 8\r\nfoo barr\r\n", FAILURE),
	TALK("no password", "set x 0 0 4\r\nfoo \r\n", FAILURE),
	TALK("unknown user", "set x 0 0 7\r\nfob bar\r\n", FAILURE),
	TALK("another's password", "set x 0 0 8\r\nfoo quux\r\n", FAILURE),
	TALK("a name and a password that are cut elsewhere", "set x 0 0 7\r\nfo obar\r\n", FAILURE),
	TALK("failing, then not", "set x 0 0 7\r\nfoo baz\r\n" LOGIN "get abc\r\n", FAILURE "STORED\r\nEND\r\n"),
	TALK("without a blank", "set x 0 0 2\r\nhi\r\n", BAD_TOKEN),
	TALK("an empty token", "set x 0 0 0\r\n\r\n", BAD_TOKEN),
	LAST("a token that ends elsewhere", "set x 0 0 6\r\nfoo bar\r\n" "version\r\n", "CLIENT_ERROR bad command line termination\r\n"),
	TALK("a token that is too long", "set x 0 0 16385\r\nget abc\r\n", "CLIENT_ERROR auth token too long\r\n" UNAUTHENTICATED),
	TALK("lengths that are none", "set x 0 0 -1\r\nset x 0 0 x\r\nset x 0 0 4294967296\r\n",
	     UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED),
	TALK("everything else is refused",
	     "get abc\r\ngets abc\r\ngat 0 abc\r\nadd x 0 0 7\r\nfoo bar\r\nversion\r\nstats\r\nflush_all\r\nverbosity 1\r\n"
	     "shutdown\r\nmg abc v\r\nms abc 1\r\nmn    \r\nme abc\r\ndelete abc noreply\r\nincr abc 1\r\n set x 0 0 7\r\nSET x 0 0 7\r\n"
	     "touch abc 0\r\ncas x 0 0 1 1\r\nwatch\r\ncache_memlimit 1\r\n",
	     UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED
	     UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED
	     UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED UNAUTHENTICATED
	     UNAUTHENTICATED),
	LAST("CVE-2023-46852: an empty line", "\r\n" LOGIN, ""),
	LAST("a line of a few bytes", "quit\r\n" LOGIN, ""),
	TALK("bare newline: its last byte is taken for the carriage return", "set x 0 0 77\nfoo bar\r\n", "STORED\r\n"),
	LAST("the binary protocol", NOOP, ""),
};

#define SASL(op, token, nbody)	REQUEST(op, "\x05", "\0", nbody) "PLAIN" token
#define PLAIN			SASL("\x21", "\0foo\0bar", "\x0d")
#define AUTHENTICATED(op)	RESPONSE(op, "\0", "\0", "\0", "\x0d") "Authenticated"
#define CONTINUE		RESPONSE("\x21", "\x21", "\0", "\0", "\0")
#define FAILED			AUTH_ERROR("\x21")

static const struct said sasl[] = {
	TALK("PLAIN", PLAIN STORE("\x01"), AUTHENTICATED("\x21") DONE_CAS("\x01", "\x02")),
	TALK("plain, with the user as authzid", REQUEST("\x21", "\x05", "\0", "\x10") "plain" "foo\0foo\0bar" NOOP,
	     AUTHENTICATED("\x21") NOOPED),
	TALK("for somebody else", REQUEST("\x21", "\x05", "\0", "\x12") "PLAIN" "baaaz\0foo\0bar", FAILED),
	TALK("what is open to all", REQUEST("\x0b", "\0", "\0", "\0") REQUEST("\x20", "\0", "\0", "\0"),
	     RESPONSE("\x0b", "\0", "\0", "\0", "\x16") "1.6.45-kmemcache-0.1.0"
	     RESPONSE("\x20", "\0", "\0", "\0", "\x05") "PLAIN"),
	TALK("wrong password, then the right one", SASL("\x21", "\0foo\0baz", "\x0d") PLAIN NOOP, FAILED AUTHENTICATED("\x21") NOOPED),
	TALK("unknown user", SASL("\x21", "\0fob\0bar", "\x0d"), FAILED),
	TALK("unknown mechanism", REQUEST("\x21", "\x08", "\0", "\x10") "CRAM-MD5" "\0foo\0bar", FAILED),
	TALK("a mechanism of 40 bytes", REQUEST("\x21", "\x28", "\0", "\x30") "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX" "\0foo\0bar"
	     PLAIN, INVALID("\x21") AUTHENTICATED("\x21")),
	TALK("tokens that are none", SASL("\x21", "foo", "\x08") SASL("\x21", "\0foo", "\x09") SASL("\x21", "\0foo\0bar\0", "\x0e"),
	     FAILED FAILED FAILED),
	TALK("in two steps", SASL("\x21", "", "\x05") SASL("\x22", "\0foo\0bar", "\x0d") NOOP,
	     CONTINUE AUTHENTICATED("\x22") NOOPED),
	TALK("a step without a beginning", SASL("\x22", "\0foo\0bar", "\x0d"), AUTH_ERROR("\x22")),
	TALK("a second step", SASL("\x21", "", "\x05") SASL("\x22", "\0foo\0baz", "\x0d") SASL("\x22", "\0foo\0bar", "\x0d"),
	     CONTINUE AUTH_ERROR("\x22") AUTH_ERROR("\x22")),
	LAST("who begins anew is nobody", PLAIN SASL("\x21", "\0foo\0baz", "\x0d") NOOP, AUTHENTICATED("\x21") FAILED AUTH_ERROR("\x0a")),
	LAST("also with the list of mechanisms", PLAIN REQUEST("\x20", "\0", "\0", "\0") NOOP,
	     AUTHENTICATED("\x21") RESPONSE("\x20", "\0", "\0", "\0", "\x05") "PLAIN" AUTH_ERROR("\x0a")),
	LAST("CVE-2013-7239: a failure, then a command", SASL("\x21", "\0foo\0baz", "\x0d") STORE("\x01"), FAILED AUTH_ERROR("\x01")),
	LAST("a beginning, then a command", SASL("\x21", "", "\x05") STORE("\x11"), CONTINUE AUTH_ERROR("\x11")),
	LAST("CVE-2016-8706: a key longer than the body", REQUEST("\x21", "\x05", "\0", "\x04") "PLAIN", UNKNOWN("\x21")),
	LAST("no mechanism", REQUEST("\x21", "\0", "\0", "\x08") "\0foo\0bar", INVALID("\x21")),
	LAST("the text protocol", "set x 0 0 7\r\nfoo bar\r\n", ""),
};

/* Every opcode there could be, each on a connection of its own, with lengths that are its own and with none. */
static void test_every_opcode(void)
{
	u8 head[24] = { 0x80 };
	u32 opcode, good = 0;

	for (opcode = 0; opcode < 256; opcode++) {
		bool open = opcode == 0x0b || (opcode >= 0x20 && opcode <= 0x22);
		struct drive d;

		begin(&d, KMC_AUTH_SASL);
		head[1] = (u8)opcode;
		drive_feed(&d, head, sizeof(head));
		good += open || (d.closed && d.nout == 24 + 13 && d.out[7] == 0x20 && d.out[1] == opcode);
		drive_close(&d);
	}
	tap_number(good, 256, "of 256 opcodes all but four are refused, and the connection closed");
}

static void test_long_token(void)
{
	static const size_t sizes[] = { 1500, 2030, 2048, 5000, 16384 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *in = malloc(sizes[i] + 100);
		int line = sprintf(in, "set x 0 0 %zu\r\n", sizes[i]);
		struct drive d;

		memset(in + line, 'x', sizes[i]);
		memcpy(in + line, "foo ", 4);
		memcpy(in + line + sizes[i], "\r\n" LOGIN, 2 + sizeof(LOGIN));
		begin(&d, KMC_AUTH_TEXT);
		d.run = 100;
		drive_feed(&d, in, line + sizes[i] + 2 + sizeof(LOGIN) - 1);
		tap_bytes(d.out, d.nout, BYTES(FAILURE "STORED\r\n"), "a token of %zu bytes, then a right one", sizes[i]);
		drive_close(&d);
		free(in);
	}
}

static void test_long_plain(void)
{
	static const char head[] = "\x80\x21\0\x05\0\0\0\0\0\0\x10\x05" OPAQUE NO_CAS "PLAIN" "\0foo\0bar";
	static const char wanted[] = FAILED AUTHENTICATED("\x21");
	u8 *in = calloc(1, 8192);
	struct drive d;

	memcpy(in, head, sizeof(head) - 1);
	memcpy(in + 24 + 0x1005, PLAIN, sizeof(PLAIN) - 1);
	begin(&d, KMC_AUTH_SASL);
	drive_feed(&d, in, 24 + 0x1005 + sizeof(PLAIN) - 1);
	tap_bytes(d.out, d.nout, wanted, sizeof(wanted) - 1, "a PLAIN token of 4 KiB, then a right one");
	tap_number(drive_count(&d, KMC_COUNT_auth_cmds), 2, "auth_cmds");
	tap_number(drive_count(&d, KMC_COUNT_auth_errors), 1, "auth_errors");
	drive_close(&d);
	free(in);
}

static void test_new_table(void)
{
	struct drive d;

	begin(&d, KMC_AUTH_TEXT);
	drive_feed(&d, BYTES(LOGIN));
	kmc_auth_replace(&d.core, table_of(others));
	drive_feed(&d, BYTES("get abc\r\n"));
	tap_bytes(d.out, d.nout, BYTES("STORED\r\nEND\r\n"), "who is in stays in when the table is replaced");
	drive_forget(&d);
	drive_again(&d);
	drive_feed(&d, BYTES(LOGIN "set x 0 0 8\r\nnew word\r\n"));
	tap_bytes(d.out, d.nout, BYTES(FAILURE "STORED\r\n"), "who comes after meets the new table");
	drive_forget(&d);
	drive_again(&d);
	kmc_auth_replace(&d.core, NULL);
	drive_feed(&d, BYTES("set x 0 0 8\r\nnew word\r\n"));
	tap_bytes(d.out, d.nout, BYTES(FAILURE), "without a table nobody comes in");
	tap_number(drive_count(&d, KMC_COUNT_auth_cmds), 4, "auth_cmds");
	tap_number(drive_count(&d, KMC_COUNT_auth_errors), 2, "auth_errors");
	drive_close(&d);
}

static void test_constant_work(void)
{
	static const struct {
		const char *user, *password, *name;
		bool known;
	} tries[] = {
		{ "foo", "bar", "the first entry", true },
		{ "foo", "second", "one in the middle", true },
		{ "", "nobody", "the last entry", true },
		{ "foo", "baz", "a wrong password", false },
		{ "fob", "bar", "an unknown user", false },
	};
	struct drive d;
	size_t i;

	begin(&d, KMC_AUTH_TEXT);
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		u64 before = kmc_sim_comparisons();
		bool known;

		local_bh_disable();
		known = kmc_auth_check(&d.core, (const u8 *)tries[i].user, strlen(tries[i].user),
				       (const u8 *)tries[i].password, strlen(tries[i].password));
		local_bh_enable();
		tap_ok(known == tries[i].known, "CVE-2026-47783: %s: %s", tries[i].name, known ? "known" : "unknown");
		tap_number(kmc_sim_comparisons() - before, ARRAY_SIZE(users) - 1,
			   "CVE-2026-47783: %s costs a comparison with every entry", tries[i].name);
	}
	drive_close(&d);
}

/* FIPS 180-4 has its examples; the digest of the contract is computed here once more with another program's results. */
static void test_digest(void)
{
	static const u8 abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea };
	u8 digest[KMC_AUTH_DIGEST_LEN], salt[KMC_AUTH_SALT_LEN];
	static const u8 wanted[KMC_AUTH_DIGEST_LEN] = {
		0xdd, 0xbc, 0x2f, 0x33, 0xf6, 0xb8, 0x35, 0x59, 0xf0, 0xee, 0x55, 0x92, 0x30,
		0xf4, 0x6e, 0x6e, 0x89, 0x59, 0x54, 0x65, 0x95, 0xf1, 0x28, 0xad, 0x4e, 0x0d,
		0xa4, 0x8a, 0xd4, 0x1c, 0xa0, 0x9e
	};

	sha256((const u8 *)"abc", 3, digest);
	tap_bytes(digest, sizeof(abc), abc, sizeof(abc), "SHA-256 of abc");
	memset(salt, 7, sizeof(salt));
	kmc_auth_digest(digest, salt, 2, (const u8 *)"user", 4, (const u8 *)"pass", 4);
	tap_bytes(digest, sizeof(digest), wanted, sizeof(wanted), "a digest of the contract");
}

void test_auth(void)
{
	test_digest();
	hold(text, ARRAY_SIZE(text), KMC_AUTH_TEXT);
	hold(sasl, ARRAY_SIZE(sasl), KMC_AUTH_SASL);
	test_every_opcode();
	test_long_token();
	test_long_plain();
	test_new_table();
	test_constant_work();
}
