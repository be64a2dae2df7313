/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one tokenizer: words between blanks, within an explicit end.
 *
 * Only the blank (0x20) separates; tabs, zero bytes and a carriage return inside are part of a word, as
 * in memcached.
 */
#ifndef KMC_TOKENS_H
#define KMC_TOKENS_H

#include "../kernel.h"

/* Words that are looked at; what stands behind them is ignored (1.6.45 keeps 24 places, one for the end). */
#define KMC_TOKENS_MAX	23

struct kmc_token {
	const u8 *at;
	size_t len;	/* never 0 */
};

/**
 * struct kmc_tokens - a line's words
 * @end: one past the last byte of the line that may be looked at
 */
struct kmc_tokens {
	u32 count;
	const u8 *end;
	struct kmc_token token[KMC_TOKENS_MAX];
};

/* The next word in [@at, @end): false when only blanks are left. @token->at is then @end. */
bool kmc_token_next(const u8 *at, const u8 *end, struct kmc_token *token);

/* Splits @len bytes (without their line end). */
void kmc_tokens_split(struct kmc_tokens *tokens, const u8 *line, size_t len);

/* Is word @i exactly @text? false when there is no such word. */
bool kmc_token_is(const struct kmc_tokens *tokens, u32 i, const char *text);

/* Is word @i a beginning of @text? So 1.6.45 compares most second words: "stats s" is "stats settings". */
bool kmc_token_begins(const struct kmc_tokens *tokens, u32 i, const char *text);

#endif
