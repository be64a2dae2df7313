// SPDX-License-Identifier: GPL-2.0
#include "tx.h"

#include <linux/slab.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "charge.h"
#include "frag.h"
#include "server.h"

static_assert(sizeof_field(struct kmc_txbuf, room) >= KMC_REPLY_ROOM_MIN);

static struct kmem_cache *tx_cache;

/* A test of failing allocations does without: each buffer comes from the cache then. */
#ifndef KMC_TX_SPARES
#define KMC_TX_SPARES true
#endif

/* A test of sends that fail has both ways to send: from pages, and by copying. */
#ifndef KMC_TX_FRAGS
#define KMC_TX_FRAGS true
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
	conn->tx->frag.page = NULL;
	kmc_reply_init(&conn->tx->reply, core->store, conn->tx->room, sizeof(conn->tx->room));
	return true;
}

/* Where the reply ends in the fragment: what lies before may be on its way. */
static u32 tx_end(const struct kmc_txbuf *tx)
{
	return (u32)(tx->reply.room - (u8 *)page_address(tx->frag.page)) + tx->reply.used;
}

void kmc_tx_furnish(struct kmc_conn *conn)
{
	struct kmc_txbuf *tx = conn->tx;
	struct kmc_reply *reply = &tx->reply;
	u8 *room = tx->room;
	u32 size = sizeof(tx->room);

	if (tx->frag.page && reply->size >= KMC_REPLY_ROOM_MIN)
		return;
	if (tx->frag.page) {
		tx->frag.offset = tx_end(tx);
		kmc_frag_give(&tx->frag);
	}
	if (KMC_TX_FRAGS && kmc_frag_have(&tx->frag, KMC_REPLY_ROOM_MIN)) {
		room = (u8 *)page_address(tx->frag.page) + tx->frag.offset;
		size = min(size, kmc_frag_room(&tx->frag));
	}
	kmc_reply_init(reply, reply->store, room, size);
	reply->lasting = tx->frag.page;
}

void kmc_tx_settle(struct kmc_conn *conn)
{
	struct kmc_txbuf *tx = conn->tx;

	if (!tx || !tx->frag.page)
		return;
	tx->frag.offset = tx_end(tx);
	/* Before the page is somebody else's. What is empty is given back, and begins anew with who takes it. */
	if (!kmc_reply_empty(&tx->reply))
		kmc_reply_move(&tx->reply, tx->room, sizeof(tx->room));
	kmc_frag_give(&tx->frag);
}

bool kmc_tx_in_frag(const struct kmc_txbuf *tx, u32 *offset)
{
	const struct kmc_reply *reply = &tx->reply;
	const struct kmc_segment *head = &reply->segments[reply->first];

	if (!tx->frag.page || reply->last - reply->first != 1 || head->data < reply->room ||
	    head->data >= reply->room + reply->used)
		return false;
	*offset = (u32)(head->data - (u8 *)page_address(tx->frag.page));
	return true;
}

void kmc_tx_give(struct kmc_conn *conn)
{
	if (!conn->tx)
		return;
	WARN_ON_ONCE(!kmc_reply_empty(&conn->tx->reply) || conn->tx->frag.page);
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
