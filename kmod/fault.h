/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failure on demand. Every place of the kernel half that asks for memory (or for something that fails
 * like it) has a site here; a test makes one fail at its n-th hit and reads how often each was hit.
 * Stock kernels have no fault injection, so this is ours. Built in with KMC_FAULT=1 only: the module
 * that serves pays nothing.
 */
#ifndef KMC_FAULT_H
#define KMC_FAULT_H

#include <linux/types.h>

/* X(site): a site that no test made fail is a failed test. */
#define KMC_FAULT_SITES(X) \
	X(new_spec) X(new_server) X(new_core) X(new_worker) X(new_listener) X(new_probe) X(new_reply) \
	X(get_reply) X(list_reply) X(stats_reply) X(event_message) X(subscriber) \
	X(accept) X(conn) X(conn_session) X(conn_txbuf) X(conn_send)

#define KMC_FAULT_ID(site) KMC_FAULT_##site,
enum kmc_fault_site { KMC_FAULT_SITES(KMC_FAULT_ID) KMC_FAULT_NR };
#undef KMC_FAULT_ID

#ifdef KMC_FAULT
/* Counts a hit. Return: whether this one is to fail. Any context. */
bool kmc_fault(enum kmc_fault_site site);
#else
static inline bool kmc_fault(enum kmc_fault_site site)
{
	return false;
}
#endif

/* @make gives a pointer, or NULL without memory. */
#define KMC_TRY(site, make) (kmc_fault(KMC_FAULT_##site) ? NULL : (make))

#endif
