/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The store: items by key, in bounded memory. Knows no protocol.
 *
 * Semantics are memcached's: slab classes with a growth factor over 1 MiB pages, items above
 * slab_chunk_max in chunks, eviction from the cold end, exact CAS, expiry, flush.
 *
 * Locking, outermost first (each asserted at its owner):
 *   stripe lock	of a key's hash; an item is linked, unlinked and changed under it, inside a write
 *			section of the stripe's sequence count
 *   LRU lock		of one list of a slab class, then of a later list of the same class
 *   slab lock		of one slab class, then of the page pool
 * Nobody takes a stripe lock while holding another lock of the store, or two stripes.
 *
 * Readers take none of them: kmc_peek_begin() finds an item under the stripe's sequence count, the
 * caller copies what it needs, kmc_peek_valid() tells whether that was all of one piece. Item memory is
 * type-stable enough for this: a page gets another class, or goes back to the system, only after readers
 * are waited for (BH off is a read side of RCU), and every length read without the lock is checked against the chunk it
 * was read from before it is used. What readers store (last access, fetched) has a word of its own.
 *
 * Values larger than KMC_COPY_MAX are not copied but held: kmc_store_get() takes a reference under
 * the stripe lock, which costs nothing beside sending them.
 *
 * Contexts: everything here runs with BH off unless it says process context. With BH off no page is
 * ever allocated: pages come from a small reserve that kmc_store_provide() fills. -EAGAIN means that
 * the reserve is empty though the limit is not reached: nothing was done; call kmc_store_provide() in
 * process context and try again.
 *
 * Counting. The store counts what only it sees: total_items, get_expired, get_flushed (by any command,
 * as memcached), cas_hits, cas_badval, cas_misses (KMC_CAS), evicted*, reclaimed, expired_unfetched,
 * outofmemory, lrutail_reflocked, direct_reclaims, lru_*, moves_*, crawler_*, malloc_fails. All others
 * (hits and misses of commands, hits_to_*, cmd_*, store_too_large, store_no_memory) are the caller's.
 */
#ifndef KMC_STORE_H
#define KMC_STORE_H

#include "../core.h"
#include "item.h"
#include "mover.h"

#define KMC_COPY_MAX	1024		/* bytes of a value copied into a reply; larger ones are held */
#define KMC_PAGE_SIZE	(1U << 20)	/* slab page, as memcached's */
#define KMC_KEY_MAX	250		/* bytes, protocol.txt "Keys" */
#define KMC_MEMORY_MAX	(128ULL << 30)	/* bytes that 32-bit handles can reach: 2^17 pages */

/* Process context. 0 or -ENOMEM. */
int kmc_store_create(struct kmc_core *core);
void kmc_store_destroy(struct kmc_store *store);

/**
 * kmc_store_shift - move the cache's clock, for tests
 * @seconds: onward, or back
 * BH off. kmc_store_pause(): it stands still, or goes on as if it never had.
 */
void kmc_store_shift(struct kmc_store *store, s64 seconds);
void kmc_store_pause(struct kmc_store *store, bool still);

/* The Unix time, as the cache's clock has it. */
s64 kmc_store_real(const struct kmc_store *store);

/* Process context, BH on: fill the page reserve (may fail: then storing evicts), and whatever else made
 * somebody say -EAGAIN. Any number of callers at once. 0 or -ENOMEM.
 */
int kmc_store_provide(struct kmc_store *store);

/**
 * kmc_store_maintain - a bounded piece of upkeep: page reserve, index growth, bump rings, moving
 *	items between LRUs, expiry in the background
 * Process context, one caller at a time. Return: jiffies until it wants to run again (0: at once).
 */
unsigned long kmc_store_maintain(struct kmc_store *store);

/* The part of it that reads what accesses have noted, some of it. Process context, as kmc_store_maintain().
 * Return: whether there is more.
 */
bool kmc_store_drain(struct kmc_store *store);

