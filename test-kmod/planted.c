// SPDX-License-Identifier: GPL-2.0
/*
 * Parameter of kmctest.ko:
 *	plant	WHAT: do what no code of ours may do to an item, or what it may ("within"). On a kernel with KASAN
 *		and one CPU each but the latter must end in a report; test-kmod/planted looks for it.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "core/store/state.h"
#include "ktap.h"
#include "peer.h"
#include "server.h"

#define VALUE 21U	/* not a multiple of KASAN's 8 bytes */

static noinline void kmc_plant_within(struct kmc_store *store, struct kmc_item *item)
{
	volatile u8 *value = kmc_item_value(item);
	u32 i;

	for (i = 0; i < VALUE; i++)
		value[i] = 1;
	kmc_item_put(store, item);
}

static noinline void kmc_plant_overrun(struct kmc_store *store, struct kmc_item *item)
{
	((volatile u8 *)kmc_item_value(item))[VALUE] = 1;
	kmc_item_put(store, item);
}

static noinline void kmc_plant_freed(struct kmc_store *store, struct kmc_item *item)
{
	kmc_item_put(store, item);
	((volatile u8 *)kmc_item_value(item))[0];
}

/* The next chunk of the page was never handed out. */
static noinline void kmc_plant_fresh(struct kmc_store *store, struct kmc_item *item)
{
	u32 size = store->slab.classes[kmc_item_class(item)].chunk_size;

	((volatile u8 *)item)[size + 4];
	kmc_item_put(store, item);
}

static const struct {
	const char *name;
	void (*run)(struct kmc_store *store, struct kmc_item *item);
} plants[] = {
	{ "within", kmc_plant_within },
	{ "overrun", kmc_plant_overrun },
	{ "freed", kmc_plant_freed },
	{ "fresh", kmc_plant_fresh },
};

/* An item of VALUE bytes, not linked. */
static struct kmc_item *plant_item(struct kmc_store *store)
{
	struct kmc_key key = kmc_key(store, (const u8 *)"planted", 7);
	struct kmc_item *item;

	do {
		local_bh_disable();
		item = kmc_item_alloc(store, &key, 0, 0, VALUE);
		local_bh_enable();
	} while (item == ERR_PTR(-EAGAIN) && !kmc_store_provide(store));
	return item;
}

static int set_plant(const char *text, const struct kernel_param *param)
{
	struct kmc_test_listening listening;
	struct kmc_server *server;
	struct kmc_item *item;
	unsigned int i;
	int err = -EINVAL;

	for (i = 0; i < ARRAY_SIZE(plants) && !sysfs_streq(text, plants[i].name); i++)
		;
	if (i == ARRAY_SIZE(plants) || kmc_test_listen(&listening, AF_UNIX))
		return err;
	server = kmc_test_serve(&listening);
	if (!IS_ERR(server)) {
		item = plant_item(server->core.store);
		err = PTR_ERR_OR_ZERO(item);
		if (!err)
			plants[i].run(server->core.store, item);
		kmc_test_end(server);
	}
	kmc_test_unlisten(&listening);
	return err;
}

static const struct kernel_param_ops plant_ops = { .set = set_plant };
module_param_cb(plant, &plant_ops, NULL, 0200);
