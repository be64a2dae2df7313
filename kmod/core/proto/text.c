// SPDX-License-Identifier: GPL-2.0
#include "text.h"
#include "lru.h"
#include "meta.h"
#include "numbers.h"
#include "text_admin.h"
#include "../bytes.h"

/* The largest value whose length still leaves room for its line end in a signed int, as 1.6.45 demands. */
#define KMC_TEXT_VALUE_MAX	(S32_MAX - 2)

#define KMC_TEXT_CRLF		2

/* Shortest line, with its end, that 1.6.45 looks at: two letters and CRLF. */
#define KMC_TEXT_LINE_MIN	4

/**
 * struct kmc_text_command - a command of the protocol
 * @words: least number of words, its name counted; fewer is a bad format, said whatever "noreply" asks
 * @late: looked up by the first word wherever it stands. The others must begin the line: a blank before
 *	"get" makes it unknown.
 * @noreply: whether a last word "noreply" silences it
 * @read: takes the words apart. Return: bytes of the line that are done with.
 */
struct kmc_text_command {
	const char *name;
	u8 len;
	u8 op;
	u8 words;
	bool late;
	bool noreply;
	bool with_cas;
	size_t (*read)(const struct kmc_line *line, const struct kmc_tokens *tokens,
		       struct kmc_request *req);
};

size_t kmc_refuse(const struct kmc_line *line, struct kmc_request *req, enum kmc_answer refusal, u32 swallow)
{
	req->op = KMC_OP_REFUSE;
	req->refusal = refusal;
	req->nbytes = swallow;
	return line->total;
}

static bool kmc_read_key(const struct kmc_tokens *tokens, u32 i, struct kmc_request *req)
{
	if (tokens->token[i].len > KMC_TEXT_KEY_MAX)
		return false;
	req->key = tokens->token[i].at;
	req->nkey = tokens->token[i].len;
	return true;
}

static bool kmc_read_exptime(const struct kmc_token *token, struct kmc_request *req)
{
	s32 exptime;

	if (!kmc_parse_s32(token->at, token->len, &exptime))
		return false;
	req->exptime = exptime;
	return true;
}

/* <command> <key> <flags> <exptime> <bytes> [<cas unique>] [noreply] */
static size_t kmc_read_storage(const struct kmc_line *line, const struct kmc_tokens *tokens,
			       struct kmc_request *req)
{
	const struct kmc_token *token = tokens->token;
	bool noreply = req->noreply;
	s32 nbytes, exptime;

	req->noreply = false;
	if (!kmc_parse_s32(token[4].at, token[4].len, &nbytes) || nbytes < 0 ||
	    nbytes > KMC_TEXT_VALUE_MAX)
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	req->noreply = noreply;
	req->nbytes = nbytes;
	if (!kmc_read_key(tokens, 1, req) ||
	    !kmc_parse_loose_u32(token[2].at, tokens->end - token[2].at, &req->client_flags) ||
	    !kmc_parse_loose_s32(token[3].at, tokens->end - token[3].at, &exptime))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, req->nbytes + KMC_TEXT_CRLF);
	req->exptime = exptime;
	if (req->op == KMC_OP_CAS &&
	    (tokens->count < 6 || !kmc_parse_u64(token[5].at, token[5].len, &req->cas)))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, req->nbytes + KMC_TEXT_CRLF);
	return line->total;
}

/* Words of "delete <key> <time> noreply"; 1.6.45 ignores what stands beyond, 1.6.18 and memcapable do not. */
#define KMC_DELETE_WORDS	4

/* <command> <key> [<number>] [noreply] */
static size_t kmc_read_keyed(const struct kmc_line *line, const struct kmc_tokens *tokens,
			     struct kmc_request *req)
{
	const struct kmc_token *number = &tokens->token[2];

	if (req->op == KMC_OP_DELETE && tokens->count > KMC_DELETE_WORDS)
		return kmc_refuse(line, req, KMC_ANSWER_DELETE_USAGE, 0);
	if (!kmc_read_key(tokens, 1, req))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	if ((req->op == KMC_OP_INCR || req->op == KMC_OP_DECR) &&
	    !kmc_parse_u64(number->at, number->len, &req->delta))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_DELTA, 0);
	if (req->op == KMC_OP_TOUCH && !kmc_read_exptime(number, req))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_EXPTIME, 0);
	return line->total;
}

