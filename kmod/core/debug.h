/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Items that a test holds (debugitem). Empty in every cache that is not made for tests.
 *
 * Locking: struct kmc_debug.lock, innermost; BH off.
 */
#ifndef KMC_DEBUG_H
#define KMC_DEBUG_H

#include "kernel.h"

struct kmc_core;
struct kmc_item;
struct kmc_held;

/**
 * struct kmc_debug - what is held
 * @held: the last one first; each has a reference of its item. Under @lock.
 */
struct kmc_debug {
	spinlock_t lock;
	struct kmc_held *held;
};

void kmc_debug_init(struct kmc_debug *debug);

/* Before the store goes. Process context. */
void kmc_debug_exit(struct kmc_core *core);

/* Takes over the caller's reference. BH off. Return: false: no memory, the reference is dropped. */
bool kmc_debug_keep(struct kmc_core *core, struct kmc_item *item, bool locked);

/* Drop the last item that was kept in that way, of this key if it is not NULL. BH off. Return: there was one. */
bool kmc_debug_drop(struct kmc_core *core, const u8 *key, u32 nkey, bool locked);

#endif
