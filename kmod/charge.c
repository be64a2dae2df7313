// SPDX-License-Identifier: GPL-2.0
#include "charge.h"

#include <linux/net.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "core/store/store.h"

#define ROOM		(2 << 20)	/* bytes of the cgroup that the cache leaves alone */
#define RELIEF		2		/* slab pages given back at a time */
#define RELIEF_PAUSE	(HZ / 10)

#ifdef CONFIG_MEMCG

/* As mem_cgroup_sk_alloc(), which nobody else can call: the root has no account, and the first
 * version of cgroups has another one.
 */
static bool counts_sockets(struct mem_cgroup *memcg)
{
	return memcg && mem_cgroup_sockets_enabled && parent_mem_cgroup(memcg) &&
	       cgroup_subsys_on_dfl(memory_cgrp_subsys);
}

/*
 * What the socket holds already is TCP's but not yet the cgroup's, and the cgroup must be charged
 * with it, for it will be told of every page that goes. Charging alone cannot be asked for: pages are
 * taken for both, then given back for TCP only. With bottom halves off a full cgroup is charged all the
 * same, as for what arrives; with them on somebody would be killed to make room.
 */
static int charge_held(struct sock *sk, struct mem_cgroup *memcg)
{
	u64 bytes = (u64)max(sk->sk_forward_alloc, 0) + (u32)max(atomic_read(&sk->sk_rmem_alloc), 0);
	u32 held;
	bool charged;

	/* No receive buffer is that large (sysctl_rmem_max, and TCP counts in an int). */
	if (WARN_ON_ONCE(bytes > INT_MAX - PAGE_SIZE))
		return -ENOMEM;
	held = (u32)PAGE_ALIGN(bytes);
	sk->sk_memcg = memcg;
	if (!held)
		return 0;
	local_bh_disable();
	charged = __sk_mem_schedule(sk, held, SK_MEM_RECV);
	sk->sk_memcg = NULL;
	if (charged)
		__sk_mem_reclaim(sk, held);
	local_bh_enable();
	if (!charged)
		return -ENOMEM;
	sk->sk_memcg = memcg;
	return 0;
}

int kmc_charge_socket(const struct kmc_server *server, struct socket *sock)
{
	struct mem_cgroup *memcg = server->memcg;
	struct sock *sk = sock->sk;
	int err = 0;

	if (sk->sk_family == AF_UNIX || !counts_sockets(memcg))
		return 0;
	/* While it is locked, what arrives waits in the backlog, which holds no pages of the account. */
	lock_sock(sk);
	if (!sk->sk_memcg) {
		css_get(&memcg->css);	/* the socket's, put when it is destroyed */
		err = charge_held(sk, memcg);
		if (err)
			css_put(&memcg->css);
	}
	release_sock(sk);
	return err;
}

/* Bytes that the cgroup and all above it may still take before the kernel holds tasks up or kills them. */
static u64 bytes_left(struct mem_cgroup *memcg)
{
	struct page_counter *counter;
	unsigned long pages = PAGE_COUNTER_MAX;

	for (counter = &memcg->memory; counter; counter = counter->parent) {
		unsigned long limit = min(READ_ONCE(counter->max), READ_ONCE(counter->high));
		unsigned long used = page_counter_read(counter);

		pages = min(pages, used < limit ? limit - used : 0);
	}
	return (u64)pages << PAGE_SHIFT;
}

bool kmc_charge_room(const struct kmc_server *server)
{
	struct mem_cgroup *before;
	void *some;

	might_sleep();
	if (!server->memcg || mem_cgroup_disabled() || bytes_left(server->memcg) >= ROOM)
		return true;
	/* What fills it may be files: only an allocation has the kernel give them up. */
	before = kmc_charge_begin(server);
	some = kvmalloc_node(ROOM, KMC_GFP, NUMA_NO_NODE);
	kmc_charge_end(before);
	kvfree(some);
	/* Some of that stays with the CPU for a while. */
	return some && bytes_left(server->memcg) >= ROOM / 2;
}

#else

int kmc_charge_socket(const struct kmc_server *server, struct socket *sock)
{
	return 0;
}

bool kmc_charge_room(const struct kmc_server *server)
{
	return true;
}

#endif

void kmc_charge_relieve(struct kmc_server *server)
{
	struct kmc_store *store = server->core.store;

	if (time_before(jiffies, server->relieved + RELIEF_PAUSE))
		return;
	server->relieved = jiffies;
	if (!kmc_store_shrinks(store) && kmc_store_spare(store) && !kmc_charge_room(server))
		kmc_store_press(store, RELIEF);
}