/* Seconds on the cache's own clock: starts at 2, never goes back (memcached's rel_time_t). */
u32 kmc_store_now(const struct kmc_store *store);

/**
 * kmc_store_deadline - a client's exptime on the cache's clock
 * @exptime: 0 never; negative: at once; up to 30 days relative; above: unix time (protocol.txt,
 *	"Expiration times")
 * Return: 0 never, else the second from which on the item is gone.
 */
u32 kmc_store_deadline(const struct kmc_store *store, s64 exptime);

/**
 * struct kmc_key - a key and its hash
 * @data: 1 to KMC_KEY_MAX bytes, must outlive the call
 */
struct kmc_key {
	const u8 *data;
	u32 len;
	u64 hash;
};

struct kmc_key kmc_key(const struct kmc_store *store, const u8 *data, u32 len);

/**
 * enum kmc_miss - why a lookup has nothing to show (each is a miss to the client)
 */
enum kmc_miss {
	KMC_MISS_NONE,		/* it was there */
	KMC_MISS_ABSENT,
	KMC_MISS_EXPIRED,
	KMC_MISS_FLUSHED,
};

/**
 * struct kmc_peek - an item seen without a lock, for values of up to KMC_COPY_MAX bytes
 * @item: NULL: nothing there (@miss says why); then @class and @nbytes are 0, and the rest is not set
 * @value: where its @nbytes bytes are, in one piece; NULL when they are more than KMC_COPY_MAX or
 *	lie in chunks: use kmc_store_get()
 * The rest is a copy of the header, all of one piece when kmc_peek_begin() returns; only what is read
 * through @item and @value afterwards needs kmc_peek_valid(). A miss needs no check.
 */
struct kmc_peek {
	const struct kmc_item *item;
	const u8 *value;
	u64 cas;
	u32 nbytes;
	u32 client_flags;
	u32 exptime;
	u32 seen;		/* last access, as it was before this one */
	u32 now;		/* on the cache's clock */
	u32 sequence;
	u32 handle;
	u8 class;		/* struct kmc_item.class, segment included */
	u8 flags;		/* KMC_ITEM_* */
	enum kmc_miss miss;
};

/* Never blocks on a writer for long: after some torn reads it looks under the lock's protection. An
 * expired or flushed item is unlinked on the way.
 */
void kmc_peek_begin(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek);

/*
 * The quickest way from a key's bytes to its item, for who has not hashed it. Sets @key->hash. @peek->now is the
 * caller's, kmc_store_now() of this turn. Unlike behind kmc_peek_begin(), what it says of an item is to be believed
 * only after kmc_peek_done(); a miss is one.
 */
void kmc_peek_key(struct kmc_store *store, struct kmc_key *key, struct kmc_peek *peek);

/* Was all that was read since kmc_peek_begin() of one piece? false: undo, begin again; after
 * KMC_PEEK_TRIES times in a row hold the item with kmc_store_get() instead.
 */
#define KMC_PEEK_TRIES	8
bool kmc_peek_valid(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek);

/* After a valid peek that is shown to a client: last access, fetched bit, LRU bump. */
void kmc_peek_touch(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek);

/* kmc_peek_valid(), and if so kmc_peek_touch(), in one call. */
bool kmc_peek_done(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek);

/**
 * kmc_store_get - find and hold, under the stripe lock
 * Return: the item with one reference for the caller (kmc_item_put()), or NULL and *@miss. An expired
 * or flushed item is unlinked on the way. This is an access: last access, fetched bit and LRU bump are
 * done (kmc_peek_touch() is for peeks).
 */
struct kmc_item *kmc_store_get(struct kmc_store *store, const struct kmc_key *key, enum kmc_miss *miss);

/* kmc_store_get() that sets a new deadline too (touch, gat). */
struct kmc_item *kmc_store_get_touch(struct kmc_store *store, const struct kmc_key *key, u32 deadline,
				     enum kmc_miss *miss);

