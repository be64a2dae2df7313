// SPDX-License-Identifier: GPL-2.0
/*
 * A client of a unix socket that finds its connection's lock taken.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/socket.h>

#include "conn.h"
#include "ktap.h"
#include "peer.h"
#include "server.h"

#define PATIENCE	(60 * HZ)

/* The only connection of @server, which stays while its client does. */
static struct kmc_conn *only_conn(struct kmc_server *server)
{
	struct kmc_conn *conn;

	spin_lock_bh(&server->conns.lock);
	conn = list_first_entry_or_null(&server->conns.list, struct kmc_conn, node);
	spin_unlock_bh(&server->conns.lock);
	return conn;
}

/* Return: whether its work item comes to rest. */
static bool rests(struct kmc_conn *conn)
{
	unsigned long limit = jiffies + PATIENCE;

	while (work_busy(&conn->work.work)) {
		if (time_after(jiffies, limit))
			return false;
		msleep(1);
	}
	return true;
}

static int send_while_locked(struct kmc_conn *conn, struct socket *client)
{
	static char line[] = "mn\r\n";
	struct kvec vec = { .iov_base = line, .iov_len = sizeof(line) - 1 };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	int sent;

	mutex_lock(&conn->lock);
	sent = kernel_sendmsg(client, &msg, &vec, 1, vec.iov_len);
	mutex_unlock(&conn->lock);
	return sent;
}

static bool answered(struct socket *client)
{
	char answer[4];
	struct kvec vec = { .iov_base = answer, .iov_len = sizeof(answer) };
	struct msghdr msg = { };

	return kernel_recvmsg(client, &msg, &vec, 1, vec.iov_len, MSG_WAITALL) == sizeof(answer) &&
	       !memcmp(answer, "MN\r\n", sizeof(answer));
}

static bool refused_once(struct kmc_server *server, struct socket *client)
{
	struct kmc_conn *conn;

	CHECK(kmc_test_talk(client));
	conn = only_conn(server);
	CHECK(conn);
	CHECK(rests(conn));
	CHECK(send_while_locked(conn, client) == 4);
	kmc_conn_kick(conn);
	CHECK(answered(client));
	CHECK(rests(conn));
	return true;
}

bool kmc_test_guest_finds_lock_taken(void)
{
	struct kmc_test_listening listening;
	struct kmc_server *server;
	struct socket *client;
	bool fine = false, ended;

	CHECK(!kmc_test_listen(&listening, AF_UNIX));
	server = kmc_test_serve(&listening);
	CHECK(!IS_ERR(server));
	client = kmc_test_connect(&listening);
	if (client) {
		fine = refused_once(server, client);
		sock_release(client);
	}
	ended = kmc_test_end(server);
	kmc_test_unlisten(&listening);
	CHECK(fine);
	CHECK(ended);
	return true;
}
