// SPDX-License-Identifier: GPL-2.0
#include "describe.h"

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/un.h>
#include <net/netlink.h>

#include "listener.h"
#include "server.h"

static int put_setting(struct sk_buff *skb, const struct kmc_settings *settings, const struct kmc_setting_row *row)
{
	u64 value;

	switch (row->type) {
	case KMC_SETTING_U8:
		return nla_put_u8(skb, row->attr, kmc_setting_get(settings, row));
	case KMC_SETTING_U32:
		return nla_put_u32(skb, row->attr, kmc_setting_get(settings, row));
	case KMC_SETTING_U64:
		value = kmc_setting_get(settings, row);
		return nla_put(skb, row->attr, sizeof(value), &value);
	case KMC_SETTING_STRING:
		return nla_put_string(skb, row->attr, (const char *)settings + row->offset);
	}
	return -EINVAL;
}

static int put_settings(struct sk_buff *skb, const struct kmc_settings *settings)
{
	struct nlattr *nest = nla_nest_start(skb, KMC_A_SETTINGS);
	size_t i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < kmc_setting_count; i++) {
		if (put_setting(skb, settings, &kmc_setting_rows[i]))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_address(struct sk_buff *skb, const struct kmc_listener *listener)
{
	const char *name = kmc_listener_path(listener);
	const struct sockaddr_in *in = (const void *)&listener->address;
	const struct sockaddr_in6 *in6 = (const void *)&listener->address;
	int path = listener->address_len - (int)offsetof(struct sockaddr_un, sun_path);

	switch (listener->address_len > 0 ? listener->address.ss_family : AF_UNSPEC) {
	case AF_INET:
		return nla_put_in_addr(skb, KMC_L_ADDRESS, in->sin_addr.s_addr) ||
		       nla_put_u16(skb, KMC_L_PORT, ntohs(in->sin_port));
	case AF_INET6:
		return nla_put_in6_addr(skb, KMC_L_ADDRESS, &in6->sin6_addr) ||
		       nla_put_u16(skb, KMC_L_PORT, ntohs(in6->sin6_port));
	case AF_UNIX:
		/* A path ends with its zero byte, an abstract name (which begins with one) with its length. */
		if (path > 0 && name[0])
			path = strnlen(name, path);
		return path > 0 ? nla_put(skb, KMC_L_ADDRESS, path, name) : 0;
	default:
		return 0;
	}
}

static int put_listener(struct sk_buff *skb, const struct kmc_listener *listener)
{
	struct nlattr *nest = nla_nest_start(skb, KMC_A_LISTENER);

	if (!nest || nla_put_u8(skb, KMC_L_PROTOCOL, listener->protocol) ||
	    (listener->tag[0] && nla_put_string(skb, KMC_L_TAG, listener->tag)) ||
	    nla_put_u16(skb, KMC_L_FAMILY, listener->address.ss_family) ||
	    nla_put_u8(skb, KMC_L_TYPE, listener->datagrams ? SOCK_DGRAM : SOCK_STREAM) ||
	    nla_put_u8(skb, KMC_L_SHUT, READ_ONCE(listener->shut)) ||
	    put_address(skb, listener))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_server(struct sk_buff *skb, struct kmc_server *server, bool settings)
{
	u32 state = kmc_server_stopping(server) ? KMC_STATE_STOPPING : KMC_STATE_RUNNING;
	u32 i;

	if (nla_put_u32(skb, KMC_A_ID, server->id) || nla_put_string(skb, KMC_A_NAME, server->name) ||
	    nla_put_u32(skb, KMC_A_FLAGS, server->flags) || nla_put_u32(skb, KMC_A_PID, server->pid) ||
	    nla_put_u32(skb, KMC_A_STATE, state) ||
	    nla_put_u32(skb, KMC_A_CONNS, READ_ONCE(server->conns.nr)) ||
	    nla_put_u64_64bit(skb, KMC_A_UPTIME, ktime_get_boottime_seconds() - server->started, KMC_A_PAD) ||
	    nla_put_u64_64bit(skb, KMC_A_NETNS, server->netns, KMC_A_PAD))
		return -EMSGSIZE;
	for (i = 0; i < server->nr_listeners; i++) {
		if (put_listener(skb, server->listeners[i]))
			return -EMSGSIZE;
	}
	return settings ? put_settings(skb, &server->core.settings) : 0;
}

int kmc_describe_server(struct sk_buff *skb, struct kmc_server *server, bool settings)
{
	struct nlattr *nest = nla_nest_start(skb, KMC_A_INSTANCE);

	if (!nest)
		return -EMSGSIZE;
	if (put_server(skb, server, settings)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * struct stats_page - rows of a group that go into one message
 * @full: the next one has no room
 * @any: it has some
 */
struct stats_page {
	struct sk_buff *skb;
	bool full;
	bool any;
};

static bool put_row(struct sk_buff *skb, const struct kmc_stats_row *row)
{
	struct nlattr *nest = nla_nest_start(skb, KMC_A_STAT);

	if (!nest)
		return false;
	if (nla_put_string(skb, KMC_STAT_NAME, row->name) || nla_put_string(skb, KMC_STAT_VALUE, row->value)) {
		nla_nest_cancel(skb, nest);
		return false;
	}
	nla_nest_end(skb, nest);
	return true;
}

static bool put_stat(void *ctx, const struct kmc_stats_row *row)
{
	struct stats_page *page = ctx;

	page->full = !put_row(page->skb, row);
	page->any |= !page->full;
	return !page->full;
}

int kmc_describe_stats(struct sk_buff *skb, struct kmc_server *server, const char *group, size_t len,
		       u32 *cursor, bool *done)
{
	struct stats_page page = { .skb = skb };
	int rows;

	*done = false;
	down_read(&server->core_lock);
	rows = server->core_gone ? -ENOENT : 0;
	while (rows >= 0 && !*done && !page.full) {
		local_bh_disable();
		rows = kmc_stats_rows(&server->core, group, len, *cursor, put_stat, &page, done);
		local_bh_enable();
		if (rows >= 0)
			*cursor = rows;
		cond_resched();
	}
	up_read(&server->core_lock);
	if (rows < 0)
		return rows;
	return page.full && !page.any ? -EMSGSIZE : 0;
}