/**
 * struct kmc_look - a lookup that may leave its mark on the item
 * @touch: set @deadline
 * @touch_first: compare the deadline that is set, not the present one, with @recache
 * @recache: whoever looks while less time is left wins, 0: nobody; on the cache's clock
 * @unseen: this is no access
 * @cas, @exptime, @seen, @flags: of the item as it was before
 * @won: this look won: the item is stale, or has little time left, and nobody won before
 */
struct kmc_look {
	bool touch;
	bool touch_first;
	bool unseen;
	bool won;
	u8 flags;
	u32 deadline;
	u32 recache;
	u32 exptime;
	u32 seen;
	u64 cas;
};

/* Whether @look wins at an item that has these flags and this deadline. */
static inline bool kmc_look_wins(const struct kmc_look *look, u8 flags, u32 exptime)
{
	u32 end = look->touch && look->touch_first ? look->deadline : exptime;

	return !(flags & KMC_ITEM_WON) && ((flags & KMC_ITEM_STALE) || (end && end < look->recache));
}

/**
 * kmc_store_look - find, hold and mark, in one go under the stripe lock
 * Return: as kmc_store_get(); the lower half of @look is filled when there is an item.
 */
struct kmc_item *kmc_store_look(struct kmc_store *store, const struct kmc_key *key,
				struct kmc_look *look, enum kmc_miss *miss);

/**
 * kmc_item_alloc - an item that nobody can find yet, with room for its value
 * @nbytes: length of the value
 *
 * Evicts when memory is full (unless settings say refuse). Items above KMC_INCOMING_MIN that are not linked
 * may take half of the memory limit together; whoever would be above that is told -ENOMEM.
 * Return: the item with one reference; ERR_PTR: -E2BIG larger than item_size_max (or than anything
 * that could fit), -ENOMEM full, -EAGAIN see top of file.
 */
struct kmc_item *kmc_item_alloc(struct kmc_store *store, const struct kmc_key *key, u32 client_flags,
				u32 deadline, u32 nbytes);

/* Bytes of memcached that an item would take: what classes and limits are measured in, and what a client
 * is told to be an item's size.
 */
u64 kmc_item_nominal(const struct kmc_store *store, u32 nkey, u32 client_flags, u32 nbytes);

/* Any context. */
void kmc_item_get(struct kmc_item *item);
void kmc_item_put(struct kmc_store *store, struct kmc_item *item);

/**
 * struct kmc_cursor - a place in an item's value, which may lie in chunks
 */
struct kmc_cursor {
	u32 left;		/* bytes of the value from here to its end */
	u8 *at;
	u32 room;		/* bytes from @at that lie together */
	u32 next;		/* handle of the chunk after this */
};

/* At offset 0. The caller holds a reference while it uses the cursor. */
void kmc_cursor_init(struct kmc_store *store, struct kmc_cursor *cursor, struct kmc_item *item);

/* The run at the cursor: bytes that lie together, 0 at the end. */
u32 kmc_cursor_run(const struct kmc_cursor *cursor, u8 **at);

/* Go @len bytes on; @len is at most what kmc_cursor_run() said. */
void kmc_cursor_advance(struct kmc_store *store, struct kmc_cursor *cursor, u32 len);

/* Copy into an item that is not linked yet, as much as fits. Return: bytes taken. */
u32 kmc_cursor_write(struct kmc_store *store, struct kmc_cursor *cursor, const u8 *data, u32 len);

enum kmc_store_mode {
	KMC_SET,
	KMC_ADD,
	KMC_REPLACE,
	KMC_APPEND,
	KMC_PREPEND,
	KMC_CAS,
};

enum kmc_store_status {
	KMC_STORED,
	KMC_NOT_STORED,
	KMC_EXISTS,
	KMC_NOT_FOUND,
	KMC_TOO_LARGE,
	KMC_NO_MEMORY,
	KMC_NON_NUMERIC,
	KMC_AGAIN,		/* see -EAGAIN at the top of the file */
};

