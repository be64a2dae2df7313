/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of all instances together: how much they may be promised (module parameter memory_percent), and
 * what they give back when the system is short of it.
 *
 * Locks: the list's mutex, taken within the registry's, is only tried by the shrinker, and nothing is
 * allocated under it; the sum has a spinlock of its own, innermost, for it changes with BH off.
 */
#ifndef KMC_RECLAIM_H
#define KMC_RECLAIM_H

#include <linux/types.h>

struct kmc_server;
struct netlink_ext_ack;

int kmc_reclaim_init(void);
void kmc_reclaim_exit(void);

/**
 * kmc_reclaim_join - promise an instance its memory limit; its pages may be asked back from now on
 * The cache is ready. Process context. Return: 0 or -ENOMEM: all together would have too much.
 */
int kmc_reclaim_join(struct kmc_server *server, struct netlink_ext_ack *extack);

/* Before the cache goes. Process context. */
void kmc_reclaim_leave(struct kmc_server *server);

/* The instance's limit is to be @bytes. Any context. Return: false: all together would have too much. */
bool kmc_reclaim_claim(struct kmc_server *server, u64 bytes);

#endif
