/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The binary protocol (memcached's protocol_binary.h and BinaryProtocolRevamped; what these leave open, and
 * all that proto_bin.c of 1.6.45 does otherwise, as there).
 *
 * A request is a header of 24 bytes, extras, a key and a value, whose lengths the header says. Every contradiction
 * between these, and with what the opcode asks for, is found in the header alone, before anything is computed
 * with it, and ends the connection.
 */
#ifndef KMC_PROTO_BINARY_H
#define KMC_PROTO_BINARY_H

#include "protocol.h"

#define KMC_BINARY_MAGIC	0x80	/* first byte of a request */
#define KMC_BINARY_KEY_MAX	250	/* the header could say more, the store not */
#define KMC_BINARY_BODY_MAX	(1U << 30)	/* 1.6.45, ITEM_SIZE_MAX_UPPER_LIMIT */

#endif
