/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_COMPAT_NET_GENETLINK_H
#define KMC_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>

/*
 * A multicast group that one may join with CAP_NET_ADMIN only. Where the kernel cannot ask for that
 * (before 6.6, and 6.1.y before the same fix) there is no group: events go to subscribers alone.
 */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define KMC_MCGRPS_ADMIN(group) { { .name = (group), .flags = GENL_MCAST_CAP_NET_ADMIN } }
#define KMC_MCGRPS_NR 1
#else
#define KMC_MCGRPS_ADMIN(group) { { .name = (group) } }
#define KMC_MCGRPS_NR 0
#endif

#endif
