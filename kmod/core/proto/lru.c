// SPDX-License-Identifier: GPL-2.0
#include "lru.h"
#include "numbers.h"

#define KMC_LRU_PCT_MAX	80	/* hot and warm together, as 1.6.45 */

static bool kmc_lru_u32(const struct kmc_tokens *tokens, u32 i, u32 *value)
{
	return kmc_parse_u32(tokens->token[i].at, tokens->token[i].len, value);
}

/* Up to the next thousandth, so that what is not 0 stays so. */
static bool kmc_lru_factor(const struct kmc_tokens *tokens, u32 i, u32 *factor)
{
	u32 millionths;

	if (!kmc_parse_millionths(tokens->token[i].at, tokens->token[i].len, &millionths))
		return false;
	*factor = millionths / 1000 + (millionths % 1000 != 0);
	return true;
}

static enum kmc_answer kmc_lru_read_tune(const struct kmc_tokens *tokens, struct kmc_lru_change *lru)
{
	lru->what = KMC_LRU_TUNE;
	if (!kmc_lru_u32(tokens, 2, &lru->hot_pct) || !kmc_lru_u32(tokens, 3, &lru->warm_pct) ||
	    !kmc_lru_factor(tokens, 4, &lru->hot_factor) || !kmc_lru_factor(tokens, 5, &lru->warm_factor))
		return KMC_ANSWER_UNKNOWN;
	if ((u64)lru->hot_pct + lru->warm_pct > KMC_LRU_PCT_MAX)
		return KMC_ANSWER_LRU_TOO_MUCH;
	return lru->hot_factor && lru->warm_factor ? KMC_ANSWER_OK : KMC_ANSWER_LRU_TOO_YOUNG;
}

enum kmc_answer kmc_lru_read(const struct kmc_tokens *tokens, struct kmc_lru_change *lru)
{
	if (tokens->count >= 6 && kmc_token_begins(tokens, 1, "tune"))
		return kmc_lru_read_tune(tokens, lru);
	if (tokens->count >= 3 && kmc_token_begins(tokens, 1, "mode")) {
		lru->what = kmc_token_is(tokens, 2, "flat") ? KMC_LRU_FLAT : KMC_LRU_SEGMENTED;
		return lru->what == KMC_LRU_FLAT || kmc_token_is(tokens, 2, "segmented") ?
		       KMC_ANSWER_OK : KMC_ANSWER_UNKNOWN;
	}
	if (tokens->count < 3 || !kmc_token_begins(tokens, 1, "temp_ttl"))
		return KMC_ANSWER_UNKNOWN;
	lru->what = KMC_LRU_TEMP_TTL;
	return kmc_parse_s32(tokens->token[2].at, tokens->token[2].len, &lru->ttl) ?
	       KMC_ANSWER_OK : KMC_ANSWER_UNKNOWN;
}
