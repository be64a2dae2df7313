/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The eight bytes before what a datagram carries (protocol.txt, section "UDP protocol"): request id,
 * sequence number, number of datagrams, and two bytes that are 0; 16 bits each, high byte first.
 */
#ifndef KMC_UDP_FRAME_H
#define KMC_UDP_FRAME_H

#include "../kernel.h"

#define KMC_UDP_FRAME		8	/* bytes of a frame */
#define KMC_UDP_DATAGRAM_MAX	1400	/* bytes of a reply's datagram with its frame, as memcached's */
#define KMC_UDP_PAYLOAD_MAX	(KMC_UDP_DATAGRAM_MAX - KMC_UDP_FRAME)

/**
 * struct kmc_udp_frame - a frame
 * @id: the client's, given back with each datagram of the reply
 * @sequence: 0 to @total - 1
 * @total: datagrams of this message
 */
struct kmc_udp_frame {
	u16 id;
	u16 sequence;
	u16 total;
};

/**
 * kmc_udp_frame_parse - the frame of a request
 * @data: the first KMC_UDP_FRAME bytes, if there are as many
 * @len: of the whole datagram
 *
 * A request is one datagram: what says that it is part of several, or another than the first of one, or
 * sets what must be 0, or carries nothing, is no request.
 * Return: 0; -EPROTO: to be dropped without an answer.
 */
int kmc_udp_frame_parse(const u8 *data, size_t len, struct kmc_udp_frame *frame);

/* Write KMC_UDP_FRAME bytes to @at. */
void kmc_udp_frame_write(u8 *at, const struct kmc_udp_frame *frame);

#endif
