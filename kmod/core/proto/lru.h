/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_PROTO_LRU_H
#define KMC_PROTO_LRU_H

#include "request.h"
#include "tokens.h"

/**
 * kmc_lru_read - "lru tune <hot pct> <warm pct> <hot factor> <warm factor>", "lru mode flat|segmented",
 *	"lru temp_ttl <seconds>" (proto_text.c, process_lru_command())
 * @tokens: of the whole line
 * Return: KMC_ANSWER_OK, or what is wrong.
 */
enum kmc_answer kmc_lru_read(const struct kmc_tokens *tokens, struct kmc_lru_change *lru);

#endif
