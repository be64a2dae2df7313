/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The limit of what connections read and answer (-o read_buf_mem_limit), in memcached's buffers of 16 KiB.
 *
 * A connection holds one while a request of it is under way, and answers that are not sent yet share others.
 * As in memcached they belong to one of -t threads, each with its part of the limit and at least one buffer, and
 * connections take turns at threads. What is held here takes less: the limit is never exceeded. Without one,
 * nothing is counted.
 */
#ifndef KMC_BUFFERS_H
#define KMC_BUFFERS_H

#include "kernel.h"

struct kmc_buffers;
struct kmc_core;

/**
 * struct kmc_buffers_totals - of all threads, as "stats" shows them
 * @count, @bytes: buffers that were ever in use at the same time; they are kept
 * @free_bytes: of those not in use
 * @answers, @answer_bytes: not sent yet, and the buffers that they are in
 */
struct kmc_buffers_totals {
	u64 count, bytes, free_bytes;
	u64 answers, answer_bytes;
};

/* Process context. Return: 0 or -ENOMEM; @core->buffers stays NULL without a limit. */
int kmc_buffers_init(struct kmc_core *core);
void kmc_buffers_exit(struct kmc_core *core);

/*
 * BH off. @client: number of a connection, which says whose part is meant. A buffer for its request, an answer
 * more, and their ends. Return: false: there is no room.
 */
bool kmc_buffers_read(struct kmc_buffers *buffers, u32 client);
void kmc_buffers_read_done(struct kmc_buffers *buffers, u32 client);
bool kmc_buffers_answer(struct kmc_buffers *buffers, u32 client);
void kmc_buffers_sent(struct kmc_buffers *buffers, u32 client, u32 answers);

void kmc_buffers_totals(struct kmc_buffers *buffers, struct kmc_buffers_totals *totals);

#endif
