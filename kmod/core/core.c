// SPDX-License-Identifier: GPL-2.0
#include "core.h"
#include "store/store.h"

int kmc_core_init(struct kmc_core *core, const struct kmc_settings *settings,
		  const struct kmc_core_ops *ops)
{
	int err;

	core->settings = *settings;
	core->ops = ops;
	err = kmc_stats_init(&core->stats);
	if (err)
		return err;
	err = kmc_store_create(core);
	if (err)
		kmc_stats_exit(&core->stats);
	return err;
}

void kmc_core_exit(struct kmc_core *core)
{
	kmc_store_destroy(core->store);
	kmc_stats_exit(&core->stats);
}
