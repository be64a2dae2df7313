// SPDX-License-Identifier: GPL-2.0
/*
 * TCP: bytes are read where the stack left them (tcp_recv_skb, tcp_read_done), replies go out through
 * tcp_sendmsg_locked, all under the socket lock.
 *
 * Requests are served in the softirq that received them, from sk_data_ready. The socket's spinlock is held
 * there and nobody owns the socket, so the work item, which owns it while it serves, is kept out, and its
 * backlog is empty: tcp_sendmsg_locked() has nothing to flush. When somebody owns the socket, the callback
 * comes from the backlog in that task and only queues the work item.
 */
#include <linux/bvec.h>
#include <linux/version.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "conn.h"
#include "frag.h"
#include "serve.h"

static struct sock *conn_sk(const struct kmc_conn *conn)
{
	return conn->sock->sk;
}

/*
 * Room has come. Called with the socket locked: in softirq, in the backlog, or from inside our own
 * tcp_sendmsg_locked() when that could not get memory and has nothing in flight; then no
 * acknowledgement will come either, and kicking would only make us spin.
 */
static void tcp_write_space(struct sock *sk)
{
	struct kmc_conn *conn;

	rcu_read_lock();
	conn = rcu_dereference_sk_user_data(sk);
	if (conn && !conn->sending && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		if (test_bit(KMC_CONN_WANTS_ROOM, &conn->flags))
			kmc_conn_kick(conn);
	}
	rcu_read_unlock();
}

/*
 * Where the stack copies to: a fragment of ours instead of current's, which is not for softirq, and only while it
 * sends, or each connection that ever answered would keep 32 KiB.
 */
static void lend_frag(struct sock *sk, size_t size)
{
	if (!sk->sk_frag.page)
		kmc_frag_take(&sk->sk_frag, min_t(size_t, size, PAGE_SIZE));
}

static void take_frag_back(struct sock *sk)
{
	kmc_frag_give(&sk->sk_frag);	/* not always the page that was lent */
}

static void tcp_detach(struct kmc_conn *conn)
{
	struct sock *sk = conn_sk(conn);

	lock_sock(sk);
	kmc_conn_unhook(conn);
	release_sock(sk);
}

static void tcp_lock(struct kmc_conn *conn)
{
	lock_sock(conn_sk(conn));
}

static void tcp_unlock(struct kmc_conn *conn)
{
	release_sock(conn_sk(conn));
}

/* An urgent byte is not part of the stream (RFC 6093, and recv(2) without SO_OOBINLINE): step over it. */
static void skip_urgent(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_read_done(sk, 1);
	if (after(tp->copied_seq, tp->urg_seq)) {
		WRITE_ONCE(tp->urg_data, 0);
		tcp_fast_path_check(sk);
	}
}

static bool tcp_at_end(const struct sock *sk)
{
	return sk->sk_err || sk->sk_state == TCP_CLOSE || sk->sk_shutdown & RCV_SHUTDOWN;
}

static enum kmc_rx tcp_peek(struct kmc_conn *conn, struct kmc_run *run)
{
	struct sock *sk = conn_sk(conn);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 urgent;

	for (;;) {
		run->skb = tcp_recv_skb(sk, tp->copied_seq, &run->offset);
		if (!run->skb)
			return tcp_at_end(sk) ? KMC_RX_END : KMC_RX_EMPTY;
		if (run->offset >= run->skb->len)
			return KMC_RX_END;	/* a FIN alone */
		run->len = run->skb->len - run->offset;
		if (likely(!tp->urg_data))
			return KMC_RX_DATA;
		urgent = tp->urg_seq - tp->copied_seq;
		if (urgent >= run->len)
			return KMC_RX_DATA;
		run->len = urgent;
		if (urgent)
			return KMC_RX_DATA;
		skip_urgent(sk);
	}
}

static void tcp_consume(struct kmc_conn *conn, u32 len)
{
	tcp_read_done(conn_sk(conn), len);
}

/*
 * No more than the fragment has room for: the stack would have a new one. Each piece is pushed out: what MSG_MORE
 * would keep back could stay for ever, if there were no memory for the next.
 */
static size_t tcp_send_some(struct sock *sk, struct msghdr *msg, size_t size)
{
	u32 room = kmc_frag_room(&sk->sk_frag);

	if (!room || room >= size)
		return size;
	iov_iter_truncate(&msg->msg_iter, room);
	return room;
}

