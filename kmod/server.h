/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An instance: one cache, its listeners and its connections, in one network namespace.
 */
#ifndef KMC_SERVER_H
#define KMC_SERVER_H

#include <linux/completion.h>
#include <linux/kmemcache.h>
#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/un.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

#include "core/core.h"
#include "owner.h"

struct kmc_auth_table;
struct kmc_listener;
struct mem_cgroup;
struct netlink_ext_ack;

/**
 * struct kmc_listener_spec - a socket that a caller hands over
 * @fd: descriptor in the caller's table
 * @protocol: enum kmc_protocol
 * @tag: "" for none
 */
struct kmc_listener_spec {
	int fd;
	u8 protocol;
	char tag[KMC_TAG_MAX + 1];
};

/**
 * struct kmc_server_spec - what a caller asks for, checked as far as a message alone can be
 * @name: "" for the default
 * @owner: whom the instance is to end with, and whose namespace it is of; borrowed
 * @auth: who may come in, if clients must say who they are; kmc_server_create() takes it and leaves NULL
 */
struct kmc_server_spec {
	char name[KMC_NAME_MAX + 1];
	u32 flags;
	u32 pid;
	struct kmc_settings settings;
	struct net *net;
	struct kmc_owner owner;
	struct kmc_auth_table *auth;
	u32 nr_listeners;
	struct kmc_listener_spec listeners[KMC_LISTENERS_MAX];
};

/**
 * struct kmc_conns - the connections of an instance
 * @lock: protects the rest; taken with bottom halves off; nothing is taken inside but what queueing
 *	work takes, and @roster's own lock
 * @list: struct kmc_conn.node
 * @nr: length of @list
 * @roster: by struct kmc_conn.id; has its own lock, but is left under @lock: who found a connection under
 *	that may look at it as long
 * @accepting: false while the limit of connections holds accepting up (without maxconns_fast)
 * @stopped_since: when @accepting became false
 * @stopped_us: how long it was false before that
 */
struct kmc_conns {
	spinlock_t lock;
	struct list_head list;
	u32 nr;
	struct xarray roster;
	bool accepting;
	ktime_t stopped_since;
	u64 stopped_us;
};

/**
 * struct kmc_server - an instance
 * @core: the cache
 * @ref: whoever may still look at the instance: the registry while it is listed, its stop work, each
 *	connection object, each message being answered
 * @node: in the registry, under its mutex
 * @member, @promised: of those whose memory may be asked back, and what they may have; see reclaim.h
 * @id, @name, @flags, @pid, @net, @netns: fixed
 * @owner: the netlink socket that an attached instance ends with; fixed
 * @memcg: who is charged for pages, index and buffers, a reference; NULL where there are no accounts;
 *	fixed
 * @relieved: jiffies, when @worker last looked whether @memcg has room
 * @started: boot time
 * @reason: enum kmc_reason; KMC_REASON_NONE until the instance is told to stop, then it stays as the
 *	first one said. cmpxchg().
 * @core_lock: read: @core may be looked at by someone who is no connection; write: @core goes
 * @core_gone: under @core_lock
 * @worker: this instance's own thread: upkeep runs there
 * @maintain: on @worker, the store's upkeep; @drain: the part of it that accesses ask for
 * @aging: on @worker, looks for idle connections
 * @doorman: our second thread, that accepts connections and closes listeners' files: the only one that whoever
 *	holds a duplicate can make wait
 * @closing: outside of the registry's mutex; of whoever lets clients in, or closes the listeners; @closed: that is done
 * @let_go: on @doorman, its last work: gives listeners' files back
 * @listeners: @nr_listeners of them; fixed array, each entry has its own rules
 * @tcp_port, @udp_port, @socket_path: of the first of their kinds, for statistics (0, ""); fixed
 * @conns: see there
 * @objects: connections not freed yet
 * @drained: woken when @objects reaches 0
 * @stop, @finish: take the instance down, see server.c
 * @free_of_others: no listener is held any more: from here on its end waits for nobody outside
 * @gone: when all is free but this struct
 */
struct kmc_server {
	struct kmc_core core;
	struct kref ref;
	struct list_head node;
	struct list_head member;
	u64 promised;
	u32 id;
	char name[KMC_NAME_MAX + 1];
	u32 flags;
	u32 pid;
	struct net *net;
	u64 netns;
	struct kmc_owner owner;
	struct mem_cgroup *memcg;
	unsigned long relieved;
	time64_t started;
	int reason;
	struct rw_semaphore core_lock;
	bool core_gone;
	struct kthread_worker *worker;
	struct kthread_delayed_work maintain;
	struct kthread_work drain;
	struct kthread_delayed_work aging;
	struct kthread_worker *doorman;
	struct mutex closing;
	bool closed;
	struct kthread_work let_go;
	u32 nr_listeners;
	struct kmc_listener *listeners[KMC_LISTENERS_MAX];
	u16 tcp_port;
	u16 udp_port;
	char socket_path[UNIX_PATH_MAX + 1];
	struct kmc_conns conns;
	atomic_t objects;
	wait_queue_head_t drained;
	struct work_struct stop;
	struct work_struct finish;
	struct completion free_of_others;
	struct completion gone;
};

/*
 * Load and unload, process context. kmc_servers_settle(): what has left the registry's list may not have been told of
 * yet; afterwards it has, and no work item of an instance's end runs any more. kmc_servers_exit(): no instance is left
 * and none can come.
 */
int kmc_servers_init(void);
void kmc_servers_settle(void);
void kmc_servers_exit(void);

/**
 * kmc_server_create - make an instance, list it and let clients in
 * @extack: gets a sentence on failure
 *
 * Process context, in the caller's own task (its descriptors are looked up).
 * Return: the instance with a reference for the caller, or ERR_PTR as the contract lists them.
 */
struct kmc_server *kmc_server_create(struct kmc_server_spec *spec, struct netlink_ext_ack *extack);

/**
 * kmc_server_auth - replace the table of those who may come in
 * @table: becomes the instance's in any case
 *
 * Process context. Return: 0, -EINVAL: clients need not say who they are, -ENOENT: the instance is going.
 */
int kmc_server_auth(struct kmc_server *server, struct kmc_auth_table *table, struct netlink_ext_ack *extack);

/**
 * kmc_server_stop - tell an instance to end
 * @reason: enum kmc_reason; only the first one counts
 *
 * Any context with the instance held or in service. Does not wait: see struct kmc_server.gone.
 */
void kmc_server_stop(struct kmc_server *server, enum kmc_reason reason);

/**
 * kmc_server_close - let nobody in any more
 *
 * Process context. Idempotent; who comes second waits for the first. In a task of user space the sockets are given back, too, before the task is back
 * there; else by @doorman.
 */
void kmc_server_close(struct kmc_server *server);

/**
 * kmc_server_wait - until an instance that was told to stop is gone
 *
 * Process context. Return: 0, -EBUSY: somebody outside keeps it from ending, -ERESTARTSYS: a deadly signal.
 */
int kmc_server_wait(struct kmc_server *server);

static inline bool kmc_server_stopping(const struct kmc_server *server)
{
	return READ_ONCE(server->reason) != KMC_REASON_NONE;
}

/* References. kmc_server_put() may free: process context. */
static inline void kmc_server_get(struct kmc_server *server)
{
	kref_get(&server->ref);
}

void kmc_server_put(struct kmc_server *server);

#endif
