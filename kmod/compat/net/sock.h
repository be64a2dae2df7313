/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_COMPAT_NET_SOCK_H
#define KMC_COMPAT_NET_SOCK_H

#include <linux/net.h>
#include_next <net/sock.h>

/*
 * sk_use_task_frag came into 6.1.y with a stable release; Kbuild probes for it. A kernel without it
 * looks at sk_allocation alone, and GFP_ATOMIC then already means "not current's fragment".
 */
static inline void kmc_sk_own_frag(struct sock *sk)
{
#ifdef KMC_HAVE_SK_USE_TASK_FRAG
	sk->sk_use_task_frag = false;
#endif
}

/*
 * A socket's own sendmsg(), without the question to a security module, which would judge the task that happens
 * to run. (The kernel's function of that kind is not exported.)
 */
static inline int kmc_sock_sendmsg(struct socket *sock, struct msghdr *msg, size_t size)
{
	return sock->ops->sendmsg(sock, msg, size);
}

#endif
