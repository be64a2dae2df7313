/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attributes that describe things of ours, put into a message.
 */
#ifndef KMC_DESCRIBE_H
#define KMC_DESCRIBE_H

#include <linux/types.h>

struct kmc_server;
struct sk_buff;

/*
 * Bytes that a reply may take; any one instance fits (64 unix paths are less than 13 KiB), and with the
 * headers it stays below the 16 KiB that the contract promises.
 */
#define KMC_REPLY_ROOM (15 * 1024)

/**
 * kmc_describe_server - a KMC_A_INSTANCE nest
 * @settings: with KMC_A_SETTINGS
 * Return: 0, or -EMSGSIZE: it does not fit, nothing was added.
 */
int kmc_describe_server(struct sk_buff *skb, struct kmc_server *server, bool settings);

/**
 * kmc_describe_stats - KMC_A_STAT nests, as many as fit
 * @group: what stands behind "stats", @len bytes
 * @cursor: 0, or where an earlier call stood; afterwards where this one stands
 * @done: set if there are no more
 * Return: 0, -ENOENT: no such group, -EMSGSIZE: not even one row fits.
 */
int kmc_describe_stats(struct sk_buff *skb, struct kmc_server *server, const char *group, size_t len,
		       u32 *cursor, bool *done);

#endif
