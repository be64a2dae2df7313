// SPDX-License-Identifier: GPL-2.0
#include "text_admin.h"
#include "numbers.h"
#include "text.h"
#include "../stats.h"
#include "../watch.h"

#define KMC_CLASS_WORD_MAX	511	/* bytes of a list of classes that 1.6.45 looks at */

/* A word that may be cut short anywhere, and what it stands for. The first that fits counts. */
struct kmc_word_of {
	const char *text;
	u32 value;
};

static u32 kmc_word_find(const struct kmc_word_of *words, size_t count, const struct kmc_tokens *tokens, u32 i)
{
	size_t n;

	for (n = 0; n < count; n++)
		if (kmc_token_begins(tokens, i, words[n].text))
			return words[n].value;
	return 0;
}

#define kmc_word_of(words, tokens, i) kmc_word_find(words, ARRAY_SIZE(words), tokens, i)

static bool kmc_read_u32(const struct kmc_tokens *tokens, u32 i, u32 *value)
{
	return i < tokens->count && kmc_parse_u32(tokens->token[i].at, tokens->token[i].len, value);
}

/* Something is wrong, which is said when nothing else has to be said before. */
static void kmc_read_wrong(struct kmc_request *req, enum kmc_answer refusal)
{
	req->verb = KMC_VERB_WRONG;
	req->refusal = refusal;
}

/* stats cachedump <class> <limit> */
static void kmc_read_cachedump(const struct kmc_tokens *tokens, struct kmc_request *req)
{
	u32 class;

	req->how = KMC_VERB_WRONG;
	if (tokens->count < 4) {
		req->refusal = KMC_ANSWER_BAD_LINE;
	} else if (!kmc_read_u32(tokens, 2, &class) || !kmc_read_u32(tokens, 3, &req->level)) {
		req->refusal = KMC_ANSWER_BAD_FORMAT;
	} else if (class >= KMC_CLASSES_MAX) {
		req->refusal = KMC_ANSWER_BAD_SLAB;
	} else {
		req->how = KMC_VERB_DUMP;
		req->classes = 1ULL << class;
	}
}

/* stats [<group>|reset|detail ...|cachedump ...] */
size_t kmc_read_stats(const struct kmc_line *line, const struct kmc_tokens *tokens, struct kmc_request *req)
{
	static const struct kmc_word_of groups[] = {
		{ "reset", KMC_VERB_RESET },
		{ "detail", KMC_VERB_DETAIL },
		{ "settings", KMC_VERB_NONE },
		{ "cachedump", KMC_VERB_CACHEDUMP },
	};
	static const struct kmc_word_of details[] = {
		{ "on", KMC_VERB_ON },
		{ "off", KMC_VERB_OFF },
		{ "dump", KMC_VERB_DUMP },
	};

	if (tokens->count < 2)
		return line->total;
	req->args = tokens->token[1].at;
	req->nargs = tokens->token[1].len;
	req->verb = kmc_word_of(groups, tokens, 1);
	if (req->verb == KMC_VERB_DETAIL) {
		req->how = kmc_word_of(details, tokens, 2) ? : KMC_VERB_WRONG;
		req->refusal = KMC_ANSWER_DETAIL_USAGE;
	}
	if (req->verb == KMC_VERB_CACHEDUMP)
		kmc_read_cachedump(tokens, req);
	return line->total;
}

/* watch [<event>]... */
size_t kmc_read_watch(const struct kmc_line *line, const struct kmc_tokens *tokens, struct kmc_request *req)
{
	/* 1.6.45 knows rawcmds, but nothing in it makes one; there is no proxy here. */
	static const struct kmc_word_of events[] = {
		{ "rawcmds", KMC_WATCH_QUIET },
		{ "evictions", KMC_WATCH_EVICTIONS },
		{ "fetchers", KMC_WATCH_FETCHERS },
		{ "mutations", KMC_WATCH_MUTATIONS },
		{ "sysevents", KMC_WATCH_SYSEVENTS },
		{ "connevents", KMC_WATCH_CONNEVENTS },
		{ "proxyreqs", KMC_WATCH_QUIET },
		{ "proxyevents", KMC_WATCH_QUIET },
		{ "proxyuser", KMC_WATCH_QUIET },
		{ "deletions", KMC_WATCH_DELETIONS },
	};
	u32 i, event;

	req->level = tokens->count > 1 ? 0 : KMC_WATCH_FETCHERS;
	for (i = 1; i < tokens->count; i++) {
		event = kmc_word_of(events, tokens, i);
		req->level |= event;
		if (!event)
			req->invalid = true;
	}
	return line->total;
}

