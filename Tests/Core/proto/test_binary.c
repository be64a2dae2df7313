// SPDX-License-Identifier: GPL-2.0
/*
 * Conversations in the binary protocol, with the bytes that memcached 1.6.45 answers. What Tests/Core/compare-binary
 * cannot show: what is answered before a connection is closed, and headers that lie.
 */
#include "test.h"
#include "conversation.h"
#include "drive.h"
#include "packets.h"
#include "include/uapi/linux/kmemcache.h"
#include <stdlib.h>

#define SET	STORE("\x01")
#define WAS_SET	DONE_CAS("\x01", "\x02")
#define GET	KEYED("\x00")

static const struct conversation conversations[] = {
	/* storage and retrieval */
	TALK("set and get", SET GET, WAS_SET HIT("\x00", "\x02")),
	TALK("get, getk, getq, getkq", SET GET KEYED("\x0c") KEYED("\x09") KEYED("\x0d"),
	     WAS_SET HIT("\x00", "\x02") HIT_KEY("\x0c", "\x02") HIT("\x09", "\x02") HIT_KEY("\x0d", "\x02")),
	TALK("misses: getk shows the key, quiet ones nothing", GET KEYED("\x0c") KEYED("\x09") KEYED("\x0d") NOOP,
	     NOT_FOUND("\x00") RESPONSE("\x0c", "\x01", "\x01", "\0", "\x01") "a" NOOPED),
	TALK("setq", STORE("\x11") GET, HIT("\x00", "\x02")),
	TALK("add, addq", STORE("\x02") STORE("\x02") STORE("\x12") GET,
	     DONE_CAS("\x02", "\x02") EXISTS("\x02") EXISTS("\x12") HIT("\x00", "\x02")),
	TALK("replace, replaceq", STORE("\x03") STORE("\x13") SET STORE("\x13") STORE("\x03") GET,
	     NOT_FOUND("\x03") NOT_FOUND("\x13") WAS_SET DONE_CAS("\x03", "\x04") HIT("\x00", "\x04")),
	TALK("append and prepend",
	     SET JOIN("\x0e") JOIN("\x0f") GET,
	     WAS_SET DONE_CAS("\x0e", "\x03") DONE_CAS("\x0f", "\x04")
	     RESPONSE_CAS("\x00", "\0", "\0", "\x04", "\x0b", CAS_("\x04")) "\0\0\0\x05" "xyabcxy"),
	TALK("appendq and prependq: errors are told", JOIN("\x19") JOIN("\x1a") SET JOIN("\x19") JOIN("\x1a") NOOP,
	     NOT_STORED("\x19") NOT_STORED("\x1a") WAS_SET NOOPED),
	TALK("empty value", REQUEST("\x01", "\x01", "\x08", "\x09") "\0\0\0\0\0\0\0\0" "a" GET,
	     WAS_SET RESPONSE_CAS("\x00", "\0", "\0", "\x04", "\x04", CAS_("\x02")) "\0\0\0\0"),
	TALK("key with line ends and blanks",
	     REQUEST("\x01", "\x03", "\x08", "\x0c") "\0\0\0\x05\0\0\0\0" "\r\n " "v"
	     REQUEST("\x00", "\x03", "\0", "\x03") "\r\n ",
	     WAS_SET RESPONSE_CAS("\x00", "\0", "\0", "\x04", "\x05", CAS_("\x02")) "\0\0\0\x05" "v"),
	TALK("key of 250 bytes", REQUEST("\x0c", "\xfa", "\0", "\xfa") K250,
	     RESPONSE("\x0c", "\x01", "\xfa", "\0", "\xfa") K250),
	TALK("an exptime of 32 bits is no negative one",
	     REQUEST("\x01", "\x01", "\x08", "\x0c") "\0\0\0\x05" "\xff\xff\xff\xff" "aabc" GET,
	     WAS_SET HIT("\x00", "\x02")),

	/* CAS */
	TALK("cas of set", STORE_CAS("\x01", CAS_("\x09")) SET STORE_CAS("\x01", CAS_("\x09")) STORE_CAS("\x01", CAS_("\x02")),
	     NOT_FOUND("\x01") WAS_SET EXISTS("\x01") DONE_CAS("\x01", "\x03")),
	TALK("cas of add makes it a cas", SET STORE_CAS("\x02", CAS_("\x02")), WAS_SET DONE_CAS("\x02", "\x03")),
	TALK("cas of replace", STORE_CAS("\x03", CAS_("\x02")) SET STORE_CAS("\x03", CAS_("\x03")) STORE_CAS("\x13", CAS_("\x02")) GET,
	     NOT_FOUND("\x03") WAS_SET EXISTS("\x03") HIT("\x00", "\x03")),
	TALK("cas of append", SET JOIN_CAS("\x0e", CAS_("\x03")) JOIN_CAS("\x0e", CAS_("\x02")),
	     WAS_SET EXISTS("\x0e") DONE_CAS("\x0e", "\x03")),
	TALK("cas of delete", SET KEYED_CAS("\x04", CAS_("\x03")) KEYED_CAS("\x04", CAS_("\x02")) GET,
	     WAS_SET EXISTS("\x04") DONE("\x04") NOT_FOUND("\x00")),

	/* deletion, counting, touching */
	TALK("delete, deleteq", KEYED("\x04") KEYED("\x14") SET KEYED("\x14") GET,
	     NOT_FOUND("\x04") NOT_FOUND("\x14") WAS_SET NOT_FOUND("\x00")),
	TALK("incr that makes", COUNT("\x05", "\x01", "\x07", "\0\0\0\0") COUNT("\x05", "\x03", "\x07", "\0\0\0\0") GET,
	     NUMBER("\x05", "\x07", "\x02") NUMBER("\x05", "\x0a", "\x03")
	     RESPONSE_CAS("\x00", "\0", "\0", "\x04", "\x06", CAS_("\x03")) "\0\0\0\0" "10"),
	TALK("decr that makes", COUNT("\x06", "\x01", "\x07", "\0\0\0\0") COUNT("\x06", "\x09", "\0", NEVER),
	     NUMBER("\x06", "\x07", "\x02") NUMBER("\x06", "\0", "\x03")),
	TALK("counters that are not there", COUNT("\x05", "\x01", "\x07", NEVER) COUNT("\x16", "\x01", "\x07", NEVER),
	     NOT_FOUND("\x05") NOT_FOUND("\x16")),
	TALK("incrq, decrq", COUNT("\x15", "\x01", "\x07", "\0\0\0\0") COUNT("\x16", "\x02", "\0", NEVER)
	     COUNT("\x05", "\0", "\0", NEVER), NUMBER("\x05", "\x05", "\x04")),
	TALK("no number", SET COUNT("\x05", "\x01", "\x07", "\0\0\0\0") COUNT("\x15", "\x01", "\x07", NEVER),
	     WAS_SET NON_NUMERIC("\x05") NON_NUMERIC("\x15")),
	TALK("cas of incr", COUNT("\x05", "\x01", "\x07", "\0\0\0\0") COUNT_CAS("\x05", "\x01", "\0", NEVER, CAS_("\x09"))
	     COUNT_CAS("\x05", "\x01", "\0", NEVER, CAS_("\x02")),
	     NUMBER("\x05", "\x07", "\x02") EXISTS("\x05") NUMBER("\x05", "\x08", "\x03")),
	TALK("touch shows the flags", TIMED("\x1c", "\0\0\0\x64") SET TIMED("\x1c", "\0\0\0\x64"),
	     NOT_FOUND("\x1c") WAS_SET RESPONSE_CAS("\x1c", "\0", "\0", "\x04", "\x04", CAS_("\x02")) "\0\0\0\x05"),
	TALK("gat, gatq, gatk, gatkq",
	     TIMED("\x1d", "\0\0\0\0") TIMED("\x1e", "\0\0\0\0") TIMED("\x23", "\0\0\0\0") TIMED("\x24", "\0\0\0\0") SET
	     TIMED("\x1d", "\0\0\0\0") TIMED("\x1e", "\0\0\0\0") TIMED("\x23", "\0\0\0\0") TIMED("\x24", "\0\0\0\0"),
	     NOT_FOUND("\x1d") RESPONSE("\x23", "\x01", "\x01", "\0", "\x01") "a" WAS_SET
	     HIT("\x1d", "\x02") HIT("\x1e", "\x02") HIT_KEY("\x23", "\x02") HIT_KEY("\x24", "\x02")),

	/* the rest */
	TALK("noop", NOOP, NOOPED),
	TALK("version", REQUEST("\x0b", "\0", "\0", "\0"),
	     RESPONSE("\x0b", "\0", "\0", "\0", "\x16") "1.6.45-kmemcache-0.1.0"),
	TALK("flush, flushq", SET REQUEST("\x08", "\0", "\0", "\0") GET SET REQUEST("\x18", "\0", "\x04", "\x04") "\0\0\0\0" GET,
	     WAS_SET DONE("\x08") NOT_FOUND("\x00") DONE_CAS("\x01", "\x03") NOT_FOUND("\x00")),
	TALK("flush at a time to come", SET REQUEST("\x08", "\0", "\x04", "\x04") "\0\0\0\x64" GET,
	     WAS_SET DONE("\x08") HIT("\x00", "\x02")),
	LAST("quit", SET REQUEST("\x07", "\0", "\0", "\0") GET, WAS_SET DONE("\x07")),
	LAST("quitq", SET REQUEST("\x17", "\0", "\0", "\0") GET, WAS_SET),
	TALK("stats reset, by its first letters", REQUEST("\x10", "\x07", "\0", "\x07") "resetXY", DONE("\x10")),
	TALK("stats of nothing", REQUEST("\x10", "\x05", "\0", "\x05") "items", DONE("\x10")),
	TALK("stats sizes", REQUEST("\x10", "\x05", "\0", "\x05") "sizes",
	     RESPONSE("\x10", "\0", "\x0c", "\0", "\x14") "sizes_statusdisabled" DONE("\x10")),
	TALK("stats that are none", REQUEST("\x10", "\x05", "\0", "\x05") "conns" REQUEST("\x10", "\x03", "\0", "\x03") "set"
	     REQUEST("\x10", "\x06", "\0", "\x06") "itemsx", NOT_FOUND("\x10") NOT_FOUND("\x10") NOT_FOUND("\x10")),
	TALK("unknown opcodes, verbosity among them, have their bodies thrown away",
	     REQUEST("\x1b", "\0", "\x04", "\x04") "\0\0\0\x01" REQUEST("\xff", "\x01", "\x02", "\x06") "xxaval"
	     REQUEST("\x30", "\0", "\0", "\0") NOOP,
	     UNKNOWN("\x1b") UNKNOWN("\xff") UNKNOWN("\x30") NOOPED),
	TALK("no authentication: its opcodes are unknown",
	     REQUEST("\x20", "\0", "\0", "\0") REQUEST("\x21", "\x05", "\0", "\x0a") "PLAIN" "\0u\0pw" NOOP,
	     UNKNOWN("\x20") UNKNOWN("\x21") NOOPED),
	TALK("text in the middle of a header", "get a\r\n", "END\r\n"),

	/* headers that lie; what follows is never looked at */
	LAST("a response's magic", SET "\x81" "\x00\0\x01\0\0\0\0\0\0\0\x01" OPAQUE NO_CAS "a" GET, WAS_SET),
	LAST("text behind a binary request", NOOP "get a\r\nget a\r\nget a\r\nget a\r\n", NOOPED),
	LAST("CVE-2011-4971: a key longer than the body", REQUEST("\x11", "\x05", "\0", "\x04") "aaaaaaa",
	     UNKNOWN("\x11")),
	LAST("CVE-2016-8705: extras and key longer than the body", REQUEST("\x01", "\x01", "\x08", "\x08") "aaaaaaaaa",
	     UNKNOWN("\x01")),
	LAST("CVE-2016-8704: append with a body shorter than its key", REQUEST("\x0e", "\xfa", "\0", "\0") K250,
	     UNKNOWN("\x0e")),
	LAST("CVE-2016-8706: authentication with a body shorter than its key", REQUEST("\x21", "\x05", "\0", "\x04") "PLAIN",
	     UNKNOWN("\x21")),
	LAST("a body of 4 GiB", "\x80\x01\0\x01\x08\0\0\0\xff\xff\xff\xff" OPAQUE NO_CAS "aaaaaaaaaaaa", INVALID("\x01")),
	LAST("a body of 2 GiB and less", "\x80\x0e\0\x01\0\0\0\0\x7f\xff\xff\xff" OPAQUE NO_CAS "aa", INVALID("\x0e")),
	LAST("an unknown opcode of 4 GiB", "\x80\xff\0\0\0\0\0\0\xff\xff\xff\xff" OPAQUE NO_CAS, INVALID("\xff")),
	LAST("a key of 251 bytes", "\x80\x00\0\xfb\0\0\0\0\0\0\0\xfb" OPAQUE NO_CAS K250 "k", INVALID("\x00")),
	LAST("a key of 65535 bytes", "\x80\x00\xff\xff\0\0\0\0\0\0\xff\xff" OPAQUE NO_CAS K250, INVALID("\x00")),
	LAST("extras of set that are too short", REQUEST("\x01", "\x01", "\x04", "\x06") "\0\0\0\0" "aa", INVALID("\x01")),
	LAST("extras of set that are too long", REQUEST("\x01", "\x01", "\x0c", "\x0e") "aaaaaaaaaaaaaa", INVALID("\x01")),
	LAST("extras of get", REQUEST("\x00", "\x01", "\x04", "\x05") "aaaaa", INVALID("\x00")),
	LAST("extras of append", REQUEST("\x0e", "\x01", "\x08", "\x0a") "aaaaaaaaaa", INVALID("\x0e")),
	LAST("extras of incr", REQUEST("\x05", "\x01", "\x08", "\x09") "aaaaaaaaa", INVALID("\x05")),
	LAST("extras of touch", REQUEST("\x1c", "\x01", "\0", "\x01") "a", INVALID("\x1c")),
	LAST("extras of flush", REQUEST("\x08", "\0", "\x08", "\x08") "aaaaaaaa", INVALID("\x08")),
	LAST("extras of delete", REQUEST("\x04", "\x01", "\x04", "\x05") "aaaaa", INVALID("\x04")),
	LAST("CVE-2020-10931: 255 bytes of extras", "\x80\x01\0\x01\xff\0\0\0\0\0\x01\x01" OPAQUE NO_CAS "aaaa", INVALID("\x01")),
	LAST("get without a key", REQUEST("\x00", "\0", "\0", "\0"), INVALID("\x00")),
	LAST("set without a key", REQUEST("\x01", "\0", "\x08", "\x08") "\0\0\0\0\0\0\0\0", INVALID("\x01")),
	LAST("gat without a key", REQUEST("\x1d", "\0", "\x04", "\x04") "\0\0\0\0", INVALID("\x1d")),
	LAST("get with a value", REQUEST("\x00", "\x01", "\0", "\x03") "abc", INVALID("\x00")),
	LAST("delete with a value", REQUEST("\x04", "\x01", "\0", "\x03") "abc", INVALID("\x04")),
	LAST("touch with a value that could be a request", REQUEST("\x1c", "\x01", "\x04", "\x1d") "\0\0\0\0" "a" NOOP,
	     INVALID("\x1c")),
	LAST("stats with a value that could be a request", REQUEST("\x10", "\x05", "\0", "\x1d") "reset" NOOP,
	     INVALID("\x10")),
	LAST("noop with a key", REQUEST("\x0a", "\x01", "\0", "\x01") "a", INVALID("\x0a")),
	LAST("version with a body", REQUEST("\x0b", "\0", "\0", "\x01") "a", INVALID("\x0b")),
	LAST("quit with a body", REQUEST("\x07", "\0", "\0", "\x01") "a", INVALID("\x07")),
	LAST("quitq with a body is told", REQUEST("\x17", "\0", "\0", "\x01") "a", INVALID("\x17")),
	TALK("half a header", "\x80\x0b\0\0\0\0\0\0", ""),
	TALK("half a key", REQUEST("\x00", "\x02", "\0", "\x02") "a", ""),
};

