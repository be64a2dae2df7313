/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put in front of every source of the module: wraps what can fail for want of memory into fault sites.
 * The kernel's own are called through functions here, for some of them are macros.
 */
#ifndef KMC_TEST_SITES_H
#define KMC_TEST_SITES_H

#include <linux/kthread.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/shrinker.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/genetlink.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "early.h"
#include "fault.h"

#define KMC_TX_SPARES false
#define KMC_TX_FRAGS READ_ONCE(kmc_test_tx_frags)
#define KMC_FRAG_SPARES READ_ONCE(kmc_test_frag_spares)
#define KMC_UDP_SPARES false

#define KMC_FAULT(name) ({ \
	static struct kmc_fault_site __site __section(".kmc_faults") __aligned(8) = { \
		.what = #name, .file = __FILE__, .line = __LINE__ }; \
	kmc_fault(&__site); })
#define KMC_OR_NULL(name, ...) (KMC_FAULT(name) ? NULL : kmc_real_##name(__VA_ARGS__))
#define KMC_OR(error, name, ...) (KMC_FAULT(name) ? (error) : kmc_real_##name(__VA_ARGS__))

static inline struct page *kmc_real_alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_pages(gfp, order);
}

static inline void *kmc_real_kzalloc(size_t size, gfp_t gfp)
{
	return kzalloc(size, gfp);
}

static inline void *kmc_real_kmalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

static inline void *kmc_real_kvzalloc(size_t size, gfp_t gfp)
{
	return kvzalloc(size, gfp);
}

static inline void *kmc_real_kvmalloc(size_t size, gfp_t gfp)
{
	return kvmalloc(size, gfp);
}

static inline void *kmc_real_kvcalloc(size_t nr, size_t size, gfp_t gfp)
{
	return kvcalloc(nr, size, gfp);
}

static inline void *kmc_real_kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	return kvmalloc_node(size, gfp, node);
}

static inline void *kmc_real___vmalloc(unsigned long size, gfp_t gfp)
{
	return __vmalloc(size, gfp);
}

static inline void __percpu *kmc_real_alloc_percpu(size_t size, size_t align, gfp_t gfp)
{
	return __alloc_percpu_gfp(size, align, gfp);
}

static inline void *kmc_real_kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp);
}

static inline struct kmem_cache *kmc_real_kmem_cache_create(const char *name, unsigned int size, unsigned int align,
							    slab_flags_t flags, void (*make)(void *))
{
	return kmem_cache_create(name, size, align, flags, make);
}

static inline struct sk_buff *kmc_real_genlmsg_new(size_t payload, gfp_t gfp)
{
	return genlmsg_new(payload, gfp);
}

static inline struct sk_buff *kmc_real_alloc_skb(unsigned int size, gfp_t gfp)
{
	return alloc_skb(size, gfp);
}

static inline struct sk_buff *kmc_real_skb_copy(const struct sk_buff *skb, gfp_t gfp)
{
	return skb_copy(skb, gfp);
}

static inline int kmc_real_sock_create_kern(struct net *net, int family, int type, int protocol, struct socket **sock)
{
	return sock_create_kern(net, family, type, protocol, sock);
}

static inline int kmc_real_kernel_accept(struct socket *sock, struct socket **accepted, int flags)
{
	return kernel_accept(sock, accepted, flags);
}

static inline int kmc_real_kmc_sock_sendmsg(struct socket *sock, struct msghdr *msg, size_t size)
{
	return kmc_sock_sendmsg(sock, msg, size);
}

static inline int kmc_real_tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	return tcp_sendmsg_locked(sk, msg, size);
}

