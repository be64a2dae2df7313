/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching: what happens in a cache, told line by line to the connections that asked for it
 * (protocol.txt, "Watchers").
 *
 * While nobody watches, an event costs one read of struct kmc_watch.events. Somebody watching costs
 * whoever makes an event a lock, one formatting, and a copy for each watcher.
 *
 * A watcher has a ring of fixed size and nothing else. What finds no room in it is counted and skipped,
 * so a watcher that does not read holds up nobody, and holds no more memory than when it came.
 *
 * Lifetimes: a watcher belongs to its session, which makes it (process context), adds it, takes it away
 * and frees it. Events reach it through struct kmc_watch.watchers only, under the lock; so once
 * kmc_watcher_destroy() has had the lock, nobody writes to the ring and nobody kicks the peer any more.
 *
 * Locks: kmc_watch.lock is innermost: events are made under stripe locks and LRU locks. It protects the
 * list, the line being made, and the writing end of every ring. The reading end is the session's alone;
 * both ends meet in @head and @tail.
 */
#ifndef KMC_WATCH_H
#define KMC_WATCH_H

#include "kernel.h"
#include "percent.h"

struct kmc_core;
struct kmc_key;
struct kmc_item;

#define KMC_WATCHERS_MAX	20	/* 1.6.45, logger.c, WATCHER_LIMIT */

/* The longest line: a key of 250 bytes, all encoded, and less than 300 bytes around it. */
#define KMC_WATCH_LINE_MAX	(KMC_PERCENT_BYTES(250) + 300)

/**
 * enum kmc_watched - what can be watched
 * @KMC_WATCH_QUIET: what 1.6.45 lets one ask for though nothing ever happens (rawcmds, the proxy's)
 */
enum kmc_watched {
	KMC_WATCH_FETCHERS = 1 << 0,
	KMC_WATCH_MUTATIONS = 1 << 1,
	KMC_WATCH_EVICTIONS = 1 << 2,
	KMC_WATCH_CONNEVENTS = 1 << 3,
	KMC_WATCH_DELETIONS = 1 << 4,
	KMC_WATCH_SYSEVENTS = 1 << 5,
	KMC_WATCH_QUIET = 1 << 6,
};

/**
 * struct kmc_peer - the one at the other end of a session
 * @number: what logs and "stats conns" call the connection; unique among those that live
 * @kick: have kmc_session_input() called soon, though no input has come. Any context, may be called often.
 */
struct kmc_peer {
	u32 number;
	void (*kick)(struct kmc_peer *peer);
};

/**
 * struct kmc_watcher - one who watches
 * @peer: to be kicked when there is something to read
 * @events: set of enum kmc_watched; 0: it was not started yet
 * @size: bytes of @ring, of which one stays free
 * @head: where the next byte is written; by whoever makes an event
 * @tail: where the next byte is read; by the session
 * @skipped: lines since the last one that found room
 * @kicked: the peer knows that there is something to read, and has not looked yet
 */
struct kmc_watcher {
	struct kmc_peer *peer;
	u32 events;
	u32 size;
	u32 head;
	u32 tail;
	u64 skipped;
	bool kicked;
	u8 ring[];
};

/**
 * struct kmc_watch - all who watch a cache
 * @events: what anybody wants to see. READ_ONCE() without lock.
 * @lock: protects the rest but @client; taken with BH off
 * @count, @watchers: those that were made
 * @gid: number of the last line, or of the last watcher: "logs of a cache in strict order"
 * @client: peer number of the session that runs on a CPU; 0: nobody's doing
 * @len, @line: the line being made
 */
struct kmc_watch {
	u32 events;
	spinlock_t lock;
	u32 count;
	struct kmc_watcher *watchers[KMC_WATCHERS_MAX];
	u64 gid;
	u32 __percpu *client;
	u32 len;
	char line[KMC_WATCH_LINE_MAX];
};

/* Process context. 0 or -ENOMEM. kmc_watch_exit(): nobody watches any more. */
int kmc_watch_init(struct kmc_watch *watch);
void kmc_watch_exit(struct kmc_watch *watch);

/* A watcher with a ring of @size bytes, whom nothing is told yet. Process context. NULL: no memory, or there
 * are KMC_WATCHERS_MAX already.
 */
struct kmc_watcher *kmc_watcher_create(struct kmc_core *core, u32 size);

/* From now on it is told what happens; once. BH off. @events: set of enum kmc_watched. */
void kmc_watcher_start(struct kmc_core *core, struct kmc_watcher *watcher, struct kmc_peer *peer, u32 events);

/* Takes it away and frees it. Process context. NULL is fine. */
void kmc_watcher_destroy(struct kmc_core *core, struct kmc_watcher *watcher);

/* Its session only. Is there something to read? How much lies together, from *@at on? @len of it is done with. */
bool kmc_watcher_pending(const struct kmc_watcher *watcher);
u32 kmc_watcher_run(struct kmc_watcher *watcher, const u8 **at);
void kmc_watcher_advance(struct kmc_watcher *watcher, u32 len);

/* The line that was made goes to all who want to see @event. The lock is held. */
void kmc_watch_deliver(struct kmc_core *core, u32 event);

/* Whether anybody wants to see @events: ask before making one. */
static inline bool kmc_watched(const struct kmc_watch *watch, u32 events)
{
	return unlikely(READ_ONCE(watch->events) & events);
}

u32 kmc_watchers(struct kmc_watch *watch);

/*
 * Events. BH off; any of the core's locks may be held. The caller has asked kmc_watched().
 */

/* A key was looked up. @miss: enum kmc_miss; @item: NULL for a miss. */
void kmc_watch_fetch(struct kmc_core *core, const struct kmc_key *key, u32 miss, u32 class, u32 nbytes);

/**
 * struct kmc_watch_store - something was stored, or was not
 * @status: enum kmc_store_status
 * @mode: enum kmc_store_mode
 * @deadline: of the item, 0: none
 */
struct kmc_watch_store {
	u32 status;
	u32 mode;
	u32 deadline;
	u32 class;
	u32 nbytes;
};

void kmc_watch_store(struct kmc_core *core, const struct kmc_key *key, const struct kmc_watch_store *store);

/* An item goes to make room. */
void kmc_watch_evict(struct kmc_core *core, struct kmc_item *item);

/* A client has deleted an item. @cmd: "delete", "md" */
void kmc_watch_delete(struct kmc_core *core, const struct kmc_key *key, const char *cmd, u32 class,
		      u32 nbytes);

/**
 * struct kmc_watch_conn - a connection that comes or goes
 * @address: as text, "unix" for a unix socket
 * @reason: why it goes, NULL: it comes
 */
struct kmc_watch_conn {
	const char *address;
	const char *transport;
	const char *reason;
	u32 port;
	u32 number;
};

void kmc_watch_conn(struct kmc_core *core, const struct kmc_watch_conn *conn);

/* Something that no client did: KMC_WATCH_SYSEVENTS. @format: what stands behind the gid, no client bytes. */
void kmc_watch_system(struct kmc_core *core, const char *format, ...) __printf(2, 3);

#endif
