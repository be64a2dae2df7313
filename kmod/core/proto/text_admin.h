/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands of the operator's, taken apart: stats, watch, lru_crawler, debugtime, debugitem.
 */
#ifndef KMC_TEXT_ADMIN_H
#define KMC_TEXT_ADMIN_H

#include "request.h"
#include "tokens.h"

/**
 * struct kmc_line - a line in place
 * @at, @len: without its end ("\n" or "\r\n")
 * @total: bytes with its end
 */
struct kmc_line {
	const u8 *at;
	size_t len;
	size_t total;
};

/* A malformed line of which @swallow bytes of value follow. Return: what the functions below return. */
size_t kmc_refuse(const struct kmc_line *line, struct kmc_request *req, enum kmc_answer refusal, u32 swallow);

/* As struct kmc_text_command.read. Return: bytes of the line that are done with. */
size_t kmc_read_stats(const struct kmc_line *line, const struct kmc_tokens *tokens, struct kmc_request *req);
size_t kmc_read_watch(const struct kmc_line *line, const struct kmc_tokens *tokens, struct kmc_request *req);
size_t kmc_read_crawler(const struct kmc_line *line, const struct kmc_tokens *tokens,
			struct kmc_request *req);
size_t kmc_read_debug_time(const struct kmc_line *line, const struct kmc_tokens *tokens,
			   struct kmc_request *req);
size_t kmc_read_debug_item(const struct kmc_line *line, const struct kmc_tokens *tokens,
			   struct kmc_request *req);

#endif
