// SPDX-License-Identifier: GPL-2.0
#include "tokens.h"
#include "../bytes.h"

static __always_inline bool kmc_token_find(const u8 *at, const u8 *end, struct kmc_token *token)
{
	while (at < end && *at == ' ')
		at++;
	token->at = at;
	token->len = kmc_seek(at, end, ' ') - at;
	return token->len;
}

bool kmc_token_next(const u8 *at, const u8 *end, struct kmc_token *token)
{
	return kmc_token_find(at, end, token);
}

void kmc_tokens_split(struct kmc_tokens *tokens, const u8 *line, size_t len)
{
	const u8 *at = line;

	tokens->end = line + len;
	for (tokens->count = 0; tokens->count < KMC_TOKENS_MAX; tokens->count++) {
		struct kmc_token *token = &tokens->token[tokens->count];

		if (!kmc_token_find(at, tokens->end, token))
			return;
		at = token->at + token->len;
	}
}

bool kmc_token_is(const struct kmc_tokens *tokens, u32 i, const char *text)
{
	size_t len = strlen(text);

	return i < tokens->count && tokens->token[i].len == len &&
	       !memcmp(tokens->token[i].at, text, len);
}

bool kmc_token_begins(const struct kmc_tokens *tokens, u32 i, const char *text)
{
	return i < tokens->count && tokens->token[i].len <= strlen(text) &&
	       !memcmp(tokens->token[i].at, text, tokens->token[i].len);
}
