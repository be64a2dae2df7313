/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door: the generic netlink family of include/uapi/linux/kmemcache.h.
 */
#ifndef KMC_CONTROL_H
#define KMC_CONTROL_H

struct genl_family;

extern struct genl_family kmc_family;

int kmc_control_init(void);
void kmc_control_exit(void);

#endif
