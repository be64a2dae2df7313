/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * kmemcache - memcached in the kernel: the contract between the module and the tool.
 *
 * This comment is the specification. Everything a program can ask of the module goes through one
 * generic netlink family:
 *
 *   family KMC_GENL_NAME, version KMC_GENL_VERSION, event group KMC_GENL_MCGRP_EVENTS
 *
 * Permission: every command needs CAP_NET_ADMIN in the user namespace that owns the caller's network
 * namespace, of the socket's opener and of the current task alike (-EPERM otherwise). An instance
 * belongs to the network namespace of the socket it was made over; a caller sees and reaches only
 * instances of its own, unless a command says otherwise below.
 *
 * Refusals carry an extended-ack sentence (NETLINK_EXT_ACK) meant to be shown to a person. A program
 * goes by the errno:
 *
 *   EINVAL        a value or a combination is wrong
 *   ERANGE        a number is outside its range
 *   EBADF         a descriptor is not open
 *   ENOTSOCK      a descriptor is not a socket
 *   EPROTONOSUPPORT  a socket of a family, type or state that cannot be served
 *   EXDEV         a socket of another network namespace
 *   EBUSY         a socket that somebody else has attached something to, or that is served already; or an
 *                 instance that cannot end yet
 *   EEXIST        an instance of that name lives in this namespace
 *   ENOENT        no such instance
 *   ENOMEM        memory for the instance could not be had
 *   ENOSPC        KMC_INSTANCES_MAX instances live already, or too many sockets are subscribed
 *   EDQUOT        a user namespace's owner has KMC_INSTANCES_TENANT_MAX instances, or as many subscribed sockets, or all
 *                 of them together have seven times that
 *   EOPNOTSUPP    reserved in this contract, not offered by this module
 *   ESHUTDOWN     the module is being unloaded
 *
 * No reply is longer than 16 KiB.
 *
 * KMC_CMD_NEW: make an instance and start it.
 *   in   KMC_A_NAME        optional; default: the id as a decimal number. 1 to KMC_NAME_MAX bytes out of
 *                          A-Z a-z 0-9 . _ : - ; unique within the namespace. Not only digits.
 *        KMC_A_FLAGS       optional, KMC_INSTANCE_F_*
 *        KMC_A_SETTINGS    optional nest of KMC_S_*; what is absent keeps its default
 *        KMC_A_LISTENER    nest, one for each socket, at most KMC_LISTENERS_MAX of them. Without any
 *                          nobody can connect, as with memcached's "-p 0"
 *        KMC_A_PID         optional, what "stats" shows as pid; 0 when absent
 *        KMC_A_AUTH        with KMC_S_AUTH, and only with it: as KMC_CMD_AUTH
 *   out  KMC_A_INSTANCE    as KMC_CMD_GET
 *   Its memory is charged to the memory cgroup of the calling task. Without KMC_INSTANCE_F_ATTACHED the
 *   caller needs CAP_NET_ADMIN in the initial user namespace (-EPERM).
 *   Clients can connect when the reply is sent. With KMC_INSTANCE_F_ATTACHED the instance ends when
 *   the netlink socket that carried this message is closed for good, however its process ended.
 *
 * KMC_CMD_DEL: stop an instance and free what it holds.
 *   in   KMC_A_ID or KMC_A_NAME
 *        KMC_A_FLAGS       optional; KMC_LIST_F_ALL_NETNS as in KMC_CMD_LIST, with KMC_A_ID only
 *   The reply comes when listeners and connections are gone and the memory is free. -EBUSY: somebody who
 *   holds a duplicate of a listener has kept the module from letting go of it, for 20 seconds by now; nobody
 *   can connect any more, and the instance will end when they let go.
 *
 * KMC_CMD_GET: one instance.
 *   in   as KMC_CMD_DEL
 *   out  KMC_A_INSTANCE nest: KMC_A_ID, KMC_A_NAME, KMC_A_FLAGS, KMC_A_PID, KMC_A_STATE, KMC_A_CONNS,
 *        KMC_A_UPTIME, KMC_A_SETTINGS, KMC_A_LISTENER nests (address, no descriptor)
 *
 * KMC_CMD_LIST: the instances, by rising id, as many as fit.
 *   in   KMC_A_CURSOR      optional; only instances with a larger id
 *        KMC_A_FLAGS       optional; KMC_LIST_F_ALL_NETNS needs CAP_NET_ADMIN in the initial user
 *                          namespace and shows every instance of the machine
 *   out  KMC_A_INSTANCE nests without settings; KMC_A_CURSOR when there may be more: pass it back
 *   One request, one reply. There is no NLM_F_DUMP: a dump that is left half read would hold the
 *   module in place.
 *
 * KMC_CMD_STATS: statistics of an instance, the rows a client's "stats" shows.
 *   in   as KMC_CMD_DEL, and
 *        KMC_A_STATS_GROUP optional; what a client would write behind "stats" ("settings", "items", ...)
 *        KMC_A_CURSOR      optional; of the reply before
 *   out  KMC_A_STAT nests (KMC_STAT_NAME, KMC_STAT_VALUE, both strings); KMC_A_CURSOR when there is more
 *
 * KMC_CMD_AUTH: from now on these users may come in; who is in stays.
 *   in   as KMC_CMD_DEL, and
 *        KMC_A_AUTH        nest of KMC_AUTH_A_*: salt, rounds, and for each user a digest: with
 *                          d = SHA-256(salt | SHA-256(name) | SHA-256(password)), rounds times d = SHA-256(d | salt)
 *   The instance must have been made with KMC_S_AUTH. Neither names nor passwords reach the module, and no
 *   reply shows a table.
 *
 * KMC_CMD_EVENT: sent by the module to KMC_GENL_MCGRP_EVENTS in the instance's namespace.
 *   KMC_A_EVENT (enum kmc_event), KMC_A_ID, KMC_A_NAME, KMC_A_REASON (enum kmc_reason, for STOPPED)
 *   Joining needs CAP_NET_ADMIN where the kernel can ask for it (GENL_MCAST_CAP_NET_ADMIN); where it
 *   cannot there is no group, and events go to the sockets that sent KMC_CMD_SUBSCRIBE.
 *
 * KMC_CMD_SUBSCRIBE: events of the caller's namespace go to the caller's socket too, until it closes.
 *
 * Reserved, answered with EOPNOTSUPP: KMC_CMD_SET (settings at run time), KMC_CMD_LISTENERS (get an
 * instance's listening sockets as descriptors), KMC_CMD_STREAM_* (bytes in and out: dump, restore,
 * watch).
 */
