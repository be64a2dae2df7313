// SPDX-License-Identifier: GPL-2.0
/*
 * Life of an instance.
 *
 * Made in the starter's task by kmc_server_create(), which is a ladder: what the message says, the
 * cache, the worker, the listeners; then the instance is listed, and only then clients are let in. Until
 * it is listed nobody else knows it, and failure walks the ladder down.
 *
 * Told to stop by kmc_server_stop(), from anywhere: the first reason is kept and the stop work queued.
 * Unlink: the listeners are closed, so nobody new comes (for a vanished owner that has happened in the
 * notifier already), and every connection is told to end. Let go: the doorman gives the sockets back; as others may hold
 * them, too, nobody knows how long that takes, and nobody but this instance waits. Finish, another work: it waits until
 * the last connection is freed; then for the upkeep, and the threads end; then for those who read statistics. Free:
 * the cache, page by page; the instance leaves the registry, its end is told, and whoever waits for it is
 * woken. The struct itself, the reference on the namespace and the one on the owner's socket go with the
 * last reference.
 *
 * Locks, outermost first: closing -> the registry's mutex -> core_lock -> the core's own. conns.lock is innermost.
 */
#include "server.h"

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/in.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "aging.h"
#include "charge.h"
#include "conn.h"
#include "core/auth.h"
#include "core/store/store.h"
#include "event.h"
#include "listener.h"
#include "reclaim.h"
#include "registry.h"
#include "roster.h"

#define PATIENCE	(20 * HZ)	/* of who asked for an instance's end, and holds up others meanwhile (genetlink's lock) */

static bool debug_commands;
module_param(debug_commands, bool, 0444);
MODULE_PARM_DESC(debug_commands, "serve debugtime and debugitem, which memcached's tests need");

static struct workqueue_struct *stop_wq;
static atomic64_t last_id = ATOMIC64_INIT(0);	/* ids are not used again, whatever became of the instance */
static atomic_t nr_alive = ATOMIC_INIT(0);	/* struct kmc_server not freed yet */

static struct kmc_server *server_of(struct kmc_core *core)
{
	return container_of(core, struct kmc_server, core);
}

static void core_wake(struct kmc_core *core)
{
	struct kmc_server *server = server_of(core);

	kthread_mod_delayed_work(server->worker, &server->maintain, 0);
}

static void core_notes(struct kmc_core *core)
{
	struct kmc_server *server = server_of(core);

	kthread_queue_work(server->worker, &server->drain);
}

static void core_shutdown(struct kmc_core *core, bool graceful)
{
	kmc_server_stop(server_of(core), graceful ? KMC_REASON_CLIENT_GRACEFUL : KMC_REASON_CLIENT);
}

static void core_verbosity(struct kmc_core *core, u32 level)
{
	WRITE_ONCE(core->settings.verbose, min_t(u32, level, U8_MAX));
}

static void core_gauges(struct kmc_core *core, struct kmc_core_gauges *g)
{
	struct kmc_server *server = server_of(core);
	struct kmc_conns *conns = &server->conns;

	g->pid = server->pid;
	g->tcp_port = server->tcp_port;
	g->udp_port = server->udp_port;
	g->socket_path = server->socket_path[0] ? server->socket_path : NULL;
	spin_lock_bh(&conns->lock);
	g->curr_connections = conns->nr;
	g->accepting_conns = conns->accepting;
	g->time_in_listen_disabled_us = conns->stopped_us;
	spin_unlock_bh(&conns->lock);
}

static bool core_claim(struct kmc_core *core, u64 bytes)
{
	return kmc_reclaim_claim(server_of(core), bytes);
}

static bool core_room(struct kmc_core *core)
{
	return kmc_charge_room(server_of(core));
}

static const struct kmc_core_ops core_ops = {
	.wake = core_wake,
	.notes = core_notes,
	.shutdown = core_shutdown,
	.verbosity = core_verbosity,
	.gauges = core_gauges,
	.claim = core_claim,
	.room = core_room,
	.conn = kmc_roster_next,
};

static void server_maintain(struct kthread_work *work)
{
	struct kmc_server *server = container_of(work, struct kmc_server, maintain.work);
	struct mem_cgroup *before = kmc_charge_begin(server);
	unsigned long next;

	kmc_charge_relieve(server);
	next = kmc_store_maintain(server->core.store);
	kmc_charge_end(before);
	kthread_queue_delayed_work(server->worker, &server->maintain, next);
}

static void server_drain(struct kthread_work *work)
{
	struct kmc_server *server = container_of(work, struct kmc_server, drain);

	if (kmc_store_drain(server->core.store))
		kthread_queue_work(server->worker, &server->drain);
}

static void free_server(struct kmc_server *server)
{
	u32 i;

	for (i = 0; i < server->nr_listeners; i++)
		kmc_listener_free(server->listeners[i]);
	xa_destroy(&server->conns.roster);
	kmc_owner_put(&server->owner);
	kmc_charge_put(server->memcg);
	put_net(server->net);
	kfree(server);
	atomic_dec(&nr_alive);
}

static void last_put(struct kref *ref)
{
	free_server(container_of(ref, struct kmc_server, ref));
}

