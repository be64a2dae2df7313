// SPDX-License-Identifier: GPL-2.0
/*
 * Unix stream sockets: buffers are taken whole with read_skb() and kept until they are used up, replies
 * go out through the socket's own sendmsg().
 *
 * A unix socket's callbacks are called by its peer, in the peer's own task, with no lock and no RCU around.
 * A request is served right there, by the client that sends it, as a guest of the connection: so there is
 * neither a wake-up nor a switch. conn->lock lets in one at a time, guest or work item. Who finds it taken
 * leaves KMC_CONN_AGAIN, and who gives it back looks for that.
 *
 * A guest holds a reference in conn->guests, taken under RCU while the socket still names the connection.
 * unix_detach() takes that name away and waits for the guests. What is left then are tasks on their way
 * into a callback whose address they have read before, which will find no connection, or on their way out:
 * none of them sleeps, and kmc_unix_exit() waits for the last to leave our text.
 *
 * Descriptors that come with bytes stay open for as long as they lie in the socket's queue, and one of them may be what
 * this instance is to end with (owner.h), or the client's own other end. Those of a buffer that we take are dropped at
 * once. Where nothing is read, because a reply waits for room or memory is short, the connection ends instead: kernels
 * offer no way to take them out of the queue. Of connections not accepted yet see kmc_unix_backlog_holds_files().
 */
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <net/af_unix.h>
#include <net/sock.h>

#include "conn.h"
#include "serve.h"

#define GUEST_TURNS	16	/* that a client takes for others who send on its connection meanwhile */

static bool used;	/* whether a unix socket was ever attached: unloading has somebody to wait for */

/* The peer has read something. sock_wfree() gave the room back before it called. */
static void unix_write_space(struct sock *sk)
{
	struct kmc_conn *conn;

	rcu_read_lock();
	conn = rcu_dereference_sk_user_data(sk);
	/* Pairs with test_and_set_bit() in kmc_serve_send(): either that sees the room, or we the bit. */
	smp_mb();
	if (conn && test_bit(KMC_CONN_WANTS_ROOM, &conn->flags))
		kmc_conn_kick(conn);
	rcu_read_unlock();
}

static void unix_lock(struct kmc_conn *conn)
{
	mutex_lock(&conn->lock);
	/* What came before the bit was set is looked at in this turn. */
	clear_bit(KMC_CONN_AGAIN, &conn->flags);
	smp_mb__after_atomic();
}

static void unix_unlock(struct kmc_conn *conn)
{
	mutex_unlock(&conn->lock);
	/* Pairs with the one in unix_guest(): whoever found the lock taken has set the bit before. */
	smp_mb();
	if (test_bit(KMC_CONN_AGAIN, &conn->flags))
		kmc_conn_kick(conn);
}

/* Whether descriptors lie in the queue of a socket that may have been read from. */
static bool holds_files(struct sock *sk)
{
	struct sk_buff *skb;
	bool found = false;

	/* Some kernels do not count down what is taken by read_skb(). */
	if (likely(!atomic_read(&unix_sk(sk)->scm_stat.nr_fds)))
		return false;
	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (UNIXCB(skb).fp)
			found = true;
	}
	spin_unlock(&sk->sk_receive_queue.lock);
	return found;
}

bool kmc_unix_backlog_holds_files(struct sock *sk)
{
	struct sk_buff *skb;
	bool found = false;

	/* A buffer for each that wants in, which belongs to the socket that will be accepted. */
	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (atomic_read(&unix_sk(skb->sk)->scm_stat.nr_fds))
			found = true;
	}
	spin_unlock(&sk->sk_receive_queue.lock);
	return found;
}

/* Called by read_skb(): the buffer is ours now, with whatever descriptors it carries (newer kernels drop them first). */
static int unix_take(struct sock *sk, struct sk_buff *skb)
{
	/* It is taken away under conn->lock, which we hold. */
	uintptr_t data = (uintptr_t)rcu_dereference_protected(__sk_user_data(sk), 1);
	struct kmc_conn *conn = (struct kmc_conn *)(data & SK_USER_DATA_PTRMASK);

	conn->rx_skb = skb;
	conn->rx_offset = 0;
	/* It may be long until the buffer is used up. */
	if (UNIXCB(skb).fp)
		skb_orphan(skb);
	return skb->len;
}

static void unix_drop(struct kmc_conn *conn)
{
	consume_skb(conn->rx_skb);
	conn->rx_skb = NULL;
}

static enum kmc_rx unix_peek(struct kmc_conn *conn, struct kmc_run *run)
{
	struct sock *sk = conn->sock->sk;
	bool ended;