/* Each conversation ends before anything is stored over. */
static void test_too_large(void)
{
	static const char head[] = "\x80\x01\0\x01\x08\0\0\0\0\x10\0\x09" OPAQUE NO_CAS "\0\0\0\0\0\0\0\0" "a";
	static const char wanted[] = WAS_SET TOO_LARGE("\x01") NOT_FOUND("\x00");
	u8 *in = calloc(1, sizeof(SET) + sizeof(head) + (1 << 20) + sizeof(GET));
	struct drive d;
	u8 *at = in;

	memcpy(at, SET, sizeof(SET) - 1);
	at += sizeof(SET) - 1;
	memcpy(at, head, sizeof(head) - 1);
	at += sizeof(head) - 1 + (1 << 20);
	memcpy(at, GET, sizeof(GET) - 1);
	at += sizeof(GET) - 1;
	drive_open(&d, NULL);
	drive_feed(&d, in, at - in);
	tap_bytes(d.out, d.nout, wanted, sizeof(wanted) - 1,
		  "a value that is too large takes the old one with it, and its bytes are thrown away");
	tap_number(drive_count(&d, KMC_COUNT_store_too_large), 0, "and does not show in store_too_large");
	drive_close(&d);
	free(in);
}

/* With @protocol, @in is answered by @out. */
static void test_offered(u8 protocol, const char *in, size_t nin, const char *out, size_t nout, bool closed,
			 const char *name)
{
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.protocol = protocol;
	drive_open(&d, &settings);
	drive_feed(&d, in, nin);
	tap_bytes(d.out, d.nout, out, nout, "%s", name);
	tap_ok(d.closed == closed, "%s: %s", name, closed ? "closed" : "open");
	drive_close(&d);
}

