// SPDX-License-Identifier: GPL-2.0
/*
 * Ends of instances, at the worst of times.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/net.h>
#include <linux/random.h>

#include "conn.h"
#include "ktap.h"
#include "peer.h"
#include "server.h"

#define ROUNDS 40

/* Waits until a connection is there. */
static bool has_connections(struct kmc_server *server)
{
	unsigned long limit = jiffies + 60 * HZ;

	while (!READ_ONCE(server->conns.nr)) {
		if (time_after(jiffies, limit))
			return false;
		usleep_range(100, 200);
	}
	return true;
}

static bool teardown_round(int family)
{
	struct kmc_test_listening listening;
	struct kmc_test_crowd crowd;
	struct kmc_server *server;
	bool served, ended;

	CHECK(!kmc_test_listen(&listening, family));
	server = kmc_test_serve(&listening);
	CHECK(!IS_ERR(server));
	CHECK(!kmc_test_crowd_start(&crowd, &listening));
	served = has_connections(server);
	usleep_range(0, get_random_u32() % 5000);
	ended = kmc_test_end(server);
	kmc_test_unlisten(&listening);
	kmc_test_crowd_stop(&crowd);
	CHECK(served);
	CHECK(ended);
	return true;
}

static bool teardown(int family)
{
	int round;

	for (round = 0; round < ROUNDS; round++)
		CHECK(teardown_round(family));
	return true;
}

bool kmc_test_teardown_tcp(void)
{
	return teardown(AF_INET);
}

bool kmc_test_teardown_unix(void)
{
	return teardown(AF_UNIX);
}

/*
 * As a socket callback does that was called just before the connection closed. Return: whether it had closed: the
 * work item that closes it may be waiting for the very CPU that waits here.
 */
static bool kick_late(struct kmc_server *server)
{
	struct kmc_conn *conn;
	int waited;

	rcu_read_lock();
	conn = list_first_entry(&server->conns.list, struct kmc_conn, node);
	kmc_server_stop(server, KMC_REASON_REQUEST);
	for (waited = 0; READ_ONCE(conn->sock) && waited < 500; waited++)
		mdelay(1);
	kmc_conn_kick(conn);
	rcu_read_unlock();
	return waited < 500;
}

static bool late_round(bool *closed)
{
	struct kmc_test_listening listening;
	struct kmc_server *server;
	struct socket *client;
	bool ended;

	CHECK(!kmc_test_listen(&listening, AF_INET));
	server = kmc_test_serve(&listening);
	CHECK(!IS_ERR(server));
	client = kmc_test_connect(&listening);
	CHECK(client);
	CHECK(kmc_test_talk(client));
	*closed = kick_late(server);
	ended = kmc_test_end(server);
	sock_release(client);
	kmc_test_unlisten(&listening);
	CHECK(ended);
	return true;
}

bool kmc_test_late_kick(void)
{
	bool closed = false;
	int round;

	if (num_online_cpus() == 1)
		return true;	/* nobody could close it while we wait */
	for (round = 0; round < ROUNDS && !closed; round++)
		CHECK(late_round(&closed));
	CHECK(closed);
	return true;
}

struct stopper {
	struct kmc_server *server;
	enum kmc_reason reason;
	struct completion done;
};

static int stop_it(void *data)
{
	struct stopper *stopper = data;

	kmc_server_stop(stopper->server, stopper->reason);
	complete(&stopper->done);
	return 0;
}

static void stop_for_all_reasons(struct kmc_server *server)
{
	struct stopper stoppers[] = {
		{ server, KMC_REASON_REQUEST }, { server, KMC_REASON_OWNER },
		{ server, KMC_REASON_CLIENT }, { server, KMC_REASON_UNLOAD },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stoppers); i++) {
		init_completion(&stoppers[i].done);
		if (IS_ERR(kthread_run(stop_it, &stoppers[i], "kmctest/%u", i)))
			stop_it(&stoppers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(stoppers); i++)
		wait_for_completion(&stoppers[i].done);
}

bool kmc_test_many_reasons(void)
{
	struct kmc_test_listening listening;
	struct kmc_server *server;
	int round, reason;

	for (round = 0; round < ROUNDS; round++) {
		CHECK(!kmc_test_listen(&listening, AF_UNIX));
		server = kmc_test_serve(&listening);
		CHECK(!IS_ERR(server));
		stop_for_all_reasons(server);
		reason = READ_ONCE(server->reason);
		kmc_server_stop(server, KMC_REASON_CLIENT_GRACEFUL);
		CHECK(reason != KMC_REASON_NONE && READ_ONCE(server->reason) == reason);
		CHECK(kmc_test_end(server));
		kmc_test_unlisten(&listening);
	}
	return true;
}
