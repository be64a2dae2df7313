// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a connection.
 *
 * Made on the instance's doorman when a socket was accepted: counted and listed, callbacks taken over,
 * kicked once for bytes that came before. Whoever finds it in the list meanwhile (an instance that stops, aging) may
 * kick it too early: its work item does nothing while KMC_CONN_NEW is set. From then on it is served under its lock,
 * where bytes come in or by its work item (serve.h); everybody else sets a flag and kicks.
 *
 * Ends in its work item, for whatever reason. Unlink: callbacks restored under sk_callback_lock (from
 * then on no socket callback finds it, but one that is under way may still hold it under RCU and kick),
 * socket released, session and reply dropped, off the instance's list. Wait: a grace period, after
 * which nobody can kick any more; then a kick that is still queued is cancelled. Free.
 * An instance that stops sets KMC_CONN_DEAD on all and waits until the last is freed.
 *
 * Locks, outermost first: socket lock (TCP: held while serving) -> sk_callback_lock, or the list's lock ("stats
 * conns"), inside which no socket is locked. The core's locks nest inside the socket lock, with bottom halves off.
 */
#include "conn.h"

#include <linux/inet.h>
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/skbuff.h>
#include <net/sock.h>

#include "charge.h"
#include "frag.h"
#include "listener.h"
#include "serve.h"
#include "server.h"
#include "tx.h"

#define ID_MAX		(U32_MAX >> 4)	/* see struct kmc_core_conn */
#define VISIT_BATCH	256		/* connections visited with bottom halves off */

static bool direct = true;
module_param(direct, bool, 0644);
MODULE_PARM_DESC(direct, "serve requests where they come in, TCP in softirq, unix sockets in the client's task; N: from work items only (default Y)");

static const char too_many[] = "ERROR Too many open connections\r\n";	/* protocol.txt knows no such line; memcached's own */

/* enum kmc_ending, as 1.6.45 calls it in its log */
static const char *const conn_endings[] = {
	[KMC_ENDING_ERROR] = "error",
	[KMC_ENDING_NORMAL] = "normal",
	[KMC_ENDING_IDLE] = "idle_timeout",
	[KMC_ENDING_SHUTDOWN] = "shutdown",
};

static struct workqueue_struct *conn_wq;
static struct kmem_cache *conn_cache;

bool kmc_conn_direct(void)
{
	return READ_ONCE(direct);
}

void kmc_conn_kick_after(struct kmc_conn *conn, unsigned long delay)
{
	/* The CPU must not go meanwhile: a timer that is started on one that has gone rests until that comes back. */
	preempt_disable();
	queue_delayed_work_on(smp_processor_id(), conn_wq, &conn->work, delay);
	preempt_enable();
}

/* A connection that watches has something to read in its ring. It lives: its session does. */
static void conn_kicked(struct kmc_peer *peer)
{
	kmc_conn_kick(container_of(peer, struct kmc_conn, peer));
}

void kmc_conn_ready(struct sock *sk)
{
	struct kmc_conn *conn;

	rcu_read_lock();
	conn = rcu_dereference_sk_user_data(sk);
	if (conn)
		kmc_conn_kick(conn);
	rcu_read_unlock();
}

int kmc_conn_hook(struct kmc_conn *conn, void (*data_ready)(struct sock *sk), void (*write_space)(struct sock *sk))
{
	struct sock *sk = conn->sock->sk;
	int err = -EBUSY;

	write_lock_bh(&sk->sk_callback_lock);
	if (!sk->sk_user_data) {
		err = 0;
		conn->saved.data_ready = sk->sk_data_ready;
		conn->saved.write_space = sk->sk_write_space;
		conn->saved.state_change = sk->sk_state_change;
		__rcu_assign_sk_user_data_with_flags(sk, conn, SK_USER_DATA_NOCOPY);
		WRITE_ONCE(sk->sk_data_ready, data_ready);
		WRITE_ONCE(sk->sk_write_space, write_space);
		WRITE_ONCE(sk->sk_state_change, kmc_conn_ready);
	}
	write_unlock_bh(&sk->sk_callback_lock);
	return err;
}

