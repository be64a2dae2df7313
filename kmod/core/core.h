/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One cache, as the rooms of core/ see it: settings, statistics, a store, and the few things that
 * only its surroundings (a server in the kernel, a test in user space) can do.
 *
 * Contexts. "BH off" below means: bottom halves are disabled and nothing may sleep; softirq, or a
 * work item between local_bh_disable() and local_bh_enable(). "Process" means that it may sleep.
 */
#ifndef KMC_CORE_H
#define KMC_CORE_H

#include "kernel.h"
#include "debug.h"
#include "prefix.h"
#include "settings.h"
#include "stats.h"
#include "watch.h"

struct kmc_auth_table;
struct kmc_buffers;
struct kmc_core;
struct kmc_store;

/**
 * struct kmc_core_gauges - what only the surroundings know; filled when somebody asks for statistics
 * @pid: process id that "stats" shows, 0 for a detached server
 * @curr_connections: open now, listeners not counted
 * @time_in_listen_disabled_us: how long accepting stood still for the limit of connections
 * @accepting_conns: whether accepting goes on
 * @tcp_port, @udp_port: of the first listener of its kind, 0 without one
 * @socket_path: of the first unix listener, NULL without one; lives as long as the cache
 */
struct kmc_core_gauges {
	u32 pid;
	u32 curr_connections;
	u64 time_in_listen_disabled_us;
	bool accepting_conns;
	u16 tcp_port;
	u16 udp_port;
	const char *socket_path;
};

/**
 * struct kmc_core_conn - a connection, or a socket that listens, as "stats conns" shows it
 * @id: from 1, below 2^28
 * @datagrams: of UDP
 * @address: of the peer, or where it listens; printable
 * @listen_address: where a connection came in; "" for what listens
 * @state: memcached's name of it, a constant
 * @idle: seconds since it last did something
 */
struct kmc_core_conn {
	u32 id;
	bool datagrams;
	char address[128];
	char listen_address[128];
	const char *state;
	u32 idle;
};

/**
 * struct kmc_core_ops - what the surroundings do for the core
 * @wake: see to it that kmc_store_maintain() runs soon in process context. BH off; may be called often.
 * @notes: the same of kmc_store_drain(), which is less work. NULL: @wake does
 * @shutdown: a client asked that the cache end (and was allowed to). BH off; must not wait.
 * @verbosity: a client set the level. BH off.
 * @gauges: fill @g. BH off.
 * @claim: the memory limit is to be so many bytes; false: the machine has not got them. BH off. NULL: it has.
 * @room: whether the cache may have one page more. Process context. NULL: it may.
 * @conn: the connection with the smallest id from @from on. BH off. Return: false: there is none. May be
 *	NULL: none is known.
 */
struct kmc_core_ops {
	void (*wake)(struct kmc_core *core);
	void (*notes)(struct kmc_core *core);
	void (*shutdown)(struct kmc_core *core, bool graceful);
	void (*verbosity)(struct kmc_core *core, u32 level);
	void (*gauges)(struct kmc_core *core, struct kmc_core_gauges *g);
	bool (*claim)(struct kmc_core *core, u64 bytes);
	bool (*room)(struct kmc_core *core);
	bool (*conn)(struct kmc_core *core, u32 from, struct kmc_core_conn *found);
};

/**
 * struct kmc_core - one cache
 * @settings: fixed after kmc_core_init(), but for what kernel-doc of struct kmc_settings marks as live
 * @stats: counters; has its own rules
 * @watch: who watches; has its own rules
 * @prefixes: counters by key prefix; have their own rules
 * @buffers: what connections may hold; NULL: anything
 * @dumps: listings of keys under way
 * @held: what tests hold
 * @debug: commands that tests need are served; fixed, set before kmc_core_init()
 * @store: the items
 * @ops: fixed
 * @auth: who may come in, see auth.h; replaced under @auth_lock
 */
struct kmc_core {
	struct kmc_settings settings;
	struct kmc_stats stats;
	struct kmc_watch watch;
	struct kmc_prefixes prefixes;
	struct kmc_buffers *buffers;
	atomic_t dumps;
	struct kmc_debug held;
	bool debug;
	struct kmc_store *store;
	const struct kmc_core_ops *ops;
	struct kmc_auth_table __rcu *auth;
	spinlock_t auth_lock;
};

/**
 * kmc_core_init - make a cache ready to serve
 * @core: zeroed by the caller, usually part of a larger object that the ops reach with container_of()
 * @settings: copied; must have passed kmc_settings_check()
 * @ops: must outlive @core
 *
 * Process context. Return: 0 or -ENOMEM; on failure nothing is held.
 */
int kmc_core_init(struct kmc_core *core, const struct kmc_settings *settings,
		  const struct kmc_core_ops *ops);

/**
 * kmc_core_exit - free everything
 * @core: no session and no reply of it may exist any more
 *
 * Process context; gives up the CPU between pages.
 */
void kmc_core_exit(struct kmc_core *core);

#endif
