/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tenants: who has CAP_NET_ADMIN in a user namespace, but not on the host. What there is only so much of on the
 * machine, one of them may have an eighth of, and all together seven: the last eighth is the host's.
 *
 * A tenant is the user outside who made the outermost of the user namespaces that own a network namespace, however
 * many of either were made inside. The host's root makes them for others: then each is a tenant of its own.
 */
#ifndef KMC_TENANT_H
#define KMC_TENANT_H

#include <linux/types.h>

struct net;

#define KMC_TENANT_PART	8

/**
 * struct kmc_census - whose those are that there are already
 * @net: where one more is wanted; alive, as are all namespaces that are counted
 */
struct kmc_census {
	const struct net *net;
	u32 all;
	u32 of_tenants;
	u32 of_this;
};

/* One that belongs to @net. */
void kmc_census_count(struct kmc_census *census, const struct net *net);

/* Return: 0, -ENOSPC: there are @most on the machine, -EDQUOT: the tenant, or all tenants, have as many as they may. */
int kmc_census_room(const struct kmc_census *census, u32 most);

#endif
