// SPDX-License-Identifier: GPL-2.0
/*
 * Ways in. A wake-up of the socket's wait queue queues @accept on the instance's doorman; there
 * connections are taken in a loop with a budget.
 *
 * Whoever holds a duplicate can keep the socket lock for as long as they like: while it is held, an option is read from
 * memory that may be slow to come (userfaultfd(2), FUSE). Closing a socket may take as long as well: it waits for an epoll instance
 * whose owner does the same, or lingers. So only the doorman, a thread of that instance alone, takes the socket lock (in accept())
 * and closes the file; nobody else waits for it but the last part of the instance's end (server.c).
 *
 * End: kmc_listeners_close() sets @closed and removes the wait queue entry (the queue's lock makes sure that
 * nobody is in listener_wake() afterwards). The file may be given back while @accept runs, which holds a reference of its
 * own. A connection that goes may still kick: @accept then sees @closed and leaves the socket alone. The struct stays
 * until the instance's threads and connections are gone, for they point to it. UDP sockets are unhooked all of an
 * instance at once, for that waits for an RCU grace period.
 */
#include "listener.h"

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/inet_connection_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/udp.h>

#include "conn.h"
#include "registry.h"
#include "server.h"
#include "udp.h"

#define ACCEPT_BUDGET	64		/* connections before the worker's other duties get a turn */
#define BACKLOG_LOOK	HZ		/* between two looks at who waits while the limit holds accepting up */
#define ACCEPT_RETRY	(HZ / 10)	/* after a failure that more tries at once would only repeat */

static int listener_wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	kmc_listener_kick(container_of(wait, struct kmc_listener, wait));
	return 0;
}

void kmc_listener_kick(struct kmc_listener *listener)
{
	/* Sooner, if it is to run later. */
	if (!listener->datagrams)
		kthread_mod_delayed_work(listener->server->doorman, &listener->accept, 0);
}

static void accept_later(struct kmc_listener *listener, unsigned long delay)
{
	kthread_queue_delayed_work(listener->server->doorman, &listener->accept, delay);
}

/* What to do about an error of accept(). Return: whether to try again at once. */
static bool accept_failed(struct kmc_listener *listener, int err)
{
	switch (err) {
	case -EAGAIN:
		return false;
	case -EINVAL:
		/* Not listening any more (shutdown() by who holds a duplicate, SOCK_DESTROY). Another
		 * listen() would wake us up again.
		 */
		WRITE_ONCE(listener->shut, true);
		return false;
	case -ECONNABORTED:
	case -EPROTO:
	case -EPERM:
		return true;	/* that connection's own trouble */
	default:
		accept_later(listener, ACCEPT_RETRY);
		return false;
	}
}

/*
 * At the limit who comes waits in the backlog (conn.c), but not with descriptors: those would stay open for as long,
 * and one may be what the instance is to end with. Nothing tells us that they have come. Then all that wait are taken,
 * and refused.
 */
static bool may_accept(struct kmc_listener *listener)
{
	if (kmc_conns_may_accept(listener->server))
		return true;
	if (listener->address.ss_family != AF_UNIX)
		return false;
	if (kmc_unix_backlog_holds_files(listener->sk))
		return true;
	accept_later(listener, BACKLOG_LOOK);
	return false;
}

/* Return: the listener's file, held, or NULL once it is closed. */
static struct file *listener_file(struct kmc_listener *listener)
{
	struct file *file = NULL;

	spin_lock(&listener->lock);
	if (!listener->closed)
		file = get_file(listener->file);
	spin_unlock(&listener->lock);
	return file;
}

/* Return: whether there may be more. */
static bool accept_some(struct kmc_listener *listener)
{
	struct socket *sock;
	int budget, err;

	for (budget = ACCEPT_BUDGET; budget; budget--) {
		if (READ_ONCE(listener->closed) || !may_accept(listener))
			return false;
		err = kernel_accept(listener->sock, &sock, O_NONBLOCK);
		if (err) {
			if (!accept_failed(listener, err))
				return false;
			continue;
		}
		WRITE_ONCE(listener->shut, false);
		kmc_conn_accepted(listener, sock);
	}
	return true;
}

static void listener_accept(struct kthread_work *work)
{
	struct kmc_listener *listener = container_of(work, struct kmc_listener, accept.work);
	struct file *file = listener_file(listener);

	if (!file)
		return;
	if (accept_some(listener))
		accept_later(listener, 0);
	__fput_sync(file);
}

