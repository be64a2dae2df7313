// SPDX-License-Identifier: GPL-2.0
#include "registry.h"

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netlink.h>

#include "listener.h"
#include "server.h"
#include "tenant.h"

static DEFINE_MUTEX(registry_mutex);

/* All below: under registry_mutex. */
static LIST_HEAD(servers);		/* by rising id */
static DEFINE_HASHTABLE(served, 6);	/* struct kmc_listener.served, by address of the struct sock */
static bool shut;

void kmc_registry_lock(void)
{
	mutex_lock(&registry_mutex);
}

void kmc_registry_unlock(void)
{
	mutex_unlock(&registry_mutex);
}

struct kmc_server *kmc_registry_next(struct kmc_server *server)
{
	lockdep_assert_held(&registry_mutex);
	if (!server)
		return list_first_entry_or_null(&servers, struct kmc_server, node);
	return list_is_last(&server->node, &servers) ? NULL : list_next_entry(server, node);
}

static struct kmc_server *find(struct net *net, u32 id, const char *name)
{
	struct kmc_server *server;

	list_for_each_entry(server, &servers, node) {
		if (net && !net_eq(server->net, net))
			continue;
		if (id ? server->id == id : !strcmp(server->name, name))
			return server;
	}
	return NULL;
}

struct kmc_server *kmc_registry_find(struct net *net, u32 id, const char *name)
{
	struct kmc_server *server;

	mutex_lock(&registry_mutex);
	server = find(net, id, name);
	if (server)
		kmc_server_get(server);
	mutex_unlock(&registry_mutex);
	return server;
}

static bool is_served(const struct sock *sk)
{
	struct kmc_listener *listener;

	hash_for_each_possible(served, listener, served, (unsigned long)sk) {
		if (listener->sk == sk)
			return true;
	}
	return false;
}

static void release_sockets(struct kmc_server *server, u32 nr)
{
	lockdep_assert_held(&registry_mutex);
	while (nr--)
		hash_del(&server->listeners[nr]->served);
}

static int claim_sockets(struct kmc_server *server, struct netlink_ext_ack *extack)
{
	u32 i;

	for (i = 0; i < server->nr_listeners; i++) {
		struct kmc_listener *listener = server->listeners[i];

		if (is_served(listener->sk)) {
			NL_SET_ERR_MSG(extack, "a socket was given twice, or another instance serves it");
			release_sockets(server, i);
			return -EBUSY;
		}
		hash_add(served, &listener->served, (unsigned long)listener->sk);
	}
	return 0;
}

static_assert(KMC_INSTANCES_TENANT_MAX == KMC_INSTANCES_MAX / KMC_TENANT_PART);

static int find_room(const struct net *net, struct netlink_ext_ack *extack)
{
	struct kmc_census census = { .net = net };
	struct kmc_server *server;
	int err;

	list_for_each_entry(server, &servers, node)
		kmc_census_count(&census, server->net);
	err = kmc_census_room(&census, KMC_INSTANCES_MAX);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack, "as many instances live as this module allows");
	if (err == -EDQUOT)
		NL_SET_ERR_MSG(extack, "as many instances live as one user namespace's owner may have, or all of them together");
	return err;
}

static int may_add(struct kmc_server *server, struct netlink_ext_ack *extack)
{
	if (shut) {
		NL_SET_ERR_MSG(extack, "the module is being unloaded");
		return -ESHUTDOWN;
	}
	if (find(server->net, 0, server->name)) {
		NL_SET_ERR_MSG(extack, "an instance of that name lives in this network namespace");
		return -EEXIST;
	}
	return find_room(server->net, extack);
}

/* Instances are made side by side, so they may come here in another order than they got their ids. */
static void list_by_id(struct kmc_server *server)
{
	struct kmc_server *before;

	list_for_each_entry_reverse(before, &servers, node) {
		if (before->id < server->id)
			break;
	}
	list_add(&server->node, &before->node);
}

int kmc_registry_add(struct kmc_server *server, struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&registry_mutex);
	err = may_add(server, extack);
	if (err)
		return err;
	err = claim_sockets(server, extack);
	if (err)
		return err;
	kmc_server_get(server);
	list_by_id(server);
	return 0;
}

void kmc_registry_remove(struct kmc_server *server)
{
	mutex_lock(&registry_mutex);
	list_del_init(&server->node);
	mutex_unlock(&registry_mutex);
	kmc_server_put(server);
}

void kmc_registry_release_sockets(struct kmc_server *server)
{
	mutex_lock(&registry_mutex);
	release_sockets(server, server->nr_listeners);
	mutex_unlock(&registry_mutex);
}

/*
 * Port ids are used again, so a match of namespace and port id is not enough: between a socket's
 * leaving the table and this call another may have got its port id and started an instance. The
 * reference that an instance holds on its owner's struct sock tells them apart.
 */
static struct kmc_server *next_of_owner(struct net *net, u32 portid, u32 after)
{
	struct kmc_server *server, *found = NULL;

	mutex_lock(&registry_mutex);
	list_for_each_entry(server, &servers, node) {
		if (server->id <= after || !(server->flags & KMC_INSTANCE_F_ATTACHED) || !net_eq(server->net, net) ||
		    !kmc_owner_gone(&server->owner, portid))
			continue;
		kmc_server_get(server);
		found = server;
		break;
	}
	mutex_unlock(&registry_mutex);
	return found;
}

void kmc_registry_owner_gone(struct net *net, u32 portid)
{
	struct kmc_server *server;
	u32 id = 0;

	while ((server = next_of_owner(net, portid, id))) {
		id = server->id;
		kmc_server_stop(server, KMC_REASON_OWNER);
		kmc_server_close(server);
		kmc_server_put(server);
	}
}

void kmc_registry_shut(void)
{
	struct kmc_server *server;

	mutex_lock(&registry_mutex);
	shut = true;
	list_for_each_entry(server, &servers, node)
		kmc_server_stop(server, KMC_REASON_UNLOAD);
	while ((server = kmc_registry_next(NULL))) {
		kmc_server_get(server);
		mutex_unlock(&registry_mutex);
		wait_for_completion(&server->gone);
		kmc_server_put(server);
		mutex_lock(&registry_mutex);
	}
	mutex_unlock(&registry_mutex);
}
