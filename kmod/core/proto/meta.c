// SPDX-License-Identifier: GPL-2.0
#include "meta.h"
#include "base64.h"
#include "numbers.h"
#include "text.h"
#include "tokens.h"
#include "../bytes.h"

/* A value's length still leaves room for its line end in a signed int, as 1.6.45 demands. */
#define KMC_META_VALUE_MAX	(S32_MAX - 2)
#define KMC_META_CRLF		2

/* What stands behind a flag's letter. */
enum kmc_meta_argument {
	KMC_META_UNKNOWN,	/* there is no such flag */
	KMC_META_PLAIN,		/* nothing; what stands there is ignored */
	KMC_META_S32,
	KMC_META_TIME,		/* 32 bits that go into more */
	KMC_META_U32,
	KMC_META_U64,
	KMC_META_LETTER,	/* one; what stands behind it is ignored */
	KMC_META_BASE64,	/* nothing, but the key must be base64 */
	KMC_META_OPAQUE,
};

/**
 * struct kmc_meta_flag - a flag, the same for all commands
 * @argument: enum kmc_meta_argument
 * @refusal: what is said of a bad one; 0: what was to be said of those before it
 * @offset: of the argument's place in struct kmc_request
 */
struct kmc_meta_flag {
	u8 argument;
	u8 refusal;
	u16 offset;
};

