// SPDX-License-Identifier: GPL-2.0
#include "datagram.h"

#include <linux/in.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/udp.h>

#include "core/proto/udp_frame.h"

#define HEADERS		(MAX_HEADER + sizeof(struct ipv6hdr) + sizeof(struct udphdr))

/* Bytes on their way for a socket, however small somebody makes its send buffer: one whole reply. */
#define ON_ITS_WAY	(256 * 1024)

static int back4(const struct sk_buff *skb, struct kmc_route *route)
{
	const struct iphdr *ip = ip_hdr(skb);
	const struct rtable *rt = skb_rtable(skb);

	if (ipv4_is_multicast(ip->daddr) || ipv4_is_lbcast(ip->daddr) ||
	    (rt && rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		return -EPROTO;
	if (ipv4_is_zeronet(ip->saddr) || ipv4_is_multicast(ip->saddr) || ipv4_is_lbcast(ip->saddr))
		return -EPROTO;
	route->to = ip->saddr;
	route->from = ip->daddr;
	return 0;
}

static int back6(const struct sk_buff *skb, struct kmc_route *route)
{
	const struct ipv6hdr *ip = ipv6_hdr(skb);

	if (ipv6_addr_is_multicast(&ip->daddr) || ipv6_addr_is_multicast(&ip->saddr) ||
	    ipv6_addr_any(&ip->saddr))
		return -EPROTO;
	route->to6 = ip->saddr;
	route->from6 = ip->daddr;
	if (ipv6_addr_type(&ip->saddr) & IPV6_ADDR_LINKLOCAL)
		route->oif = inet6_iif(skb);
	return 0;
}

int kmc_route_back(const struct sock *sk, const struct sk_buff *skb, struct kmc_route *route)
{
	const struct udphdr *udp = udp_hdr(skb);

	if (!udp->source || udp->source == udp->dest)
		return -EPROTO;
	if (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST)
		return -EPROTO;
	route->to_port = udp->source;
	route->from_port = udp->dest;
	route->oif = READ_ONCE(sk->sk_bound_dev_if);
	/* A datagram to a socket of IPv6 may be one of IPv4. */
	route->v6 = skb->protocol == htons(ETH_P_IPV6);
	return route->v6 ? back6(skb, route) : back4(skb, route);
}

static struct sk_buff *datagram_new(void)
{
	struct sk_buff *skb = alloc_skb(HEADERS + KMC_UDP_DATAGRAM_MAX, GFP_ATOMIC | __GFP_NOWARN);

	if (!skb)
		return NULL;
	skb_reserve(skb, HEADERS);
	skb_put(skb, KMC_UDP_FRAME);
	return skb;
}

/* All that a new buffer would have, but for the memory that it consists of. */
static void renew(struct sk_buff *skb, u32 headroom)
{
	bool head_frag = skb->head_frag, pp_recycle = skb->pp_recycle, pfmemalloc = skb->pfmemalloc;

	skb_dst_drop(skb);
	skb_orphan(skb);
	nf_reset_ct(skb);
	skb_ext_reset(skb);
	memset(skb, 0, offsetof(struct sk_buff, tail));
	skb->head_frag = head_frag;
	skb->pp_recycle = pp_recycle;
	skb->pfmemalloc = pfmemalloc;
	skb->alloc_cpu = raw_smp_processor_id();
	skb->mac_header = (typeof(skb->mac_header))~0U;
	skb->transport_header = (typeof(skb->transport_header))~0U;
	skb->data = skb->head + headroom;
	skb_reset_tail_pointer(skb);
	memset(skb_shinfo(skb), 0, offsetof(struct skb_shared_info, dataref));
}

bool kmc_datagram_reuse(struct sk_buff_head *out, struct sk_buff *skb, u32 link, u32 len)
{
	const u32 headroom = link + (u32)(sizeof(struct ipv6hdr) + sizeof(struct udphdr));

	if (skb_shared(skb) || skb_cloned(skb) || skb->fclone != SKB_FCLONE_UNAVAILABLE || skb_is_nonlinear(skb) ||
	    skb_zcopy(skb) || skb_is_gso(skb))
		return false;
	if (len > KMC_UDP_DATAGRAM_MAX - KMC_UDP_FRAME || headroom + KMC_UDP_FRAME + len > skb_end_offset(skb))
		return false;
	renew(skb, headroom);
	skb_put(skb, KMC_UDP_FRAME);
	__skb_queue_tail(out, skb);
	return true;
}

int kmc_datagrams_add(struct sk_buff_head *out, const u8 *data, u32 len, u32 most)
{
	struct sk_buff *skb = skb_peek_tail(out);
	u32 n;

	while (len) {
		if (!skb || skb->len == KMC_UDP_DATAGRAM_MAX) {
			if (skb_queue_len(out) == most)
				return -EMSGSIZE;
			skb = datagram_new();
			if (!skb)
				return -ENOMEM;
			__skb_queue_tail(out, skb);
		}
		n = min(len, KMC_UDP_DATAGRAM_MAX - skb->len);
		skb_put_data(skb, data, n);
		data += n;
		len -= n;
	}
	return 0;
}

static struct dst_entry *find4(struct sock *sk, const struct kmc_route *route)
{
	struct flowi4 flow;
	struct rtable *rt;

	flowi4_init_output(&flow, route->oif, READ_ONCE(sk->sk_mark), ip_sock_rt_tos(sk), ip_sock_rt_scope(sk),
			   IPPROTO_UDP, inet_sk_flowi_flags(sk), route->to, route->from, route->to_port,
			   route->from_port, sk->sk_uid);
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&flow));
	rt = ip_route_output_flow(sock_net(sk), &flow, sk);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	if (!(rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		return &rt->dst;
	ip_rt_put(rt);
	return ERR_PTR(-EACCES);
}

void kmc_way_drop(struct kmc_way *way)
{
	dst_release(way->dst);
	way->dst = NULL;
}

/* Policies of IPsec that are the socket's own come and go without a change in the tables. */
static bool has_policy(const struct sock *sk)
{
#ifdef CONFIG_XFRM
	return rcu_access_pointer(sk->sk_policy[XFRM_POLICY_OUT]);
#else
	return false;
#endif
}

/* All that find4() asks the socket for is as it was. */
static bool way_fits(const struct kmc_way *way, const struct sock *sk)
{
	return way->mark == READ_ONCE(sk->sk_mark) && way->tos == READ_ONCE(inet_sk(sk)->tos) &&
	       way->scope == ip_sock_rt_scope(sk) && way->flags == inet_sk_flowi_flags(sk) &&
	       uid_eq(way->uid, READ_ONCE(sk->sk_uid)) && !has_policy(sk);
}

/* All that find4() asks by is as it was, and nothing has changed in the tables. */
static bool way_leads(const struct kmc_way *way, const struct sock *sk, const struct kmc_route *route)
{
	const struct kmc_route *last = &way->route;

	return KMC_UDP_SPARES && way->dst && last->to == route->to && last->from == route->from && last->to_port == route->to_port &&
	       last->from_port == route->from_port && last->oif == route->oif && way_fits(way, sk) && dst_check(way->dst, 0);
}

/* find4(), if need be. */
static struct dst_entry *go4(struct sock *sk, const struct kmc_route *route, struct kmc_way *way)
{
	struct dst_entry *dst;

	if (way_leads(way, sk, route))
		return dst_clone(way->dst);
	kmc_way_drop(way);
	way->route = *route;
	way->mark = READ_ONCE(sk->sk_mark);
	way->tos = READ_ONCE(inet_sk(sk)->tos);
	way->scope = ip_sock_rt_scope(sk);
	way->flags = inet_sk_flowi_flags(sk);
	way->uid = READ_ONCE(sk->sk_uid);
	dst = find4(sk, route);
	if (!IS_ERR(dst) && !has_policy(sk))
		way->dst = dst_clone(dst);
	return dst;
}

static void head4(struct sk_buff *skb, struct sock *sk, const struct kmc_route *route, struct dst_entry *dst)
{
	int ttl = READ_ONCE(inet_sk(sk)->uc_ttl);
	struct iphdr *ip;

	udp_set_csum(false, skb, route->from, route->to, skb->len);
	skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	ip = ip_hdr(skb);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tos = READ_ONCE(inet_sk(sk)->tos),
		.ttl = ttl < 0 ? ip4_dst_hoplimit(dst) : ttl,
		.protocol = IPPROTO_UDP,
		.saddr = route->from,
		.daddr = route->to,
	};
	__ip_select_ident(sock_net(sk), ip, 1);
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *find6(struct sock *sk, const struct kmc_route *route)
{
	struct flowi6 flow = {
		.flowi6_oif = route->oif,
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_flags = inet_sk_flowi_flags(sk),
		.flowi6_uid = sk->sk_uid,
		.daddr = route->to6,
		.saddr = route->from6,
		.fl6_dport = route->to_port,
		.fl6_sport = route->from_port,
	};

	security_sk_classify_flow(sk, flowi6_to_flowi_common(&flow));
	return ip6_dst_lookup_flow(sock_net(sk), sk, &flow, NULL);
}

static void head6(struct sk_buff *skb, struct sock *sk, const struct kmc_route *route, struct dst_entry *dst)
{
	struct ipv6hdr *ip;

	udp6_set_csum(false, skb, &route->from6, &route->to6, skb->len);
	skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	ip = ipv6_hdr(skb);
	ip6_flow_hdr(ip, READ_ONCE(inet6_sk(sk)->tclass), 0);
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = ip6_dst_hoplimit(dst);
	ip->saddr = route->from6;
	ip->daddr = route->to6;
}
#else
static struct dst_entry *find6(struct sock *sk, const struct kmc_route *route)
{
	return ERR_PTR(-EAFNOSUPPORT);
}

static void head6(struct sk_buff *skb, struct sock *sk, const struct kmc_route *route, struct dst_entry *dst)
{
}

static int ip6_local_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	kfree_skb(skb);
	return -EAFNOSUPPORT;
}
#endif

static void send_one(struct sk_buff *skb, struct sock *sk, const struct kmc_route *route, struct dst_entry *dst)
{
	struct udphdr *udp = skb_push(skb, sizeof(*udp));
	struct net *net = sock_net(sk);

	skb_reset_transport_header(skb);
	*udp = (struct udphdr){
		.source = route->from_port,
		.dest = route->to_port,
		.len = htons(skb->len),
	};
	skb_dst_set(skb, dst_clone(dst));
	skb_set_owner_w(skb, sk);
	skb->priority = READ_ONCE(sk->sk_priority);
	skb->mark = READ_ONCE(sk->sk_mark);
	skb->ignore_df = 1;	/* longer than the path takes: in fragments */
	if (route->v6) {
		head6(skb, sk, route, dst);
		ip6_local_out(net, sk, skb);
	} else {
		head4(skb, sk, route, dst);
		ip_local_out(net, sk, skb);
	}
}

int kmc_datagrams_send(struct sock *sk, const struct kmc_route *route, struct kmc_way *way, u16 id,
		       struct sk_buff_head *out, u32 *sent)
{
	struct kmc_udp_frame frame = { .id = id, .total = skb_queue_len(out) };
	struct dst_entry *dst;
	struct sk_buff *skb;

	if (sk_wmem_alloc_get(sk) > max(READ_ONCE(sk->sk_sndbuf), ON_ITS_WAY))
		return -ENOBUFS;
	dst = route->v6 ? find6(sk, route) : go4(sk, route, way);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	while ((skb = __skb_dequeue(out))) {
		kmc_udp_frame_write(skb->data, &frame);
		frame.sequence++;
		*sent += skb->len;
		send_one(skb, sk, route, dst);
	}
	dst_release(dst);
	return 0;
}