/**
 * struct kmc_change - what an item gets, beside its value, from the command that changes it
 * @cas: its new CAS value, if @with_cas and there are any; else it is the next one
 * @deadline: its new deadline, if @with_deadline
 */
struct kmc_change {
	u64 cas;
	u32 deadline;
	bool with_cas;
	bool with_deadline;
};

/**
 * struct kmc_put - a value that lies there whole, for a key of which nothing is known
 * @key, @value: @nkey bytes, 1 to KMC_KEY_MAX, and @nbytes; copied, each byte read once
 * @deadline, @now: on the cache's clock; @now is kmc_store_now() of this turn
 */
struct kmc_put {
	const u8 *key;
	const u8 *value;
	u32 nkey;
	u32 nbytes;
	u32 client_flags;
	u32 deadline;
	u32 now;
};

/**
 * kmc_put_key - the straight way to store, whatever is there
 * @class: of the item, set if it was stored
 * BH off; who watches is not told. Return: false: it takes more (or cannot be), and nothing was stored.
 */
bool kmc_put_key(struct kmc_store *store, const struct kmc_put *put, u32 *class);

/**
 * struct kmc_linking - how an item is to be linked, and what came of it
 * @cas: for KMC_CAS (and for KMC_SET, KMC_REPLACE, KMC_APPEND and KMC_PREPEND, if not 0): the value that the
 *	present item must have
 * @vivify: KMC_APPEND, KMC_PREPEND: if there is no present item, link @item itself
 * @stale: KMC_CAS: a @cas below the present one will do, but not 0; then @item is stale, and has deadline
 *	and KMC_ITEM_WON of the present one
 * @fetched: it counts as fetched from the start
 * @change: of what is linked; its deadline is that of the item
 * @quiet: who watches is not told
 * @cas_out: the new CAS value when stored (0 without CAS)
 * @work: bytes of values that were copied from item to item, as often as it was tried
 * @nbytes_out: length of the value that was stored; that of @item when none was
 * @class_out, @deadline_out: of the same item
 */
struct kmc_linking {
	enum kmc_store_mode mode;
	u64 cas;
	bool vivify;
	bool stale;
	bool fetched;
	bool quiet;
	struct kmc_change change;
	u64 cas_out;
	u64 work;
	u32 nbytes_out;
	u32 class_out;
	u32 deadline_out;
};

/**
 * kmc_store_link_as - make a filled item findable, by the rules of @how
 * @item: from kmc_item_alloc(), completely written; the caller's reference stays the caller's. Whoever
 *	wants KMC_ITEM_WON or KMC_ITEM_BINARY on it sets that before.
 *
 * KMC_APPEND and KMC_PREPEND make a new item out of the present one and @item, which is not linked;
 * the present one's flags and deadline stay. They may say KMC_TOO_LARGE and KMC_NO_MEMORY (to which
 * memcached answers NOT_STORED). KMC_AGAIN: nothing was done, @item is as it was: provide, try again.
 */
enum kmc_store_status kmc_store_link_as(struct kmc_store *store, const struct kmc_key *key,
					struct kmc_item *item, struct kmc_linking *how);

/* The same for who has nothing special to ask. @cas_out: may be NULL; set when stored. */
static inline enum kmc_store_status kmc_store_link(struct kmc_store *store, const struct kmc_key *key,
						   struct kmc_item *item, enum kmc_store_mode mode,
						   u64 cas, u64 *cas_out)
{
	struct kmc_linking how = { .mode = mode, .cas = cas };
	enum kmc_store_status status = kmc_store_link_as(store, key, item, &how);

	if (cas_out && status == KMC_STORED)
		*cas_out = how.cas_out;
	return status;
}

/* @cas: 0, or the value that the item must have (else KMC_EXISTS). @class: of the item that was there,
 * may be NULL. Return: KMC_STORED for "deleted", or KMC_NOT_FOUND.
 */
