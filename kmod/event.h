/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module tells without being asked: an instance started, an instance stopped.
 */
#ifndef KMC_EVENT_H
#define KMC_EVENT_H

#include <linux/kmemcache.h>

struct kmc_owner;
struct kmc_server;
struct net;

/* Tell those who listen in the instance's namespace. Process context. What cannot be told is lost. */
void kmc_event_send(const struct kmc_server *server, enum kmc_event event, enum kmc_reason reason);

/**
 * kmc_event_subscribe - send events of @net to a netlink socket too, until it closes
 * Return: 0 (also if it is subscribed already), -ENOMEM, -ENOSPC.
 */
int kmc_event_subscribe(struct net *net, const struct kmc_owner *owner);

/* The netlink socket that held @portid in @net is gone. */
void kmc_events_owner_gone(struct net *net, u32 portid);

/* At unload, when nobody can subscribe any more. */
void kmc_events_exit(void);

#endif