/* [<word>]...: "version", "quit" */
static size_t kmc_read_nothing(const struct kmc_line *line, const struct kmc_tokens *tokens,
			       struct kmc_request *req)
{
	return line->total;
}

/* flush_all [<delay>] [noreply] */
static size_t kmc_read_flush(const struct kmc_line *line, const struct kmc_tokens *tokens,
			     struct kmc_request *req)
{
	if (tokens->count != 1U + req->noreply)
		req->invalid = tokens->count < 2 || !kmc_read_exptime(&tokens->token[1], req);
	return line->total;
}

/* verbosity <level> [noreply] */
static size_t kmc_read_verbosity(const struct kmc_line *line, const struct kmc_tokens *tokens,
				 struct kmc_request *req)
{
	if (tokens->count < 2 ||
	    !kmc_parse_u32(tokens->token[1].at, tokens->token[1].len, &req->level))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	return line->total;
}

/* shutdown [graceful] */
static size_t kmc_read_shutdown(const struct kmc_line *line, const struct kmc_tokens *tokens,
				struct kmc_request *req)
{
	req->graceful = tokens->count == 2 && kmc_token_begins(tokens, 1, "graceful");
	req->invalid = tokens->count != 1 && !req->graceful;
	return line->total;
}

/* Mebibytes that a limit may be: 1.6.45, process_memlimit_command() */
#define KMC_LIMIT_LEAST	8
#define KMC_LIMIT_MOST	1000000000

/* cache_memlimit <mebibytes> [noreply] */
static size_t kmc_read_memlimit(const struct kmc_line *line, const struct kmc_tokens *tokens,
				struct kmc_request *req)
{
	u32 limit;

	if (tokens->count < 2 || !kmc_parse_u32(tokens->token[1].at, tokens->token[1].len, &limit))
		return kmc_refuse(line, req, KMC_ANSWER_UNKNOWN, 0);
	if (limit < KMC_LIMIT_LEAST)
		return kmc_refuse(line, req, KMC_ANSWER_LIMIT_TOO_SMALL, 0);
	if (limit > KMC_LIMIT_MOST)
		return kmc_refuse(line, req, KMC_ANSWER_LIMIT_IN_BYTES, 0);
	req->delta = limit;
	return line->total;
}

/* Looks that an automover looks back upon: 1.6.45, process_slabs_automove_command() */
#define KMC_WINDOW_LEAST	3
#define KMC_WINDOW_MOST		1800

/* slabs automove (<level> | window <looks> | ratio <fraction> | freeratio <fraction>) */
static size_t kmc_read_automove(const struct kmc_line *line, const struct kmc_tokens *tokens,
				struct kmc_request *req)
{
	const struct kmc_token *what = &tokens->token[2], *amount = &tokens->token[3];
	bool window = kmc_token_begins(tokens, 2, "window");
	u32 value;

	req->op = KMC_OP_AUTOMOVE;
	req->level = KMC_AUTOMOVE_LEVEL;
	if (kmc_token_begins(tokens, 2, "ratio"))
		req->level = KMC_AUTOMOVE_RATIO;
	else if (kmc_token_begins(tokens, 2, "freeratio"))
		req->level = KMC_AUTOMOVE_FREERATIO;
	else if (window)
		req->level = KMC_AUTOMOVE_WINDOW;
	if (req->level == KMC_AUTOMOVE_RATIO || req->level == KMC_AUTOMOVE_FREERATIO) {
		if (tokens->count < 4 || !kmc_parse_millionths(amount->at, amount->len, &value))
			return kmc_refuse(line, req, KMC_ANSWER_UNKNOWN, 0);
	} else if (window ? tokens->count < 4 || !kmc_parse_u32(amount->at, amount->len, &value) :
			    !kmc_parse_u32(what->at, what->len, &value)) {
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	}
	if (window && (value < KMC_WINDOW_LEAST || value > KMC_WINDOW_MOST))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_WINDOW, 0);
	if (req->level == KMC_AUTOMOVE_LEVEL && value > 2)
		return kmc_refuse(line, req, KMC_ANSWER_UNKNOWN, 0);
	req->delta = value;
	return line->total;
}

/* slabs reassign <class> <class>, slabs automove ... */
static size_t kmc_read_slabs(const struct kmc_line *line, const struct kmc_tokens *tokens,
			     struct kmc_request *req)
{
	const struct kmc_token *token = tokens->token;