static int tcp_send_message(struct sock *sk, struct msghdr *msg, size_t size)
{
	return tcp_sendmsg_locked(sk, msg, size);
}

static int tcp_send_copy(struct kmc_conn *conn, struct kvec *vec)
{
	struct sock *sk = conn_sk(conn);
	struct msghdr msg __uninitialized;
	size_t size = kmc_tx_message(conn, &msg, vec);

	lend_frag(sk, size);
	size = tcp_send_some(sk, &msg, size);
	return tcp_send_message(sk, &msg, size);
}

/* A part of a page that stays as it is until nobody looks at it any more. 6.1 has the name MSG_SPLICE_PAGES only. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static int tcp_send_page(struct sock *sk, struct page *page, u32 offset, size_t size)
{
	return tcp_sendpage_locked(sk, page, offset, size, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_NO_SHARED_FRAGS);
}
#else
static int tcp_send_page(struct sock *sk, struct page *page, u32 offset, size_t size)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS };
	struct bio_vec vec;

	bvec_set_page(&vec, page, size, offset);
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, size);
	return tcp_send_message(sk, &msg, size);
}
#endif

/* In a work item bottom halves are on: the stack may want to rest when much has come meanwhile (sk_flush_backlog). */
static int tcp_send(struct kmc_conn *conn, struct kvec *vec)
{
	struct sock *sk = conn_sk(conn);
	struct kmc_txbuf *tx = conn->tx;
	u32 offset;
	int sent;

	conn->sending = true;
	/* A device that gathers nothing has all copied, in ways that are not made for softirq. */
	if (sk->sk_route_caps & NETIF_F_SG && kmc_tx_in_frag(tx, &offset))
		sent = tcp_send_page(sk, tx->frag.page, offset, tx->reply.bytes);
	else
		sent = tcp_send_copy(conn, vec);
	conn->sending = false;
	take_frag_back(sk);
	/* Nothing in flight: what is missing is memory, and no acknowledgement will tell when it is there. */
	if (sent == -EAGAIN && tcp_rtx_and_write_queues_empty(sk))
		return -ENOMEM;
	return sent;
}

static const struct kmc_socket_ops tcp_ops = {
	.lock = tcp_lock,
	.unlock = tcp_unlock,
	.peek = tcp_peek,
	.consume = tcp_consume,
	.send = tcp_send,
	.in_frag = true,
};

/*
 * Called with the socket's spinlock held, or in the task that owns the socket; also from inside our own send, where a BPF
 * program that sees the segment sets SO_RCVLOWAT.
 */
static void conn_data_ready(struct sock *sk)
{
	struct kmc_conn *conn;

	rcu_read_lock();
	conn = rcu_dereference_sk_user_data(sk);
	if (conn && (conn->serving || sock_owned_by_user_nocheck(sk))) {
		kmc_conn_kick(conn);
	} else if (conn) {
		conn->serving = true;
		kmc_serve_here(conn, &tcp_ops, KMC_HERE_BYTES);
		conn->serving = false;
	}
	rcu_read_unlock();
}

/*
 * What a socket inherits from its listener is up to whoever made that, or holds a duplicate of it:
 * undo what would stall replies (cork, Nagle, low-water mark) or our closing (linger).
 */
static int tcp_attach(struct kmc_conn *conn)
{
	struct sock *sk = conn_sk(conn);
	int err;

	tcp_sock_set_cork(sk, false);
	tcp_sock_set_nodelay(sk);
	lock_sock(sk);
	sock_reset_flag(sk, SOCK_LINGER);
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	/* Sends come from softirq: never sleep, never use current's page fragment. */
	sk->sk_allocation = GFP_ATOMIC;
	kmc_sk_own_frag(sk);
	err = kmc_conn_hook(conn, kmc_conn_direct() ? conn_data_ready : kmc_conn_ready, tcp_write_space);
	release_sock(sk);
	return err;
}

static enum kmc_step tcp_serve(struct kmc_conn *conn)
{
	return kmc_serve(conn, &tcp_ops);
}

static void tcp_drain(struct kmc_conn *conn)
{
	struct sock *sk = conn_sk(conn);
	struct kmc_run run;

	lock_sock(sk);
	while (tcp_peek(conn, &run) == KMC_RX_DATA)
		tcp_read_done(sk, run.len);
	release_sock(sk);
}

const struct kmc_transport kmc_tcp = {
	.attach = tcp_attach,
	.detach = tcp_detach,
	.drain = tcp_drain,
	.serve = tcp_serve,
};