void kmc_conn_unhook(struct kmc_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	/* Not where somebody else was faster than kmc_conn_hook(): the socket is theirs (a sockmap, say). */
	if (conn->saved.data_ready) {
		WRITE_ONCE(sk->sk_data_ready, conn->saved.data_ready);
		WRITE_ONCE(sk->sk_write_space, conn->saved.write_space);
		WRITE_ONCE(sk->sk_state_change, conn->saved.state_change);
		rcu_assign_sk_user_data(sk, NULL);
	}
	write_unlock_bh(&sk->sk_callback_lock);
}

void kmc_conns_setup(struct kmc_conns *conns)
{
	spin_lock_init(&conns->lock);
	INIT_LIST_HEAD(&conns->list);
	xa_init_flags(&conns->roster, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_BH);
	conns->accepting = true;
}

/*
 * memcached's ways at the limit: with maxconns_fast each further connection is told so and closed;
 * without it nothing is accepted until another connection goes.
 */
bool kmc_conns_may_accept(struct kmc_server *server)
{
	struct kmc_conns *conns = &server->conns;
	bool may = true;

	if (server->core.settings.maxconns_fast)
		return true;
	spin_lock_bh(&conns->lock);
	if (conns->nr >= server->core.settings.conn_limit) {
		may = false;
		if (conns->accepting) {
			conns->accepting = false;
			conns->stopped_since = ktime_get();
			kmc_count(&server->core.stats, listen_disabled_num);
		}
	}
	spin_unlock_bh(&conns->lock);
	return may;
}

/* Only the instance's doorman adds connections, so that what is found here can only get better. */
static bool conns_full(struct kmc_server *server)
{
	struct kmc_conns *conns = &server->conns;
	bool full;

	spin_lock_bh(&conns->lock);
	full = conns->nr >= server->core.settings.conn_limit;
	if (full)
		kmc_count(&server->core.stats, rejected_connections);
	spin_unlock_bh(&conns->lock);
	return full;
}

/* Return: whether there was memory. */
static bool conn_list(struct kmc_conn *conn)
{
	struct kmc_server *server = conn->server;
	struct kmc_conns *conns = &server->conns;

	if (xa_alloc_bh(&conns->roster, &conn->id, conn, XA_LIMIT(server->nr_listeners + 1, ID_MAX), KMC_GFP))
		return false;
	kmc_server_get(server);
	atomic_inc(&server->objects);
	spin_lock_bh(&conns->lock);
	list_add_tail(&conn->node, &conns->list);
	conns->nr++;
	conn->peer.number = conn->id;
	kmc_count(&server->core.stats, total_connections);
	spin_unlock_bh(&conns->lock);
	return true;
}

/* From here on nobody describes it. */
static void conn_strike_out(struct kmc_conn *conn)
{
	struct kmc_conns *conns = &conn->server->conns;

	spin_lock_bh(&conns->lock);
	xa_erase(&conns->roster, conn->id);
	spin_unlock_bh(&conns->lock);
}

static void conn_unlist(struct kmc_conn *conn)
{
	struct kmc_server *server = conn->server;
	struct kmc_conns *conns = &server->conns;
	bool resume;
	u32 i;

	spin_lock_bh(&conns->lock);
	list_del_init(&conn->node);
	conns->nr--;
	resume = !conns->accepting;
	if (resume) {
		conns->accepting = true;
		conns->stopped_us += ktime_us_delta(ktime_get(), conns->stopped_since);
	}
	spin_unlock_bh(&conns->lock);
	if (!resume)
		return;
	for (i = 0; i < server->nr_listeners; i++)
		kmc_listener_kick(server->listeners[i]);
}

/* After a grace period. */
static void conn_free(struct work_struct *work)
{
	struct kmc_conn *conn = container_of(to_rcu_work(work), struct kmc_conn, free);
	struct kmc_server *server = conn->server;

	cancel_delayed_work_sync(&conn->work);
	kmem_cache_free(conn_cache, conn);
	if (atomic_dec_and_test(&server->objects))
		wake_up(&server->drained);
	kmc_server_put(server);
}

/* The other end's address in words, also when the connection has gone. */
static void conn_address(const struct sock *sk, char *text, size_t size)
{
	if (sk->sk_family == AF_INET)
		snprintf(text, size, "%pI4", &sk->sk_daddr);
	else if (sk->sk_family == AF_INET6)
		snprintf(text, size, "%pI6c", &sk->sk_v6_daddr);
	else
		snprintf(text, size, "unix");
}