#define KMC_FLAG(letter, kind)	[(letter) - 'A'] = { .argument = KMC_META_##kind }
#define KMC_FLAG_AT(letter, kind, field, answer) \
	[(letter) - 'A'] = { KMC_META_##kind, answer, offsetof(struct kmc_request, field) }

static const struct kmc_meta_flag kmc_meta_flags['z' - 'A' + 1] = {
	KMC_FLAG('c', PLAIN), KMC_FLAG('f', PLAIN), KMC_FLAG('h', PLAIN), KMC_FLAG('k', PLAIN),
	KMC_FLAG('l', PLAIN), KMC_FLAG('q', PLAIN), KMC_FLAG('s', PLAIN), KMC_FLAG('t', PLAIN),
	KMC_FLAG('u', PLAIN), KMC_FLAG('v', PLAIN), KMC_FLAG('x', PLAIN), KMC_FLAG('I', PLAIN),
	KMC_FLAG('L', PLAIN), KMC_FLAG('P', PLAIN),
	KMC_FLAG('O', OPAQUE),
	KMC_FLAG_AT('b', BASE64, key, KMC_ANSWER_BAD_BASE64),
	KMC_FLAG_AT('C', U64, cas, KMC_ANSWER_BAD_ARGUMENT),
	KMC_FLAG_AT('D', U64, delta, KMC_ANSWER_BAD_FLAG_DELTA),
	KMC_FLAG_AT('E', U64, meta.cas, KMC_ANSWER_BAD_ARGUMENT),
	KMC_FLAG_AT('F', U32, client_flags, 0),
	KMC_FLAG_AT('J', U64, meta.initial, KMC_ANSWER_BAD_INITIAL),
	KMC_FLAG_AT('M', LETTER, meta.mode, 0),
	KMC_FLAG_AT('N', S32, meta.vivify, KMC_ANSWER_BAD_ARGUMENT),
	KMC_FLAG_AT('R', S32, meta.recache, KMC_ANSWER_BAD_ARGUMENT),
	KMC_FLAG_AT('T', TIME, exptime, KMC_ANSWER_BAD_ARGUMENT),
};

/**
 * struct kmc_meta_command - a command, found by its second letter
 * @op: KMC_OP_REFUSE: there is no such command
 * @words: least number of words; flags come behind them
 * @bad_flags: the answer to whatever is wrong with key and flags, 0: one for each error
 * @bad_mode: the answer if M says something else
 * @modes: what M may say
 */
struct kmc_meta_command {
	u8 op;
	u8 words;
	u8 bad_flags;
	u8 bad_mode;
	const char *modes;
};

static const struct kmc_meta_command kmc_meta_commands['z' - 'a' + 1] = {
	['g' - 'a'] = { .op = KMC_OP_META_GET, .words = 2 },
	['s' - 'a'] = { .op = KMC_OP_META_SET, .words = 3, .bad_mode = KMC_ANSWER_BAD_SET_MODE,
			.modes = "EAPRS" },
	['d' - 'a'] = { .op = KMC_OP_META_DELETE, .words = 2 },
	['a' - 'a'] = { .op = KMC_OP_META_ARITH, .words = 2, .bad_flags = KMC_ANSWER_BAD_ARITH_FLAGS,
			.bad_mode = KMC_ANSWER_BAD_ARITH_MODE, .modes = "I+D-" },
	['e' - 'a'] = { .op = KMC_OP_META_DEBUG, .words = 2 },
	['n' - 'a'] = { .op = KMC_OP_META_NOOP },
};

/* Read a flag's argument. Return: whether it is one. */
static bool kmc_meta_argument(const struct kmc_meta_flag *flag, const struct kmc_token *token,
			      struct kmc_request *req)
{
	void *field = (u8 *)req + flag->offset;
	const u8 *at = token->at + 1;
	size_t len = token->len - 1;
	u8 key[KMC_BASE64_BYTES(KMC_TEXT_KEY_MAX)] __uninitialized;
	s32 time;

	switch (flag->argument) {
	case KMC_META_S32:
		return len && kmc_parse_s32(at, len, field);
	case KMC_META_TIME:
		if (!len || !kmc_parse_s32(at, len, &time))
			return false;
		*(s64 *)field = time;
		return true;
	case KMC_META_U32:
		return len && kmc_parse_u32(at, len, field);
	case KMC_META_U64:
		return len && kmc_parse_u64(at, len, field);
	case KMC_META_LETTER:
		req->meta.mode = len ? *at : ' ';
		return true;
	case KMC_META_OPAQUE:
		req->meta.nopaque = (u8)min_t(size_t, token->len, KMC_META_OPAQUE_MAX + 1);
		memcpy(req->meta.opaque, token->at, min_t(size_t, token->len, KMC_META_OPAQUE_MAX));
		return true;
	case KMC_META_BASE64:
		return kmc_base64_decode(key, req->key, req->nkey);
	default:
		return true;
	}
}

/* All flags. Return: 0, or what to refuse them with: unknown and repeated ones at once, else the last. */
static enum kmc_answer kmc_meta_read(const struct kmc_token *token, const struct kmc_token *end,
				     struct kmc_request *req)
{
	enum kmc_answer refusal = KMC_ANSWER_BAD_FORMAT;
	struct kmc_meta *meta = &req->meta;
	bool bad = false;

	for (; token < end; token++) {
		const struct kmc_meta_flag *flag;
		/* Read once: a sender on this machine may have changed it since kmc_meta_well_formed() (splice). */
		u8 letter = READ_ONCE(*token->at);

		/* Digits get here, too. */
		if (letter < 'A' || letter > 'z')
			return KMC_ANSWER_UNKNOWN_FLAG;
		if (meta->flags & KMC_META(letter))
			return KMC_ANSWER_DUPLICATE_FLAG;
		flag = &kmc_meta_flags[letter - 'A'];
		if (flag->argument == KMC_META_UNKNOWN)
			return KMC_ANSWER_UNKNOWN_FLAG;
		meta->flags |= KMC_META(letter);
		if (KMC_META_ORDERED & KMC_META(letter))
			meta->order[meta->count++] = letter;
		if (kmc_meta_argument(flag, token, req))
			continue;
		bad = true;
		if (flag->refusal)
			refusal = flag->refusal;
	}
	return bad ? refusal : 0;
}

/* Whether each flag may be one by its first byte: another makes the whole line malformed. */
static bool kmc_meta_well_formed(const struct kmc_token *token, const struct kmc_token *end)
{
	for (; token < end; token++)
		if ((*token->at < 'A' || *token->at > 'z') && (*token->at < '0' || *token->at > '9'))
			return false;
	return true;
}

/* What is wrong with key and flags. Return: 0: nothing. */
static enum kmc_answer kmc_meta_check_flags(const struct kmc_meta_command *command,
					    const struct kmc_tokens *tokens, struct kmc_request *req)
{
	if (req->nkey > KMC_TEXT_KEY_MAX)
		return KMC_ANSWER_BAD_FORMAT;
	if (tokens->count > KMC_META_WORDS_MAX)
		return KMC_ANSWER_TOO_MANY_FLAGS;
	return kmc_meta_read(tokens->token + command->words, tokens->token + tokens->count, req);
}

/* What is wrong with the line, in the order in which 1.6.45 looks. Return: 0: nothing. */
static enum kmc_answer kmc_meta_check(const struct kmc_meta_command *command,
				      const struct kmc_tokens *tokens, struct kmc_request *req)
{
	enum kmc_answer refusal = kmc_meta_check_flags(command, tokens, req);

	if (refusal)
		return command->bad_flags ? command->bad_flags : refusal;
	if (command->modes && req->meta.mode && !strchr(command->modes, req->meta.mode))
		return command->bad_mode;
	return req->meta.nopaque > KMC_META_OPAQUE_MAX ? KMC_ANSWER_OPAQUE_TOO_LONG : 0;
}

static void kmc_meta_refuse(struct kmc_request *req, enum kmc_answer refusal)
{
	req->nbytes = req->op == KMC_OP_META_SET ? req->nbytes + KMC_META_CRLF : 0;
	req->op = KMC_OP_REFUSE;
	req->refusal = refusal;
}

/* <command> <key> [<datalen>] <flags>* */
static void kmc_meta_line(const struct kmc_meta_command *command, const struct kmc_tokens *tokens,
			  struct kmc_request *req)
{
	const struct kmc_token *token = tokens->token;
	enum kmc_answer refusal;
	s32 nbytes = 0;

	if (tokens->count < command->words ||
	    !kmc_meta_well_formed(token + command->words, token + tokens->count) ||
	    (command->words > 2 && (!kmc_parse_s32(token[2].at, token[2].len, &nbytes) || nbytes < 0 ||
				    nbytes > KMC_META_VALUE_MAX))) {
		kmc_meta_refuse(req, KMC_ANSWER_BAD_FORMAT);
		return;
	}
	req->op = command->op;
	req->key = token[1].at;
	req->nkey = token[1].len;
	req->nbytes = nbytes;
	req->delta = 1;
	req->meta.flags = 0;
	req->meta.count = 0;
	req->meta.mode = 0;
	req->meta.nopaque = 0;
	refusal = kmc_meta_check(command, tokens, req);
	if (refusal)
		kmc_meta_refuse(req, refusal);
}

/* me <key> [b]: whatever else stands there is ignored. */
static void kmc_meta_debug(const struct kmc_tokens *tokens, struct kmc_request *req)
{
	u8 key[KMC_BASE64_BYTES(KMC_TEXT_KEY_MAX)];

	req->op = KMC_OP_META_DEBUG;
	req->meta.flags = 0;
	if (tokens->count < 2 ||
	    !kmc_meta_well_formed(tokens->token + 2, tokens->token + tokens->count) ||
	    tokens->token[1].len > KMC_TEXT_KEY_MAX) {
		kmc_meta_refuse(req, KMC_ANSWER_BAD_FORMAT);
		return;
	}
	req->key = tokens->token[1].at;
	req->nkey = tokens->token[1].len;
	if (!kmc_token_is(tokens, 2, "b"))
		return;
	req->meta.flags = KMC_META('b');
	if (!kmc_base64_decode(key, req->key, req->nkey))
		kmc_meta_refuse(req, KMC_ANSWER_BAD_FORMAT);
}

/* Those whose argument is KMC_META_PLAIN. */
#define KMC_META_PLAIN_FLAGS \
	(KMC_META('c') | KMC_META('f') | KMC_META('h') | KMC_META('k') | KMC_META('l') | KMC_META('q') | \
	 KMC_META('s') | KMC_META('t') | KMC_META('u') | KMC_META('v') | KMC_META('x'))

size_t kmc_meta_parse_plain(const u8 *data, size_t len, struct kmc_request *req)
{
	const u8 *end = data + len, *at = data + 3;
	u64 flags = 0;
	u32 count = 0;

	if (len < 8 || data[0] != 'm' || data[1] != 'g' || data[2] != ' ')
		return 0;
	at = kmc_seek_blank(at, end);
	req->nkey = (u32)(at - data - 3);
	if (!req->nkey || at - data - 3 > KMC_TEXT_KEY_MAX)
		return 0;
	for (; end - at > 2 && *at == ' '; at += 2) {
		u8 letter = at[1];
		u64 flag;

		if (letter < 'A' || letter > 'z')
			return 0;
		flag = KMC_META(letter);
		if (!(flag & KMC_META_PLAIN_FLAGS & ~flags))
			return 0;
		flags |= flag;
		if (KMC_META_ORDERED & flag)
			req->meta.order[count++] = letter;
	}
	if (end - at < 2 || at[0] != '\r' || at[1] != '\n')
		return 0;
	req->op = KMC_OP_META_GET;
	req->key = data + 3;
	req->delta = 1;
	req->meta.flags = flags;
	req->meta.count = (u8)count;
	req->meta.mode = 0;
	req->meta.nopaque = 0;
	return at + 2 - data;
}

bool kmc_meta_parse(const u8 *line, size_t len, struct kmc_request *req)
{
	const struct kmc_meta_command *command;
	struct kmc_tokens tokens __uninitialized;
	u8 letter;

	if (len < 2 || line[0] != 'm' || (len > 2 && line[2] != ' '))
		return false;
	/* Read once: what is looked up is what was checked, whoever may still write to it. */
	letter = READ_ONCE(line[1]);
	if (letter < 'a' || letter > 'z')
		return false;
	command = &kmc_meta_commands[letter - 'a'];
	if (command->op == KMC_OP_REFUSE)
		return false;
	if (command->op == KMC_OP_META_NOOP) {
		req->op = command->op;
		return true;
	}
	kmc_tokens_split(&tokens, line, len);
	if (command->op == KMC_OP_META_DEBUG)
		kmc_meta_debug(&tokens, req);
	else
		kmc_meta_line(command, &tokens, req);
	return true;
}

static u8 *kmc_meta_number(u8 *at, u8 letter, u64 number)
{
	*at++ = letter;
	return at + kmc_put_u64(at, number);
}

static u8 *kmc_meta_put_name(u8 *at, const struct kmc_meta_item *item)
{
	if (item->binary)
		return at + kmc_base64_encode(at, item->key, item->nkey);
	return kmc_copy(at, item->key, item->nkey);
}

static u8 *kmc_meta_put_key(u8 *at, const struct kmc_meta_item *item)
{
	*at++ = 'k';
	at = kmc_meta_put_name(at, item);
	if (item->binary) {
		*at++ = ' ';
		*at++ = 'b';
	}
	return at;
}

/* -1: never. A deadline that has passed wraps, as in 1.6.45. */
static u8 *kmc_meta_put_left(u8 *at, const struct kmc_meta_item *item)
{
	if (item->exptime)
		return kmc_meta_number(at, 't', item->exptime - item->now);
	memcpy(at, "t-1", 3);
	return at + 3;
}

/* One flag. Return: behind it; @at: it shows nothing. */
static u8 *kmc_meta_put_flag(u8 *at, u8 letter, const struct kmc_meta *meta, struct kmc_meta_item *item)
{
	switch (letter) {
	case 'c':
		return kmc_meta_number(at, 'c', item->cas);
	case 'f':
		return kmc_meta_number(at, 'f', item->client_flags);
	case 'h':
		return kmc_meta_number(at, 'h', item->fetched);
	case 'k':
		return kmc_meta_put_key(at, item);
	case 'l':
		return kmc_meta_number(at, 'l', item->idle);
	case 's':
		return kmc_meta_number(at, 's', item->nbytes);
	case 't':
		return kmc_meta_put_left(at, item);
	case 'O':
		memcpy(at, meta->opaque, meta->nopaque);
		return at + meta->nopaque;
	case 'N':
		if (item->created)
			item->exptime = item->vivified;
		return at;
	case 'T':
		item->exptime = item->touched;
		return at;
	default:
		return at;
	}
}

u8 *kmc_meta_put(u8 *at, const struct kmc_request *req, struct kmc_meta_item *item, u64 show)
{
	const struct kmc_meta *meta = &req->meta;
	u8 *end;
	u32 i;

	for (i = 0; i < meta->count; i++) {
		if (!(show & KMC_META(meta->order[i])))
			continue;
		*at = ' ';
		end = kmc_meta_put_flag(at + 1, meta->order[i], meta, item);
		if (end != at + 1)
			at = end;
	}
	return at;
}

static u8 *kmc_meta_put_field(u8 *at, const char *name, u64 number)
{
	size_t len = strlen(name);

	memcpy(at, name, len);
	return at + len + kmc_put_u64(at + len, number);
}

u32 kmc_meta_put_debug(u8 *line, const struct kmc_meta_item *item, u32 class, u64 size)
{
	const char *fetched = item->fetched ? " fetch=yes" : " fetch=no";
	u8 *at = line;

	memcpy(at, "ME ", 3);
	at = kmc_meta_put_name(at + 3, item);
	if (item->exptime) {
		at = kmc_meta_put_field(at, " exp=", item->exptime - item->now);
	} else {
		memcpy(at, " exp=-1", 7);
		at += 7;
	}
	at = kmc_meta_put_field(at, " la=", item->idle);
	at = kmc_meta_put_field(at, " cas=", item->cas);
	memcpy(at, fetched, strlen(fetched));
	at += strlen(fetched);
	at = kmc_meta_put_field(at, " cls=", class);
	at = kmc_meta_put_field(at, " size=", size);
	memcpy(at, "\r\n", 2);
	return (u32)(at + 2 - line);
}