enum kmc_store_status kmc_store_delete(struct kmc_store *store, const struct kmc_key *key, u64 cas,
				       u32 *class);

/**
 * struct kmc_discard - a deletion that may leave something behind
 * @cas: the value that the item must have, if @with_cas
 * @stale: do not delete: the item becomes stale and can be won again. Else @change does not count, but for
 *	the CAS value of @tombstone.
 * @tombstone: do not delete: this takes the item's place; it has the CAS value of that unless @change says
 *	otherwise. From kmc_item_alloc(); the caller's reference stays the caller's. May be NULL.
 * @class, @nbytes: of the item that was there, or of the tombstone in its place
 */
struct kmc_discard {
	u64 cas;
	bool with_cas;
	bool stale;
	struct kmc_item *tombstone;
	struct kmc_change change;
	u32 class;
	u32 nbytes;
};

/* Return: KMC_STORED: done; KMC_EXISTS: another CAS value; KMC_NOT_FOUND. */
enum kmc_store_status kmc_store_discard(struct kmc_store *store, const struct kmc_key *key,
					struct kmc_discard *how);

#define KMC_NUMBER_MAX 20	/* digits of the largest u64 */

/**
 * struct kmc_delta - incr and decr (protocol.txt, "Increment/Decrement")
 * @cas: 0, or the value that the item must have
 * @change: what else to set; without, the deadline stays
 * @work: bytes of values that were read or written, at most, as often as it was tried
 * @exptime: the deadline that the item had
 * @text: the new number in decimal as it was stored, @len bytes
 */
struct kmc_delta {
	u64 delta;
	bool decrement;
	u64 cas;
	struct kmc_change change;
	u32 exptime;
	u64 cas_out;
	u64 work;
	u64 value;
	u32 class;
	u32 len;
	char text[KMC_NUMBER_MAX + 4];
};

enum kmc_store_status kmc_store_delta(struct kmc_store *store, const struct kmc_key *key,
				      struct kmc_delta *delta);

/**
 * kmc_store_flush - everything stored up to the end of second @when is gone from @when on
 * @when: on the cache's clock, so what is stored within that second is gone too; 0: exactly now, and
 *	what is stored from now on stays. A second in the past is now; KMC_FLUSH_NOTHING is one in which
 *	nothing was stored. A flush that waits for its time is replaced by a later call.
 *
 * Return: 0, or -EAGAIN (after hundreds of flushes that upkeep had no time for): nothing was done, call
 * kmc_store_provide() in process context and try again.
 */
#define KMC_FLUSH_NOTHING	1	/* the clock begins at 2 */
int kmc_store_flush(struct kmc_store *store, u32 when);

/**
 * struct kmc_store_totals - the store's own gauges
 */
struct kmc_store_totals {
	u64 curr_items, bytes, total_malloced;
	u64 hash_bytes;
	u32 hash_power_level;
	bool hash_is_expanding;
	u32 pooled_pages;	/* slab_global_page_pool */
	u32 reserved_pages;	/* those, and what was had in advance */
	u64 incoming_bytes;	/* of large items that nobody can find yet */
	u64 reclaimed_pages;	/* given back because the system was short of memory */
	bool moving;
	const char *last_busy;	/* a constant */
	bool lru_crawler_running;
};

void kmc_store_totals(struct kmc_store *store, struct kmc_store_totals *totals);

/**
 * kmc_store_reassign - move a page from one class to another
 * @from: class id, 0 for the pool, -1 for any; @to: class id or 0
 * Items are copied to other pages of their class as far as there is room, else evicted. BH off; the work is
 * upkeep's.
 */
enum kmc_move_answer kmc_store_reassign(struct kmc_store *store, s32 from, s32 to);

/* Set the memory limit, in bytes. What is above it goes, by and by, and back to the system. BH off. */
void kmc_store_set_limit(struct kmc_store *store, u64 bytes);

