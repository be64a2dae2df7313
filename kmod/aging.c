// SPDX-License-Identifier: GPL-2.0
#include "aging.h"

#include "conn.h"
#include "server.h"

static unsigned long idle_timeout(const struct kmc_server *server)
{
	return (unsigned long)server->core.settings.idle_timeout * HZ;
}

static void age_one(struct kmc_conn *conn)
{
	if (time_before_eq(jiffies, READ_ONCE(conn->last_active) + idle_timeout(conn->server)))
		return;
	set_bit(KMC_CONN_AGED, &conn->flags);
	kmc_conn_kick(conn);
}

static void age(struct kthread_work *work)
{
	struct kmc_server *server = container_of(work, struct kmc_server, aging.work);

	kmc_conns_each(&server->conns, age_one);
	kthread_queue_delayed_work(server->worker, &server->aging, HZ);
}

void kmc_aging_start(struct kmc_server *server)
{
	kthread_init_delayed_work(&server->aging, age);
	if (server->core.settings.idle_timeout)
		kthread_queue_delayed_work(server->worker, &server->aging, HZ);
}

void kmc_aging_stop(struct kmc_server *server)
{
	kthread_cancel_delayed_work_sync(&server->aging);
}
