/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registry: every instance of the machine, and every socket that one of them serves. The only
 * thing of the module that is global.
 *
 * Locking: one mutex, outermost of the module's own locks but struct kmc_server.closing, process context. It protects the
 * list of instances and their names, and which sockets are served. Nobody who holds it waits for what a tenant can put off.
 */
#ifndef KMC_REGISTRY_H
#define KMC_REGISTRY_H

#include <linux/types.h>

struct kmc_server;
struct net;
struct netlink_ext_ack;
struct sock;

void kmc_registry_lock(void);
void kmc_registry_unlock(void);

/**
 * kmc_registry_add - list an instance and claim its sockets
 * Takes a reference for the list. The mutex is held. Return: 0, -EEXIST, -EBUSY (a socket that is served already),
 * -ENOSPC (too many), -EDQUOT (too many of tenants), -ESHUTDOWN.
 */
int kmc_registry_add(struct kmc_server *server, struct netlink_ext_ack *extack);

/* Takes it off the list and drops the list's reference. */
void kmc_registry_remove(struct kmc_server *server);

/* The sockets of @server may be claimed by others, before they are given back. Idempotent. Takes the mutex. */
void kmc_registry_release_sockets(struct kmc_server *server);

/**
 * kmc_registry_find - look an instance up
 * @net: where to look, NULL: everywhere
 * @id: 0: by @name
 * Return: the instance with a reference for the caller, or NULL.
 */
struct kmc_server *kmc_registry_find(struct net *net, u32 id, const char *name);

/* The first instance after @server in the list (NULL: the first of all). The mutex is held. */
struct kmc_server *kmc_registry_next(struct kmc_server *server);

/* The netlink socket that held @portid in @net is gone: what was attached to it stops, and lets nobody in from now on. */
void kmc_registry_owner_gone(struct net *net, u32 portid);

/* Nothing is added any more; every instance is stopped and gone when this returns. */
void kmc_registry_shut(void);

#endif
