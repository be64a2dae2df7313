// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of other people's sockets.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/net.h>
#include <net/sock.h>

#include "conn.h"
#include "ktap.h"
#include "peer.h"
#include "server.h"

static bool same_callbacks(const struct sock *one, const struct sock *other)
{
	return one->sk_data_ready == other->sk_data_ready && one->sk_write_space == other->sk_write_space &&
	       one->sk_state_change == other->sk_state_change && one->sk_user_data == other->sk_user_data;
}

/* The only connection's socket, with a reference. */
static struct sock *served_socket(struct kmc_server *server)
{
	struct kmc_conn *conn;
	struct sock *sk = NULL;

	spin_lock_bh(&server->conns.lock);
	conn = list_first_entry_or_null(&server->conns.list, struct kmc_conn, node);
	if (conn) {
		sk = conn->sock->sk;
		sock_hold(sk);
	}
	spin_unlock_bh(&server->conns.lock);
	return sk;
}

static bool given_back(int family)
{
	struct kmc_test_listening listening;
	struct kmc_server *server;
	struct socket *client;
	bool taken, ended, back;
	struct sock *sk;

	CHECK(!kmc_test_listen(&listening, family));
	server = kmc_test_serve(&listening);
	CHECK(!IS_ERR(server));
	client = kmc_test_connect(&listening);
	CHECK(client);
	CHECK(kmc_test_talk(client));
	sk = served_socket(server);
	CHECK(sk);
	/* The client's end is of the same kind, and nobody's. */
	taken = sk->sk_user_data && sk->sk_data_ready != client->sk->sk_data_ready &&
		sk->sk_write_space != client->sk->sk_write_space;
	ended = kmc_test_end(server);
	back = same_callbacks(sk, client->sk);
	sock_put(sk);
	sock_release(client);
	kmc_test_unlisten(&listening);
	CHECK(taken);
	CHECK(ended);
	CHECK(back);
	return true;
}

bool kmc_test_sockets_are_given_back(void)
{
	return given_back(AF_INET) && given_back(AF_UNIX);
}

static bool left_alone(int family)
{
	struct kmc_test_listening listening, untouched;
	struct kmc_server *server;
	struct socket *client;
	struct sock *sk;

	CHECK(!kmc_test_listen(&listening, family));
	CHECK(!kmc_test_listen(&untouched, family));
	sk = listening.sock->sk;
	CHECK(same_callbacks(sk, untouched.sock->sk) && !sk->sk_user_data);
	server = kmc_test_serve(&listening);
	CHECK(!IS_ERR(server));
	CHECK(same_callbacks(sk, untouched.sock->sk) && waitqueue_active(&listening.sock->wq.wait));
	CHECK(kmc_test_end(server));
	CHECK(same_callbacks(sk, untouched.sock->sk) && !waitqueue_active(&listening.sock->wq.wait));
	client = kmc_test_connect(&listening);
	CHECK(client);	/* it listens still */
	sock_release(client);
	kmc_test_unlisten(&untouched);
	kmc_test_unlisten(&listening);
	return true;
}

bool kmc_test_listener_is_left_alone(void)
{
	return left_alone(AF_INET) && left_alone(AF_UNIX);
}

static void other_data_ready(struct sock *sk)
{
}

static bool busy(int family)
{
	struct kmc_test_listening listening;
	struct kmc_server *with_data, *with_callback, *server;
	void (*plain)(struct sock *sk);
	struct sock *sk;

	CHECK(!kmc_test_listen(&listening, family));
	sk = listening.sock->sk;
	sk->sk_user_data = &listening;
	with_data = kmc_test_serve(&listening);
	sk->sk_user_data = NULL;
	plain = sk->sk_data_ready;
	sk->sk_data_ready = other_data_ready;
	with_callback = kmc_test_serve(&listening);
	sk->sk_data_ready = plain;
	server = kmc_test_serve(&listening);
	CHECK(PTR_ERR(with_data) == -EBUSY);
	CHECK(PTR_ERR(with_callback) == -EBUSY);
	CHECK(!IS_ERR(server));
	CHECK(kmc_test_end(server));
	kmc_test_unlisten(&listening);
	return true;
}

bool kmc_test_busy_listener_is_refused(void)
{
	return busy(AF_INET) && busy(AF_UNIX);
}

/* As where a sockmap has every new connection: whoever accepts it finds that its user data is taken. */
bool kmc_test_connection_of_another(void)
{
	static unsigned long theirs;
	struct kmc_test_listening listening;
	struct kmc_server *server;
	struct kmc_test_crowd crowd;
	struct socket *client;
	bool answered, ended;

	CHECK(!kmc_test_listen(&listening, AF_INET));
	server = kmc_test_serve(&listening);
	CHECK(!IS_ERR(server));
	/* Not marked as "not to be copied": connections inherit it. */
	listening.sock->sk->sk_user_data = &theirs;
	CHECK(!kmc_test_crowd_start(&crowd, &listening));
	client = kmc_test_connect(&listening);
	CHECK(client);
	answered = kmc_test_talk(client);
	msleep(1000);
	kmc_test_crowd_stop(&crowd);
	sock_release(client);
	listening.sock->sk->sk_user_data = NULL;
	ended = kmc_test_end(server);
	kmc_test_unlisten(&listening);
	CHECK(!answered);
	CHECK(ended);
	return true;
}