	if (tokens->count == 4 && kmc_token_begins(tokens, 1, "reassign")) {
		req->invalid = !kmc_parse_s32(token[2].at, token[2].len, &req->class_from) ||
			       !kmc_parse_s32(token[3].at, token[3].len, &req->class_to);
		return line->total;
	}
	if (tokens->count >= 3 && kmc_token_begins(tokens, 1, "automove"))
		return kmc_read_automove(line, tokens, req);
	return kmc_refuse(line, req, KMC_ANSWER_UNKNOWN, 0);
}

/* lru tune|mode|temp_ttl ... */
static size_t kmc_read_lru(const struct kmc_line *line, const struct kmc_tokens *tokens,
			   struct kmc_request *req)
{
	enum kmc_answer complaint = kmc_lru_read(tokens, &req->lru);

	return complaint == KMC_ANSWER_OK ? line->total : kmc_refuse(line, req, complaint, 0);
}

#define KMC_TEXT(text, what, least, ...) \
	{ .name = text, .len = sizeof(text) - 1, .op = KMC_OP_##what, .words = least, __VA_ARGS__ }

/* By how often they are asked for. */
static const struct kmc_text_command kmc_text_commands[] = {
	KMC_TEXT("get", GET, 2),
	KMC_TEXT("set", SET, 5, .noreply = true, .read = kmc_read_storage),
	KMC_TEXT("gets", GET, 2, .with_cas = true),
	KMC_TEXT("gat", TOUCH_GET, 3),
	KMC_TEXT("gats", TOUCH_GET, 3, .with_cas = true),
	KMC_TEXT("delete", DELETE, 2, .noreply = true, .read = kmc_read_keyed),
	KMC_TEXT("incr", INCR, 3, .noreply = true, .read = kmc_read_keyed),
	KMC_TEXT("decr", DECR, 3, .noreply = true, .read = kmc_read_keyed),
	KMC_TEXT("touch", TOUCH, 3, .noreply = true, .read = kmc_read_keyed),
	KMC_TEXT("add", ADD, 5, .noreply = true, .read = kmc_read_storage),
	KMC_TEXT("replace", REPLACE, 5, .noreply = true, .read = kmc_read_storage),
	KMC_TEXT("append", APPEND, 5, .noreply = true, .read = kmc_read_storage),
	KMC_TEXT("prepend", PREPEND, 5, .noreply = true, .read = kmc_read_storage),
	KMC_TEXT("cas", CAS, 5, .noreply = true, .read = kmc_read_storage),
	KMC_TEXT("version", VERSION, 1, .read = kmc_read_nothing),
	KMC_TEXT("stats", STATS, 1, .read = kmc_read_stats),
	KMC_TEXT("quit", QUIT, 1, .read = kmc_read_nothing),
	KMC_TEXT("flush_all", FLUSH, 1, .late = true, .noreply = true, .read = kmc_read_flush),
	KMC_TEXT("verbosity", VERBOSITY, 1, .late = true, .noreply = true, .read = kmc_read_verbosity),
	KMC_TEXT("cache_memlimit", MEMLIMIT, 1, .late = true, .noreply = true, .read = kmc_read_memlimit),
	KMC_TEXT("slabs", REASSIGN, 1, .late = true, .noreply = true, .read = kmc_read_slabs),
	KMC_TEXT("shutdown", SHUTDOWN, 1, .late = true, .noreply = true, .read = kmc_read_shutdown),
	KMC_TEXT("lru", LRU, 1, .late = true, .noreply = true, .read = kmc_read_lru),
	KMC_TEXT("lru_crawler", CRAWLER, 1, .late = true, .noreply = true, .read = kmc_read_crawler),
	KMC_TEXT("watch", WATCH, 1, .read = kmc_read_watch),
	KMC_TEXT("debugtime", DEBUG_TIME, 1, .late = true, .noreply = true, .read = kmc_read_debug_time),
	KMC_TEXT("debugitem", DEBUG_ITEM, 1, .late = true, .noreply = true, .read = kmc_read_debug_item),
};

static const struct kmc_text_command *kmc_text_find(const u8 *name, size_t len, bool first)
{
	const struct kmc_text_command *command;

	for (command = kmc_text_commands;
	     command < kmc_text_commands + ARRAY_SIZE(kmc_text_commands); command++)
		if (command->len == len && !memcmp(command->name, name, len))
			return first || command->late ? command : NULL;
	return NULL;
}

/* "GET / HTTP/1.1": whoever speaks this will never be content, and may have been lured here. */
static bool kmc_text_is_http(const struct kmc_tokens *tokens)
{
	const struct kmc_token *last = &tokens->token[tokens->count - 1];

	return tokens->count > 1 && last->len >= 5 && !memcmp(last->at, "HTTP/", 5);
}

/* Whether no key among the words in [@at, @end) is too long: each has a blank among as many bytes and one more. */
static bool kmc_text_keys_fit(const u8 *at, const u8 *end)
{
	const u8 *blank;

	for (; end - at > KMC_TEXT_KEY_MAX; at = blank + 1) {
		for (blank = at + KMC_TEXT_KEY_MAX; blank > at && *blank != ' '; blank--)
			;
		if (*blank != ' ')
			return false;
	}
	return true;
}

/*
 * get and its kin: the keys stay where they are and are taken one by one by ->next_key(). Here, @at is
 * behind the command's name, and @whole tells whether the line's end is in sight: then all keys are
 * looked at before the first is answered.
 */
static ssize_t kmc_text_get(const struct kmc_line *line, const u8 *at, bool whole,
			    struct kmc_request *req)
{
	const u8 *end = line->at + line->len;
	struct kmc_token token;

	if (req->op == KMC_OP_TOUCH_GET) {
		if (!kmc_token_next(at, end, &token))
			return whole ? kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0) : -EMSGSIZE;
		at = token.at + token.len;
		if (!kmc_read_exptime(&token, req))
			req->invalid = true;
	}
	if (!whole)
		return req->invalid || at == end ? -EMSGSIZE : at - line->at;
	if (!kmc_token_next(at, end, &token))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	if (req->invalid)
		return kmc_refuse(line, req, KMC_ANSWER_BAD_EXPTIME, 0);
	if (!kmc_text_keys_fit(token.at, end))
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	return token.at - line->at;
}