/*
 * A socket of the same kind that nobody has touched: whatever differs from it has been replaced by
 * somebody. (The defaults themselves are not exported.)
 */
static int check_untouched(struct socket *sock, struct netlink_ext_ack *extack)
{
	struct sock *sk = sock->sk;
	struct socket *plain = NULL;
	bool same;
	int err;

	err = sock_create_kern(sock_net(sk), sk->sk_family, sk->sk_type, sk->sk_protocol, &plain);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory to examine a socket");
		return err;
	}
	read_lock_bh(&sk->sk_callback_lock);
	same = !sk->sk_user_data && READ_ONCE(sk->sk_prot) == plain->sk->sk_prot &&
	       sk->sk_data_ready == plain->sk->sk_data_ready &&
	       sk->sk_write_space == plain->sk->sk_write_space &&
	       sk->sk_state_change == plain->sk->sk_state_change;
	read_unlock_bh(&sk->sk_callback_lock);
	if (sk->sk_protocol == IPPROTO_TCP && inet_csk_has_ulp(sk))
		same = false;
	if (sk->sk_protocol == IPPROTO_UDP && (READ_ONCE(udp_sk(sk)->encap_type) || READ_ONCE(udp_sk(sk)->encap_rcv)))
		same = false;
	sock_release(plain);
	if (same)
		return 0;
	NL_SET_ERR_MSG(extack, "something else is attached to a socket (an upper layer, a sockmap, another server)");
	return -EBUSY;
}

static bool is_ip(const struct sock *sk, int protocol)
{
	return (sk->sk_family == AF_INET || sk->sk_family == AF_INET6) && sk->sk_protocol == protocol;
}

static int check_datagrams(struct sock *sk, struct netlink_ext_ack *extack)
{
	if (READ_ONCE(sk->sk_state) != TCP_CLOSE || !READ_ONCE(inet_sk(sk)->inet_num)) {
		NL_SET_ERR_MSG(extack, "a UDP socket is not bound, or is connected");
		return -EPROTONOSUPPORT;
	}
	/* Several datagrams would come as one. */
	if (!udp_test_bit(GRO_ENABLED, sk))
		return 0;
	NL_SET_ERR_MSG(extack, "a UDP socket has UDP_GRO");
	return -EPROTONOSUPPORT;
}

static int check_listening(struct sock *sk, struct netlink_ext_ack *extack)
{
	bool stream = sk->sk_type == SOCK_STREAM && (is_ip(sk, IPPROTO_TCP) || sk->sk_family == AF_UNIX);

	if (sk->sk_type == SOCK_DGRAM && is_ip(sk, IPPROTO_UDP))
		return check_datagrams(sk, extack);
	if (!stream) {
		NL_SET_ERR_MSG(extack, "a socket is neither TCP nor UDP nor a unix stream socket");
		return -EPROTONOSUPPORT;
	}
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return 0;
	NL_SET_ERR_MSG(extack, "a socket does not listen");
	return -EPROTONOSUPPORT;
}

static int check_socket(struct socket *sock, struct net *net, struct netlink_ext_ack *extack)
{
	int err;

	if (!net_eq(sock_net(sock->sk), net)) {
		NL_SET_ERR_MSG(extack, "a socket belongs to another network namespace");
		return -EXDEV;
	}
	err = check_listening(sock->sk, extack);
	return err ? err : check_untouched(sock, extack);
}

/*
 * Return: a socket's file, held. Neither is asked for the other again: an upper layer may give the file another socket,
 * and take sock->file away.
 */
static struct file *get_file_of_socket(int fd, struct socket **sock, struct netlink_ext_ack *extack)
{
	struct file *file = fget(fd);

	if (!file) {
		NL_SET_ERR_MSG(extack, "a descriptor is not open");
		return ERR_PTR(-EBADF);
	}
	*sock = sock_from_file(file);
	if (*sock)
		return file;
	NL_SET_ERR_MSG(extack, "a descriptor is not a socket");
	fput(file);
	return ERR_PTR(-ENOTSOCK);
}

/* As getsockname(2) says it, but without the socket lock. Return: its length. */
static int read_address(struct socket *sock, struct sockaddr_storage *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sock *sk = sock->sk;

	if (sk->sk_family == AF_UNIX)
		return kernel_getsockname(sock, (struct sockaddr *)address);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		*(struct sockaddr_in6 *)address = (struct sockaddr_in6){
			.sin6_family = AF_INET6,
			.sin6_port = READ_ONCE(inet_sk(sk)->inet_sport),
			.sin6_addr = sk->sk_v6_rcv_saddr,
		};
		return sizeof(struct sockaddr_in6);
	}
