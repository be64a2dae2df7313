/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Idle connections (-o idle_timeout): found here, closed by their own work items.
 */
#ifndef KMC_AGING_H
#define KMC_AGING_H

#include <linux/kthread.h>

struct kmc_server;

/* Look at all connections each second, if the instance has an idle timeout. Runs on its worker. */
void kmc_aging_start(struct kmc_server *server);

/* Process context, not on the worker. */
void kmc_aging_stop(struct kmc_server *server);

#endif
