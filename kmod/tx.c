// SPDX-License-Identifier: GPL-2.0
#include "tx.h"

#include <linux/slab.h>
#include <linux/uio.h>

#include "charge.h"
#include "server.h"

static_assert(sizeof_field(struct kmc_txbuf, room) >= KMC_REPLY_ROOM_MIN);

static struct kmem_cache *tx_cache;

/* A test of failing allocations does without: each buffer comes from the cache then. */
#ifndef KMC_TX_SPARES
#define KMC_TX_SPARES true
#endif

/* The buffer that was given back last on a CPU: in the steady state a request allocates nothing. */
static DEFINE_PER_CPU(struct kmc_txbuf *, spare_tx);

/* One that was charged to @server; another's is not passed on, or who holds on to it would cost that. */
static struct kmc_txbuf *take_spare(u32 server)
{
	struct kmc_txbuf *tx = KMC_TX_SPARES ? this_cpu_xchg(spare_tx, NULL) : NULL;

	if (!tx || tx->server == server)
		return tx;
	kmem_cache_free(tx_cache, tx);
	return NULL;
}

static struct kmc_txbuf *tx_alloc(struct kmc_server *server)
{
	struct mem_cgroup *before = kmc_charge_begin(server);
	struct kmc_txbuf *tx = kmem_cache_alloc(tx_cache, KMC_GFP_ATOMIC);

	kmc_charge_end(before);
	if (tx)
		tx->server = server->id;
	return tx;
}

bool kmc_tx_take(struct kmc_conn *conn)
{
	struct kmc_core *core = &conn->server->core;

	if (conn->tx)
		return true;
	conn->tx = take_spare(conn->server->id);
	if (!conn->tx)
		conn->tx = tx_alloc(conn->server);
	if (!conn->tx) {
		local_bh_disable();
		kmc_count(&core->stats, response_obj_oom);
		local_bh_enable();
		return false;
	}
	kmc_reply_init(&conn->tx->reply, core->store, conn->tx->room, sizeof(conn->tx->room));
	return true;
}

void kmc_tx_give(struct kmc_conn *conn)
{
	if (!conn->tx)
		return;
	WARN_ON_ONCE(!kmc_reply_empty(&conn->tx->reply));
	if (!KMC_TX_SPARES || this_cpu_cmpxchg(spare_tx, NULL, conn->tx))
		kmem_cache_free(tx_cache, conn->tx);	/* there is one already */
	conn->tx = NULL;
}

void kmc_tx_drop(struct kmc_conn *conn)
{
	if (!conn->tx)
		return;
	local_bh_disable();
	kmc_reply_clear(&conn->tx->reply);
	local_bh_enable();
	kmc_tx_give(conn);
}

size_t kmc_tx_message(struct kmc_conn *conn, struct msghdr *msg, struct kvec *vec)
{
	const struct kmc_reply *reply = &conn->tx->reply;
	u32 i, nr = 0;

	for (i = reply->first; i < reply->last; i++) {
		vec[nr].iov_base = (void *)reply->segments[i].data;
		vec[nr++].iov_len = reply->segments[i].len;
	}
	*msg = (struct msghdr){ .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	iov_iter_kvec(&msg->msg_iter, ITER_SOURCE, vec, nr, reply->bytes);
	return reply->bytes;
}

/* Dropping a segment may drop the last reference on an item: bottom halves off. */
void kmc_tx_sent(struct kmc_conn *conn, size_t len)
{
	local_bh_disable();
	kmc_reply_sent(&conn->tx->reply, len);
	kmc_count_add(&conn->server->core.stats, KMC_COUNT_bytes_written, len);
	local_bh_enable();
}

int kmc_tx_init(void)
{
	tx_cache = kmc_cache_create("kmc_txbuf", sizeof(struct kmc_txbuf));
	return tx_cache ? 0 : -ENOMEM;
}

/* No connection is left. */
void kmc_tx_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kmc_txbuf *spare = per_cpu(spare_tx, cpu);

		if (spare)
			kmem_cache_free(tx_cache, spare);
	}
	kmem_cache_destroy(tx_cache);
}