#endif
	*in = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = READ_ONCE(inet_sk(sk)->inet_sport),
		.sin_addr.s_addr = READ_ONCE(sk->sk_rcv_saddr),
	};
	return sizeof(*in);
}

static struct kmc_listener *listener_new(struct kmc_server *server, const struct kmc_listener_spec *spec,
					 struct file *file, struct socket *sock)
{
	struct kmc_listener *listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);

	if (!listener)
		return NULL;
	listener->server = server;
	listener->file = file;
	listener->sock = sock;
	listener->sk = sock->sk;
	listener->datagrams = sock->type == SOCK_DGRAM;
	listener->protocol = spec->protocol;
	listener->last_active = jiffies;
	strscpy(listener->tag, spec->tag, sizeof(listener->tag));
	spin_lock_init(&listener->lock);
	listener->address_len = read_address(sock, &listener->address);
	init_waitqueue_func_entry(&listener->wait, listener_wake);
	INIT_LIST_HEAD(&listener->wait.entry);
	kthread_init_delayed_work(&listener->accept, listener_accept);
	return listener;
}

struct kmc_listener *kmc_listener_open(struct kmc_server *server, const struct kmc_listener_spec *spec,
				       struct netlink_ext_ack *extack)
{
	struct kmc_listener *listener;
	struct socket *sock;
	struct file *file;
	int err;

	file = get_file_of_socket(spec->fd, &sock, extack);
	if (IS_ERR(file))
		return ERR_CAST(file);
	err = check_socket(sock, server->net, extack);
	if (err)
		goto put_file;
	err = -ENOMEM;
	listener = listener_new(server, spec, file, sock);
	if (!listener) {
		NL_SET_ERR_MSG(extack, "no memory for a listener");
		goto put_file;
	}
	if (!listener->datagrams)
		return listener;
	listener->udp = kmc_udp_attach(listener, extack);
	if (!IS_ERR(listener->udp))
		return listener;
	err = PTR_ERR(listener->udp);
	kfree(listener);

put_file:
	fput(file);
	return ERR_PTR(err);
}

void kmc_listener_start(struct kmc_listener *listener)
{
	if (listener->datagrams) {
		kmc_udp_start(listener->udp);
		return;
	}
	add_wait_queue(&listener->sock->wq.wait, &listener->wait);
	/* Who connected before that has woken nobody. */
	kmc_listener_kick(listener);
}

static void listener_close(struct kmc_listener *listener)
{
	spin_lock(&listener->lock);
	WRITE_ONCE(listener->closed, true);
	spin_unlock(&listener->lock);
	if (listener->datagrams)
		kmc_udp_detach(listener->udp);
	else
		remove_wait_queue(&listener->sock->wq.wait, &listener->wait);
}

void kmc_listeners_close(struct kmc_listener **listeners, u32 nr)
{
	bool any = false;
	u32 i;

	for (i = 0; i < nr; i++) {
		listener_close(listeners[i]);
		any |= listeners[i]->datagrams;
	}
	if (!any)
		return;
	synchronize_rcu();
	for (i = 0; i < nr; i++) {
		if (!listeners[i]->datagrams)
			continue;
		kmc_udp_free(listeners[i]->udp);
		listeners[i]->udp = NULL;
	}
}

static struct file *take_file(struct kmc_listener *listener)
{
	struct file *file;

	WARN_ON_ONCE(!listener->closed);
	spin_lock(&listener->lock);
	file = listener->file;
	listener->file = NULL;
	spin_unlock(&listener->lock);
	return file;
}

void kmc_listener_let_go(struct kmc_listener *listener)
{
	struct file *file = take_file(listener);

	if (file)
		fput(file);
}

void kmc_listener_let_go_now(struct kmc_listener *listener)
{
	struct file *file = take_file(listener);

	if (file)
		__fput_sync(file);
}

void kmc_listener_stop(struct kmc_listener *listener)
{
	kthread_cancel_delayed_work_sync(&listener->accept);
}

void kmc_listener_free(struct kmc_listener *listener)
{
	WARN_ON_ONCE(listener && listener->file);
	kfree(listener);
}
