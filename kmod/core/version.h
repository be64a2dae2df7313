/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_VERSION_H
#define KMC_VERSION_H

#define KMC_VERSION		"0.1.0"

/* The memcached whose protocol and semantics are served: clients parse it out of "version". */
#define KMC_PROTOCOL_LEVEL	"1.6.45"
#define KMC_VERSION_TEXT	KMC_PROTOCOL_LEVEL "-kmemcache-" KMC_VERSION

#endif
