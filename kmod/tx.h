/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Replies on their way out: a buffer for building one, and sending it.
 */
#ifndef KMC_TX_H
#define KMC_TX_H

#include <linux/mm_types_task.h>
#include <linux/socket.h>

#include "conn.h"
#include "core/reply.h"

#define KMC_TXBUF_SIZE 8192

/**
 * struct kmc_txbuf - a reply and its room
 * Belongs to one connection while that has something to say, else to a CPU or to the slab cache.
 * @server: id of the instance that was charged for it
 * @frag: where the reply is built instead of @room, so that TCP can send it without a copy. Only during a turn, so
 *	that nobody who does not read keeps a page that is charged to no one; what is left over moves to @room then.
 */
struct kmc_txbuf {
	struct kmc_reply reply;
	u64 server;
	struct page_frag frag;
	u8 room[KMC_TXBUF_SIZE - sizeof(struct kmc_reply) - sizeof(u64) - sizeof(struct page_frag)];
};

int kmc_tx_init(void);
void kmc_tx_exit(void);

/* See that @conn has a buffer. Under the connection's lock. Return: false without memory. */
bool kmc_tx_take(struct kmc_conn *conn);

/* Build the reply, which must be empty, in a page, if there is one at hand. Under the connection's lock. */
void kmc_tx_furnish(struct kmc_conn *conn);

/* The turn is over: no page any more. Outside of a turn there is none. */
void kmc_tx_settle(struct kmc_conn *conn);

/* Whether all of the reply lies in @tx->frag, in one piece, and where it begins there. */
bool kmc_tx_in_frag(const struct kmc_txbuf *tx, u32 *offset);

/* Give an empty buffer back. */
void kmc_tx_give(struct kmc_conn *conn);

/* Give it back with all that it holds. */
void kmc_tx_drop(struct kmc_conn *conn);

/* Have @msg say what the reply holds, through @vec. Return: bytes. */
size_t kmc_tx_message(struct kmc_conn *conn, struct msghdr *msg, struct kvec *vec);

/* The first @len bytes are gone out. */
void kmc_tx_sent(struct kmc_conn *conn, size_t len);

#endif