void kmc_server_put(struct kmc_server *server)
{
	kref_put(&server->ref, last_put);
}

static void start_upkeep(struct kmc_server *server)
{
	kmc_aging_start(server);
	kthread_queue_delayed_work(server->worker, &server->maintain, 0);
}

/* With the listeners closed and the connections gone nothing is left that could queue work. */
static void stop_upkeep(struct kmc_server *server)
{
	u32 i;

	for (i = 0; i < server->nr_listeners; i++)
		kmc_listener_stop(server->listeners[i]);
	kthread_destroy_worker(server->doorman);
	kmc_aging_stop(server);
	kthread_cancel_delayed_work_sync(&server->maintain);
	kthread_cancel_work_sync(&server->drain);
	kthread_destroy_worker(server->worker);
}

static void stop_core(struct kmc_server *server)
{
	down_write(&server->core_lock);
	server->core_gone = true;
	up_write(&server->core_lock);
	kmc_core_exit(&server->core);
}

static void server_finish(struct work_struct *work)
{
	struct kmc_server *server = container_of(work, struct kmc_server, finish);

	kmc_conns_stop(server);
	kmc_reclaim_leave(server);
	stop_upkeep(server);
	stop_core(server);
	kmc_registry_remove(server);
	kmc_event_send(server, KMC_EVENT_STOPPED, server->reason);
	complete_all(&server->gone);
	kmc_server_put(server);
}

/* No accept runs, for we do, and none will any more. */
static void server_let_go(struct kthread_work *work)
{
	struct kmc_server *server = container_of(work, struct kmc_server, let_go);
	u32 i;

	for (i = 0; i < server->nr_listeners; i++)
		kmc_listener_let_go_now(server->listeners[i]);
	complete_all(&server->free_of_others);
	queue_work(stop_wq, &server->finish);
}

static void server_stop(struct work_struct *work)
{
	struct kmc_server *server = container_of(work, struct kmc_server, stop);

	kmc_server_close(server);
	kmc_conns_end(server);
	kthread_queue_work(server->doorman, &server->let_go);
}

void kmc_server_close(struct kmc_server *server)
{
	u32 i;

	mutex_lock(&server->closing);
	if (!server->closed) {
		kmc_listeners_close(server->listeners, server->nr_listeners);
		kmc_registry_release_sockets(server);
		WRITE_ONCE(server->closed, true);
	}
	mutex_unlock(&server->closing);
	/* In a kernel thread fput() would be put off, to where a file that is slow to close holds up all others. */
	if (current->flags & PF_KTHREAD)
		return;
	for (i = 0; i < server->nr_listeners; i++)
		kmc_listener_let_go(server->listeners[i]);
}

int kmc_server_wait(struct kmc_server *server)
{
	long left = wait_for_completion_killable_timeout(&server->free_of_others, PATIENCE);

	if (left > 0)
		return wait_for_completion_killable(&server->gone);
	return left ? (int)left : -EBUSY;
}

void kmc_server_stop(struct kmc_server *server, enum kmc_reason reason)
{
	if (cmpxchg(&server->reason, KMC_REASON_NONE, reason) != KMC_REASON_NONE)
		return;
	kmc_server_get(server);
	queue_work(stop_wq, &server->stop);
}

static struct kmc_server *alloc_server(const struct kmc_server_spec *spec)
{
	s64 id = atomic64_inc_return(&last_id);
	struct kmc_server *server;

	if (id > U32_MAX)
		return NULL;
	server = kzalloc(sizeof(*server), KMC_GFP);
	if (!server)
		return NULL;
	atomic_inc(&nr_alive);
	kref_init(&server->ref);
	INIT_LIST_HEAD(&server->node);
	server->id = id;
	snprintf(server->name, sizeof(server->name), "%u", server->id);
	if (spec->name[0])
		strscpy(server->name, spec->name, sizeof(server->name));
	server->flags = spec->flags;
	server->pid = spec->pid;
	server->net = get_net(spec->net);
	server->netns = spec->net->ns.inum;
	server->owner = kmc_owner_get(&spec->owner);
	server->memcg = kmc_charge_get();
	server->started = ktime_get_boottime_seconds();
	init_rwsem(&server->core_lock);
	kthread_init_delayed_work(&server->maintain, server_maintain);
	kthread_init_work(&server->drain, server_drain);
	kmc_conns_setup(&server->conns);
	init_waitqueue_head(&server->drained);
	mutex_init(&server->closing);
	kthread_init_work(&server->let_go, server_let_go);
	INIT_WORK(&server->stop, server_stop);
	INIT_WORK(&server->finish, server_finish);
	init_completion(&server->free_of_others);
	init_completion(&server->gone);
	return server;
}