#ifndef _UAPI_LINUX_KMEMCACHE_H
#define _UAPI_LINUX_KMEMCACHE_H

#include <linux/types.h>

#define KMC_GENL_NAME		"kmemcache"
#define KMC_GENL_VERSION	1
#define KMC_GENL_MCGRP_EVENTS	"events"

/* Limits. Sizes of names include no terminating zero. */
#define KMC_NAME_MAX		31	/* bytes of an instance's name */
#define KMC_TAG_MAX		8	/* bytes of a listener's tag */
#define KMC_LISTENERS_MAX	64	/* sockets of one instance */
#define KMC_INSTANCES_MAX	1024	/* instances of one machine */
#define KMC_INSTANCES_TENANT_MAX 128	/* of those, of one owner of user namespaces */
#define KMC_STATS_GROUP_MAX	63	/* bytes of a statistics group */
#define KMC_INTER_MAX		255	/* bytes of KMC_S_INTER */
#define KMC_SLAB_SIZES_MAX	511	/* bytes of KMC_S_SLAB_SIZES */
#define KMC_AUTH_FILE_MAX	255	/* bytes of KMC_S_AUTH_FILE */
#define KMC_AUTH_SALT_LEN	32	/* bytes of KMC_AUTH_A_SALT */
#define KMC_AUTH_DIGEST_LEN	32	/* bytes of one digest: SHA-256 */
#define KMC_AUTH_USERS_MAX	256	/* digests of one table */
#define KMC_AUTH_ROUNDS_MAX	1024
#define KMC_PREFIX_DELIM_DEFAULT ':'

