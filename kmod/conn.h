/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection: an accepted socket, its session, and the work item that serves it.
 */
#ifndef KMC_CONN_H
#define KMC_CONN_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "core/cmd/session.h"

struct kmc_conn;
struct kmc_listener;
struct kmc_server;
struct kmc_txbuf;
struct sk_buff;
struct sock;
struct socket;

/**
 * enum kmc_step - how a turn of serving ended, or that it goes on
 * @KMC_STEP_ON: there is more to do now
 * @KMC_STEP_INPUT: nothing to do until more bytes come
 * @KMC_STEP_ROOM: a reply waits until the socket takes more; nothing is read meanwhile
 * @KMC_STEP_LATER: memory is short and nobody will tell when it is not: try again after a while
 * @KMC_STEP_YIELD: the budget is used up
 * @KMC_STEP_PROCESS: the session wants kmc_session_process()
 * @KMC_STEP_CLOSE: the connection ends
 */
enum kmc_step {
	KMC_STEP_ON,
	KMC_STEP_INPUT,
	KMC_STEP_ROOM,
	KMC_STEP_LATER,
	KMC_STEP_YIELD,
	KMC_STEP_PROCESS,
	KMC_STEP_CLOSE,
};

/**
 * struct kmc_transport - a kind of socket
 * @attach: take the socket's callbacks over. Return: 0, or -EBUSY if somebody else has it.
 * @detach: give them back; afterwards no new call comes in, calls under way may still end
 * @drain: throw away what has come and will not be read, so that closing does not reset the
 *	connection under a reply that is on its way. NULL: not needed.
 * @serve: one turn. Return: anything but KMC_STEP_ON.
 * Process context, from the connection's own work item (@attach: before it first runs).
 */
struct kmc_transport {
	int (*attach)(struct kmc_conn *conn);
	void (*detach)(struct kmc_conn *conn);
	void (*drain)(struct kmc_conn *conn);
	enum kmc_step (*serve)(struct kmc_conn *conn);
};

extern const struct kmc_transport kmc_tcp;
extern const struct kmc_transport kmc_unix;

/* At unload, when every connection is freed.  */
void kmc_unix_exit(void);

/*
 * Whether somebody who waits to be accepted by the unix listener @sk has sent descriptors, which stay open until then.
 * Process context.
 */
bool kmc_unix_backlog_holds_files(struct sock *sk);

/* struct kmc_conn.flags */
enum kmc_conn_flag {
	KMC_CONN_NEW,		/* the doorman has it still: its work item leaves it alone, and is kicked once more */
	KMC_CONN_DEAD,		/* is to end: its instance stops */
	KMC_CONN_AGED,		/* aging found it idle; its own work item decides */
	KMC_CONN_WANTS_ROOM,	/* a reply waits: sk_write_space may queue the work item */
	KMC_CONN_AGAIN,		/* unix: a client found the lock taken; look once more after giving it back */
	KMC_CONN_DEFERRED,	/* something is left over for the work item, which is queued; see serve.h */
};

/* What it is doing, for "stats conns". */
enum kmc_conn_state {
	KMC_CONN_STATE_READ,
	KMC_CONN_STATE_PARSE,
	KMC_CONN_STATE_VALUE,
	KMC_CONN_STATE_SWALLOW,
	KMC_CONN_STATE_WRITE,
	KMC_CONN_STATE_CLOSING,
};

/**
 * struct kmc_callbacks - what a socket called before we took it over
 */
struct kmc_callbacks {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
};

/**
 * struct kmc_conn - a connection
 * @work: ends it, and serves what was left over
 * @flags: enum kmc_conn_flag, atomic
 * @server: counted reference
 * @listener: that it came in by; lives as long as @server
 * @node: in @server's list, under its lock
 * @id: in @server's roster; fixed
 * @state: enum kmc_conn_state; WRITE_ONCE() under the connection's lock
 * @sock: ours; NULL once closed; set by @work only, when no callback finds the connection any more
 * @transport: fixed
 * @saved: written before the callbacks are ours, read when they are given back
 * @peer: what @session knows of us; fixed
 * @session: its conversation. This and what follows: under the connection's lock (TCP: the socket lock;
 *	unix: @lock), until @work has detached it
 * @ending: why it ends, as far as we know; the session may know better
 * @tx: a reply being built or on its way; NULL while there is none, so that idle connections are small
 * @budget: what this turn may still cost
 * @verdict: of the last kmc_session_input()
 * @serving: TCP: we are in sk_data_ready: it may be called again from there
 * @sending: we are inside our own send: sk_write_space must not queue @work
 * @last_active: jiffies; WRITE_ONCE(), read by aging without the lock
 * @lock: unix: of whoever serves
 * @guests: unix: clients that are in here with their own task, and one for @work; @left: the last is gone
 * @rx_skb, @rx_offset: unix: the buffer being read (ours) and how far
 * @free: frees it after a grace period, for socket callbacks look at it under RCU
 */
struct kmc_conn {
	struct delayed_work work;
	unsigned long flags;
	struct kmc_server *server;
	struct kmc_listener *listener;
	struct list_head node;
	u32 id;
	u8 state;
	struct socket *sock;
	const struct kmc_transport *transport;
	struct kmc_callbacks saved;
	struct kmc_peer peer;
	enum kmc_ending ending;
	struct kmc_session *session;
	struct kmc_txbuf *tx;
	struct kmc_budget budget;
	enum kmc_verdict verdict;
	bool serving;
	bool sending;
	unsigned long last_active;
	struct mutex lock;
	refcount_t guests;
	struct completion left;
	struct sk_buff *rx_skb;
	u32 rx_offset;
	struct rcu_work free;
};

int kmc_conns_init(void);
void kmc_conns_exit(void);

/* Of an instance that is being made. */
struct kmc_conns;
void kmc_conns_setup(struct kmc_conns *conns);

/* Whether the limit allows to accept. If not, a connection that goes will kick the listeners. */
bool kmc_conns_may_accept(struct kmc_server *server);

/**
 * kmc_conns_each - call @visit for each connection, with the list's lock held, some at a time
 * Connections that come meanwhile may be left out. Process context.
 */
void kmc_conns_each(struct kmc_conns *conns, void (*visit)(struct kmc_conn *conn));

/* Take over a socket that was just accepted; it is ours whatever happens. On the instance's doorman. */
void kmc_conn_accepted(struct kmc_listener *listener, struct socket *sock);

/* Have the work item run on this CPU, soon or in @delay jiffies. Any context, under RCU or with @conn known to be
 * listed.
 */
void kmc_conn_kick_after(struct kmc_conn *conn, unsigned long delay);

static inline void kmc_conn_kick(struct kmc_conn *conn)
{
	kmc_conn_kick_after(conn, 0);
}

/* Whether new connections are served where requests come in; else from work items only (module parameter). */
bool kmc_conn_direct(void);

/* A socket callback that has the work item run. */
void kmc_conn_ready(struct sock *sk);

/* Tell them to end. For who may come meanwhile, and to wait: kmc_conns_stop(). Process context. */
void kmc_conns_end(struct kmc_server *server);

/**
 * kmc_conns_stop - end all connections of an instance that accepts no more, and wait until they are freed
 * Process context.
 */
void kmc_conns_stop(struct kmc_server *server);

/* Take the callbacks over; both are the transport's own. Within lock_sock() for TCP. 0 or -EBUSY. */
int kmc_conn_hook(struct kmc_conn *conn, void (*data_ready)(struct sock *sk), void (*write_space)(struct sock *sk));
void kmc_conn_unhook(struct kmc_conn *conn);

#endif
