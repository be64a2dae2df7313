/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a protocol is to the rest: bytes to requests, results to bytes. One row of functions each.
 *
 * Locking: none; nothing here keeps state or sleeps.
 */
#ifndef KMC_PROTO_H
#define KMC_PROTO_H

#include "../kernel.h"
#include "../reply.h"
#include "request.h"

/* Bytes of a request before its value or keys; what does not end within them is refused. */
#define KMC_HEAD_MAX		2048

/*
 * Room that each function below but ->hit() and ->stat() is satisfied with: the longest line, that of a
 * meta get with all flags. A key of 250 bytes, an opaque token of 32, seven numbers, letters.
 */
#define KMC_LINE_MAX		448

enum kmc_key_status {
	KMC_KEY_ONE,		/* @req->key is the next key */
	KMC_KEY_MORE,		/* needs more bytes */
	KMC_KEY_END,		/* no more keys, the request is at its end */
	KMC_KEY_BAD,		/* no key: refuse the request, then ->skip_keys() */
};

/**
 * struct kmc_protocol_ops - a protocol
 * @parse: a request's head at the start of @data.
 *	Return: >0 bytes it takes, with @req filled; 0: more bytes are needed (never with @len of
 *	KMC_HEAD_MAX or more); -EMSGSIZE, -EPROTO: close the connection, nothing is to be said.
 *	For KMC_OP_GET and KMC_OP_TOUCH_GET the head ends before the first key.
 * @next_key: the next key of a get at the start of @data; *@used bytes are done with, also when the
 *	key itself needs more. KMC_KEY_MORE never with @len of KMC_HEAD_MAX or more and *@used of 0.
 * @skip_keys: throw the keys that are left away. Return: bytes to skip; *@end: that was all of them.
 * @grab: how many of the @len bytes at @run are worth carrying to complete what the @have bytes at @data began
 * @answer, @number, @version: write one answer
 * @touched: the answer to KMC_OP_TOUCH
 * @miss: the key of KMC_OP_GET_ONE is not there; only of protocols that know this operation
 * @hit: what stands before a value, to @at (KMC_LINE_MAX bytes). Return: its length.
 * @stat: a line of statistics. Return: false: full, nothing was added.
 * @prefix: what was counted of one prefix of keys, to "stats detail dump". Return: as @stat.
 * @counts_refusals: values that find no room show in store_too_large and store_no_memory, a refused flush
 *	in cmd_flush
 * @tail, @tail_len: what stands behind a value, when it is sent and when it is received
 */
struct kmc_protocol_ops {
	ssize_t (*parse)(const u8 *data, size_t len, struct kmc_request *req);
	enum kmc_key_status (*next_key)(const u8 *data, size_t len, size_t *used,
					struct kmc_request *req);
	size_t (*skip_keys)(const u8 *data, size_t len, bool *end);
	size_t (*grab)(const u8 *data, size_t have, const u8 *run, size_t len);
	void (*answer)(struct kmc_reply *reply, const struct kmc_request *req,
		       enum kmc_answer answer);
	void (*number)(struct kmc_reply *reply, const struct kmc_request *req, u64 number);
	void (*version)(struct kmc_reply *reply, const struct kmc_request *req, const char *version);
	void (*touched)(struct kmc_reply *reply, const struct kmc_request *req,
			const struct kmc_hit *hit);
	void (*miss)(struct kmc_reply *reply, const struct kmc_request *req);
	u32 (*hit)(u8 *at, const struct kmc_request *req, const struct kmc_hit *hit);
	bool (*stat)(struct kmc_reply *reply, const struct kmc_request *req, const char *name,
		     const char *value);
	bool counts_refusals;
	bool (*prefix)(struct kmc_reply *reply, const struct kmc_request *req, const u8 *name, u32 len,
		       const char *counts);
	u8 tail[2];
	u8 tail_len;
};

extern const struct kmc_protocol_ops kmc_text;
extern const struct kmc_protocol_ops kmc_binary;

/* The same for who has not said yet who it is: all that leads nowhere else is refused. */
extern const struct kmc_protocol_ops kmc_text_locked;
extern const struct kmc_protocol_ops kmc_binary_locked;

#endif
