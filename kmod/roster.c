// SPDX-License-Identifier: GPL-2.0
#include "roster.h"

#include <linux/ctype.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/un.h>
#include <linux/xarray.h>
#include <net/sock.h>

#include "conn.h"
#include "listener.h"
#include "server.h"

static const char *const states[] = {
	[KMC_CONN_STATE_READ] = "conn_read",
	[KMC_CONN_STATE_PARSE] = "conn_parse_cmd",
	[KMC_CONN_STATE_VALUE] = "conn_nread",
	[KMC_CONN_STATE_SWALLOW] = "conn_swallow",
	[KMC_CONN_STATE_WRITE] = "conn_mwrite",
	[KMC_CONN_STATE_CLOSING] = "conn_closing",
};

static void put_ip(char *text, size_t size, bool datagrams, const struct sockaddr_storage *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	const char *name = datagrams ? "udp" : "tcp";

	if (address->ss_family == AF_INET)
		scnprintf(text, size, "%s:%pI4:%u", name, &in->sin_addr, ntohs(in->sin_port));
	else
		scnprintf(text, size, "%s6:[%pI6c]:%u", name, &in6->sin6_addr, ntohs(in6->sin6_port));
}

/* A path comes from whoever made the socket; clients read it line by line. */
static void put_path(char *text, size_t size, const struct kmc_listener *listener)
{
	const struct sockaddr_un *un = (const void *)&listener->address;
	char *c;

	if (listener->address_len <= (int)offsetof(struct sockaddr_un, sun_path) || !un->sun_path[0]) {
		scnprintf(text, size, "unix:<AF %d>", AF_UNIX);
		return;
	}
	scnprintf(text, size, "unix:%.*s", (int)sizeof(un->sun_path), un->sun_path);
	for (c = text; *c; c++) {
		if (!isprint(*c))
			*c = '?';
	}
}

static void put_listener(char *text, size_t size, const struct kmc_listener *listener)
{
	if (listener->address.ss_family == AF_UNIX)
		put_path(text, size, listener);
	else
		put_ip(text, size, listener->datagrams, &listener->address);
}

/* Read without the socket lock: addresses are fixed while a connection lives. */
static void put_ends(struct kmc_core_conn *found, const struct sock *sk)
{
	struct sockaddr_storage peer = { .ss_family = sk->sk_family }, own = { .ss_family = sk->sk_family };

	if (sk->sk_family == AF_INET) {
		*(struct sockaddr_in *)&peer = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = sk->sk_dport, .sin_addr.s_addr = sk->sk_daddr };
		*(struct sockaddr_in *)&own = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = htons(sk->sk_num), .sin_addr.s_addr = sk->sk_rcv_saddr };
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		*(struct sockaddr_in6 *)&peer = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = sk->sk_dport, .sin6_addr = sk->sk_v6_daddr };
		*(struct sockaddr_in6 *)&own = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = htons(sk->sk_num), .sin6_addr = sk->sk_v6_rcv_saddr };
	}
#endif
	put_ip(found->address, sizeof(found->address), false, &peer);
	put_ip(found->listen_address, sizeof(found->listen_address), false, &own);
}

/* By a clock of whole seconds, as memcached: so a second later it is never 0. */
static u32 seconds_since(unsigned long then)
{
	return jiffies / HZ - then / HZ;
}

static void describe_listener(struct kmc_core_conn *found, const struct kmc_listener *listener)
{
	put_listener(found->address, sizeof(found->address), listener);
	found->datagrams = listener->datagrams;
	found->state = listener->datagrams ? "conn_read" : "conn_listening";
	found->idle = seconds_since(READ_ONCE(listener->last_active));
}

/* @conn is in the roster, and the list's lock held: so its socket is not released meanwhile. */
static void describe_conn(struct kmc_core_conn *found, const struct kmc_conn *conn)
{
	if (conn->transport == &kmc_unix) {
		/* Who connects may have bound a name; memcached shows that, here it stays the client's. */
		scnprintf(found->address, sizeof(found->address), "unix:<AF %d>", AF_UNIX);
		put_listener(found->listen_address, sizeof(found->listen_address), conn->listener);
	} else {
		put_ends(found, conn->sock->sk);
	}
	found->state = states[READ_ONCE(conn->state)];
	found->idle = seconds_since(READ_ONCE(conn->last_active));
}

bool kmc_roster_next(struct kmc_core *core, u32 from, struct kmc_core_conn *found)
{
	struct kmc_server *server = container_of(core, struct kmc_server, core);
	struct kmc_conn *conn;
	unsigned long id = max(from, 1u);

	memset(found, 0, sizeof(*found));
	if (id <= server->nr_listeners) {
		found->id = id;
		describe_listener(found, server->listeners[id - 1]);
		return true;
	}
	spin_lock_bh(&server->conns.lock);
	conn = xa_find(&server->conns.roster, &id, U32_MAX, XA_PRESENT);
	if (conn) {
		found->id = id;
		describe_conn(found, conn);
	}
	spin_unlock_bh(&server->conns.lock);
	return conn;
}
