// SPDX-License-Identifier: GPL-2.0
#include "core.h"
#include "auth.h"
#include "buffers.h"
#include "store/store.h"

int kmc_core_init(struct kmc_core *core, const struct kmc_settings *settings,
		  const struct kmc_core_ops *ops)
{
	int err;

	core->settings = *settings;
	core->ops = ops;
	kmc_debug_init(&core->held);
	spin_lock_init(&core->auth_lock);
	err = kmc_stats_init(&core->stats);
	if (err)
		return err;
	err = kmc_watch_init(&core->watch);
	if (err)
		goto exit_stats;
	err = kmc_prefixes_init(&core->prefixes);
	if (err)
		goto exit_watch;
	err = kmc_buffers_init(core);
	if (err)
		goto exit_prefixes;
	err = kmc_store_create(core);
	if (err)
		goto exit_buffers;
	return 0;

exit_buffers:
	kmc_buffers_exit(core);
exit_prefixes:
	kmc_prefixes_exit(&core->prefixes);
exit_watch:
	kmc_watch_exit(&core->watch);
exit_stats:
	kmc_stats_exit(&core->stats);
	return err;
}

void kmc_core_exit(struct kmc_core *core)
{
	kmc_debug_exit(core);
	kmc_store_destroy(core->store);
	kmc_buffers_exit(core);
	kmc_prefixes_exit(&core->prefixes);
	kmc_watch_exit(&core->watch);
	kmc_stats_exit(&core->stats);
	kmc_auth_replace(core, NULL);
}
