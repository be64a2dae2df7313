/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text protocol (memcached's protocol.txt; what that leaves open is as 1.6.45 does it).
 */
#ifndef KMC_TEXT_H
#define KMC_TEXT_H

#include "protocol.h"

#define KMC_TEXT_KEY_MAX	250	/* protocol.txt, "Keys" */

#endif
