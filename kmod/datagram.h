/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP datagrams that we build and route ourselves. No state, no lock; nothing here sleeps.
 */
#ifndef KMC_DATAGRAM_H
#define KMC_DATAGRAM_H

#include <linux/in6.h>
#include <linux/types.h>
#include <linux/uidgid.h>

/* What is kept from one datagram to the next; a test of failing allocations does without. */
#ifndef KMC_UDP_SPARES
#define KMC_UDP_SPARES true
#endif

struct dst_entry;
struct sk_buff;
struct sk_buff_head;
struct sock;

/**
 * struct kmc_route - where an answer goes, and from where
 * @v6: which of each pair counts
 * @oif: index of the interface that it has to leave by, 0: any
 * @to, @to6, @to_port: who asked
 * @from, @from6, @from_port: whom, which is where the answer comes from
 */
struct kmc_route {
	bool v6;
	int oif;
	union {
		__be32 to;
		struct in6_addr to6;
	};
	union {
		__be32 from;
		struct in6_addr from6;
	};
	__be16 to_port;
	__be16 from_port;
};

/**
 * struct kmc_way - the way of the last answer, for the next that goes the same: of IPv4 only
 * @dst: counted reference, or NULL
 * @mark, @tos, @scope, @flags, @uid: of the socket, as they were; duplicates of it may change them at any time
 * One for each CPU, used with BH off.
 */
struct kmc_way {
	struct dst_entry *dst;
	struct kmc_route route;
	u32 mark;
	u8 tos;
	u8 scope;
	u8 flags;
	kuid_t uid;
};

/* Forget it. */
void kmc_way_drop(struct kmc_way *way);

/**
 * kmc_route_back - how to answer a datagram
 * @skb: as the stack hands it over; data begins at the UDP header
 *
 * Not answered is what came to a multicast or broadcast address (all who hear it would answer, and for
 * a forged source that is amplification), what comes from no single host or from port 0, and what comes
 * from the very port number that it goes to: that is another server's answer, and two servers would keep
 * answering each other.
 * Return: 0; -EPROTO: not to be answered.
 */
int kmc_route_back(const struct sock *sk, const struct sk_buff *skb, struct kmc_route *route);

/**
 * kmc_datagrams_add - lengthen a message
 * @out: its datagrams, all full but the last; each begins with room for a frame
 * @most: datagrams that it may become
 * Return: 0, -EMSGSIZE: it would become more; -ENOMEM. On failure part of @data may be in.
 */
int kmc_datagrams_add(struct sk_buff_head *out, const u8 *data, u32 len, u32 most);

/**
 * kmc_datagram_reuse - answer in the buffer that asked
 * @out: an empty message; gets @skb as its first datagram
 * @skb: a datagram that was read
 * @link: bytes to leave for the link's header
 * @len: bytes of the answer that will be added, all of it
 *
 * What the stack noted on the way in is forgotten, as if the buffer were new. Only where nobody else can be
 * looking at it, and it is large enough.
 * Return: whether it was done; then @skb belongs to @out.
 */
bool kmc_datagram_reuse(struct sk_buff_head *out, struct sk_buff *skb, u32 link, u32 len);

/**
 * kmc_datagrams_send - number them, and send them all
 * @sk: whose they are; it must be alive
 * @way: this CPU's
 * @id: of the request
 * @out: empty afterwards, unless it fails
 * @sent: bytes, frames included
 * BH off. Return: 0, -ENOBUFS: too much is on its way already, or why there is no route.
 */
int kmc_datagrams_send(struct sock *sk, const struct kmc_route *route, struct kmc_way *way, u16 id,
		       struct sk_buff_head *out, u32 *sent);

#endif
