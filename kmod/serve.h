/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The serve loop, shared by all transports: take what has come, feed it to the session, send what that
 * answers, until there is nothing to do or the budget is used up.
 *
 * Two ways in. kmc_serve_here() where the bytes come in (TCP: softirq, unix: the client's task), in the hope that all can be done there
 * and then; kmc_serve() from the work item for what that leaves over. The connection's lock lets one of them
 * in at a time. KMC_CONN_DEFERRED says that there is something left over: until the work item has got to the
 * end of it, what comes in is the work item's as well.
 *
 * It is a template: each transport instantiates kmc_serve() with its own constant struct kmc_socket_ops,
 * so that the data path has no indirect call.
 *
 * One send for each received buffer, and before the buffer is given up: so a TCP acknowledgement rides
 * on the reply. A send may let the stack rearrange the receive queue: no pointer to a buffer is kept
 * over it, only how many bytes were used.
 */
#ifndef KMC_SERVE_H
#define KMC_SERVE_H

#include <linux/errno.h>
#include <linux/skbuff.h>

#include "charge.h"
#include "conn.h"
#include "server.h"
#include "tx.h"

#define KMC_TURN_BYTES	(64 * 1024)	/* input bytes of one turn, as large as a full GRO skb */
#define KMC_TURN_KEYS	1024		/* keys of gets in one turn: some hundred microseconds of lookups */
#define KMC_HERE_KEYS	256		/* the same where the bytes come in, for there others wait harder */
#define KMC_HERE_BYTES	(68 * 1024)	/* of a reply that is copied and sent in softirq: 64 KiB and its line */
#define KMC_RETRY_DELAY	(HZ / 100)	/* when memory was short */

/**
 * struct kmc_run - received bytes that lie in one buffer
 */
struct kmc_run {
	struct sk_buff *skb;
	u32 offset;
	u32 len;
};

enum kmc_rx {
	KMC_RX_DATA,
	KMC_RX_EMPTY,		/* nothing yet */
	KMC_RX_END,		/* nothing will come any more */
};

/**
 * struct kmc_socket_ops - what the loop needs of a socket
 * @lock, @unlock: around all others, in process context
 * @peek: the next received bytes
 * @consume: the first @len of them are done with
 * @send: the reply; @vec: KMC_REPLY_SEGMENTS, to be filled by kmc_tx_message(). Return: bytes taken, -EAGAIN
 *	(sk_write_space will be called), -ENOMEM (it will not), or
 *	another error, which is final
 * @in_frag: replies are built where they can be sent from; see struct kmc_txbuf
 */
struct kmc_socket_ops {
	void (*lock)(struct kmc_conn *conn);
	void (*unlock)(struct kmc_conn *conn);
	enum kmc_rx (*peek)(struct kmc_conn *conn, struct kmc_run *run);
	void (*consume)(struct kmc_conn *conn, u32 len);
	int (*send)(struct kmc_conn *conn, struct kvec *vec);
	bool in_frag;
};

/* Send the reply. Return: KMC_STEP_ON when all of it is gone. */
static __always_inline enum kmc_step kmc_serve_send(struct kmc_conn *conn, const struct kmc_socket_ops *ops)
{
	struct kvec vec[KMC_REPLY_SEGMENTS] __uninitialized;
	int sent;

	while (!kmc_reply_empty(&conn->tx->reply)) {
		sent = ops->send(conn, vec);
		if (sent > 0) {
			kmc_tx_sent(conn, sent);
			continue;
		}
		if (sent == -ENOMEM || sent == -ENOBUFS)
			return KMC_STEP_LATER;
		if (sent != -EAGAIN)
			return KMC_STEP_CLOSE;
		/* Room may have come before write_space knew that we want it: look once more. */
		if (test_and_set_bit(KMC_CONN_WANTS_ROOM, &conn->flags))
			return KMC_STEP_ROOM;
	}
	if (test_bit(KMC_CONN_WANTS_ROOM, &conn->flags))
		clear_bit(KMC_CONN_WANTS_ROOM, &conn->flags);
	if (unlikely(conn->server->core.buffers)) {
		local_bh_disable();
		kmc_session_sent(conn->session);
		local_bh_enable();
	}
	return KMC_STEP_ON;
}

/*
 * Feed a run to the session, piece by piece as it lies in the buffer. Bottom halves are off, as the
 * core wants it. Return: how many bytes it took; conn->verdict says why it stopped.
 */
static inline u32 kmc_serve_feed(struct kmc_conn *conn, const struct kmc_run *run)
{
	struct kmc_reply *reply = &conn->tx->reply;
	struct mem_cgroup *before;
	struct skb_seq_state state __uninitialized;
	const u8 *data;
	size_t took;
	u32 len, used = 0;

	local_bh_disable();
	before = kmc_charge_begin(conn->server);
	skb_prepare_seq_read(run->skb, run->offset, run->offset + run->len, &state);
	while ((len = skb_seq_read(used, &data, &state))) {
		conn->verdict = kmc_session_input(conn->session, data, len, &took, reply, &conn->budget);
		used += took;
		if (conn->verdict != KMC_NEED_INPUT) {
			skb_abort_seq_read(&state);
			break;
		}
	}
	kmc_charge_end(before);
	kmc_count_add(&conn->server->core.stats, KMC_COUNT_bytes_read, used);
	local_bh_enable();
	return used;
}

/* What a turn may cost. */
static inline void kmc_serve_budget(struct kmc_conn *conn, u32 keys)
{
	conn->budget.requests = conn->server->core.settings.reqs_per_event;
	conn->budget.keys = keys;
	conn->budget.bytes = KMC_TURN_BYTES;
}

/* Go on with a request that has all its bytes but wanted a turn or room. */
static inline void kmc_serve_resume(struct kmc_conn *conn)
{
	size_t took;

	local_bh_disable();
	conn->verdict = kmc_session_input(conn->session, NULL, 0, &took, &conn->tx->reply, &conn->budget);
	local_bh_enable();
}

/* What the session's last word means for the turn. */
static inline enum kmc_step kmc_serve_verdict(struct kmc_conn *conn)
{
	switch (conn->verdict) {
	case KMC_NEED_TURN:
		/* "yielded to another due to hitting the -R limit" (protocol.txt): bytes do not count */
		if (!conn->budget.requests) {
			local_bh_disable();
			kmc_count(&conn->server->core.stats, conn_yields);
			local_bh_enable();
		}
		return KMC_STEP_YIELD;
	case KMC_NEED_PROCESS:
		return KMC_STEP_PROCESS;
	case KMC_NEED_CLOSE:
		conn->ending = kmc_session_ending(conn->session);
		return KMC_STEP_CLOSE;
	default:
		return KMC_STEP_ON;
	}
}

/* @send_max: a longer reply is left to the work item */
static __always_inline enum kmc_step kmc_serve_once(struct kmc_conn *conn, const struct kmc_socket_ops *ops,
						    u32 send_max)
{
	struct kmc_run run;
	enum kmc_step step;
	enum kmc_rx rx;
	u32 used = 0;

	if (conn->tx) {
		step = kmc_serve_send(conn, ops);
		if (step != KMC_STEP_ON)
			return step;
		if (conn->verdict == KMC_NEED_CLOSE)
			return KMC_STEP_CLOSE;
	}
	rx = ops->peek(conn, &run);
	if (rx != KMC_RX_DATA && conn->verdict == KMC_NEED_INPUT) {
		if (rx == KMC_RX_END) {
			conn->ending = KMC_ENDING_NORMAL;
			return KMC_STEP_CLOSE;
		}
		if (!kmc_session_pending(conn->session))
			return KMC_STEP_INPUT;
	}
	if (!kmc_tx_take(conn))
		return KMC_STEP_LATER;
	if (ops->in_frag)
		kmc_tx_furnish(conn);
	if (rx == KMC_RX_DATA) {
		WRITE_ONCE(conn->last_active, jiffies);
		used = kmc_serve_feed(conn, &run);
	} else {
		kmc_serve_resume(conn);
	}
	step = conn->tx->reply.bytes > send_max ? KMC_STEP_YIELD : kmc_serve_send(conn, ops);
	if (used)
		ops->consume(conn, used);
	return step == KMC_STEP_ON ? kmc_serve_verdict(conn) : step;
}

/* What others see that it does after a turn. */
static inline enum kmc_conn_state kmc_serve_state(const struct kmc_conn *conn, enum kmc_step step)
{
	switch (step) {
	case KMC_STEP_INPUT:
		if (kmc_session_takes_value(conn->session))
			return KMC_CONN_STATE_VALUE;
		return kmc_session_swallows(conn->session) ? KMC_CONN_STATE_SWALLOW : KMC_CONN_STATE_READ;
	case KMC_STEP_ROOM:
		return KMC_CONN_STATE_WRITE;
	case KMC_STEP_CLOSE:
		return KMC_CONN_STATE_CLOSING;
	default:
		return KMC_CONN_STATE_PARSE;
	}
}

/* Under the connection's lock. */
static __always_inline enum kmc_step kmc_serve_turn(struct kmc_conn *conn, const struct kmc_socket_ops *ops,
						    u32 send_max)
{
	enum kmc_step step;

	WRITE_ONCE(conn->state, KMC_CONN_STATE_PARSE);
	do {
		step = kmc_serve_once(conn, ops, send_max);
	} while (step == KMC_STEP_ON);
	WRITE_ONCE(conn->state, kmc_serve_state(conn, step));
	if (ops->in_frag)
		kmc_tx_settle(conn);
	if (conn->tx && kmc_reply_empty(&conn->tx->reply))
		kmc_tx_give(conn);
	return step;
}

/* Idle as memcached sees it: between two requests, with nothing to send, for too long. */
static inline bool kmc_serve_idle(const struct kmc_conn *conn)
{
	unsigned long timeout = (unsigned long)conn->server->core.settings.idle_timeout * HZ;

	return timeout && !conn->tx && !kmc_session_busy(conn->session) &&
	       time_after(jiffies, conn->last_active + timeout);
}

/* Aging has found it idle. Whether it still is can only be said under the lock. */
static inline bool kmc_serve_aged(struct kmc_conn *conn)
{
	if (!test_and_clear_bit(KMC_CONN_AGED, &conn->flags) || !kmc_serve_idle(conn))
		return false;
	local_bh_disable();
	kmc_count(&conn->server->core.stats, idle_kicks);
	local_bh_enable();
	conn->ending = KMC_ENDING_IDLE;
	return true;
}

/* One turn of a transport, from the work item. Process context. */
static __always_inline enum kmc_step kmc_serve(struct kmc_conn *conn, const struct kmc_socket_ops *ops)
{
	enum kmc_step step;

	ops->lock(conn);
	kmc_serve_budget(conn, KMC_TURN_KEYS);
	step = kmc_serve_turn(conn, ops, U32_MAX);
	if (step == KMC_STEP_INPUT && kmc_serve_aged(conn))
		step = KMC_STEP_CLOSE;
	/* What nobody will call us for, this work item must come back for. */
	if (step == KMC_STEP_INPUT || step == KMC_STEP_ROOM)
		clear_bit(KMC_CONN_DEFERRED, &conn->flags);
	else
		set_bit(KMC_CONN_DEFERRED, &conn->flags);
	ops->unlock(conn);
	return step;
}

/*
 * One turn where the bytes came in: softirq, or the task of a client on the same machine. The connection's
 * lock is held. @send_max: see kmc_serve_once()
 */
static __always_inline void kmc_serve_here(struct kmc_conn *conn, const struct kmc_socket_ops *ops, u32 send_max)
{
	enum kmc_step step;

	if (test_bit(KMC_CONN_DEFERRED, &conn->flags) || test_bit(KMC_CONN_DEAD, &conn->flags) ||
	    test_bit(KMC_CONN_WANTS_ROOM, &conn->flags))
		return;		/* the work item is queued, or write_space will queue it */
	kmc_serve_budget(conn, KMC_HERE_KEYS);
	step = kmc_serve_turn(conn, ops, send_max);
	if (step == KMC_STEP_INPUT || step == KMC_STEP_ROOM)
		return;
	set_bit(KMC_CONN_DEFERRED, &conn->flags);
	if (step == KMC_STEP_CLOSE)
		set_bit(KMC_CONN_DEAD, &conn->flags);
	kmc_conn_kick_after(conn, step == KMC_STEP_LATER ? KMC_RETRY_DELAY : 0);
}

#endif
