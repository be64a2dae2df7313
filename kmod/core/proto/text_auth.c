// SPDX-License-Identifier: GPL-2.0
/*
 * The text protocol of who has not said yet who it is (memcached's protocol.txt, "Authentication"; 1.6.45,
 * try_read_command_asciiauth()): a "set" whose value is user and password. Key, flags, exptime and whatever else is
 * on its line do not matter. All else is refused, line by line.
 */
#include "numbers.h"
#include "text.h"
#include "tokens.h"

#define KMC_TOKEN_MAX		16384	/* 1.6.45, MAX_AUTH_REQ_LEN */
#define KMC_LOCKED_LINE_MIN	6	/* 1.6.45, MIN_AUTH_REQ_LEN: shorter lines close, empty ones too */
#define KMC_LOCKED_LOOK_MIN	3	/* bytes before anything is looked at */
#define KMC_TOKEN_WORD		4	/* where in the line its length stands */
#define KMC_CRLF		2

static size_t kmc_locked_refuse(struct kmc_request *req, enum kmc_answer refusal, size_t line)
{
	req->op = KMC_OP_REFUSE;
	req->refusal = refusal;
	return line;
}

/* The line's words, without its last byte: a carriage return, or what stands in its place. */
static bool kmc_locked_size(const u8 *line, size_t len, u32 *size)
{
	struct kmc_tokens tokens;

	kmc_tokens_split(&tokens, line, line[len - 2] == '\r' ? len - 2 : len - 1);
	return tokens.count > KMC_TOKEN_WORD && !memcmp(line, "set", 3) &&
	       kmc_parse_u32(tokens.token[KMC_TOKEN_WORD].at, tokens.token[KMC_TOKEN_WORD].len, size);
}

static ssize_t kmc_locked_parse(const u8 *data, size_t len, struct kmc_request *req)
{
	const u8 *end;
	size_t line;
	u32 size;

	memset(req, 0, offsetof(struct kmc_request, meta));
	if (len < KMC_LOCKED_LOOK_MIN)
		return 0;
	end = memchr(data, '\n', min_t(size_t, len, KMC_HEAD_MAX));
	if (!end)
		return len < KMC_HEAD_MAX ? 0 : -EMSGSIZE;
	line = end - data;
	if (line < KMC_LOCKED_LINE_MIN)
		return -EPROTO;
	if (!kmc_locked_size(data, line++, &size))
		return kmc_locked_refuse(req, KMC_ANSWER_UNAUTHENTICATED, line);
	if (size > KMC_TOKEN_MAX)
		return kmc_locked_refuse(req, KMC_ANSWER_AUTH_TOO_LONG, line);
	size += KMC_CRLF;
	req->op = KMC_OP_AUTH_TOKEN;
	if (line + size > KMC_HEAD_MAX) {
		req->nbytes = size;
		return line;
	}
	req->args = end + 1;
	req->nargs = size;
	return len < line + size ? 0 : line + size;
}

const struct kmc_protocol_ops kmc_text_locked = {
	.parse = kmc_locked_parse,
	.grab = kmc_text_grab,
	.answer = kmc_text_answer,
};
