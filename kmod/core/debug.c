// SPDX-License-Identifier: GPL-2.0
#include "core.h"
#include "store/store.h"

struct kmc_held {
	struct kmc_held *next;
	struct kmc_item *item;
	bool locked;
};

void kmc_debug_init(struct kmc_debug *debug)
{
	spin_lock_init(&debug->lock);
}

static bool kmc_held_is(const struct kmc_held *held, const u8 *key, u32 nkey, bool locked)
{
	return held->locked == locked &&
	       (!key || (held->item->nkey == nkey && !memcmp(kmc_item_key(held->item), key, nkey)));
}

bool kmc_debug_keep(struct kmc_core *core, struct kmc_item *item, bool locked)
{
	struct kmc_debug *debug = &core->held;
	struct kmc_held *held;

	kmc_assert_bh_off();
	held = kmalloc(sizeof(*held), KMC_GFP_ATOMIC);
	if (!held) {
		kmc_item_put(core->store, item);
		return false;
	}
	held->item = item;
	held->locked = locked;
	spin_lock(&debug->lock);
	held->next = debug->held;
	debug->held = held;
	spin_unlock(&debug->lock);
	return true;
}

bool kmc_debug_drop(struct kmc_core *core, const u8 *key, u32 nkey, bool locked)
{
	struct kmc_debug *debug = &core->held;
	struct kmc_held **at, *held;

	kmc_assert_bh_off();
	spin_lock(&debug->lock);
	for (at = &debug->held; (held = *at); at = &held->next)
		if (kmc_held_is(held, key, nkey, locked))
			break;
	if (held)
		*at = held->next;
	spin_unlock(&debug->lock);
	if (!held)
		return false;
	kmc_item_put(core->store, held->item);
	kfree(held);
	return true;
}

void kmc_debug_exit(struct kmc_core *core)
{
	struct kmc_held *held;

	while ((held = core->held.held)) {
		core->held.held = held->next;
		local_bh_disable();
		kmc_item_put(core->store, held->item);
		local_bh_enable();
		kfree(held);
	}
}