enum kmc_cmd {
	KMC_CMD_UNSPEC,
	KMC_CMD_NEW,
	KMC_CMD_DEL,
	KMC_CMD_GET,
	KMC_CMD_LIST,
	KMC_CMD_STATS,
	KMC_CMD_EVENT,
	KMC_CMD_SUBSCRIBE,
	KMC_CMD_SET,
	KMC_CMD_LISTENERS,
	KMC_CMD_STREAM_OPEN,
	KMC_CMD_STREAM_READ,
	KMC_CMD_STREAM_WRITE,
	KMC_CMD_STREAM_CLOSE,
	KMC_CMD_AUTH,
	__KMC_CMD_MAX
};
#define KMC_CMD_MAX (__KMC_CMD_MAX - 1)

/* Attributes of a message. */
enum kmc_attr {
	KMC_A_UNSPEC,
	KMC_A_ID,		/* u32, 1 and up, never used again while the module is loaded */
	KMC_A_NAME,		/* string */
	KMC_A_FLAGS,		/* u32, KMC_INSTANCE_F_* or KMC_LIST_F_* */
	KMC_A_PID,		/* u32 */
	KMC_A_SETTINGS,		/* nest of enum kmc_setting */
	KMC_A_LISTENER,		/* nest of enum kmc_listener_attr, repeated */
	KMC_A_INSTANCE,		/* nest of enum kmc_attr, repeated */
	KMC_A_STATE,		/* u32, enum kmc_state */
	KMC_A_CONNS,		/* u32, connections open now */
	KMC_A_UPTIME,		/* u64, seconds */
	KMC_A_CURSOR,		/* u32 */
	KMC_A_STATS_GROUP,	/* string */
	KMC_A_STAT,		/* nest of enum kmc_stat_attr, repeated */
	KMC_A_EVENT,		/* u32, enum kmc_event */
	KMC_A_REASON,		/* u32, enum kmc_reason */
	KMC_A_NETNS,		/* u64, inode of the instance's network namespace (lists) */
	KMC_A_CGROUP_FD,	/* s32, reserved: the memory cgroup to charge */
	KMC_A_AUTH,		/* nest of enum kmc_auth_attr */
	KMC_A_STREAM,		/* nest, reserved */
	KMC_A_PAD,
	__KMC_A_MAX
};
#define KMC_A_MAX (__KMC_A_MAX - 1)

/* A socket: handed over in KMC_CMD_NEW, described in replies. */
enum kmc_listener_attr {
	KMC_L_UNSPEC,
	KMC_L_FD,		/* s32, in: a listening TCP or unix stream socket, or a bound UDP socket */
	KMC_L_PROTOCOL,		/* u8, enum kmc_protocol: what its connections may speak */
	KMC_L_TAG,		/* string, 1 to KMC_TAG_MAX bytes */
	KMC_L_FAMILY,		/* u16, out: AF_INET, AF_INET6, AF_UNIX */
	KMC_L_TYPE,		/* u8, out: SOCK_STREAM, SOCK_DGRAM */
	KMC_L_ADDRESS,		/* binary, out: 4 or 16 bytes, or the unix path */
	KMC_L_PORT,		/* u16, out, host byte order */
	KMC_L_SHUT,		/* u8, out, 1: somebody ended its listening from outside */
	__KMC_L_MAX
};
#define KMC_L_MAX (__KMC_L_MAX - 1)

enum kmc_stat_attr {
	KMC_STAT_UNSPEC,
	KMC_STAT_NAME,		/* string */
	KMC_STAT_VALUE,		/* string */
	__KMC_STAT_MAX
};
#define KMC_STAT_MAX (__KMC_STAT_MAX - 1)

