/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_COMPAT_LINUX_NETLINK_H
#define KMC_COMPAT_LINUX_NETLINK_H

#include_next <linux/netlink.h>

/* NL_SET_ERR_MSG() for a sentence that is no literal: it must live as long as the module. */
static inline void kmc_nl_say(struct netlink_ext_ack *extack, const char *sentence)
{
	if (extack)
		extack->_msg = sentence;
}

#endif
