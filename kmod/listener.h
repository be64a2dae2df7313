/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A listening socket that somebody made and handed over. We hold a reference on its file and an entry
 * in its wait queue, nothing else: no callback of it is replaced and its user data stays empty, so
 * that accepted sockets inherit nothing of ours and others may hold duplicates. A UDP socket, which
 * nobody inherits from, is hooked: udp.c.
 */
#ifndef KMC_LISTENER_H
#define KMC_LISTENER_H

#include <linux/kmemcache.h>
#include <linux/kthread.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/un.h>
#include <linux/wait.h>

struct file;
struct kmc_listener_spec;
struct kmc_udp;
struct kmc_server;
struct net;
struct netlink_ext_ack;
struct sock;
struct socket;

/**
 * struct kmc_listener - a socket that an instance serves
 * @server: the instance; outlives the listener
 * @lock: protects @closed and @file; innermost, process context
 * @closed: set once: nobody new is let in
 * @file: our reference, until it is given back; then NULL
 * @sock: of @file
 * @sk: of @sock; only an address once @file is given back
 * @served: in the registry's table, under its mutex
 * @udp: of a UDP socket, which has no @wait and no @accept; NULL once @closed
 * @wait: our entry in the socket's wait queue
 * @accept: takes connections, on the instance's doorman
 * @datagrams, @protocol, @tag, @address, @address_len: fixed; @datagrams: it is a UDP socket
 * @shut: somebody ended the listening from outside; WRITE_ONCE() by @accept
 * @last_active: jiffies when it was made; UDP: of the last datagram, WRITE_ONCE()
 */
struct kmc_listener {
	struct kmc_server *server;
	spinlock_t lock;
	bool closed;
	struct file *file;
	struct socket *sock;
	struct sock *sk;
	struct hlist_node served;
	struct kmc_udp *udp;
	struct wait_queue_entry wait;
	struct kthread_delayed_work accept;
	bool datagrams;
	u8 protocol;
	char tag[KMC_TAG_MAX + 1];
	struct sockaddr_storage address;
	int address_len;
	bool shut;
	unsigned long last_active;
};

/*
 * The path or abstract name of a unix socket, as long as address_len says. A path may fill sun_path, and its end then
 * lies behind it (unix(7)): FORTIFY_SOURCE must not take it for a member of 108 bytes.
 */
static inline const char *kmc_listener_path(const struct kmc_listener *listener)
{
	return (const char *)&listener->address + offsetof(struct sockaddr_un, sun_path);
}

/**
 * kmc_listener_open - look a descriptor up and check that it can be served
 * @server: whose it will be; its worker runs already
 * @spec: says the descriptor, of the current task
 *
 * Process context. Nobody is let in before kmc_listener_start().
 * Return: the listener, or ERR_PTR(): see the contract, each with a sentence in @extack.
 */
struct kmc_listener *kmc_listener_open(struct kmc_server *server, const struct kmc_listener_spec *spec,
				       struct netlink_ext_ack *extack);

/* Let clients in. Process context; not once kmc_listeners_close() was called. */
void kmc_listener_start(struct kmc_listener *listener);

/* There may be room for connections again. Any context. */
void kmc_listener_kick(struct kmc_listener *listener);

/*
 * Let nobody in any more: when this returns nobody is in a hook of ours, or in our entry of a wait queue. Process
 * context, and not twice at a time; waits for an RCU grace period where there are UDP sockets, but for nobody who holds
 * a duplicate.
 */
void kmc_listeners_close(struct kmc_listener **listeners, u32 nr);

/*
 * Give the socket back, after kmc_listeners_close(); again is fine. kmc_listener_let_go(): in a task of user space, where the
 * file is closed on its way out of the kernel; waits for nobody. kmc_listener_let_go_now(): on the instance's doorman; closes it here,
 * which may take as long as somebody likes who had a duplicate.
 */
void kmc_listener_let_go(struct kmc_listener *listener);
void kmc_listener_let_go_now(struct kmc_listener *listener);

/* Nobody kicks any more, and nobody is accepted. Process context, for the instance's end; after kmc_listeners_close(). */
void kmc_listener_stop(struct kmc_listener *listener);

/* After kmc_listener_let_go(). NULL is fine. */
void kmc_listener_free(struct kmc_listener *listener);

#endif
