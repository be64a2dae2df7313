// SPDX-License-Identifier: GPL-2.0
/*
 * Conversations, each with the bytes that memcached 1.6.45's protocol asks for. Each is held whole, byte
 * by byte, split at every point, within the smallest budget, and with replies sent a byte at a time: the
 * answers must be the same.
 */
#include "test.h"
#include "conversation.h"
#include "drive.h"

#define USAGE	"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"

static const struct conversation conversations[] = {
	/* storage and retrieval */
	TALK("set and get", "set a 5 0 3\r\nabc\r\nget a\r\n", "STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\n"),
	TALK("set and gets", "set a 5 0 3\r\nabc\r\ngets a\r\n", "STORED\r\nVALUE a 5 3 2\r\nabc\r\nEND\r\n"),
	TALK("miss", "get a\r\n", "END\r\n"),
	TALK("bare newlines", "set a 5 0 3\nabc\r\nget a\n", "STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\n"),
	TALK("empty value", "set a 0 0 0\r\n\r\nget a\r\n", "STORED\r\nVALUE a 0 0\r\n\r\nEND\r\n"),
	TALK("value of line ends", "set a 0 0 4\r\n\r\n\r\n\r\nget a\r\n",
	     "STORED\r\nVALUE a 0 4\r\n\r\n\r\n\r\nEND\r\n"),
	TALK("value with zero bytes", "set a 0 0 3\r\n\0\0\0\r\nget a\r\n",
	     "STORED\r\nVALUE a 0 3\r\n\0\0\0\r\nEND\r\n"),
	TALK("value that looks like a command", "set a 0 0 5\r\nget a\r\nget a\r\n",
	     "STORED\r\nVALUE a 0 5\r\nget a\r\nEND\r\n"),
	TALK("many keys", "set a 0 0 1\r\n1\r\nset b 0 0 1\r\n2\r\nget a x b a\r\n",
	     "STORED\r\nSTORED\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("gets of many keys", "set a 0 0 1\r\n1\r\nset b 0 0 1\r\n2\r\ngets b x a\r\n",
	     "STORED\r\nSTORED\r\nVALUE b 0 1 3\r\n2\r\nVALUE a 0 1 2\r\n1\r\nEND\r\n"),
	TALK("blanks between words", "set  a   0  0 1  \r\n1\r\nget   a    a  \r\n",
	     "STORED\r\nVALUE a 0 1\r\n1\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("key of 250 bytes", "set " K250 " 0 0 1\r\nx\r\nget " K250 "\r\n",
	     "STORED\r\nVALUE " K250 " 0 1\r\nx\r\nEND\r\n"),
	TALK("key of 251 bytes", "set " K250 "k 0 0 1\r\nx\r\nget " K250 "k\r\nget " K250 "\r\n",
	     BAD BAD "END\r\n"),
	TALK("one bad key spoils a get", "set a 0 0 1\r\n1\r\nget a " K250 "k a\r\nget a\r\n",
	     "STORED\r\n" BAD "VALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("key with a tab and a carriage return", "set a\tb\rc 0 0 1\r\n1\r\nget a\tb\rc\r\n",
	     "STORED\r\nVALUE a\tb\rc 0 1\r\n1\r\nEND\r\n"),
	TALK("key with a zero byte", "set a\0b 0 0 1\r\n1\r\nget a a\0b\r\n",
	     "STORED\r\nVALUE a\0b 0 1\r\n1\r\nEND\r\n"),
	TALK("carriage returns in a get", "set a\r 0 0 1\r\n1\r\nget a\r a\r\r\nget \r\r\n",
	     "STORED\r\nVALUE a\r 0 1\r\n1\r\nVALUE a\r 0 1\r\n1\r\nEND\r\nEND\r\n"),
	TALK("flags of 32 bits", "set a 4294967295 0 1\r\n1\r\nget a\r\n",
	     "STORED\r\nVALUE a 4294967295 1\r\n1\r\nEND\r\n"),
	TALK("flags above 32 bits are cut", "set a 4294967301 0 1\r\n1\r\nget a\r\n",
	     "STORED\r\nVALUE a 5 1\r\n1\r\nEND\r\n"),
	TALK("negative flags", "set a -1 0 1\r\n1\r\nget a\r\n", BAD "END\r\n"),
	TALK("flags that are none", "set a x 0 1\r\n1\r\nset a 1x 0 1\r\n1\r\n", BAD BAD),
	TALK("expired from the start", "set a 0 -1 1\r\n1\r\nget a\r\n", "STORED\r\nEND\r\n"),
	TALK("exptime that is none", "set a 0 x 1\r\n1\r\nget a\r\n", BAD "END\r\n"),
	TALK("add", "add a 0 0 1\r\n1\r\nadd a 0 0 1\r\n2\r\nget a\r\n",
	     "STORED\r\nNOT_STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("replace", "replace a 0 0 1\r\n1\r\nset a 0 0 1\r\n1\r\nreplace a 7 0 2\r\n22\r\nget a\r\n",
	     "NOT_STORED\r\nSTORED\r\nSTORED\r\nVALUE a 7 2\r\n22\r\nEND\r\n"),
	TALK("append and prepend keep the flags",
	     "set a 7 0 1\r\nb\r\nappend a 1 0 1\r\nc\r\nprepend a 2 0 2\r\n_a\r\nget a\r\n",
	     "STORED\r\nSTORED\r\nSTORED\r\nVALUE a 7 4\r\n_abc\r\nEND\r\n"),
	TALK("append and prepend to nothing", "append a 0 0 1\r\n1\r\nprepend a 0 0 1\r\n1\r\n",
	     "NOT_STORED\r\nNOT_STORED\r\n"),
	TALK("cas", "cas a 0 0 1 2\r\nx\r\nset a 0 0 1\r\n1\r\ncas a 0 0 1 9\r\n2\r\ncas a 0 0 1 2\r\n3\r\n"
	     "cas a 0 0 1 2\r\n4\r\nget a\r\n",
	     "NOT_FOUND\r\nSTORED\r\nEXISTS\r\nSTORED\r\nEXISTS\r\nVALUE a 0 1\r\n3\r\nEND\r\n"),
	TALK("cas without its number", "cas a 0 0 1\r\nx\r\ncas a 0 0 1 x\r\ny\r\nget a\r\n",
	     BAD BAD "END\r\n"),
	TALK("cas with too large a number", "cas a 0 0 1 18446744073709551616\r\nx\r\n", BAD),
	TALK("cas 0", "set a 0 0 1\r\n1\r\ncas a 0 0 1 0\r\nx\r\n", "STORED\r\nEXISTS\r\n"),
	TALK("words behind a set are ignored", "set a 0 0 1 x y\r\n1\r\nget a\r\n",
	     "STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),

	/* values that are not as long as was said */
	TALK("value too short", "set a 0 0 5\r\nabc\r\nget a\r\nget a\r\n",
	     "CLIENT_ERROR bad data chunk\r\nERROR\r\nEND\r\n"),
	TALK("value too long", "set a 0 0 2\r\nabcdef\r\nget a\r\n",
	     "CLIENT_ERROR bad data chunk\r\nERROR\r\nEND\r\n"),
	TALK("value with a bare newline", "set a 0 0 1\r\n1\n\nget a\r\n",
	     "CLIENT_ERROR bad data chunk\r\nEND\r\n"),
	TALK("a bad chunk leaves the old value", "set a 0 0 1\r\n1\r\nset a 0 0 1\r\n22\r\nversio\r\nget a\r\n",
	     "STORED\r\nCLIENT_ERROR bad data chunk\r\n" BAD "ERROR\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("negative length", "set a 0 0 -1\r\nget a\r\n", BAD "END\r\n"),
	TALK("length above an int", "set a 0 0 2147483648\r\nget a\r\n", BAD "END\r\n"),
	TALK("length of the largest int", "set a 0 0 2147483647\r\nget a\r\n", BAD "END\r\n"),
	TALK("length that is none", "set a 0 0 x\r\nset a 0 0 99999999999\r\nset a 0 0 1.5\r\n", BAD BAD BAD),
	TALK("length \"-\" is 0", "set a 0 0 -\r\n\r\nget a\r\n", "STORED\r\nVALUE a 0 0\r\n\r\nEND\r\n"),
	TALK("too few words for a set", "set\r\nset a\r\nset a 0 0\r\n", BAD BAD BAD),
	TALK("a refused set swallows its value", "set " K250 "k 0 0 9\r\nflush_all\r\nget a\r\n", BAD "END\r\n"),

	/* delete, incr, decr, touch, gat */
	TALK("delete", "set a 0 0 1\r\n1\r\ndelete a\r\ndelete a\r\nget a\r\n",
	     "STORED\r\nDELETED\r\nNOT_FOUND\r\nEND\r\n"),
	TALK("delete with more words", "set a 0 0 1\r\n1\r\ndelete a 0\r\ndelete a 10 x\r\n",
	     "STORED\r\nDELETED\r\nNOT_FOUND\r\n"),
	TALK("delete with far more words",
	     "set a 0 0 1\r\n1\r\ndelete a 0 noreply x\r\ndelete a b c d e\r\ndelete a b c noreply\r\ndelete a\r\n",
	     "STORED\r\n" USAGE USAGE "DELETED\r\n"),
	TALK("delete without a key", "delete\r\ndelete  \r\n", BAD BAD),
	TALK("incr and decr", "set a 3 0 2\r\n10\r\nincr a 5\r\ndecr a 6\r\ndecr a 100\r\nget a\r\n",
	     "STORED\r\n15\r\n9\r\n0\r\nVALUE a 3 2\r\n0 \r\nEND\r\n"),
	TALK("incr grows", "set a 0 0 1\r\n9\r\nincr a 1\r\nget a\r\n",
	     "STORED\r\n10\r\nVALUE a 0 2\r\n10\r\nEND\r\n"),
	TALK("incr wraps", "set a 0 0 20\r\n18446744073709551615\r\nincr a 1\r\n", "STORED\r\n0\r\n"),
	TALK("incr by the largest", "set a 0 0 1\r\n0\r\nincr a 18446744073709551615\r\n",
	     "STORED\r\n18446744073709551615\r\n"),
	TALK("incr of nothing", "incr a 1\r\ndecr a 1\r\n", "NOT_FOUND\r\nNOT_FOUND\r\n"),
	TALK("incr of a word", "set a 0 0 1\r\nx\r\nincr a 1\r\ndecr a 1\r\n",
	     "STORED\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
	     "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"),
	TALK("incr by a word", "incr a x\r\nincr a -1\r\nincr a 18446744073709551616\r\nincr a 1.5\r\n",
	     "CLIENT_ERROR invalid numeric delta argument\r\nCLIENT_ERROR invalid numeric delta argument\r\n"
	     "CLIENT_ERROR invalid numeric delta argument\r\nCLIENT_ERROR invalid numeric delta argument\r\n"),
	TALK("incr without a number", "incr a\r\nincr\r\ndecr a\r\n", BAD BAD BAD),
	TALK("keyed commands with a key too long",
	     "incr " K250 "k 1\r\ndecr " K250 "k 1\r\ntouch " K250 "k 1\r\ndelete " K250 "k\r\n",
	     BAD BAD BAD BAD),
	TALK("touch", "set a 0 0 1\r\n1\r\ntouch a 100\r\ntouch b 100\r\ntouch a x\r\ntouch a\r\n",
	     "STORED\r\nTOUCHED\r\nNOT_FOUND\r\nCLIENT_ERROR invalid exptime argument\r\n" BAD),
	TALK("touch into the past", "set a 0 0 1\r\n1\r\ntouch a -1\r\nget a\r\n",
	     "STORED\r\nTOUCHED\r\nEND\r\n"),
	TALK("gat and gats", "set a 2 0 3\r\nabc\r\ngat 100 a x\r\ngats 100 a\r\n",
	     "STORED\r\nVALUE a 2 3\r\nabc\r\nEND\r\nVALUE a 2 3 2\r\nabc\r\nEND\r\n"),
	TALK("gat into the past", "set a 0 0 1\r\n1\r\ngat -1 a\r\nget a\r\n",
	     "STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\nEND\r\n"),
	TALK("gat in bad form", "gat\r\ngat 1\r\ngat x a\r\ngat 99999999999 a\r\ngats 1 " K250 "k\r\n",
	     BAD BAD "CLIENT_ERROR invalid exptime argument\r\nCLIENT_ERROR invalid exptime argument\r\n" BAD),

	/* noreply */
	TALK("noreply", "set a 0 0 1 noreply\r\n1\r\nadd a 0 0 1 noreply\r\n2\r\nincr a 1 noreply\r\n"
	     "touch a 0 noreply\r\nreplace b 0 0 1 noreply\r\nx\r\nappend a 0 0 1 noreply\r\n0\r\n"
	     "prepend a 0 0 1 noreply\r\n0\r\ncas a 0 0 1 77 noreply\r\nx\r\ndecr a 1 noreply\r\n"
	     "delete b noreply\r\nverbosity 0 noreply\r\nget a\r\nflush_all noreply\r\nget a\r\n",
	     "VALUE a 0 3\r\n19 \r\nEND\r\nEND\r\n"),
	TALK("noreply silences these errors", "set a x 0 1 noreply\r\n1\r\nset a 0 0 1 noreply\r\n12\r\n",
	     BAD),
	TALK("noreply silences these errors too", "incr a x noreply\r\ntouch a x noreply\r\nincr b noreply\r\n"
	     "delete " K250 "k noreply\r\nflush_all x noreply\r\nverbosity noreply\r\nwhat noreply\r\n"
	     "shutdown noreply\r\nnoreply\r\n" "cas a 0 0 1 noreply\r\n1\r\nversion\r\n",
	     "VERSION 1.6.45-kmemcache-0.1.0\r\n"),
	TALK("noreply does not silence these", "set a 0 0 -1 noreply\r\nset a noreply\r\nincr noreply\r\n"
	     "version noreply\r\n", BAD BAD BAD "VERSION 1.6.45-kmemcache-0.1.0\r\n"),
	TALK("noreply must be the last word", "set a 0 0 1 noreply x\r\n1\r\n", "STORED\r\n"),
	TALK("a key called noreply", "set noreply 0 0 1\r\n1\r\nget noreply\r\n",
	     "STORED\r\nVALUE noreply 0 1\r\n1\r\nEND\r\n"),

	/* lines that are none */
	TALK("empty lines", "\r\n\n \r\na\r\nab\n", BAD BAD BAD BAD BAD),
	TALK("shortest unknown lines", "ab\r\nabc\n", "ERROR\r\nERROR\r\n"),
	TALK("unknown words", "what\r\nSET a 0 0 1\r\ngetx a\r\nge a\r\n", "ERROR\r\nERROR\r\nERROR\r\nERROR\r\n"),
	TALK("only blanks", "    \r\n      \n", "ERROR\r\nERROR\r\n"),
	TALK("a blank before the command", " get a\r\n version\r\n stats\r\n", "ERROR\r\nERROR\r\nERROR\r\n"),
	TALK("but not before these", "  verbosity 1\r\n flush_all\r\n", "OK\r\nOK\r\n"),
	TALK("get without a key", "get\r\nget \r\ngets   \r\n", BAD BAD BAD),
	TALK("zero bytes", "\0\0\0\0\r\nget\0 a\r\n", "ERROR\r\nERROR\r\n"),
	LAST("a web browser", "set a 0 0 1\r\n1\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "STORED\r\n"),
	TALK("get is a command even for a browser", "get / HTTP/1.1\r\n", "END\r\n"),
	TALK("binary in a line of its own", "ab\r\n\x80\x0b\r\n", "ERROR\r\nERROR\r\n"),

	/* administration */
	TALK("version", "version\r\nversion x y\r\n",
	     "VERSION 1.6.45-kmemcache-0.1.0\r\nVERSION 1.6.45-kmemcache-0.1.0\r\n"),
	LAST("quit", "get a\r\nquit\r\nget a\r\n", "END\r\n"),
	LAST("quit with words", "quit now\r\n", ""),
	TALK("verbosity", "verbosity 1\r\nverbosity\r\nverbosity x\r\nverbosity 4294967296\r\n",
	     "OK\r\n" BAD BAD BAD),
	TALK("flush_all", "set a 0 0 1\r\n1\r\nflush_all\r\nget a\r\nset a 0 0 1\r\n2\r\nget a\r\n",
	     "STORED\r\nOK\r\nEND\r\nSTORED\r\nVALUE a 0 1\r\n2\r\nEND\r\n"),
	TALK("flush_all with a time", "set a 0 0 1\r\n1\r\nflush_all 100\r\nget a\r\nflush_all 0\r\nget a\r\n",
	     "STORED\r\nOK\r\nVALUE a 0 1\r\n1\r\nEND\r\nOK\r\nEND\r\n"),
	TALK("flush_all with a wrong time", "flush_all x\r\nflush_all -1\r\n",
	     "CLIENT_ERROR invalid exptime argument\r\nOK\r\n"),
	TALK("flush_all before the beginning", "set a 0 0 1\r\n1\r\nflush_all 2592001\r\nget a\r\n",
	     "STORED\r\nOK\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("shutdown without permission", "shutdown\r\nshutdown graceful\r\nshutdown x\r\n",
	     "SERVER_ERROR: shutdown not enabled\r\nSERVER_ERROR: shutdown not enabled\r\n"
	     "SERVER_ERROR: shutdown not enabled\r\n"),
	TALK("stats that are none", "stats what\r\nstats slab\r\nstats itemsx\r\nstats noreply\r\n",
	     "ERROR\r\nERROR\r\nERROR\r\nERROR\r\n"),
	TALK("stats of nothing", "stats items\r\nstats sizes\r\n",
	     "END\r\nSTAT sizes_status disabled\r\nEND\r\n"),
	TALK("stats reset", "stats reset\r\nstats r\r\n", "RESET\r\nRESET\r\n"),
};

/* How a conversation is fed. */
struct feeding {
	const char *how;
	size_t run, first;
	struct kmc_budget budget;
	u32 send;
};

/* Between one split and the next: a store is made for each, and a real one takes its time. */
#ifdef WITH_DOUBLE
#define STEP	1
#else
#define STEP	11
#endif

/* Return: whether it went as it should. */
static bool hold(const struct conversation *c, const struct feeding *f, bool shout)
{
	struct drive d;
	bool well;

	drive_open(&d, NULL);
	d.run = f->run;
	d.first = f->first;
	d.budget = f->budget;
	d.send = f->send;
	drive_feed(&d, c->in, c->nin);
	well = d.nout == c->nout && (!d.nout || !memcmp(d.out, c->out, d.nout)) &&
	       d.closed == c->closed;
	if (shout || !well) {
		tap_bytes(d.out, d.nout, c->out, c->nout, "%s: %s", c->name, f->how);
		tap_ok(d.closed == c->closed, "%s: %s", c->name, c->closed ? "closed" : "stays open");
	}
	drive_close(&d);
	return well;
}

static const struct feeding feedings[] = {
	{ "whole", 0, 0, { }, 0 },
	{ "byte by byte", 1, 0, { }, 0 },
	{ "three bytes at a time", 3, 0, { }, 0 },
	{ "one request a turn", 0, 0, { .requests = 1 }, 0 },
	{ "one key a turn", 0, 0, { .keys = 1 }, 0 },
	{ "one byte a turn", 0, 0, { 1, 1, 1 }, 0 },
	{ "bytes that leave one by one", 5, 0, { 2, 1, 3 }, 1 },
};

void hold_conversations(const struct conversation *conversations, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		const struct conversation *c = &conversations[i];
		struct feeding split = { .how = "split in two" };
		size_t good = 0, splits = 0;

		for (j = 0; j < ARRAY_SIZE(feedings); j++)
			hold(c, &feedings[j], true);
		for (split.first = 1; split.first < c->nin; split.first += STEP) {
			good += hold(c, &split, false);
			splits++;
		}
		tap_number(good, splits, "%s: split at %zu points", c->name, splits);
	}
}

void test_conversations(void)
{
	hold_conversations(conversations, ARRAY_SIZE(conversations));
}
