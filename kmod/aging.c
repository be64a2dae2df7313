// SPDX-License-Identifier: GPL-2.0
#include "aging.h"

#include <linux/list.h>

#include "conn.h"
#include "server.h"

#define AGING_BATCH 256		/* connections looked at with bottom halves off */

/* The first @nr of the list, which then stand at its end. */
static void age_batch(struct kmc_conns *conns, u32 nr, unsigned long timeout)
{
	struct kmc_conn *conn;

	lockdep_assert_held(&conns->lock);
	while (nr-- && !list_empty(&conns->list)) {
		conn = list_first_entry(&conns->list, struct kmc_conn, node);
		list_move_tail(&conn->node, &conns->list);
		if (time_after(jiffies, READ_ONCE(conn->last_active) + timeout)) {
			set_bit(KMC_CONN_AGED, &conn->flags);
			kmc_conn_kick(conn);
		}
	}
}

static void age(struct kthread_work *work)
{
	struct kmc_server *server = container_of(work, struct kmc_server, aging.work);
	struct kmc_conns *conns = &server->conns;
	unsigned long timeout = server->core.settings.idle_timeout * HZ;
	u32 left = READ_ONCE(conns->nr), batch;

	while (left) {
		batch = min_t(u32, left, AGING_BATCH);
		spin_lock_bh(&conns->lock);
		age_batch(conns, batch, timeout);
		spin_unlock_bh(&conns->lock);
		left -= batch;
		cond_resched();
	}
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
