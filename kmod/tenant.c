// SPDX-License-Identifier: GPL-2.0
#include "tenant.h"

#include <linux/errno.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>

static bool is_tenant(const struct net *net)
{
	return net->user_ns != &init_user_ns;
}

/* The host's own is its own. Parents live as long as their children. */
static const struct user_namespace *outermost(const struct net *net)
{
	const struct user_namespace *ns = net->user_ns;

	while (ns != &init_user_ns && ns->parent != &init_user_ns)
		ns = ns->parent;
	return ns;
}

static bool same_tenant(const struct net *one, const struct net *other)
{
	const struct user_namespace *ns = outermost(one), *other_ns = outermost(other);

	if (ns == other_ns)
		return true;
	return is_tenant(one) && is_tenant(other) && uid_eq(ns->owner, other_ns->owner) &&
	       !uid_eq(ns->owner, GLOBAL_ROOT_UID);
}

void kmc_census_count(struct kmc_census *census, const struct net *net)
{
	census->all++;
	census->of_tenants += is_tenant(net);
	census->of_this += same_tenant(census->net, net);
}

int kmc_census_room(const struct kmc_census *census, u32 most)
{
	u32 part = most / KMC_TENANT_PART;

	if (census->all >= most)
		return -ENOSPC;
	if (is_tenant(census->net) && (census->of_this >= part || census->of_tenants >= most - part))
		return -EDQUOT;
	return 0;
}