/* What statistics say of a listener: the first of its kind counts. */
static void note_address(struct kmc_server *server, const struct kmc_listener *listener)
{
	const char *path = kmc_listener_path(listener);
	const struct sockaddr_in *in = (const void *)&listener->address;
	size_t i;

	/* The port lies at the same place for both families of IP. */
	if (listener->address.ss_family != AF_UNIX) {
		u16 *port = listener->datagrams ? &server->udp_port : &server->tcp_port;

		if (!*port)
			*port = ntohs(in->sin_port);
		return;
	}
	if (server->socket_path[0] || !path[0])
		return;		/* an abstract name is no path */
	strscpy(server->socket_path, path, sizeof(server->socket_path));
	/* It goes out to clients, who read it line by line. */
	for (i = 0; server->socket_path[i]; i++) {
		if (!isprint(server->socket_path[i]))
			server->socket_path[i] = '?';
	}
}

static int open_listeners(struct kmc_server *server, const struct kmc_server_spec *spec,
			  struct netlink_ext_ack *extack)
{
	struct kmc_listener *listener;
	u32 i;

	for (i = 0; i < spec->nr_listeners; i++) {
		listener = kmc_listener_open(server, &spec->listeners[i], extack);
		if (IS_ERR(listener)) {
			kmc_server_close(server);
			return PTR_ERR(listener);
		}
		server->listeners[server->nr_listeners++] = listener;
		/* A datagram says nothing of the one before. */
		if (listener->datagrams && server->core.settings.auth != KMC_AUTH_NONE) {
			NL_SET_ERR_MSG(extack, "UDP cannot be served with authentication");
			kmc_server_close(server);
			return -EINVAL;
		}
		note_address(server, listener);
	}
	return 0;
}

static int start_threads(struct kmc_server *server)
{
	struct kthread_worker *worker, *doorman;

	worker = kthread_create_worker(0, "kmcd/%u", server->id);
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	doorman = kthread_create_worker(0, "kmcd-in/%u", server->id);
	if (IS_ERR(doorman)) {
		kthread_destroy_worker(worker);
		return PTR_ERR(doorman);
	}
	server->worker = worker;
	server->doorman = doorman;
	return 0;
}

/* Listing and letting in are one step: whoever finds the instance, or is let in, may stop it at once. */
static int list_and_let_in(struct kmc_server *server, struct netlink_ext_ack *extack)
{
	u32 i;
	int err;

	mutex_lock(&server->closing);
	kmc_registry_lock();
	err = kmc_registry_add(server, extack);
	if (!err) {
		for (i = 0; i < server->nr_listeners; i++)
			kmc_listener_start(server->listeners[i]);
		kmc_event_send(server, KMC_EVENT_STARTED, KMC_REASON_NONE);
	}
	kmc_registry_unlock();
	mutex_unlock(&server->closing);
	return err;
}

/* The rungs above the struct itself. On failure nothing of them is held. */
static int build(struct kmc_server *server, struct kmc_server_spec *spec, struct netlink_ext_ack *extack)
{
	int err;

	server->core.debug = debug_commands;
	err = kmc_core_init(&server->core, &spec->settings, &core_ops);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the cache");
		return err;
	}
	/* Before anybody is let in. */
	kmc_auth_replace(&server->core, spec->auth);
	spec->auth = NULL;
	err = start_threads(server);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the instance's threads");
		goto exit_core;
	}
	start_upkeep(server);
	err = kmc_reclaim_join(server, extack);
	if (err)
		goto stop_upkeep;
	err = open_listeners(server, spec, extack);
	if (err)
		goto leave_reclaim;
	err = list_and_let_in(server, extack);
	if (err)
		goto close_listeners;
	return 0;

close_listeners:
	kmc_server_close(server);
leave_reclaim:
	kmc_reclaim_leave(server);
stop_upkeep:
	stop_upkeep(server);
exit_core:
	kmc_core_exit(&server->core);
	return err;
}

struct kmc_server *kmc_server_create(struct kmc_server_spec *spec, struct netlink_ext_ack *extack)
{
	struct kmc_server *server = alloc_server(spec);
	int err;

	if (!server) {
		NL_SET_ERR_MSG(extack, "no memory for the instance");
		return ERR_PTR(-ENOMEM);
	}
	err = build(server, spec, extack);
	if (err) {
		kmc_server_put(server);
		return ERR_PTR(err);
	}
	return server;
}

int kmc_server_auth(struct kmc_server *server, struct kmc_auth_table *table, struct netlink_ext_ack *extack)
{
	int err = 0;

	down_read(&server->core_lock);
	if (server->core_gone) {
		NL_SET_ERR_MSG(extack, "the instance is being stopped");
		err = -ENOENT;
	} else if (server->core.settings.auth == KMC_AUTH_NONE) {
		NL_SET_ERR_MSG(extack, "the instance was made without authentication");
		err = -EINVAL;
	}
	if (err)
		kmc_auth_table_free(table);
	else
		kmc_auth_replace(&server->core, table);
	up_read(&server->core_lock);
	return err;
}

int kmc_servers_init(void)
{
	stop_wq = alloc_workqueue("kmc_stop", WQ_UNBOUND, 0);
	return stop_wq ? 0 : -ENOMEM;
}

void kmc_servers_settle(void)
{
	flush_workqueue(stop_wq);
}

void kmc_servers_exit(void)
{
	destroy_workqueue(stop_wq);
	WARN_ON_ONCE(atomic_read(&nr_alive));
}