/* Settings of an instance, nested in KMC_A_SETTINGS. Ranges and defaults: kmod/core/settings.c. */
enum kmc_setting {
	KMC_S_UNSPEC,
	KMC_S_MEMORY_LIMIT,	/* u64, bytes for items (-m) */
	KMC_S_EVICT,		/* u8, 0: refuse when full (-M) */
	KMC_S_CONN_LIMIT,	/* u32, connections (-c) */
	KMC_S_GROWTH_FACTOR,	/* u32, slab growth factor in thousandths (-f) */
	KMC_S_SIZE_MIN,		/* u32, bytes for key, value and flags in the smallest class (-n) */
	KMC_S_ITEM_SIZE_MAX,	/* u32, bytes (-I) */
	KMC_S_REQS_PER_EVENT,	/* u32, requests served before others get their turn (-R) */
	KMC_S_BACKLOG,		/* u32, what the tool gave to listen(2) (-b); shown, not used */
	KMC_S_CAS,		/* u8, 0: no CAS values (-C) */
	KMC_S_PREFIX_DELIM,	/* u8, character (-D) */
	KMC_S_STATS_DETAIL,	/* u8, 1: count by key prefix (-D) */
	KMC_S_VERBOSE,		/* u8, 0 to 3 (-v) */
	KMC_S_FLUSH_ENABLED,	/* u8, 0: flush_all is refused (-F) */
	KMC_S_SHUTDOWN_ENABLED,	/* u8, 1: clients may stop the instance (-A) */
	KMC_S_THREADS,		/* u32, shown by stats (-t) */
	KMC_S_PROTOCOL,		/* u8, enum kmc_protocol (-B) */
	KMC_S_HASHPOWER,	/* u32, log2 of the index' first size in items (-o hashpower) */
	KMC_S_MAXCONNS_FAST,	/* u8, 1: connections above the limit are told so and closed */
	KMC_S_SLAB_CHUNK_MAX,	/* u32, bytes; larger items are kept in chunks (-o slab_chunk_max) */
	KMC_S_IDLE_TIMEOUT,	/* u32, seconds, 0: never (-o idle_timeout) */
	KMC_S_UMASK,		/* u32, mask of the unix socket (-a); shown, not used */
	KMC_S_INTER,		/* string, what -l said; shown, not used */
	KMC_S_SLAB_REASSIGN,	/* u8, 0: pages stay in their slab class (-o no_slab_reassign) */
	KMC_S_SLAB_AUTOMOVE,	/* u32, 0 to 2: pages go where they are needed (-o slab_automove) */
	KMC_S_SLAB_AUTOMOVE_RATIO, /* u32, millionths (-o slab_automove_ratio) */
	KMC_S_SLAB_AUTOMOVE_WINDOW, /* u32, seconds (-o slab_automove_window) */
	KMC_S_SLAB_AUTOMOVE_FREERATIO, /* u32, millionths (slabs automove freeratio); not used */
	KMC_S_SLAB_SIZES,	/* string, "96-120-240": sizes of chunks (-o slab_sizes) */
	KMC_S_TRACK_SIZES,	/* u8, 1: count items by size (-o track_sizes) */
	KMC_S_LRU_MAINTAINER,	/* u8, 0: nobody looks after the LRUs (-o no_lru_maintainer) */
	KMC_S_LRU_SEGMENTED,	/* u8, 0: one LRU for each class; needs the maintainer */
	KMC_S_HOT_LRU_PCT,	/* u32, percent of a class for items that are new (-o hot_lru_pct) */
	KMC_S_WARM_LRU_PCT,	/* u32, percent for items in use (-o warm_lru_pct) */
	KMC_S_HOT_MAX_FACTOR,	/* u32, thousandths of the cold LRU's age (-o hot_max_factor) */
	KMC_S_WARM_MAX_FACTOR,	/* u32, the same (-o warm_max_factor) */
	KMC_S_TEMP_LRU,		/* u8, 1: items of short life have an LRU of their own */
	KMC_S_TEMPORARY_TTL,	/* u32, seconds: how short (-o temporary_ttl) */
	KMC_S_LRU_CRAWLER,	/* u8, 0: expired items wait until somebody meets them (-o no_lru_crawler) */
	KMC_S_LRU_CRAWLER_SLEEP, /* u32, microseconds between 1000 items (-o lru_crawler_sleep) */
	KMC_S_LRU_CRAWLER_TOCRAWL, /* u32, items of a class in one run, 0: all (-o lru_crawler_tocrawl) */
	KMC_S_HASH_ALGORITHM,	/* u8, enum kmc_hash_algorithm (-o hash_algorithm); shown, not used */
	KMC_S_HASH_EXPAND,	/* u8, 0: the index grows only when it is full (-o no_hashexpand) */
	KMC_S_TAIL_REPAIR_TIME,	/* u32, seconds (-o tail_repair_time); shown, not used */
	KMC_S_DUMP_ENABLED,	/* u8, 0: metadump, mgdump, cachedump, stats detail are refused (-X) */
	KMC_S_WATCH_ENABLED,	/* u8, 0: watch is refused (-W) */
	KMC_S_WATCHER_LOGBUF_SIZE, /* u32, bytes that wait for each watcher (-o watcher_logbuf_size) */
	KMC_S_WORKER_LOGBUF_SIZE, /* u32, bytes (-o worker_logbuf_size); shown, not used */
	KMC_S_AUTH,		/* u8, enum kmc_auth (-Y, -S) */
	KMC_S_AUTH_FILE,	/* string, where the users of KMC_AUTH_TEXT come from; shown, not used */
	KMC_S_READ_BUF_MEM_LIMIT, /* u32, bytes for what connections read and answer, 0: any (-o read_buf_mem_limit) */
	KMC_S_INITIAL_MALLOC,	/* u64, bytes of KMC_S_MEMORY_LIMIT that count as taken already; for tests */
	__KMC_S_MAX
};
#define KMC_S_MAX (__KMC_S_MAX - 1)