/* all, or ids of slab classes with commas between, white space and signs as the C library takes them. */
static bool kmc_read_classes(const struct kmc_token *token, u64 *classes)
{
	const u8 *at = token->at, *end = at + min_t(size_t, token->len, KMC_CLASS_WORD_MAX), *stop;
	u32 class;

	*classes = 0;
	for (; at < end; at = stop + 1) {
		stop = memchr(at, ',', end - at) ? : end;
		if (stop == at)
			continue;
		if (!kmc_parse_loose_u32(at, stop - at, &class) || !class || class >= KMC_CLASSES_MAX)
			return false;
		*classes |= 1ULL << class;
	}
	return true;
}

static void kmc_read_crawl(const struct kmc_tokens *tokens, struct kmc_request *req)
{
	if (kmc_token_is(tokens, 2, "all") || kmc_token_is(tokens, 2, "hash")) {
		req->classes = kmc_token_is(tokens, 2, "hash") ? U64_MAX : U64_MAX - KMC_CLASSES_INDEX;
	} else if (!kmc_read_classes(&tokens->token[2], &req->classes)) {
		req->invalid = true;
	}
}

/* lru_crawler <verb> [<classes>|<number>] */
size_t kmc_read_crawler(const struct kmc_line *line, const struct kmc_tokens *tokens,
			struct kmc_request *req)
{
	static const struct kmc_word_of alone[] = {
		{ "enable", KMC_VERB_ENABLE },
		{ "disable", KMC_VERB_DISABLE },
	};
	static const struct kmc_word_of with[] = {
		{ "crawl", KMC_VERB_CRAWL },
		{ "metadump", KMC_VERB_METADUMP },
		{ "mgdump", KMC_VERB_MGDUMP },
		{ "tocrawl", KMC_VERB_TOCRAWL },
		{ "sleep", KMC_VERB_SLEEP },
	};
	u32 verb = 0;

	if (tokens->count == 2)
		verb = kmc_word_of(alone, tokens, 1);
	else if (tokens->count == 3)
		verb = kmc_word_of(with, tokens, 1);
	if (!verb)
		return kmc_refuse(line, req, KMC_ANSWER_UNKNOWN, 0);
	req->verb = verb;
	if (verb == KMC_VERB_TOCRAWL || verb == KMC_VERB_SLEEP) {
		if (!kmc_read_u32(tokens, 2, &req->level))
			kmc_read_wrong(req, KMC_ANSWER_BAD_FORMAT);
	} else if (tokens->count == 3) {
		kmc_read_crawl(tokens, req);
	}
	return line->total;
}

/* debugtime p|r|<seconds> */
size_t kmc_read_debug_time(const struct kmc_line *line, const struct kmc_tokens *tokens,
			   struct kmc_request *req)
{
	if (tokens->count < 2)
		kmc_read_wrong(req, KMC_ANSWER_UNKNOWN);
	else if (kmc_token_is(tokens, 1, "p"))
		req->verb = KMC_VERB_PAUSE;
	else if (kmc_token_is(tokens, 1, "r"))
		req->verb = KMC_VERB_RESUME;
	else if (kmc_parse_s64(tokens->token[1].at, tokens->token[1].len, &req->shift))
		req->verb = KMC_VERB_MOVE;
	else
		kmc_read_wrong(req, KMC_ANSWER_UNKNOWN);
	return line->total;
}

/* debugitem lock|unlock|ref|unref <key> */
size_t kmc_read_debug_item(const struct kmc_line *line, const struct kmc_tokens *tokens,
			   struct kmc_request *req)
{
	static const struct kmc_word_of verbs[] = {
		{ "lock", KMC_VERB_LOCK },
		{ "unlock", KMC_VERB_UNLOCK },
		{ "ref", KMC_VERB_REF },
		{ "unref", KMC_VERB_UNREF },
	};

	req->verb = kmc_word_of(verbs, tokens, 1);
	if (!req->verb || tokens->count < 3 || tokens->token[2].len > KMC_TEXT_KEY_MAX) {
		kmc_read_wrong(req, KMC_ANSWER_UNKNOWN);
		return line->total;
	}
	req->key = tokens->token[2].at;
	req->nkey = tokens->token[2].len;
	if (req->verb == KMC_VERB_UNREF && kmc_token_is(tokens, 2, "reffed"))
		req->verb = KMC_VERB_UNREF_LAST;
	return line->total;
}