static const struct kmc_text_command *kmc_text_name(const struct kmc_line *line, size_t *len)
{
	*len = kmc_seek(line->at, line->at + line->len, ' ') - line->at;
	return kmc_text_find(line->at, *len, true);
}

static ssize_t kmc_text_line(const struct kmc_line *line, struct kmc_request *req)
{
	const struct kmc_text_command *command;
	struct kmc_tokens tokens __uninitialized;
	size_t len;

	if (line->total < KMC_TEXT_LINE_MIN)
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	if (kmc_meta_parse(line->at, line->len, req))
		return line->total;
	command = kmc_text_name(line, &len);
	if (command && !command->read) {
		req->op = command->op;
		req->with_cas = command->with_cas;
		return kmc_text_get(line, line->at + len, true, req);
	}
	kmc_tokens_split(&tokens, line->at, line->len);
	if (!command && tokens.count)
		command = kmc_text_find(tokens.token[0].at, tokens.token[0].len, false);
	if (!command && tokens.count && kmc_text_is_http(&tokens))
		return -EPROTO;
	if (command && tokens.count < command->words)
		return kmc_refuse(line, req, KMC_ANSWER_BAD_FORMAT, 0);
	req->noreply = (!command || command->noreply) && tokens.count &&
		       kmc_token_is(&tokens, tokens.count - 1, "noreply");
	if (!command)
		return kmc_refuse(line, req, KMC_ANSWER_UNKNOWN, 0);
	req->op = command->op;
	return command->read(line, &tokens, req);
}

/* KMC_HEAD_MAX bytes without a line end: only a get may be longer. */
static ssize_t kmc_text_endless(const struct kmc_line *line, struct kmc_request *req)
{
	const struct kmc_text_command *command;
	size_t len;

	command = kmc_text_name(line, &len);
	if (!command || command->read)
		return -EMSGSIZE;
	req->op = command->op;
	req->with_cas = command->with_cas;
	return kmc_text_get(line, line->at + len, false, req);
}

/*
 * "get <key>" with a single blank, and nothing else, or more keys, where the input ends with a line and no word of it is
 * too long for a key: then those of this line are not either. Not with much more behind it, for each get looks at all of
 * that. Return: bytes before the key; 0: it is not that.
 */
