/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reply on its way out: segments, not a filled buffer.
 *
 * A segment is a run of bytes and who owns it: the reply itself (copied into its room), nobody (a
 * constant of the module), or an item, of which the segment holds one reference. Whoever sends takes
 * the segments from the front with kmc_reply_sent(); a reference is dropped with its last byte.
 *
 * Locking: a reply belongs to one connection, used by one context at a time; no lock of its own. Taking
 * things away (sent, rewind, clear) may be done in any context but a hard interrupt.
 */
#ifndef KMC_REPLY_H
#define KMC_REPLY_H

#include "kernel.h"

struct kmc_item;
struct kmc_store;

#define KMC_REPLY_SEGMENTS 32

/* Least room that a caller must give to kmc_reply_init(): the longest line plus the largest value
 * that is copied (KMC_COPY_MAX) fit into an empty reply.
 */
#define KMC_REPLY_ROOM_MIN 6144

struct kmc_segment {
	const u8 *data;
	u32 len;
	struct kmc_item *owner;
};

/**
 * struct kmc_reply - segments in order
 * @store: where the owners live
 * @segments: [@first, @last) are to be sent
 * @bytes: sum of their lengths
 * @room: bytes of our own, [0, @used) taken. Neighbouring runs in it become one segment.
 * @lasting: what was sent is looked at where it lies: an emptied reply leaves it behind, and @size gets smaller
 */
struct kmc_reply {
	struct kmc_store *store;
	u32 first, last;
	u32 bytes;
	u32 used, size;
	bool lasting;
	u8 *room;
	struct kmc_segment segments[KMC_REPLY_SEGMENTS];
};

/* A place to come back to when what was added since must be undone (a torn lockless read). */
struct kmc_reply_mark {
	u32 last, last_len, bytes, used;
};

/* @room: at least KMC_REPLY_ROOM_MIN bytes, stays the caller's, must outlive the reply. */
void kmc_reply_init(struct kmc_reply *reply, struct kmc_store *store, u8 *room, u32 size);

/* Go on in other room, of at least @used bytes; what is not sent moves there. It is not lasting. */
void kmc_reply_move(struct kmc_reply *reply, u8 *room, u32 size);

/* @len bytes to fill in, or NULL: full, send first. The bytes count as added at once. */
u8 *kmc_reply_add(struct kmc_reply *reply, u32 len);

/* The last @len bytes of what kmc_reply_add() gave just now were not needed. */
void kmc_reply_trim(struct kmc_reply *reply, u32 len);

/* A copy of @len bytes. false: full, nothing was added. */
bool kmc_reply_copy(struct kmc_reply *reply, const void *data, u32 len);

/* Bytes that live as long as the module. false: full, nothing was added. */
bool kmc_reply_constant(struct kmc_reply *reply, const void *data, u32 len);

/* Bytes inside @item (or one of its chunks); takes a reference of its own. false: full. */
bool kmc_reply_item(struct kmc_reply *reply, struct kmc_item *item, const u8 *data, u32 len);

struct kmc_reply_mark kmc_reply_mark(const struct kmc_reply *reply);

/* Undo all since @mark; references taken since are dropped. Nothing may have been sent in between. */
void kmc_reply_rewind(struct kmc_reply *reply, struct kmc_reply_mark mark);

/* The first @len bytes are gone out. An emptied reply has all its room again, unless that is lasting. */
void kmc_reply_sent(struct kmc_reply *reply, u32 len);

/* Drop everything (a connection that ends). */
void kmc_reply_clear(struct kmc_reply *reply);

/* Would kmc_reply_add() of @len bytes succeed? */
static inline bool kmc_reply_fits(const struct kmc_reply *reply, u32 len)
{
	return reply->size - reply->used >= len && reply->last < KMC_REPLY_SEGMENTS;
}

/* A place for @len bytes, or NULL: full, send first. They are not part of the reply before kmc_reply_keep(). */
static inline u8 *kmc_reply_room(struct kmc_reply *reply, u32 len)
{
	return kmc_reply_fits(reply, len) ? reply->room + reply->used : NULL;
}

/* Add the first @len bytes of what kmc_reply_room() gave just now. */
static inline void kmc_reply_keep(struct kmc_reply *reply, u32 len)
{
	struct kmc_segment *tail = reply->last ? &reply->segments[reply->last - 1] : NULL;

	if (!tail || reply->first == reply->last || tail->owner ||
	    tail->data + tail->len != reply->room + reply->used) {
		kmc_reply_add(reply, len);
		return;
	}
	tail->len += len;
	reply->bytes += len;
	reply->used += len;
}

static inline bool kmc_reply_empty(const struct kmc_reply *reply)
{
	return reply->bytes == 0;
}

#endif