/* What tcp_sendmsg_locked() does when it gets no memory: with nothing in flight it calls write_space itself. */
static inline int kmc_starved_send(struct sock *sk)
{
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	if (tcp_rtx_and_write_queues_empty(sk))
		sk->sk_write_space(sk);
	return -EAGAIN;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline int kmc_real_tcp_sendpage_locked(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	return tcp_sendpage_locked(sk, page, offset, size, flags);
}
#endif

static inline int kmc_real___sk_mem_schedule(struct sock *sk, int size, int kind)
{
	return __sk_mem_schedule(sk, size, kind);
}

static inline int kmc_real_xa_alloc_bh(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	return xa_alloc_bh(xa, id, entry, limit, gfp);
}

static inline struct rtable *kmc_real_ip_route_output_flow(struct net *net, struct flowi4 *flow, const struct sock *sk)
{
	return ip_route_output_flow(net, flow, sk);
}

static inline struct dst_entry *kmc_real_ip6_dst_lookup_flow(struct net *net, const struct sock *sk, struct flowi6 *flow,
							     const struct in6_addr *dst)
{
	return ip6_dst_lookup_flow(net, sk, flow, dst);
}

static inline struct shrinker *kmc_real_kmc_shrinker_start(const struct shrinker *what, const char *name)
{
	return kmc_shrinker_start(what, name);
}

static inline int kmc_real_genl_register_family(struct genl_family *family)
{
	return genl_register_family(family);
}

static inline int kmc_real_netlink_register_notifier(struct notifier_block *block)
{
	return netlink_register_notifier(block);
}

#undef alloc_pages
#undef kzalloc
#undef kmalloc
#undef kvzalloc
#undef kvmalloc
#undef kvcalloc
#undef kvmalloc_node
#undef __vmalloc
#undef alloc_percpu
#undef alloc_percpu_gfp
#undef kmem_cache_alloc
#undef kmem_cache_create
#undef skb_copy

#define alloc_pages(...) KMC_OR_NULL(alloc_pages, __VA_ARGS__)
#define kzalloc(...) KMC_OR_NULL(kzalloc, __VA_ARGS__)
#define kmalloc(...) KMC_OR_NULL(kmalloc, __VA_ARGS__)
#define kvzalloc(...) KMC_OR_NULL(kvzalloc, __VA_ARGS__)
#define kvmalloc(...) KMC_OR_NULL(kvmalloc, __VA_ARGS__)
#define kvcalloc(...) KMC_OR_NULL(kvcalloc, __VA_ARGS__)
#define kvmalloc_node(...) KMC_OR_NULL(kvmalloc_node, __VA_ARGS__)
#define __vmalloc(...) KMC_OR_NULL(__vmalloc, __VA_ARGS__)
#define alloc_percpu_gfp(type, gfp) \
	((typeof(type) __percpu *)KMC_OR_NULL(alloc_percpu, sizeof(type), __alignof__(type), (gfp)))
#define alloc_percpu(type) alloc_percpu_gfp(type, GFP_KERNEL)
#define kmem_cache_alloc(...) KMC_OR_NULL(kmem_cache_alloc, __VA_ARGS__)
#define kmem_cache_create(...) KMC_OR_NULL(kmem_cache_create, __VA_ARGS__)
#define genlmsg_new(...) KMC_OR_NULL(genlmsg_new, __VA_ARGS__)
#define alloc_skb(...) KMC_OR_NULL(alloc_skb, __VA_ARGS__)
#define skb_copy(...) KMC_OR_NULL(skb_copy, __VA_ARGS__)
#define alloc_workqueue(...) (KMC_FAULT(alloc_workqueue) ? NULL : alloc_workqueue(__VA_ARGS__))
#define kthread_create_worker(...) \
	(KMC_FAULT(kthread_create_worker) ? ERR_PTR(-ENOMEM) : kthread_create_worker(__VA_ARGS__))
#define sock_create_kern(...) KMC_OR(-ENOMEM, sock_create_kern, __VA_ARGS__)
#define kernel_accept(...) KMC_OR(-ENFILE, kernel_accept, __VA_ARGS__)
#define kmc_sock_sendmsg(...) KMC_OR(-ENOBUFS, kmc_sock_sendmsg, __VA_ARGS__)
#define tcp_sendmsg_locked(sk, ...) KMC_OR(kmc_starved_send(sk), tcp_sendmsg_locked, sk, __VA_ARGS__)
#define tcp_sendpage_locked(sk, ...) KMC_OR(kmc_starved_send(sk), tcp_sendpage_locked, sk, __VA_ARGS__)
#define __sk_mem_schedule(...) KMC_OR(0, __sk_mem_schedule, __VA_ARGS__)
#define xa_alloc_bh(...) KMC_OR(-ENOMEM, xa_alloc_bh, __VA_ARGS__)
#define ip_route_output_flow(...) KMC_OR(ERR_PTR(-ENOBUFS), ip_route_output_flow, __VA_ARGS__)
#define ip6_dst_lookup_flow(...) KMC_OR(ERR_PTR(-ENOMEM), ip6_dst_lookup_flow, __VA_ARGS__)
#define kmc_shrinker_start(...) KMC_OR_NULL(kmc_shrinker_start, __VA_ARGS__)
#define genl_register_family(...) KMC_OR(-ENOMEM, genl_register_family, __VA_ARGS__)
#define tcp_sock_set_nodelay(sk) kmc_test_nodelay(sk)
#define netlink_register_notifier(...) KMC_OR(-ENOMEM, netlink_register_notifier, __VA_ARGS__)

#endif
