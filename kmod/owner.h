/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink sockets that something of ours depends on: an attached instance ends with its owner, a
 * subscription with its subscriber.
 */
#ifndef KMC_OWNER_H
#define KMC_OWNER_H

#include <linux/types.h>

struct net;
struct sk_buff;
struct sock;

/**
 * struct kmc_owner - a netlink socket of user space
 * @sk: a counted reference; keeps the struct alive, not the socket open. It is the generation: a port
 *	id may come back, this address cannot while it is held.
 * @portid: its port id in the namespace
 */
struct kmc_owner {
	struct sock *sk;
	u32 portid;
};

int kmc_owners_init(void);
void kmc_owners_exit(void);

/* The socket that sent @skb, borrowed: valid while the message is being handled. */
struct kmc_owner kmc_owner_of(const struct sk_buff *skb);

/* A counted copy, and its end. */
struct kmc_owner kmc_owner_get(const struct kmc_owner *owner);
void kmc_owner_put(struct kmc_owner *owner);

/* Whether @owner is the socket with @portid that has just been closed for good. */
bool kmc_owner_gone(const struct kmc_owner *owner, u32 portid);

#endif