/* Whoever watches connections hears of this one. @reason: NULL: it has come. */
static void conn_tell(struct kmc_conn *conn, const char *reason)
{
	struct kmc_core *core = &conn->server->core;
	const struct sock *sk = conn->sock->sk;
	char address[INET6_ADDRSTRLEN];
	struct kmc_watch_conn told = {
		.address = address,
		.transport = conn->transport == &kmc_unix ? "local" : "tcp",
		.reason = reason,
		.port = sk->sk_family == AF_UNIX ? 0 : ntohs(sk->sk_dport),
		.number = conn->peer.number,
	};

	if (!kmc_watched(&core->watch, KMC_WATCH_CONNEVENTS))
		return;
	conn_address(sk, address, sizeof(address));
	local_bh_disable();
	kmc_watch_conn(core, &told);
	local_bh_enable();
}

static void conn_close(struct kmc_conn *conn)
{
	conn->transport->detach(conn);
	/* From here on it is ours alone. */
	conn_tell(conn, conn_endings[conn->ending]);
	conn_strike_out(conn);
	if (conn->verdict == KMC_NEED_CLOSE && conn->transport->drain)
		conn->transport->drain(conn);
	sock_release(conn->sock);
	conn->sock = NULL;
	kfree_skb(conn->rx_skb);
	kmc_tx_drop(conn);
	kmc_session_destroy(conn->session);
	conn_unlist(conn);
	queue_rcu_work(conn_wq, &conn->free);
}

static enum kmc_step conn_turn(struct kmc_conn *conn)
{
	struct mem_cgroup *before;
	enum kmc_step step;

	if (test_bit(KMC_CONN_DEAD, &conn->flags))
		return KMC_STEP_CLOSE;
	step = conn->transport->serve(conn);
	if (step != KMC_STEP_PROCESS)
		return step;
	/* Without the connection's lock: KMC_CONN_DEFERRED keeps others out of the session. */
	before = kmc_charge_begin(conn->server);
	kmc_session_process(conn->session);
	kmc_charge_end(before);
	return KMC_STEP_YIELD;
}

/* Memory is short. It may be the cache that has it all: have its upkeep see to that. */
static void conn_press(struct kmc_server *server)
{
	local_bh_disable();
	server->core.ops->wake(&server->core);
	local_bh_enable();
}

static void conn_work(struct work_struct *work)
{
	struct kmc_conn *conn = container_of(to_delayed_work(work), struct kmc_conn, work);

	if (test_bit_acquire(KMC_CONN_NEW, &conn->flags) || !conn->sock)
		return;		/* a kick that came too early, or too late */
	switch (conn_turn(conn)) {
	case KMC_STEP_CLOSE:
		conn_close(conn);
		break;
	case KMC_STEP_LATER:
		conn_press(conn->server);
		kmc_conn_kick_after(conn, KMC_RETRY_DELAY);
		break;
	case KMC_STEP_YIELD:
		kmc_conn_kick(conn);
		break;
	default:
		break;		/* a socket callback will kick */
	}
}

/* Return: a connection that nobody knows yet, or NULL without memory. */
static struct kmc_conn *conn_alloc(struct kmc_listener *listener, struct socket *sock)
{
	struct kmc_server *server = listener->server;
	struct kmc_conn *conn;

	conn = kmem_cache_alloc(conn_cache, KMC_GFP);
	if (!conn)
		return NULL;
	memset(conn, 0, sizeof(*conn));
	conn->session = kmc_session_create(&server->core, listener->protocol, KMC_GFP);
	if (!conn->session) {
		kmem_cache_free(conn_cache, conn);
		return NULL;
	}
	conn->peer.kick = conn_kicked;
	kmc_session_meet(conn->session, &conn->peer);
	INIT_DELAYED_WORK(&conn->work, conn_work);
	INIT_RCU_WORK(&conn->free, conn_free);
	INIT_LIST_HEAD(&conn->node);
	conn->listener = listener;
	conn->sock = sock;
	conn->transport = sock->sk->sk_family == AF_UNIX ? &kmc_unix : &kmc_tcp;
	conn->last_active = jiffies;
	conn->server = server;
	set_bit(KMC_CONN_NEW, &conn->flags);
	return conn;
}