	while (!conn->rx_skb) {
		/* In this order: what the peer sent before it shut down is in the queue by now. */
		ended = READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
		smp_rmb();
		if (conn->sock->ops->read_skb(sk, unix_take) == -ENOTCONN)
			return KMC_RX_END;
		/* An error of the socket or an out-of-band byte may have come instead of a buffer. */
		if (!conn->rx_skb && skb_queue_empty_lockless(&sk->sk_receive_queue))
			return ended ? KMC_RX_END : KMC_RX_EMPTY;
		if (conn->rx_skb && !conn->rx_skb->len)
			unix_drop(conn);
	}
	run->skb = conn->rx_skb;
	run->offset = conn->rx_offset;
	run->len = conn->rx_skb->len - conn->rx_offset;
	return KMC_RX_DATA;
}

static void unix_consume(struct kmc_conn *conn, u32 len)
{
	conn->rx_offset += len;
	if (conn->rx_offset == conn->rx_skb->len)
		unix_drop(conn);
}

static int unix_send(struct kmc_conn *conn, struct kvec *vec)
{
	struct mem_cgroup *before = kmc_charge_begin(conn->server);
	struct msghdr msg __uninitialized;
	size_t size = kmc_tx_message(conn, &msg, vec);
	int sent = kmc_sock_sendmsg(conn->sock, &msg, size);

	kmc_charge_end(before);
	return sent;
}

static const struct kmc_socket_ops unix_ops = {
	.lock = unix_lock,
	.unlock = unix_unlock,
	.peek = unix_peek,
	.consume = unix_consume,
	.send = unix_send,
};

static void guest_leave(struct kmc_conn *conn)
{
	if (refcount_dec_and_test(&conn->guests))
		complete(&conn->left);
}

/* What it has sent will not be read before it reads itself. The work item sees to it wherever that serves. Under the lock. */
static void guest_refuse(struct kmc_conn *conn)
{
	if (!test_bit(KMC_CONN_WANTS_ROOM, &conn->flags) || !holds_files(conn->sock->sk))
		return;
	set_bit(KMC_CONN_DEAD, &conn->flags);
	kmc_conn_kick(conn);
}

/* In the task of the client. */
static void unix_guest(struct kmc_conn *conn)
{
	int turns = GUEST_TURNS;

	set_bit(KMC_CONN_AGAIN, &conn->flags);
	for (;;) {
		smp_mb();	/* the bit before the lock, whoever looks first */
		if (!test_bit(KMC_CONN_AGAIN, &conn->flags) || !mutex_trylock(&conn->lock))
			return;
		clear_bit(KMC_CONN_AGAIN, &conn->flags);
		smp_mb__after_atomic();	/* what came before the bit was set is looked at below */
		kmc_serve_here(conn, &unix_ops, U32_MAX);
		guest_refuse(conn);
		if (--turns) {
			mutex_unlock(&conn->lock);
		} else {
			unix_unlock(conn);
			return;
		}
	}
}

static void unix_data_ready(struct sock *sk)
{
	struct kmc_conn *conn;

	rcu_read_lock();
	conn = rcu_dereference_sk_user_data(sk);
	if (conn && !refcount_inc_not_zero(&conn->guests))
		conn = NULL;
	rcu_read_unlock();
	if (!conn)
		return;
	unix_guest(conn);
	guest_leave(conn);
}

static int unix_attach(struct kmc_conn *conn)
{
	WRITE_ONCE(used, true);
	mutex_init(&conn->lock);
	refcount_set(&conn->guests, 1);
	init_completion(&conn->left);
	/* Where the cgroup is full a send fails, and is tried again. */
	conn->sock->sk->sk_allocation = GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN;
	return kmc_conn_hook(conn, kmc_conn_direct() ? unix_data_ready : kmc_conn_ready, unix_write_space);
}

static void unix_detach(struct kmc_conn *conn)
{
	mutex_lock(&conn->lock);
	set_bit(KMC_CONN_DEAD, &conn->flags);
	kmc_conn_unhook(conn);
	mutex_unlock(&conn->lock);
	guest_leave(conn);
	wait_for_completion(&conn->left);
}

static enum kmc_step unix_serve(struct kmc_conn *conn)
{
	enum kmc_step step = kmc_serve(conn, &unix_ops);

	/* Whoever sends some from here on finds us waiting for room, or has us run once more (KMC_CONN_AGAIN). */
	if ((step == KMC_STEP_ROOM || step == KMC_STEP_LATER) && holds_files(conn->sock->sk))
		return KMC_STEP_CLOSE;
	return step;
}

const struct kmc_transport kmc_unix = {
	.attach = unix_attach,
	.detach = unix_detach,
	.serve = unix_serve,
};

/*
 * All sockets are released, their callbacks restored, their guests gone. A peer may have read one of our
 * callbacks' address before that and still be on its way into it, or out of it; none of them sleeps any more,
 * so when every task has given up the CPU of its own will once, nobody is.
 */
void kmc_unix_exit(void)
{
	if (used)
		synchronize_rcu_tasks();
}
