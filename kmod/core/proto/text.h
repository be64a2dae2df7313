/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text protocol (memcached's protocol.txt; what that leaves open is as 1.6.45 does it).
 */
#ifndef KMC_TEXT_H
#define KMC_TEXT_H

#include "protocol.h"

#define KMC_TEXT_KEY_MAX	250	/* protocol.txt, "Keys" */

/* For text_auth.c, which speaks no other way. */
void kmc_text_answer(struct kmc_reply *reply, const struct kmc_request *req, enum kmc_answer answer);
size_t kmc_text_grab(const u8 *data, size_t have, const u8 *run, size_t len);

#endif
