// SPDX-License-Identifier: GPL-2.0
/*
 * kmemcache: a memcached that lives in the kernel. What there is, in the order in which it comes and,
 * backwards, goes.
 */
#include <linux/init.h>
#include <linux/kmemcache.h>
#include <linux/module.h>
#include <net/genetlink.h>

#include "conn.h"
#include "control.h"
#include "core/version.h"
#include "event.h"
#include "owner.h"
#include "reclaim.h"
#include "registry.h"
#include "server.h"
#include "tx.h"
#include "udp.h"

static int __init kmc_init(void)
{
	int err;

	err = kmc_tx_init();
	if (err)
		return err;
	err = kmc_servers_init();
	if (err)
		goto exit_tx;
	err = kmc_conns_init();
	if (err)
		goto exit_servers;
	err = kmc_udp_init();
	if (err)
		goto exit_conns;
	err = kmc_reclaim_init();
	if (err)
		goto exit_udp;
	err = kmc_owners_init();
	if (err)
		goto exit_reclaim;
	err = kmc_control_init();
	if (err)
		goto exit_owners;
	pr_info("kmemcache " KMC_VERSION " loaded, speaks memcached " KMC_PROTOCOL_LEVEL "\n");
	return 0;

exit_owners:
	kmc_owners_exit();
exit_reclaim:
	kmc_reclaim_exit();
exit_udp:
	kmc_udp_exit();
exit_conns:
	kmc_conns_exit();
exit_servers:
	kmc_servers_exit();
exit_tx:
	kmc_tx_exit();
	return err;
}

/*
 * Instances end first, while the family and its subscribers can still be told why. From kmc_registry_shut() on
 * none can be made, from kmc_control_exit() on nobody can ask.
 */
static void __exit kmc_exit(void)
{
	kmc_registry_shut();
	kmc_servers_settle();
	kmc_control_exit();
	kmc_owners_exit();
	kmc_events_exit();
	kmc_reclaim_exit();
	kmc_udp_exit();
	/* The last connection of an instance may outlive it by a moment, and has a reference on it. */
	kmc_conns_exit();
	kmc_servers_exit();
	kmc_tx_exit();
	rcu_barrier();
	pr_info("kmemcache unloaded\n");
}

module_init(kmc_init);
module_exit(kmc_exit);

MODULE_DESCRIPTION("memcached in the kernel");
MODULE_AUTHOR("kmemcache developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(KMC_VERSION);
MODULE_ALIAS_GENL_FAMILY(KMC_GENL_NAME);