static size_t kmc_text_parse_get(const u8 *data, size_t len, struct kmc_request *req)
{
	const u8 *end = data + len, *key = data + 4, *stop;

	if (len < 7 || memcmp(data, "get ", 4))
		return 0;
	stop = kmc_seek_blank(key, end);
	if (end - stop < 2 || stop == key || stop - key > KMC_TEXT_KEY_MAX)
		return 0;
	if ((stop[0] != '\r' || stop[1] != '\n') &&
	    (stop[0] != ' ' || len > KMC_HEAD_MAX || end[-1] != '\n' || !kmc_text_keys_fit(key, end)))
		return 0;
	req->op = KMC_OP_GET;
	return 4;
}

static size_t kmc_text_parse_set(const u8 *data, size_t len, struct kmc_request *req)
{
	struct kmc_text_set set __uninitialized;
	size_t head = kmc_text_read_set(data, len, &set);

	if (!head)
		return 0;
	req->op = KMC_OP_SET;
	req->key = set.key;
	req->nkey = set.nkey;
	req->client_flags = set.client_flags;
	req->exptime = set.exptime;
	req->nbytes = set.nbytes;
	req->noreply = set.noreply;
	return head;
}

/* What most requests are, read in one go. Return: 0: it takes more than that. */
static size_t kmc_text_parse_plain(const u8 *data, size_t len, struct kmc_request *req)
{
	switch (*data) {
	case 'g':
		return kmc_text_parse_get(data, len, req);
	case 's':
		return kmc_text_parse_set(data, len, req);
	case 'm':
		return kmc_meta_parse_plain(data, len, req);
	}
	return 0;
}

static ssize_t kmc_text_parse(const u8 *data, size_t len, struct kmc_request *req)
{
	struct kmc_line line = { .at = data };
	const u8 *end;
	size_t head;

	memset(req, 0, offsetof(struct kmc_request, meta));
	head = kmc_text_parse_plain(data, len, req);
	if (head)
		return head;
	line.len = min_t(size_t, len, KMC_HEAD_MAX);
	end = kmc_seek_far(data, data + line.len, '\n');
	if (end == data + line.len)
		return len < KMC_HEAD_MAX ? 0 : kmc_text_endless(&line, req);
	line.total = end + 1 - data;
	line.len = end - data;
	if (line.len && data[line.len - 1] == '\r')
		line.len--;
	return kmc_text_line(&line, req);
}

static enum kmc_key_status kmc_text_next_key(const u8 *data, size_t len, size_t *used,
					     struct kmc_request *req)
{
	const u8 *at = data, *end = data + len, *limit, *stop;

	while (at < end && *at == ' ')
		at++;
	*used = at - data;
	/* Behind the longest key there may be a carriage return, and then the newline. */
	limit = end - at > KMC_TEXT_KEY_MAX + 2 ? at + KMC_TEXT_KEY_MAX + 2 : end;
	stop = kmc_seek_either(at, limit, ' ', '\n');
	if (stop == limit)
		return limit == end ? KMC_KEY_MORE : KMC_KEY_BAD;
	req->nkey = stop - at;
	if (*stop == '\n') {
		if (stop > at && stop[-1] == '\r')
			req->nkey--;
		if (!req->nkey) {
			*used = stop + 1 - data;
			return KMC_KEY_END;
		}
	}
	if (req->nkey > KMC_TEXT_KEY_MAX)
		return KMC_KEY_BAD;
	req->key = at;
	*used += req->nkey;
	return KMC_KEY_ONE;
}

static size_t kmc_text_skip_keys(const u8 *data, size_t len, bool *end)
{
	const u8 *newline = kmc_seek_far(data, data + len, '\n');

	*end = newline < data + len;
	return newline + *end - data;
}

/* Up to the line's end; in an endless get that is more than the key that was cut, and does no harm. */
size_t kmc_text_grab(const u8 *data, size_t have, const u8 *run, size_t len)
{
	bool end;

	return kmc_text_skip_keys(run, len, &end);
}

#define KMC_SAY(text) { text "\r\n", sizeof(text "\r\n") - 1 }

