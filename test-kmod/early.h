/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMC_TEST_EARLY_H
#define KMC_TEST_EARLY_H

struct sock;

/* tcp_sock_set_nodelay(), for which the doorman can be made to wait. Process context. */
void kmc_test_nodelay(struct sock *sk);

#endif
