/* SPDX-License-Identifier: MIT */
/* libnl and libnl-genl, and the kernel's own names for what is in a generic netlink message. */
#include <linux/netlink.h>
#include <linux/genetlink.h>
#include <netlink/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>
