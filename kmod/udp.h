/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A UDP socket that somebody bound and handed over: each datagram is a request of its own.
 */
#ifndef KMC_UDP_H
#define KMC_UDP_H

#include <linux/types.h>

struct kmc_listener;
struct kmc_udp;
struct netlink_ext_ack;

/*
 * Datagrams of one reply at most; a longer one is replaced by an error. It is what a receiver's default
 * buffer holds (net.core.rmem_default of 212,992 bytes, 2,304 for each): of more, none would read all.
 * Also the bound on amplification: 128,800 bytes for a request.
 */
#define KMC_UDP_REPLY_MAX	92

/* At load and unload; all listeners are freed before kmc_udp_exit(). */
int kmc_udp_init(void);
void kmc_udp_exit(void);

/**
 * kmc_udp_attach - take the datagrams of a listener's socket
 * @listener: @sk and @server are set; nothing is served before kmc_udp_start()
 *
 * Process context. Return: what the listener keeps, or ERR_PTR(): -ENOMEM, -EBUSY (somebody attached
 * something since it was checked), with a sentence in @extack.
 */
struct kmc_udp *kmc_udp_attach(struct kmc_listener *listener, struct netlink_ext_ack *extack);

/* Serve what has come and what will come. Process context. */
void kmc_udp_start(struct kmc_udp *udp);

/* Take no more. Calls under way end with the next RCU grace period. Process context. */
void kmc_udp_detach(struct kmc_udp *udp);

/* After that grace period, while the socket is still held: end what is left over, and free. Sleeps. */
void kmc_udp_free(struct kmc_udp *udp);

#endif
