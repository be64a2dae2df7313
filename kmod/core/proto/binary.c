// SPDX-License-Identifier: GPL-2.0
#include "binary.h"

#define KMC_BINARY_HEADER	24
#define KMC_BINARY_RESPONSE	0x81
#define KMC_BINARY_CAS_AT	16

/* What a request may consist of. */
#define KMC_KEY			BIT(0)	/* must have a key */
#define KMC_KEY_MAYBE		BIT(1)
#define KMC_VALUE		BIT(2)	/* may have a value */
#define KMC_EXTRAS_MAYBE	BIT(3)	/* extras may be left out */
#define KMC_QUIET		BIT(4)	/* success (of a get: a miss) is not told */
#define KMC_WITH_KEY		BIT(5)	/* answers show the key */
#define KMC_TOKEN		BIT(6)	/* the value counts as part of the head, if it is short */
#define KMC_OPEN		BIT(7)	/* for everybody, also before authentication */

/**
 * struct kmc_header - of a request, in the machine's byte order
 */
struct kmc_header {
	u16 nkey;
	u8 nextras;
	u32 nbody;
	u64 cas;
};

/**
 * struct kmc_binary_command - an opcode
 * @op: KMC_OP_REFUSE: there is no such command
 * @extras: bytes of them
 * @read: takes extras and key apart, after everything common to all; NULL: there is nothing more
 */
struct kmc_binary_command {
	u8 op;
	u8 extras;
	u8 flags;
	void (*read)(const u8 *extras, const struct kmc_header *header, struct kmc_request *req);
};

static u16 kmc_be16(const u8 *at)
{
	return (u16)(at[0] << 8 | at[1]);
}

static u32 kmc_be32(const u8 *at)
{
	return (u32)kmc_be16(at) << 16 | kmc_be16(at + 2);
}

static u64 kmc_be64(const u8 *at)
{
	return (u64)kmc_be32(at) << 32 | kmc_be32(at + 4);
}

static void kmc_put_be16(u8 *at, u16 value)
{
	at[0] = (u8)(value >> 8);
	at[1] = (u8)value;
}

static void kmc_put_be32(u8 *at, u32 value)
{
	kmc_put_be16(at, (u16)(value >> 16));
	kmc_put_be16(at + 2, (u16)value);
}

static void kmc_put_be64(u8 *at, u64 value)
{
	kmc_put_be32(at, (u32)(value >> 32));
	kmc_put_be32(at + 4, (u32)value);
}

/* set, add, replace: flags, exptime */
static void kmc_binary_read_storage(const u8 *extras, const struct kmc_header *header,
				    struct kmc_request *req)
{
	req->client_flags = kmc_be32(extras);
	req->exptime = kmc_be32(extras + 4);
}

/* incr, decr: delta, first number, exptime. All ones is no time but says that nothing is to be made. */
static void kmc_binary_read_arith(const u8 *extras, const struct kmc_header *header,
				  struct kmc_request *req)
{
	req->delta = kmc_be64(extras);
	req->binary.initial = kmc_be64(extras + 8);
	req->exptime = kmc_be32(extras + 16);
	req->creates = req->exptime != U32_MAX;
}

/* touch and its kin, flush: exptime, if it is there */
static void kmc_binary_read_time(const u8 *extras, const struct kmc_header *header,
				 struct kmc_request *req)
{
	req->exptime = header->nextras ? kmc_be32(extras) : 0;
}

/* Whether the key begins with @word. */
static bool kmc_binary_key_begins(const struct kmc_request *req, const char *word)
{
	size_t len = strlen(word);

	return req->nkey >= len && !memcmp(req->key, word, len);
}

/* The group is the key. Some go by how the key begins; else there is no beginning of a word that would do. */
static void kmc_binary_read_stats(const u8 *extras, const struct kmc_header *header,
				  struct kmc_request *req)
{
	static const struct {
		const char *word;
		enum kmc_verb verb, how;
	} begin[] = {
		{ "reset", KMC_VERB_RESET, KMC_VERB_NONE },
		{ "settings", KMC_VERB_NONE, KMC_VERB_NONE },
		{ "detail dump", KMC_VERB_DETAIL, KMC_VERB_DUMP },
		{ "detail on", KMC_VERB_DETAIL, KMC_VERB_ON },
		{ "detail off", KMC_VERB_DETAIL, KMC_VERB_OFF },
	};
	static const char *const whole[] = { "items", "slabs", "sizes" };
	size_t i;