#define BYTES(text)	text, sizeof(text) - 1

static void test_detection(void)
{
	test_offered(KMC_PROTOCOL_AUTO, BYTES(NOOP), BYTES(NOOPED), false, "binary by its first byte");
	test_offered(KMC_PROTOCOL_AUTO, BYTES("get a\r\n"), BYTES("END\r\n"), false, "text by its first byte");
	test_offered(KMC_PROTOCOL_BINARY, BYTES(NOOP), BYTES(NOOPED), false, "-B binary: binary");
	test_offered(KMC_PROTOCOL_BINARY, BYTES("get a\r\nget a\r\nget a\r\nget a\r\n"), "", 0, true,
		     "-B binary: text is no header");
	test_offered(KMC_PROTOCOL_TEXT, BYTES("\x80\x0b\r\n"), BYTES("ERROR\r\n"), false,
		     "-B ascii: a first byte of 0x80 is a word like any other");
}

static void test_counted(void)
{
	static const char in[] = SET GET KEYED("\x09") TIMED("\x1c", "\0\0\0\0") TIMED("\x1d", "\0\0\0\0") KEYED("\x04")
				 GET TIMED("\x1d", "\0\0\0\0") KEYED("\x04") COUNT("\x05", "\x01", "\x07", NEVER)
				 COUNT("\x06", "\x01", "\x07", "\0\0\0\0") COUNT("\x06", "\x01", "\x07", NEVER)
				 STORE_CAS("\x01", CAS_("\x63")) REQUEST("\x08", "\0", "\0", "\0");
	struct drive d;

	drive_open(&d, NULL);
	drive_feed(&d, in, sizeof(in) - 1);
	tap_number(drive_count_class(&d, KMC_CLASS_cmd_set), 2, "cmd_set: values, not counters that are made");
	tap_number(drive_count_class(&d, KMC_CLASS_hits_to_hot), 2, "get_hits");
	tap_number(drive_count(&d, KMC_COUNT_get_misses), 1, "get_misses");
	tap_number(drive_count_class(&d, KMC_CLASS_touch_hits), 2, "touch_hits: touch and gat");
	tap_number(drive_count(&d, KMC_COUNT_touch_misses), 1, "touch_misses");
	tap_number(drive_count_class(&d, KMC_CLASS_delete_hits), 1, "delete_hits");
	tap_number(drive_count(&d, KMC_COUNT_delete_misses), 1, "delete_misses");
	tap_number(drive_count(&d, KMC_COUNT_incr_misses), 1, "incr_misses");
	tap_number(drive_count(&d, KMC_COUNT_decr_misses), 0, "decr_misses: not when it is made");
	tap_number(drive_count_class(&d, KMC_CLASS_decr_hits), 1, "decr_hits");
	tap_number(drive_count_class(&d, KMC_CLASS_cas_badval), 1, "cas_badval");
	tap_number(drive_count(&d, KMC_COUNT_cmd_flush), 1, "cmd_flush");
	drive_close(&d);
}

