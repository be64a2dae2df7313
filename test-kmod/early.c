// SPDX-License-Identifier: GPL-2.0
/*
 * An instance that stops while its doorman makes a connection ready.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/net.h>
#include <linux/tcp.h>

#include "conn.h"
#include "early.h"
#include "ktap.h"
#include "peer.h"
#include "server.h"

#define PATIENCE	(60 * HZ)
#define LOOKS		20

static bool armed;
static struct completion arrived, enough;

void kmc_test_nodelay(struct sock *sk)
{
	if (READ_ONCE(armed)) {
		complete(&arrived);
		wait_for_completion_timeout(&enough, PATIENCE);
	}
	tcp_sock_set_nodelay(sk);
}

/* The doorman has a connection, which is listed. Return: whether it is left to him although all are told to end. */
static bool left_to_the_doorman(struct kmc_server *server)
{
	int look;

	kmc_server_stop(server, KMC_REASON_REQUEST);
	kmc_server_close(server);
	for (look = 0; look < LOOKS; look++) {
		if (READ_ONCE(server->conns.nr) != 1)
			return false;
		msleep(10);
	}
	return true;
}

bool kmc_test_early_end(void)
{
	struct kmc_test_listening listening;
	struct kmc_server *server;
	struct socket *client;
	bool left, ended;

	init_completion(&arrived);
	init_completion(&enough);
	CHECK(!kmc_test_listen(&listening, AF_INET));
	server = kmc_test_serve(&listening);
	CHECK(!IS_ERR(server));
	WRITE_ONCE(armed, true);
	client = kmc_test_connect(&listening);
	left = client && wait_for_completion_timeout(&arrived, PATIENCE) && left_to_the_doorman(server);
	WRITE_ONCE(armed, false);
	complete_all(&enough);
	ended = kmc_test_end(server);
	if (client)
		sock_release(client);
	kmc_test_unlisten(&listening);
	CHECK(left);
	CHECK(ended);
	return true;
}
