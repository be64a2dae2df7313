/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat/ lets the sources read as for the newest kernel: a header here stands before the kernel's of
 * the same name, includes it, and adds what an older one lacks. Which kernels we know is said here.
 */
#ifndef KMC_COMPAT_LINUX_MODULE_H
#define KMC_COMPAT_LINUX_MODULE_H

#include_next <linux/module.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "kmemcache needs Linux 6.1 or newer"
#endif

#endif
