// SPDX-License-Identifier: GPL-2.0
#include "reclaim.h"

#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/shrinker.h>

#include "core/store/store.h"
#include "server.h"

/* Slab pages that are asked of each instance at a time. */
#define KMC_RECLAIM_MOST	16
/* Memory is scarce when less than this part of it is available: free, or to be had without harm to anybody. */
#define KMC_RECLAIM_PART	16
#define KMC_RECLAIM_UNIT	(KMC_PAGE_SIZE / PAGE_SIZE)	/* the system counts in its own pages */

static unsigned int memory_percent = 75;
module_param(memory_percent, uint, 0644);
MODULE_PARM_DESC(memory_percent, "of the machine's memory that all instances together may be promised");

static DEFINE_MUTEX(members_lock);
static LIST_HEAD(members);		/* struct kmc_server.member */
static DEFINE_SPINLOCK(promised_lock);
static u64 promised;			/* sum of struct kmc_server.promised */
static struct shrinker *shrinker;

static u64 most(void)
{
	return div_u64((u64)totalram_pages() * PAGE_SIZE, 100) * READ_ONCE(memory_percent);
}

/* Less is always granted. */
bool kmc_reclaim_claim(struct kmc_server *server, u64 bytes)
{
	bool granted;

	spin_lock_bh(&promised_lock);
	granted = bytes <= server->promised || promised - server->promised + bytes <= most();
	if (granted) {
		promised += bytes - server->promised;
		server->promised = bytes;
	}
	spin_unlock_bh(&promised_lock);
	return granted;
}

int kmc_reclaim_join(struct kmc_server *server, struct netlink_ext_ack *extack)
{
	if (!kmc_reclaim_claim(server, server->core.settings.memory_limit)) {
		NL_SET_ERR_MSG(extack, "all instances together would have more of the machine's memory than they may: ask for less, or raise the module parameter memory_percent");
		return -ENOMEM;
	}
	mutex_lock(&members_lock);
	list_add_tail(&server->member, &members);
	mutex_unlock(&members_lock);
	return 0;
}

void kmc_reclaim_leave(struct kmc_server *server)
{
	mutex_lock(&members_lock);
	list_del(&server->member);
	mutex_unlock(&members_lock);
	kmc_reclaim_claim(server, 0);
}

/*
 * Whether the system needs what the instances have. Shrinkers are asked whenever it cleans up, also when it only drops
 * one file's pages for another's, or was told to by vm/drop_caches; items went in proportion then, and nobody needed
 * their memory. So they stay until little is left that the system could have otherwise.
 */
static bool scarce(void)
{
	return si_mem_available() < (long)(totalram_pages() / KMC_RECLAIM_PART);
}

static unsigned long count(struct shrinker *s, struct shrink_control *control)
{
	struct kmc_server *server;
	unsigned long pages = 0;

	if (!scarce() || !mutex_trylock(&members_lock))
		return 0;
	list_for_each_entry(server, &members, member)
		pages += kmc_store_spare(server->core.store);
	mutex_unlock(&members_lock);
	return pages ? pages * KMC_RECLAIM_UNIT : SHRINK_EMPTY;
}

/* What lies idle goes at once; what is in use is for the upkeep of each instance, which is told to hurry. */
static unsigned long press(struct kmc_server *server, u32 pages)
{
	struct kmc_store *store = server->core.store;
	u32 some = min(pages, kmc_store_spare(store));

	if (!some)
		return 0;
	kmc_store_press(store, some);
	local_bh_disable();
	server->core.ops->wake(&server->core);
	local_bh_enable();
	return kmc_store_trim(store, some);
}

static unsigned long scan(struct shrinker *s, struct shrink_control *control)
{
	u32 pages = min_t(unsigned long, DIV_ROUND_UP(control->nr_to_scan, KMC_RECLAIM_UNIT), KMC_RECLAIM_MOST);
	struct kmc_server *server;
	unsigned long freed = 0;

	if (!scarce() || !mutex_trylock(&members_lock))
		return SHRINK_STOP;
	list_for_each_entry(server, &members, member)
		freed += press(server, pages);
	mutex_unlock(&members_lock);
	return freed ? freed * KMC_RECLAIM_UNIT : SHRINK_STOP;
}

int kmc_reclaim_init(void)
{
	const struct shrinker what = {
		.count_objects = count,
		.scan_objects = scan,
		.seeks = DEFAULT_SEEKS,
		.batch = KMC_RECLAIM_UNIT,
	};

	shrinker = kmc_shrinker_start(&what, "kmemcache");
	return shrinker ? 0 : -ENOMEM;
}

void kmc_reclaim_exit(void)
{
	kmc_shrinker_stop(shrinker);
	WARN_ON_ONCE(promised);
}