static const struct {
	const char *text;
	u32 len;
} kmc_text_answers[KMC_ANSWER_NR] = {
	[KMC_ANSWER_STORED] = KMC_SAY("STORED"),
	[KMC_ANSWER_NOT_STORED] = KMC_SAY("NOT_STORED"),
	[KMC_ANSWER_EXISTS] = KMC_SAY("EXISTS"),
	[KMC_ANSWER_NOT_FOUND] = KMC_SAY("NOT_FOUND"),
	[KMC_ANSWER_DELETED] = KMC_SAY("DELETED"),
	[KMC_ANSWER_TOUCHED] = KMC_SAY("TOUCHED"),
	[KMC_ANSWER_OK] = KMC_SAY("OK"),
	[KMC_ANSWER_RESET] = KMC_SAY("RESET"),
	[KMC_ANSWER_END] = KMC_SAY("END"),
	[KMC_ANSWER_UNKNOWN] = KMC_SAY("ERROR"),
	[KMC_ANSWER_BAD_FORMAT] = KMC_SAY("CLIENT_ERROR bad command line format"),
	[KMC_ANSWER_DELETE_USAGE] =
		KMC_SAY("CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]"),
	[KMC_ANSWER_BAD_CHUNK] = KMC_SAY("CLIENT_ERROR bad data chunk"),
	[KMC_ANSWER_BAD_EXPTIME] = KMC_SAY("CLIENT_ERROR invalid exptime argument"),
	[KMC_ANSWER_BAD_DELTA] = KMC_SAY("CLIENT_ERROR invalid numeric delta argument"),
	[KMC_ANSWER_NON_NUMERIC] =
		KMC_SAY("CLIENT_ERROR cannot increment or decrement non-numeric value"),
	[KMC_ANSWER_TOO_LARGE] = KMC_SAY("SERVER_ERROR object too large for cache"),
	[KMC_ANSWER_NO_MEMORY_STORING] = KMC_SAY("SERVER_ERROR out of memory storing object"),
	[KMC_ANSWER_NO_MEMORY_READING] = KMC_SAY("SERVER_ERROR out of memory reading request"),
	[KMC_ANSWER_NO_MEMORY_WRITING] = KMC_SAY("SERVER_ERROR out of memory writing get response"),
	[KMC_ANSWER_NO_MEMORY] = KMC_SAY("SERVER_ERROR out of memory"),
	[KMC_ANSWER_FLUSH_REFUSED] = KMC_SAY("CLIENT_ERROR flush_all not allowed"),
	[KMC_ANSWER_SHUTDOWN_REFUSED] = KMC_SAY("SERVER_ERROR: shutdown not enabled"),
	[KMC_ANSWER_BAD_SHUTDOWN] = KMC_SAY("CLIENT_ERROR invalid shutdown mode"),
	[KMC_ANSWER_BYE] = { "", 0 },
	[KMC_ANSWER_LIMIT_TOO_SMALL] = KMC_SAY("MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m"),
	[KMC_ANSWER_LIMIT_IN_BYTES] = KMC_SAY("MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes"),
	[KMC_ANSWER_LIMIT_REFUSED] = KMC_SAY("MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust"),
	[KMC_ANSWER_REASSIGN_DISABLED] = KMC_SAY("CLIENT_ERROR slab reassignment disabled"),
	[KMC_ANSWER_REASSIGN_BUSY] = KMC_SAY("BUSY currently processing reassign request"),
	[KMC_ANSWER_REASSIGN_CLASS] = KMC_SAY("BADCLASS invalid src or dst class id"),
	[KMC_ANSWER_REASSIGN_NO_SPARE] = KMC_SAY("NOSPARE source class has no spare pages"),
	[KMC_ANSWER_REASSIGN_SAME] = KMC_SAY("SAME src and dst class are identical"),
	[KMC_ANSWER_BAD_WINDOW] = KMC_SAY("CLIENT_ERROR automove window too low or too high"),
	[KMC_ANSWER_LRU_TOO_MUCH] = KMC_SAY("ERROR hot and warm pcts must not exceed 80"),
	[KMC_ANSWER_LRU_TOO_YOUNG] = KMC_SAY("ERROR hot/warm age factors must be greater than 0"),
	[KMC_ANSWER_BAD_LINE] = KMC_SAY("CLIENT_ERROR bad command line"),
	[KMC_ANSWER_BAD_SLAB] = KMC_SAY("CLIENT_ERROR Illegal slab id"),
	[KMC_ANSWER_DETAIL_USAGE] = KMC_SAY("CLIENT_ERROR usage: stats detail on|off|dump"),
	[KMC_ANSWER_DETAIL_REFUSED] = KMC_SAY("CLIENT_ERROR stats detail not allowed"),
	[KMC_ANSWER_CACHEDUMP_REFUSED] = KMC_SAY("CLIENT_ERROR stats cachedump not allowed"),
	[KMC_ANSWER_METADUMP_REFUSED] = KMC_SAY("ERROR metadump not allowed"),
	[KMC_ANSWER_MGDUMP_REFUSED] = KMC_SAY("ERROR key dump not allowed"),
	[KMC_ANSWER_METADUMP_PIPELINED] =
		KMC_SAY("ERROR cannot pipeline other commands before metadump"),
	[KMC_ANSWER_MGDUMP_PIPELINED] = KMC_SAY("ERROR cannot pipeline other commands before mgdump"),
	[KMC_ANSWER_CRAWLER_DISABLED] = KMC_SAY("CLIENT_ERROR lru crawler disabled"),
	[KMC_ANSWER_CRAWLER_BUSY] = KMC_SAY("BUSY currently processing crawler request"),
	[KMC_ANSWER_CRAWLER_RUNS] = KMC_SAY("ERROR failed to start lru crawler thread"),
	[KMC_ANSWER_CRAWLER_FAILED] = KMC_SAY("ERROR an unknown error happened"),
	[KMC_ANSWER_CRAWLER_SLEEP] = KMC_SAY("CLIENT_ERROR sleep must be one second or less"),
	[KMC_ANSWER_BAD_CLASS] = KMC_SAY("BADCLASS invalid class id"),
	[KMC_ANSWER_NOT_STARTED] = KMC_SAY("NOTSTARTED no items to crawl"),
	[KMC_ANSWER_WATCH_REFUSED] = KMC_SAY("CLIENT_ERROR watch commands not allowed"),
	[KMC_ANSWER_WATCH_PIPELINED] = KMC_SAY("ERROR cannot pipeline other commands before watch"),
	[KMC_ANSWER_WATCHERS_MANY] = KMC_SAY("WATCHER_TOO_MANY log watcher limit reached"),
	[KMC_ANSWER_WATCHER_FAILED] = KMC_SAY("WATCHER_FAILED failed to add log watcher"),
	[KMC_ANSWER_MISS] = KMC_SAY("MISS"),
	[KMC_ANSWER_META_NOOP] = KMC_SAY("MN"),
	[KMC_ANSWER_META_MISS] = KMC_SAY("EN"),
	[KMC_ANSWER_UNKNOWN_FLAG] = KMC_SAY("CLIENT_ERROR invalid flag"),
	[KMC_ANSWER_DUPLICATE_FLAG] = KMC_SAY("CLIENT_ERROR duplicate flag"),
	[KMC_ANSWER_BAD_ARITH_FLAGS] = KMC_SAY("CLIENT_ERROR invalid or duplicate flag"),
	[KMC_ANSWER_TOO_MANY_FLAGS] = KMC_SAY("CLIENT_ERROR options flags are too long"),
	[KMC_ANSWER_BAD_ARGUMENT] = KMC_SAY("CLIENT_ERROR bad token in command line format"),
	[KMC_ANSWER_BAD_BASE64] = KMC_SAY("CLIENT_ERROR error decoding key"),
	[KMC_ANSWER_OPAQUE_TOO_LONG] = KMC_SAY("CLIENT_ERROR opaque token too long"),
	[KMC_ANSWER_BAD_SET_MODE] = KMC_SAY("CLIENT_ERROR invalid mode for ms M token"),
	[KMC_ANSWER_BAD_ARITH_MODE] = KMC_SAY("CLIENT_ERROR invalid mode for ma M token"),
	[KMC_ANSWER_BAD_INITIAL] = KMC_SAY("CLIENT_ERROR invalid numeric initial value"),
	[KMC_ANSWER_BAD_FLAG_DELTA] = KMC_SAY("CLIENT_ERROR invalid numeric delta value"),
	[KMC_ANSWER_AUTHENTICATED] = KMC_SAY("STORED"),
	[KMC_ANSWER_AUTH_FAILED] = KMC_SAY("CLIENT_ERROR authentication failure"),
	[KMC_ANSWER_UNAUTHENTICATED] = KMC_SAY("CLIENT_ERROR unauthenticated"),
	[KMC_ANSWER_AUTH_TOO_LONG] = KMC_SAY("CLIENT_ERROR auth token too long"),
	[KMC_ANSWER_AUTH_BAD_TOKEN] = KMC_SAY("CLIENT_ERROR bad authentication token format"),
	[KMC_ANSWER_AUTH_BAD_END] = KMC_SAY("CLIENT_ERROR bad command line termination"),
	[KMC_ANSWER_NO_MEMORY_NEW] = KMC_SAY("SERVER_ERROR Out of memory allocating new item"),
};

