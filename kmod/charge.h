/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose memory an instance's is: the memory cgroup of the task that made it.
 *
 * Allocations say __GFP_ACCOUNT, and in a context that is not the starter's own (a kernel thread, softirq, a
 * client's task) they stand between kmc_charge_begin() and kmc_charge_end(). Where the cgroup is full they
 * fail, with flags that keep the kernel from killing somebody instead.
 */
#ifndef KMC_CHARGE_H
#define KMC_CHARGE_H

#include <linux/memcontrol.h>
#include <linux/sched/mm.h>

#include "server.h"

struct socket;

/**
 * kmc_charge_get() - the calling task's memory cgroup
 *
 * Context: process, of a task with an address space.
 *
 * Return: a reference for kmc_charge_put(), or NULL where the kernel keeps no accounts.
 */
static inline struct mem_cgroup *kmc_charge_get(void)
{
	return get_mem_cgroup_from_mm(current->mm);
}

/**
 * kmc_charge_put() - give back what kmc_charge_get() gave
 */
static inline void kmc_charge_put(struct mem_cgroup *memcg)
{
	mem_cgroup_put(memcg);
}

/**
 * kmc_charge_begin() - charge an instance's cgroup from here on
 *
 * Allocations with __GFP_ACCOUNT count for the instance until kmc_charge_end(). A cgroup that was removed
 * meanwhile charges its parent.
 *
 * Context: any but a hard interrupt; it belongs to the task, or in softirq to the CPU, and may nest.
 *
 * Return: what kmc_charge_end() is to put back.
 */
static inline struct mem_cgroup *kmc_charge_begin(const struct kmc_server *server)
{
	return set_active_memcg(server->memcg);
}

/**
 * kmc_charge_end() - end what kmc_charge_begin() began, in the same context
 */
static inline void kmc_charge_end(struct mem_cgroup *before)
{
	set_active_memcg(before);
}

/**
 * kmc_charge_socket() - charge an accepted socket's buffers to an instance's cgroup
 *
 * TCP takes the cgroup of the task that accepts, and a kernel thread's is none. Unix sockets charge
 * each buffer to whoever sends it.
 *
 * Context: process; takes the socket's lock.
 *
 * Return: 0, or -ENOMEM when TCP has no room for what has arrived already.
 */
int kmc_charge_socket(const struct kmc_server *server, struct socket *sock);

/**
 * kmc_charge_room() - whether an instance's cgroup has room for more of the cache
 *
 * A part of the cgroup is left to what cannot wait or be evicted: buffers of connections, and the processes
 * that live there too, the first of which would be killed if nothing were left. Has the kernel take back what
 * it can before it says no.
 *
 * Context: process; sleeps.
 */
bool kmc_charge_room(const struct kmc_server *server);

/**
 * kmc_charge_relieve() - have the cache give pages back where its cgroup has no room left
 *
 * Context: the instance's worker, each time it looks after the store.
 */
void kmc_charge_relieve(struct kmc_server *server);

#endif