/*
 * For when the system, or whoever is charged, is short of memory. Spare: pages that could go; a hint, any context. Press: by how
 * many pages the store is to become smaller, for some seconds; any context, the work is upkeep's. Shrinks: it is about
 * to. Trim: give
 * back what lies idle now, at most @pages; process context. Return: how many went.
 */
u32 kmc_store_spare(const struct kmc_store *store);
bool kmc_store_shrinks(const struct kmc_store *store);
void kmc_store_press(struct kmc_store *store, u32 pages);
u32 kmc_store_trim(struct kmc_store *store, u32 pages);

/* Whether items are counted by size. */
bool kmc_store_tracks_sizes(const struct kmc_store *store);

/**
 * kmc_store_next_size - the next size that items have, where they are counted
 * @bytes: behind this one; what was found, else how far it was looked
 * @items: how many items have it
 * @looks: sizes that may still be looked at; counts down. With item_size_max at a gigabyte there are 32 millions.
 * Return: false: there is none; but with *@looks at 0: none up to *@bytes.
 */
bool kmc_store_next_size(const struct kmc_store *store, u32 *bytes, u32 *items, u32 *looks);

/**
 * struct kmc_class_totals - one slab class
 */
struct kmc_class_totals {
	u32 chunk_size;		/* bytes it really has; memcached's chunk of the same class is larger */
	u32 chunks_per_page, pages;
	u64 chunks, used_chunks, free_chunks;
	u64 items, mem_requested;
	u64 number[KMC_SEGMENTS];	/* of the items */
	u32 age[KMC_SEGMENTS];	/* seconds since the item at the tail was last used */
	u32 evicted_time;	/* the same, of the one that was evicted last */
};

/* false: no such class (ids go from 1 to *@last). Classes without pages have pages == 0. */
bool kmc_store_class(struct kmc_store *store, u32 class, u32 *last, struct kmc_class_totals *totals);

/* "stats reset": what kmc_stats_reset() does not know. Any context. */
void kmc_store_reset(struct kmc_store *store);

/**
 * kmc_store_crawl - have dead items of some classes taken out now
 * @classes: a bit for each id
 * BH off. The crawler must be enabled (settings.lru_crawler), or this comes to nothing; a run of its own
 * gives way. Return: 0, or -EBUSY: it runs for another client.
 */
int kmc_store_crawl(struct kmc_store *store, u64 classes);

/* Whether the crawler runs, or will at once. Any context. */
bool kmc_store_crawls(const struct kmc_store *store);

/**
 * struct kmc_walk - a place in the index that survives its growth: buckets are walked in bit-reversed
 *	order, so that a bucket that splits is not visited twice and none is left out
 */
struct kmc_walk {
	u64 position;
	bool done;
};

/* Calls @visit under the stripe lock for each item of the next bucket. Process context or BH off. */
void kmc_store_walk(struct kmc_store *store, struct kmc_walk *walk,
		    void (*visit)(void *ctx, struct kmc_item *item), void *ctx);

/**
 * struct kmc_sweep - a place between two items
 * @at, @handle: of the item before it: its hash in the order of the walk, and its name, for two items may
 *	have the same hash
 *
 * Items follow each other in the order in which a walk meets their buckets, and within a bucket likewise. So
 * a sweep can stop behind any item, holds nothing meanwhile, and meets whatever stays in the index exactly
 * once, also when that grows.
 */
struct kmc_sweep {
	u64 at;
	u32 handle;
	bool done;
};

/**
 * kmc_store_sweep - look for the next item, in one bucket at most
 * @classes: set of slab class ids; items of others, and dead ones, are left out
 * @visit: called under the stripe lock for the item. false: the sweep stays before it.
 * BH off. Return: whether @visit was called and said true. @sweep->done: there are no more.
 */
bool kmc_store_sweep(struct kmc_store *store, struct kmc_sweep *sweep, u64 classes,
		     bool (*visit)(void *ctx, struct kmc_item *item), void *ctx);

#endif
