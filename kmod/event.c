// SPDX-License-Identifier: GPL-2.0
/*
 * Events go to the multicast group, where the kernel can guard it, and to each subscriber. A subscriber
 * is a netlink socket that passed the permission check of KMC_CMD_SUBSCRIBE; it holds no reference on
 * its namespace but that of its own struct sock, and goes when the socket closes.
 *
 * Locking: subscribers under their mutex, process context, innermost.
 */
#include "event.h"

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "control.h"
#include "owner.h"
#include "server.h"
#include "tenant.h"

#define SUBSCRIBERS_MAX 1024	/* of the machine */

struct subscriber {
	struct list_head node;
	struct kmc_owner owner;
};

static DEFINE_MUTEX(subscribers_mutex);
static LIST_HEAD(subscribers);

/* Return: the message, or NULL without memory. */
static struct sk_buff *event_message(const struct kmc_server *server, enum kmc_event event,
				     enum kmc_reason reason)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *head;

	if (!skb)
		return NULL;
	head = genlmsg_put(skb, 0, 0, &kmc_family, 0, KMC_CMD_EVENT);
	if (!head || nla_put_u32(skb, KMC_A_EVENT, event) || nla_put_u32(skb, KMC_A_ID, server->id) ||
	    nla_put_string(skb, KMC_A_NAME, server->name) ||
	    (event == KMC_EVENT_STOPPED && nla_put_u32(skb, KMC_A_REASON, reason))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, head);
	return skb;
}

static void send_to_subscribers(const struct sk_buff *skb, struct net *net)
{
	struct subscriber *subscriber;
	struct sk_buff *copy;

	mutex_lock(&subscribers_mutex);
	list_for_each_entry(subscriber, &subscribers, node) {
		if (!net_eq(sock_net(subscriber->owner.sk), net))
			continue;
		copy = skb_copy(skb, GFP_KERNEL);
		if (copy)
			genlmsg_unicast(net, copy, subscriber->owner.portid);
	}
	mutex_unlock(&subscribers_mutex);
}

void kmc_event_send(const struct kmc_server *server, enum kmc_event event, enum kmc_reason reason)
{
	struct sk_buff *skb = event_message(server, event, reason);

	if (!skb)
		return;
	send_to_subscribers(skb, server->net);
	if (KMC_MCGRPS_NR)
		genlmsg_multicast_netns(&kmc_family, server->net, skb, 0, 0, GFP_KERNEL);
	else
		nlmsg_free(skb);
}

static bool is_subscribed(const struct kmc_owner *owner, struct kmc_census *census)
{
	struct subscriber *subscriber;

	list_for_each_entry(subscriber, &subscribers, node) {
		if (subscriber->owner.sk == owner->sk)
			return true;
		kmc_census_count(census, sock_net(subscriber->owner.sk));
	}
	return false;
}

int kmc_event_subscribe(struct net *net, const struct kmc_owner *owner)
{
	struct subscriber *subscriber = kzalloc(sizeof(*subscriber), GFP_KERNEL);
	struct kmc_census census = { .net = net };
	int err = 0;

	if (!subscriber)
		return -ENOMEM;
	mutex_lock(&subscribers_mutex);
	if (is_subscribed(owner, &census))
		goto out;
	err = kmc_census_room(&census, SUBSCRIBERS_MAX);
	if (err)
		goto out;
	subscriber->owner = kmc_owner_get(owner);
	list_add_tail(&subscriber->node, &subscribers);
	subscriber = NULL;
out:
	mutex_unlock(&subscribers_mutex);
	kfree(subscriber);
	return err;
}

static void unsubscribe(struct subscriber *subscriber)
{
	lockdep_assert_held(&subscribers_mutex);
	list_del(&subscriber->node);
	kmc_owner_put(&subscriber->owner);
	kfree(subscriber);
}

void kmc_events_owner_gone(struct net *net, u32 portid)
{
	struct subscriber *subscriber, *next;

	mutex_lock(&subscribers_mutex);
	list_for_each_entry_safe(subscriber, next, &subscribers, node) {
		if (net_eq(sock_net(subscriber->owner.sk), net) && kmc_owner_gone(&subscriber->owner, portid))
			unsubscribe(subscriber);
	}
	mutex_unlock(&subscribers_mutex);
}

void kmc_events_exit(void)
{
	struct subscriber *subscriber, *next;

	mutex_lock(&subscribers_mutex);
	list_for_each_entry_safe(subscriber, next, &subscribers, node)
		unsubscribe(subscriber);
	mutex_unlock(&subscribers_mutex);
}
