// SPDX-License-Identifier: GPL-2.0
#include "owner.h"

#include <linux/netlink.h>
#include <linux/notifier.h>
#include <net/sock.h>

#include "event.h"
#include "registry.h"

struct kmc_owner kmc_owner_of(const struct sk_buff *skb)
{
	return (struct kmc_owner){ .sk = NETLINK_CB(skb).sk, .portid = NETLINK_CB(skb).portid };
}

struct kmc_owner kmc_owner_get(const struct kmc_owner *owner)
{
	if (owner->sk)
		sock_hold(owner->sk);
	return *owner;
}

void kmc_owner_put(struct kmc_owner *owner)
{
	if (owner->sk)
		sock_put(owner->sk);
	owner->sk = NULL;
}

bool kmc_owner_gone(const struct kmc_owner *owner, u32 portid)
{
	return owner->sk && owner->portid == portid && sock_flag(owner->sk, SOCK_DEAD);
}

/* Called at the last close of any netlink socket, in the closer's own context; may sleep. */
static int socket_released(struct notifier_block *block, unsigned long event, void *data)
{
	struct netlink_notify *notify = data;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC) {
		kmc_events_owner_gone(notify->net, notify->portid);
		kmc_registry_owner_gone(notify->net, notify->portid);
	}
	return NOTIFY_DONE;
}

static struct notifier_block release_notifier = { .notifier_call = socket_released };

int kmc_owners_init(void)
{
	return netlink_register_notifier(&release_notifier);
}

void kmc_owners_exit(void)
{
	netlink_unregister_notifier(&release_notifier);
}