void kmc_text_answer(struct kmc_reply *reply, const struct kmc_request *req, enum kmc_answer answer)
{
	if (!req->noreply)
		kmc_reply_copy(reply, kmc_text_answers[answer].text, kmc_text_answers[answer].len);
}

/* Bytes that grow at @at. */
static __always_inline u8 *kmc_text_put(u8 *at, const void *data, size_t len)
{
	return kmc_copy(at, data, len);
}

#define kmc_text_say(at, text) kmc_text_put(at, text, sizeof(text) - 1)

static void kmc_text_number(struct kmc_reply *reply, const struct kmc_request *req, u64 number)
{
	u8 line[KMC_U64_DIGITS + KMC_TEXT_CRLF];
	u8 *at = line + kmc_put_u64(line, number);

	at = kmc_text_say(at, "\r\n");
	if (!req->noreply)
		kmc_reply_copy(reply, line, at - line);
}

static void kmc_text_version(struct kmc_reply *reply, const struct kmc_request *req,
			     const char *version)
{
	size_t len = strlen(version);
	u8 *at = kmc_reply_add(reply, sizeof("VERSION \r\n") - 1 + len);

	if (!at)
		return;
	at = kmc_text_say(at, "VERSION ");
	at = kmc_text_put(at, version, len);
	kmc_text_say(at, "\r\n");
}

