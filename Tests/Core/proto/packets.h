/* SPDX-License-Identifier: GPL-2.0 */
/* Binary requests and responses as string literals; numbers are written as the bytes that they are. */
#ifndef PACKETS_H
#define PACKETS_H

#define OPAQUE		"\xde\xad\0\x01"
#define NO_CAS		"\0\0\0\0\0\0\0\0"
#define CAS_(byte)	"\0\0\0\0\0\0\0" byte

/* @nkey, @body: one byte each, of two and four. */
#define REQUEST_CAS(op, nkey, nextras, body, cas) \
	"\x80" op "\0" nkey nextras "\0\0\0" "\0\0\0" body OPAQUE cas
#define REQUEST(op, nkey, nextras, body)	REQUEST_CAS(op, nkey, nextras, body, NO_CAS)
#define RESPONSE_CAS(op, status, nkey, nextras, body, cas) \
	"\x81" op "\0" nkey nextras "\0\0" status "\0\0\0" body OPAQUE cas
#define RESPONSE(op, status, nkey, nextras, body) \
	RESPONSE_CAS(op, status, nkey, nextras, body, NO_CAS)

#define DONE(op)		RESPONSE(op, "\0", "\0", "\0", "\0")
#define DONE_CAS(op, cas)	RESPONSE_CAS(op, "\0", "\0", "\0", "\0", CAS_(cas))
#define NOT_FOUND(op)		RESPONSE(op, "\x01", "\0", "\0", "\x09") "Not found"
#define EXISTS(op)		RESPONSE(op, "\x02", "\0", "\0", "\x14") "Data exists for key."
#define TOO_LARGE(op)		RESPONSE(op, "\x03", "\0", "\0", "\x0a") "Too large."
#define INVALID(op)		RESPONSE(op, "\x04", "\0", "\0", "\x11") "Invalid arguments"
#define NOT_STORED(op)		RESPONSE(op, "\x05", "\0", "\0", "\x0b") "Not stored."
#define NON_NUMERIC(op)		RESPONSE(op, "\x06", "\0", "\0", "\x2e") \
				"Non-numeric server-side value for incr or decr"
#define AUTH_ERROR(op)		RESPONSE(op, "\x20", "\0", "\0", "\x0d") "Auth failure."
#define UNKNOWN(op)		RESPONSE(op, "\x81", "\0", "\0", "\x0f") "Unknown command"

#define NOOP		REQUEST("\x0a", "\0", "\0", "\0")
#define NOOPED		DONE("\x0a")

/* Key "a", flags 5, no exptime, value "abc". */
#define STORE_CAS(op, cas)	REQUEST_CAS(op, "\x01", "\x08", "\x0c", cas) "\0\0\0\x05" "\0\0\0\0" "a" "abc"
#define STORE(op)		STORE_CAS(op, NO_CAS)
#define JOIN_CAS(op, cas)	REQUEST_CAS(op, "\x01", "\0", "\x03", cas) "a" "xy"
#define JOIN(op)		JOIN_CAS(op, NO_CAS)
#define KEYED_CAS(op, cas)	REQUEST_CAS(op, "\x01", "\0", "\x01", cas) "a"
#define KEYED(op)		KEYED_CAS(op, NO_CAS)
#define TIMED(op, time)		REQUEST(op, "\x01", "\x04", "\x05") time "a"
#define COUNT_CAS(op, delta, initial, time, cas) \
	REQUEST_CAS(op, "\x01", "\x14", "\x15", cas) CAS_(delta) CAS_(initial) time "a"
#define COUNT(op, delta, initial, time)	COUNT_CAS(op, delta, initial, time, NO_CAS)
#define NEVER		"\xff\xff\xff\xff"	/* a counter's exptime: do not make it */
#define NUMBER(op, number, cas)	RESPONSE_CAS(op, "\0", "\0", "\0", "\x08", CAS_(cas)) CAS_(number)
/* The item that STORE made. */
#define HIT(op, cas)	RESPONSE_CAS(op, "\0", "\0", "\x04", "\x07", CAS_(cas)) "\0\0\0\x05" "abc"
#define HIT_KEY(op, cas) RESPONSE_CAS(op, "\0", "\x01", "\x04", "\x08", CAS_(cas)) "\0\0\0\x05" "a" "abc"

#endif