/* KMC_A_FLAGS of an instance. */
#define KMC_INSTANCE_F_ATTACHED	(1U << 0)	/* ends with the netlink socket that made it */

/* KMC_A_FLAGS of KMC_CMD_LIST, KMC_CMD_GET, KMC_CMD_DEL and KMC_CMD_STATS. */
#define KMC_LIST_F_ALL_NETNS	(1U << 16)	/* look in every network namespace */

enum kmc_state {
	KMC_STATE_RUNNING,
	KMC_STATE_STOPPING,
};

enum kmc_protocol {
	KMC_PROTOCOL_AUTO,	/* told by a connection's first byte */
	KMC_PROTOCOL_TEXT,
	KMC_PROTOCOL_BINARY,
};

enum kmc_hash_algorithm {
	KMC_HASH_MURMUR3,
	KMC_HASH_JENKINS,
	KMC_HASH_XXH3,
};

/* How clients must say who they are before anything else is served. */
enum kmc_auth {
	KMC_AUTH_NONE,
	KMC_AUTH_TEXT,		/* with a first "set" whose value is user and password (-Y); text only */
	KMC_AUTH_SASL,		/* with SASL PLAIN (-S); binary only */
};

/* Who may come in, in KMC_A_AUTH. */
enum kmc_auth_attr {
	KMC_AUTH_A_UNSPEC,
	KMC_AUTH_A_SALT,	/* binary, KMC_AUTH_SALT_LEN random bytes, others for each table */
	KMC_AUTH_A_ROUNDS,	/* u32, 1 to KMC_AUTH_ROUNDS_MAX */
	KMC_AUTH_A_DIGESTS,	/* binary, one after the other; absent: nobody may come in */
	__KMC_AUTH_A_MAX
};
#define KMC_AUTH_A_MAX (__KMC_AUTH_A_MAX - 1)

enum kmc_event {
	KMC_EVENT_STARTED,
	KMC_EVENT_STOPPED,
};

/* Why an instance stopped. */
enum kmc_reason {
	KMC_REASON_NONE,
	KMC_REASON_REQUEST,	/* KMC_CMD_DEL */
	KMC_REASON_OWNER,	/* the netlink socket it was attached to closed */
	KMC_REASON_CLIENT,	/* a client's "shutdown" */
	KMC_REASON_CLIENT_GRACEFUL, /* a client's "shutdown graceful" */
	KMC_REASON_UNLOAD,	/* the module is being removed */
};

#endif /* _UAPI_LINUX_KMEMCACHE_H */