static void kmc_text_touched(struct kmc_reply *reply, const struct kmc_request *req,
			     const struct kmc_hit *hit)
{
	kmc_text_answer(reply, req, KMC_ANSWER_TOUCHED);
}

/* VALUE <key> <flags> <bytes> [<cas unique>]\r\n */
static u32 kmc_text_hit(u8 *line, const struct kmc_request *req, const struct kmc_hit *hit)
{
	u8 *at = kmc_text_put_hit(line, hit->key, hit->nkey, hit->client_flags, hit->nbytes);

	if (req->with_cas) {
		*at++ = ' ';
		at += kmc_put_u64(at, hit->cas);
	}
	at = kmc_text_say(at, "\r\n");
	return at - line;
}

/* PREFIX <name> get <number> hit <number> set <number> del <number> */
static bool kmc_text_prefix(struct kmc_reply *reply, const struct kmc_request *req, const u8 *name, u32 len,
			    const char *counts)
{
	size_t ncounts = strlen(counts);
	u8 *at = kmc_reply_add(reply, (u32)(sizeof("PREFIX  \r\n") - 1 + len + ncounts));

	if (!at)
		return false;
	at = kmc_text_say(at, "PREFIX ");
	at = kmc_text_put(at, (const char *)name, len);
	*at++ = ' ';
	at = kmc_text_put(at, counts, ncounts);
	kmc_text_say(at, "\r\n");
	return true;
}

static bool kmc_text_stat(struct kmc_reply *reply, const struct kmc_request *req, const char *name,
			  const char *value)
{
	size_t nname = strlen(name), nvalue = strlen(value);
	u8 *at = kmc_reply_add(reply, sizeof("STAT \r\n") - 1 + nname + (nvalue ? 1 + nvalue : 0));

	if (!at)
		return false;
	at = kmc_text_say(at, "STAT ");
	at = kmc_text_put(at, name, nname);
	if (nvalue) {
		*at++ = ' ';
		at = kmc_text_put(at, value, nvalue);
	}
	kmc_text_say(at, "\r\n");
	return true;
}

const struct kmc_protocol_ops kmc_text = {
	.parse = kmc_text_parse,
	.next_key = kmc_text_next_key,
	.skip_keys = kmc_text_skip_keys,
	.grab = kmc_text_grab,
	.answer = kmc_text_answer,
	.number = kmc_text_number,
	.version = kmc_text_version,
	.touched = kmc_text_touched,
	.hit = kmc_text_hit,
	.stat = kmc_text_stat,
	.prefix = kmc_text_prefix,
	.counts_refusals = true,
	.tail = { '\r', '\n' },
	.tail_len = KMC_TEXT_CRLF,
};
