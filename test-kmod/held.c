// SPDX-License-Identifier: GPL-2.0
/*
 * A listener whose lock is held for long, as whoever has a duplicate can do.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/net.h>
#include <net/sock.h>

#include "ktap.h"
#include "listener.h"
#include "peer.h"
#include "server.h"

#define PATIENCE	(60 * HZ)	/* then the lock is free again, and whoever waited for it was held up */

struct holder {
	struct sock *sk;
	struct completion held;
	struct completion enough;
	bool given_up;
	struct task_struct *task;
};

static int hold(void *data)
{
	struct holder *holder = data;

	lock_sock(holder->sk);
	complete(&holder->held);
	holder->given_up = !wait_for_completion_timeout(&holder->enough, PATIENCE);
	release_sock(holder->sk);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static bool hold_lock(struct holder *holder, struct sock *sk)
{
	*holder = (struct holder){ .sk = sk };
	init_completion(&holder->held);
	init_completion(&holder->enough);
	holder->task = kthread_run(hold, holder, "kmctest/hold");
	if (IS_ERR(holder->task))
		return false;
	wait_for_completion(&holder->held);
	return true;
}

/* Return: whether it was held until now. */
static bool release_lock(struct holder *holder)
{
	complete(&holder->enough);
	kthread_stop(holder->task);
	return !holder->given_up;
}

static bool doorman_waits(struct kmc_server *server)
{
	unsigned long limit = jiffies + PATIENCE / 2;

	kmc_listener_kick(server->listeners[0]);
	while (READ_ONCE(server->doorman->task->__state) != TASK_UNINTERRUPTIBLE) {
		if (time_after(jiffies, limit))
			return false;
		msleep(10);
	}
	return true;
}

/* With the lock held. Return: whether others got on, and the end of @server was only put off. */
static bool others_get_on(struct kmc_server *server, struct kmc_test_listening *other)
{
	struct kmc_server *beside;
	bool fine;

	CHECK(doorman_waits(server));
	kmc_server_stop(server, KMC_REASON_REQUEST);
	kmc_server_close(server);
	beside = kmc_test_serve(other);
	CHECK(!IS_ERR(beside));
	fine = kmc_test_end(beside);
	CHECK(fine);
	CHECK(!completion_done(&server->gone));
	return true;
}

bool kmc_test_locked_listener(void)
{
	struct kmc_test_listening locked, other;
	struct kmc_server *server;
	struct holder holder;
	bool fine, held;

	CHECK(!kmc_test_listen(&locked, AF_INET));
	CHECK(!kmc_test_listen(&other, AF_INET));
	server = kmc_test_serve(&locked);
	CHECK(!IS_ERR(server));
	CHECK(hold_lock(&holder, locked.sock->sk));
	fine = others_get_on(server, &other);
	held = release_lock(&holder);
	CHECK(kmc_test_end(server));
	kmc_test_unlisten(&locked);
	kmc_test_unlisten(&other);
	CHECK(fine);
	CHECK(held);
	return true;
}