	req->args = req->key;
	req->nargs = req->nkey;
	for (i = 0; i < ARRAY_SIZE(begin); i++) {
		if (!kmc_binary_key_begins(req, begin[i].word))
			continue;
		req->verb = begin[i].verb;
		req->how = begin[i].how;
		req->nargs = (u32)strlen(begin[i].word);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(whole); i++)
		if (req->nkey == strlen(whole[i]) && kmc_binary_key_begins(req, whole[i]))
			return;
	if (!req->nkey)
		return;
	req->op = KMC_OP_REFUSE;
	req->refusal = KMC_ANSWER_NOT_FOUND;
}

#define KMC_BIN(code, what, nextras, has, ...) \
	[code] = { .op = KMC_OP_##what, .extras = nextras, .flags = has, __VA_ARGS__ }
#define KMC_BIN_STORES(code, what, has) \
	KMC_BIN(code, what, 8, KMC_KEY | KMC_VALUE | (has), .read = kmc_binary_read_storage)
#define KMC_BIN_COUNTS(code, what, has) \
	KMC_BIN(code, what, 20, KMC_KEY | (has), .read = kmc_binary_read_arith)
#define KMC_BIN_TIMED(code, what, has) \
	KMC_BIN(code, what, 4, KMC_KEY | (has), .read = kmc_binary_read_time)

static const struct kmc_binary_command kmc_binary_commands[] = {
	KMC_BIN(0x00, GET_ONE, 0, KMC_KEY),
	KMC_BIN_STORES(0x01, SET, 0),
	KMC_BIN_STORES(0x02, ADD, 0),
	KMC_BIN_STORES(0x03, REPLACE, 0),
	KMC_BIN(0x04, DELETE, 0, KMC_KEY),
	KMC_BIN_COUNTS(0x05, INCR, 0),
	KMC_BIN_COUNTS(0x06, DECR, 0),
	KMC_BIN(0x07, QUIT, 0, 0),
	KMC_BIN(0x08, FLUSH, 4, KMC_EXTRAS_MAYBE, .read = kmc_binary_read_time),
	KMC_BIN(0x09, GET_ONE, 0, KMC_KEY | KMC_QUIET),
	KMC_BIN(0x0a, NOOP, 0, 0),
	KMC_BIN(0x0b, VERSION, 0, KMC_OPEN),
	KMC_BIN(0x0c, GET_ONE, 0, KMC_KEY | KMC_WITH_KEY),
	KMC_BIN(0x0d, GET_ONE, 0, KMC_KEY | KMC_WITH_KEY | KMC_QUIET),
	KMC_BIN(0x0e, APPEND, 0, KMC_KEY | KMC_VALUE),
	KMC_BIN(0x0f, PREPEND, 0, KMC_KEY | KMC_VALUE),
	KMC_BIN(0x10, STATS, 0, KMC_KEY_MAYBE, .read = kmc_binary_read_stats),
	KMC_BIN_STORES(0x11, SET, KMC_QUIET),
	KMC_BIN_STORES(0x12, ADD, KMC_QUIET),
	KMC_BIN_STORES(0x13, REPLACE, KMC_QUIET),
	KMC_BIN(0x14, DELETE, 0, KMC_KEY | KMC_QUIET),
	KMC_BIN_COUNTS(0x15, INCR, KMC_QUIET),
	KMC_BIN_COUNTS(0x16, DECR, KMC_QUIET),
	KMC_BIN(0x17, QUIT, 0, KMC_QUIET),
	KMC_BIN(0x18, FLUSH, 4, KMC_EXTRAS_MAYBE | KMC_QUIET, .read = kmc_binary_read_time),
	KMC_BIN(0x19, APPEND, 0, KMC_KEY | KMC_VALUE | KMC_QUIET),
	KMC_BIN(0x1a, PREPEND, 0, KMC_KEY | KMC_VALUE | KMC_QUIET),
	KMC_BIN_TIMED(0x1c, TOUCH, 0),
	KMC_BIN_TIMED(0x1d, TOUCH_GET_ONE, 0),
	KMC_BIN_TIMED(0x1e, TOUCH_GET_ONE, KMC_QUIET),
	KMC_BIN(0x20, AUTH_MECHANISMS, 0, KMC_OPEN),
	KMC_BIN(0x21, AUTH_START, 0, KMC_KEY | KMC_VALUE | KMC_TOKEN | KMC_OPEN),
	KMC_BIN(0x22, AUTH_STEP, 0, KMC_KEY | KMC_VALUE | KMC_TOKEN | KMC_OPEN),
	KMC_BIN_TIMED(0x23, TOUCH_GET_ONE, KMC_WITH_KEY),
	KMC_BIN_TIMED(0x24, TOUCH_GET_ONE, KMC_WITH_KEY | KMC_QUIET),
};

static const struct kmc_binary_command *kmc_binary_find(u8 opcode)
{
	static const struct kmc_binary_command unknown = { .op = KMC_OP_REFUSE };

	return opcode < ARRAY_SIZE(kmc_binary_commands) ? &kmc_binary_commands[opcode] : &unknown;
}

/* A request that is answered by its header alone. @swallow: bytes behind that are thrown away. */
static ssize_t kmc_binary_refuse(struct kmc_request *req, enum kmc_answer refusal, u32 swallow, bool last)
{
	req->op = KMC_OP_REFUSE;
	req->refusal = refusal;
	req->nbytes = swallow;
	req->last = last;
	return KMC_BINARY_HEADER;
}

/* Whether the lengths are those of @command; they do not contradict each other by now. */
static bool kmc_binary_fits(const struct kmc_binary_command *command, const struct kmc_header *header)
{
	bool extras = header->nextras == command->extras ||
		      (!header->nextras && command->flags & KMC_EXTRAS_MAYBE);
	bool key = header->nkey ? command->flags & (KMC_KEY | KMC_KEY_MAYBE) : !(command->flags & KMC_KEY);

	if (!extras || !key)
		return false;
	return command->flags & KMC_VALUE || header->nbody == (u32)header->nkey + header->nextras;
}

/* Bytes of the head that begins with this header, which is in order. */
static size_t kmc_binary_head(const struct kmc_binary_command *command, const struct kmc_header *header)
{
	if (command->flags & KMC_TOKEN && header->nbody <= KMC_HEAD_MAX - KMC_BINARY_HEADER)
		return KMC_BINARY_HEADER + header->nbody;
	return KMC_BINARY_HEADER + (size_t)header->nextras + header->nkey;
}

static struct kmc_header kmc_binary_header(const u8 *data)
{
	struct kmc_header header = {
		.nkey = kmc_be16(data + 2),
		.nextras = data[4],
		.nbody = kmc_be32(data + 8),
		.cas = kmc_be64(data + KMC_BINARY_CAS_AT),
	};

	return header;
}

/* A request that is in order, with extras and key in sight. */
static ssize_t kmc_binary_read(const struct kmc_binary_command *command, const struct kmc_header *header,
			       const u8 *extras, struct kmc_request *req)
{
	u32 head = (u32)header->nextras + header->nkey;

	req->op = command->op;
	req->noreply = command->flags & KMC_QUIET;
	req->cas = header->cas;
	req->key = extras + header->nextras;
	req->nkey = header->nkey;
	req->nbytes = header->nbody - head;
	if (command->read)
		command->read(extras, header, req);
	if (kmc_binary_head(command, header) > KMC_BINARY_HEADER + head) {
		req->args = req->key + req->nkey;
		req->nargs = req->nbytes;
		req->nbytes = 0;
	}
	return kmc_binary_head(command, header);
}

/* @locked: only what is open to everybody */
static ssize_t kmc_binary_parse_as(const u8 *data, size_t len, struct kmc_request *req, bool locked)
{
	const struct kmc_binary_command *command;
	struct kmc_header header;

	BUILD_BUG_ON(KMC_BINARY_HEADER + U8_MAX + KMC_BINARY_KEY_MAX > KMC_HEAD_MAX);
	memset(req, 0, offsetof(struct kmc_request, meta));
	memset(&req->binary, 0, sizeof(req->binary));
	if (len < KMC_BINARY_HEADER)
		return 0;
	if (data[0] != KMC_BINARY_MAGIC)
		return -EPROTO;
	header = kmc_binary_header(data);
	req->binary.opcode = data[1];
	memcpy(&req->binary.opaque, data + 12, sizeof(req->binary.opaque));

	if ((u32)header.nkey + header.nextras > header.nbody)
		return kmc_binary_refuse(req, KMC_ANSWER_UNKNOWN, 0, true);
	if (header.nbody > KMC_BINARY_BODY_MAX)
		return kmc_binary_refuse(req, KMC_ANSWER_BAD_FORMAT, 0, true);
	command = kmc_binary_find(data[1]);
	if (locked && !(command->flags & KMC_OPEN))
		return kmc_binary_refuse(req, KMC_ANSWER_UNAUTHENTICATED, 0, true);
	if (header.nkey > KMC_BINARY_KEY_MAX)
		return kmc_binary_refuse(req, KMC_ANSWER_BAD_FORMAT, 0, true);
	if (command->op == KMC_OP_REFUSE)
		return kmc_binary_refuse(req, KMC_ANSWER_UNKNOWN, header.nbody, false);
	if (!kmc_binary_fits(command, &header))
		return kmc_binary_refuse(req, KMC_ANSWER_BAD_FORMAT, 0, true);
	if (len < kmc_binary_head(command, &header))
		return 0;
	return kmc_binary_read(command, &header, data + KMC_BINARY_HEADER, req);
}

static ssize_t kmc_binary_parse(const u8 *data, size_t len, struct kmc_request *req)
{
	return kmc_binary_parse_as(data, len, req, false);
}

static ssize_t kmc_binary_parse_locked(const u8 *data, size_t len, struct kmc_request *req)
{
	return kmc_binary_parse_as(data, len, req, true);
}

/* The rest of the header, and then what it says; a header that is there has been looked at and is in order. */
static size_t kmc_binary_grab(const u8 *data, size_t have, const u8 *run, size_t len)
{
	size_t want = KMC_BINARY_HEADER;
	struct kmc_header header;

	if (have >= KMC_BINARY_HEADER) {
		header = kmc_binary_header(data);
		want = kmc_binary_head(kmc_binary_find(data[1]), &header);
	}
	return min(len, want > have ? want - have : 1);
}

/*
 * Responses
 */

/**
 * struct kmc_told - an answer as it is told
 * @status: protocol_binary.h, "response status"; 0: success, which quiet commands do not tell
 */
struct kmc_told {
	u16 status;
	const char *text;
};

enum {
	KMC_STATUS_SUCCESS = 0x00,
	KMC_STATUS_NOT_FOUND = 0x01,
	KMC_STATUS_EXISTS = 0x02,
	KMC_STATUS_TOO_LARGE = 0x03,
	KMC_STATUS_INVALID = 0x04,
	KMC_STATUS_NOT_STORED = 0x05,
	KMC_STATUS_NON_NUMERIC = 0x06,
	KMC_STATUS_AUTH_ERROR = 0x20,
	KMC_STATUS_AUTH_CONTINUE = 0x21,
	KMC_STATUS_UNKNOWN = 0x81,
	KMC_STATUS_NO_MEMORY = 0x82,
};

static const struct kmc_told kmc_binary_told[KMC_ANSWER_NR] = {
	[KMC_ANSWER_STORED] = { 0, "" },
	[KMC_ANSWER_NOT_STORED] = { KMC_STATUS_NOT_STORED, "Not stored." },
	[KMC_ANSWER_EXISTS] = { KMC_STATUS_EXISTS, "Data exists for key." },
	[KMC_ANSWER_NOT_FOUND] = { KMC_STATUS_NOT_FOUND, "Not found" },
	[KMC_ANSWER_DELETED] = { 0, "" },
	[KMC_ANSWER_OK] = { 0, "" },
	[KMC_ANSWER_RESET] = { 0, "" },
	[KMC_ANSWER_END] = { 0, "" },
	[KMC_ANSWER_BYE] = { 0, "" },
	[KMC_ANSWER_UNKNOWN] = { KMC_STATUS_UNKNOWN, "Unknown command" },
	[KMC_ANSWER_BAD_FORMAT] = { KMC_STATUS_INVALID, "Invalid arguments" },
	[KMC_ANSWER_NON_NUMERIC] = { KMC_STATUS_NON_NUMERIC,
				     "Non-numeric server-side value for incr or decr" },
	[KMC_ANSWER_TOO_LARGE] = { KMC_STATUS_TOO_LARGE, "Too large." },
	[KMC_ANSWER_NO_MEMORY_STORING] = { KMC_STATUS_NO_MEMORY, "Out of memory allocating item" },
	[KMC_ANSWER_NO_MEMORY_READING] = { KMC_STATUS_NO_MEMORY, "out of memory reading request" },
	[KMC_ANSWER_NO_MEMORY] = { KMC_STATUS_NO_MEMORY, "Out of memory incrementing value" },
	[KMC_ANSWER_NO_MEMORY_NEW] = { KMC_STATUS_NO_MEMORY, "Out of memory allocating new item" },
	[KMC_ANSWER_AUTHENTICATED] = { 0, "Authenticated" },
	[KMC_ANSWER_AUTH_FAILED] = { KMC_STATUS_AUTH_ERROR, "Auth failure." },
	[KMC_ANSWER_UNAUTHENTICATED] = { KMC_STATUS_AUTH_ERROR, "Auth failure." },
	[KMC_ANSWER_AUTH_MECHANISMS] = { 0, "PLAIN" },
	[KMC_ANSWER_AUTH_CONTINUE] = { KMC_STATUS_AUTH_CONTINUE, "" },
	[KMC_ANSWER_DETAIL_REFUSED] = { KMC_STATUS_NOT_FOUND, "Not found" },
	[KMC_ANSWER_FLUSH_REFUSED] = { KMC_STATUS_AUTH_ERROR, "Auth failure." },
};

/* What only the operation decides. */
static enum kmc_answer kmc_binary_which(const struct kmc_request *req, enum kmc_answer answer)
{
	if (answer == KMC_ANSWER_NOT_STORED && req->op == KMC_OP_ADD)
		return KMC_ANSWER_EXISTS;
	if (answer == KMC_ANSWER_NOT_STORED && req->op == KMC_OP_REPLACE)
		return KMC_ANSWER_NOT_FOUND;
	if (answer == KMC_ANSWER_UNKNOWN && req->op == KMC_OP_STATS)
		return KMC_ANSWER_NOT_FOUND;
	return answer;
}

/* Only the extras of a hit are there: four bytes of flags. */
static u8 *kmc_binary_put_header(u8 *at, const struct kmc_request *req, u16 status, u32 nextras, u32 nkey,
				 u32 nvalue, u64 cas)
{
	at[0] = KMC_BINARY_RESPONSE;
	at[1] = req->binary.opcode;
	kmc_put_be16(at + 2, (u16)nkey);
	at[4] = (u8)nextras;
	at[5] = 0;	/* data type: raw bytes */
	kmc_put_be16(at + 6, status);
	kmc_put_be32(at + 8, nextras + nkey + nvalue);
	memcpy(at + 12, &req->binary.opaque, sizeof(req->binary.opaque));
	kmc_put_be64(at + KMC_BINARY_CAS_AT, cas);
	return at + KMC_BINARY_HEADER;
}

static bool kmc_binary_say(struct kmc_reply *reply, const struct kmc_request *req, u16 status,
			   const void *key, u32 nkey, const void *value, u32 nvalue, u64 cas)
{
	u8 *at = kmc_reply_add(reply, KMC_BINARY_HEADER + nkey + nvalue);

	if (!at)
		return false;
	at = kmc_binary_put_header(at, req, status, 0, nkey, nvalue, cas);
	memcpy(at, key, nkey);
	memcpy(at + nkey, value, nvalue);
	return true;
}

static void kmc_binary_answer(struct kmc_reply *reply, const struct kmc_request *req,
			      enum kmc_answer answer)
{
	const struct kmc_told *told = &kmc_binary_told[kmc_binary_which(req, answer)];
	u64 cas = answer == KMC_ANSWER_STORED ? req->cas : 0;

	if (WARN_ON_ONCE(!told->text) || (req->noreply && !told->status))
		return;
	kmc_binary_say(reply, req, told->status, "", 0, told->text, (u32)strlen(told->text), cas);
}

static void kmc_binary_number(struct kmc_reply *reply, const struct kmc_request *req, u64 number)
{
	u8 value[sizeof(number)];

	kmc_put_be64(value, number);
	if (!req->noreply)
		kmc_binary_say(reply, req, KMC_STATUS_SUCCESS, "", 0, value, sizeof(value), req->cas);
}

static void kmc_binary_version(struct kmc_reply *reply, const struct kmc_request *req, const char *version)
{
	kmc_binary_say(reply, req, KMC_STATUS_SUCCESS, "", 0, version, (u32)strlen(version), 0);
}

static bool kmc_binary_shows_key(const struct kmc_request *req)
{
	return kmc_binary_find(req->binary.opcode)->flags & KMC_WITH_KEY;
}

static void kmc_binary_miss(struct kmc_reply *reply, const struct kmc_request *req)
{
	if (req->noreply)
		return;
	if (kmc_binary_shows_key(req))
		kmc_binary_say(reply, req, KMC_STATUS_NOT_FOUND, req->key, req->nkey, "", 0, 0);
	else
		kmc_binary_answer(reply, req, KMC_ANSWER_NOT_FOUND);
}

static u32 kmc_binary_put_hit(u8 *line, const struct kmc_request *req, const struct kmc_hit *hit,
			      u32 nkey, u32 nvalue)
{
	u8 *at = kmc_binary_put_header(line, req, KMC_STATUS_SUCCESS, sizeof(u32), nkey, nvalue, hit->cas);

	kmc_put_be32(at, hit->client_flags);
	at += sizeof(u32);
	memcpy(at, hit->key, nkey);
	return (u32)(at + nkey - line);
}

static u32 kmc_binary_hit(u8 *line, const struct kmc_request *req, const struct kmc_hit *hit)
{
	return kmc_binary_put_hit(line, req, hit, kmc_binary_shows_key(req) ? hit->nkey : 0, hit->nbytes);
}

static void kmc_binary_touched(struct kmc_reply *reply, const struct kmc_request *req,
			       const struct kmc_hit *hit)
{
	u8 *at = kmc_reply_add(reply, KMC_BINARY_HEADER + sizeof(u32));

	if (at)
		kmc_binary_put_hit(at, req, hit, 0, 0);
}

static bool kmc_binary_stat(struct kmc_reply *reply, const struct kmc_request *req, const char *name,
			    const char *value)
{
	return kmc_binary_say(reply, req, KMC_STATUS_SUCCESS, name, (u32)strlen(name), value,
			      (u32)strlen(value), 0);
}

/* One statistic for each; 1.6.45 has one for all, "detailed", with the text that it says in the text protocol. */
static bool kmc_binary_prefix(struct kmc_reply *reply, const struct kmc_request *req, const u8 *name, u32 len,
			      const char *counts)
{
	return kmc_binary_say(reply, req, KMC_STATUS_SUCCESS, name, len, counts, (u32)strlen(counts), 0);
}

#define KMC_BINARY_OPS \
	.grab = kmc_binary_grab, \
	.answer = kmc_binary_answer, \
	.number = kmc_binary_number, \
	.version = kmc_binary_version, \
	.touched = kmc_binary_touched, \
	.miss = kmc_binary_miss, \
	.hit = kmc_binary_hit, \
	.stat = kmc_binary_stat, \
	.prefix = kmc_binary_prefix,

const struct kmc_protocol_ops kmc_binary = { .parse = kmc_binary_parse, KMC_BINARY_OPS };
const struct kmc_protocol_ops kmc_binary_locked = { .parse = kmc_binary_parse_locked, KMC_BINARY_OPS };