/* Return: a connection that is listed, charged to its instance, or NULL without memory. */
static struct kmc_conn *conn_make(struct kmc_listener *listener, struct socket *sock)
{
	struct mem_cgroup *before = kmc_charge_begin(listener->server);
	struct kmc_conn *conn = conn_alloc(listener, sock);

	if (conn && !conn_list(conn)) {
		kmc_session_destroy(conn->session);
		kmem_cache_free(conn_cache, conn);
		conn = NULL;
	}
	kmc_charge_end(before);
	return conn;
}

static void conn_refuse(struct socket *sock)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec line = { .iov_base = (void *)too_many, .iov_len = sizeof(too_many) - 1 };

	kernel_sendmsg(sock, &msg, &line, 1, line.iov_len);
}

/* Bytes that came before it was attached, and kicks that came too early, have called nobody. */
static void conn_begin(struct kmc_conn *conn)
{
	/* Once it is not new, somebody else's kick may end it. */
	rcu_read_lock();
	clear_bit_unlock(KMC_CONN_NEW, &conn->flags);
	kmc_conn_kick(conn);
	rcu_read_unlock();
}

void kmc_conn_accepted(struct kmc_listener *listener, struct socket *sock)
{
	struct kmc_conn *conn;

	/* It was closed after the doorman had looked; whoever connected since then may have been told so. */
	if (READ_ONCE(listener->closed))
		goto release;
	if (conns_full(listener->server)) {
		conn_refuse(sock);
		goto release;
	}
	if (kmc_charge_socket(listener->server, sock))
		goto release;
	conn = conn_make(listener, sock);
	if (!conn)
		goto release;
	conn_tell(conn, NULL);
	if (conn->transport->attach(conn))
		set_bit(KMC_CONN_DEAD, &conn->flags);
	conn_begin(conn);
	return;

release:
	/* What its listener was told of lingering goes for it, too: the doorman would wait for the client. */
	lock_sock(sock->sk);
	sock_reset_flag(sock->sk, SOCK_LINGER);
	release_sock(sock->sk);
	sock_release(sock);
}

/* The list turns as it is visited: what has gone from its head stands at its end. */
void kmc_conns_each(struct kmc_conns *conns, void (*visit)(struct kmc_conn *conn))
{
	u32 left = READ_ONCE(conns->nr), batch;
	struct kmc_conn *conn;

	while (left) {
		batch = min_t(u32, left, VISIT_BATCH);
		left -= batch;
		spin_lock_bh(&conns->lock);
		while (batch-- && !list_empty(&conns->list)) {
			conn = list_first_entry(&conns->list, struct kmc_conn, node);
			list_move_tail(&conn->node, &conns->list);
			visit(conn);
		}
		spin_unlock_bh(&conns->lock);
		cond_resched();
	}
}

static void conn_end(struct kmc_conn *conn)
{
	set_bit(KMC_CONN_DEAD, &conn->flags);
	kmc_conn_kick(conn);
}

void kmc_conns_end(struct kmc_server *server)
{
	kmc_conns_each(&server->conns, conn_end);
}

void kmc_conns_stop(struct kmc_server *server)
{
	/* Again and again: whoever else turns the list at the same time may hide some from one visit. */
	do {
		kmc_conns_end(server);
	} while (!wait_event_timeout(server->drained, !atomic_read(&server->objects), HZ));
}

int kmc_conns_init(void)
{
	conn_cache = kmc_cache_create("kmc_conn", sizeof(struct kmc_conn));
	if (!conn_cache)
		return -ENOMEM;
	/* Not WQ_HIGHPRI: a client that keeps a work item busy would keep ksoftirqd from its CPU, and RCU from its end. */
	conn_wq = alloc_workqueue("kmc_conn", WQ_MEM_RECLAIM, 0);
	if (!conn_wq) {
		kmem_cache_destroy(conn_cache);
		return -ENOMEM;
	}
	return 0;
}

void kmc_conns_exit(void)
{
	kmc_unix_exit();
	destroy_workqueue(conn_wq);
	kmc_frag_exit();
	kmem_cache_destroy(conn_cache);
}