static void test_refused_flush(void)
{
	static const char in[] = REQUEST("\x08", "\0", "\0", "\0") REQUEST("\x18", "\0", "\0", "\0");
	static const char out[] = AUTH_ERROR("\x08") AUTH_ERROR("\x18");
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.flush_enabled = 0;
	drive_open(&d, &settings);
	drive_feed(&d, in, sizeof(in) - 1);
	tap_bytes(d.out, d.nout, out, sizeof(out) - 1, "a flush that is not allowed");
	tap_number(drive_count(&d, KMC_COUNT_cmd_flush), 0, "is not counted");
	drive_close(&d);
}

#ifndef WITH_DOUBLE
/* Without CAS values a request's is ignored, but for that of delete. */
static void test_without_cas(void)
{
	static const char in[] = STORE_CAS("\x01", CAS_("\x09")) JOIN_CAS("\x0e", CAS_("\x09"))
				 KEYED_CAS("\x04", CAS_("\x09")) KEYED("\x04");
	static const char out[] = DONE("\x01") DONE("\x0e") EXISTS("\x04") DONE("\x04");
	struct kmc_settings settings;
	struct drive d;

	drive_settings(&settings);
	settings.cas = 0;
	drive_open(&d, &settings);
	drive_feed(&d, in, sizeof(in) - 1);
	tap_bytes(d.out, d.nout, out, sizeof(out) - 1, "without CAS values");
	drive_close(&d);
}
#endif

void test_binary(void)
{
	hold_conversations(conversations, ARRAY_SIZE(conversations));
	test_too_large();
	test_detection();
	test_counted();
	test_refused_flush();
#ifndef WITH_DOUBLE
	test_without_cas();
#endif
}
