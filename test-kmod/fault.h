/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failure on demand. Stock kernels have no fault injection, so this is ours: every place of the module
 * that asks for memory, or for something that fails like it, is a site (sites.h makes them), and the
 * n-th hit of any site can be made to fail.
 */
#ifndef KMC_TEST_FAULT_H
#define KMC_TEST_FAULT_H

#include <linux/atomic.h>

/**
 * struct kmc_fault_site - one place
 * @hits: how often it was reached
 * @failed: how often it was made to fail
 */
struct kmc_fault_site {
	const char *what;
	const char *file;
	unsigned int line;
	atomic_t hits;
	atomic_t failed;
} __aligned(8);

/* Ends of the section of sites (first.c, last.c): the sites lie between them. */
extern struct kmc_fault_site kmc_fault_first, kmc_fault_last;

/* Ways of the module that a test may choose between; parameters tx_frags, frag_spares. */
extern bool kmc_test_tx_frags, kmc_test_frag_spares;

/* Count a hit. Return: whether this one is to fail. Any context. */
bool kmc_fault(struct kmc_fault_site *site);

#endif
