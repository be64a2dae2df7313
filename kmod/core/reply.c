// SPDX-License-Identifier: GPL-2.0
#include "bytes.h"
#include "reply.h"
#include "store/store.h"

void kmc_reply_init(struct kmc_reply *reply, struct kmc_store *store, u8 *room, u32 size)
{
	WARN_ON_ONCE(size < KMC_REPLY_ROOM_MIN);
	reply->store = store;
	reply->room = room;
	reply->size = size;
	reply->first = 0;
	reply->last = 0;
	reply->bytes = 0;
	reply->used = 0;
	reply->lasting = false;
}

void kmc_reply_move(struct kmc_reply *reply, u8 *room, u32 size)
{
	u8 *old = reply->room;
	u32 i;

	if (WARN_ON_ONCE(size < reply->used))
		return;
	memcpy(room, old, reply->used);
	for (i = reply->first; i < reply->last; i++) {
		struct kmc_segment *segment = &reply->segments[i];

		if (!segment->owner && segment->data >= old && segment->data < old + reply->used)
			segment->data = room + (segment->data - old);
	}
	reply->room = room;
	reply->size = size;
	reply->lasting = false;
}

/* The newest segment, if bytes at @data would continue it. */
static struct kmc_segment *kmc_reply_tail(struct kmc_reply *reply, const u8 *data)
{
	struct kmc_segment *tail;

	if (reply->first == reply->last)
		return NULL;
	tail = &reply->segments[reply->last - 1];
	return !tail->owner && tail->data + tail->len == data ? tail : NULL;
}

static bool kmc_reply_append(struct kmc_reply *reply, const u8 *data, u32 len,
			     struct kmc_item *owner)
{
	struct kmc_segment *tail = owner ? NULL : kmc_reply_tail(reply, data);

	if (!len)
		return true;
	if (!tail) {
		if (reply->last == KMC_REPLY_SEGMENTS)
			return false;
		tail = &reply->segments[reply->last++];
		tail->data = data;
		tail->len = 0;
		tail->owner = owner;
	}
	tail->len += len;
	reply->bytes += len;
	return true;
}

u8 *kmc_reply_add(struct kmc_reply *reply, u32 len)
{
	u8 *at = reply->room + reply->used;

	if (len > reply->size - reply->used || !kmc_reply_append(reply, at, len, NULL))
		return NULL;
	reply->used += len;
	return at;
}

void kmc_reply_trim(struct kmc_reply *reply, u32 len)
{
	struct kmc_segment *tail;

	if (!len)
		return;
	tail = &reply->segments[reply->last - 1];
	tail->len -= len;
	reply->bytes -= len;
	reply->used -= len;
	if (!tail->len)
		reply->last--;
}

bool kmc_reply_copy(struct kmc_reply *reply, const void *data, u32 len)
{
	u8 *at = kmc_reply_add(reply, len);

	if (!at)
		return false;
	kmc_copy(at, data, len);
	return true;
}

bool kmc_reply_constant(struct kmc_reply *reply, const void *data, u32 len)
{
	return kmc_reply_append(reply, data, len, NULL);
}

bool kmc_reply_item(struct kmc_reply *reply, struct kmc_item *item, const u8 *data, u32 len)
{
	if (!len)
		return true;
	if (!kmc_reply_append(reply, data, len, item))
		return false;
	kmc_item_get(item);
	return true;
}

struct kmc_reply_mark kmc_reply_mark(const struct kmc_reply *reply)
{
	struct kmc_reply_mark mark = {
		.last = reply->last,
		.last_len = reply->first == reply->last ? 0 :
			    reply->segments[reply->last - 1].len,
		.bytes = reply->bytes,
		.used = reply->used,
	};

	return mark;
}

static void kmc_reply_drop(struct kmc_reply *reply, u32 from, u32 to)
{
	u32 i;

	for (i = from; i < to; i++) {
		if (!reply->segments[i].owner)
			continue;
		local_bh_disable();
		kmc_item_put(reply->store, reply->segments[i].owner);
		local_bh_enable();
	}
}

void kmc_reply_rewind(struct kmc_reply *reply, struct kmc_reply_mark mark)
{
	kmc_reply_drop(reply, mark.last, reply->last);
	reply->last = mark.last;
	if (reply->first != reply->last)
		reply->segments[reply->last - 1].len = mark.last_len;
	reply->bytes = mark.bytes;
	reply->used = mark.used;
}

static void kmc_reply_reset(struct kmc_reply *reply)
{
	if (reply->lasting) {
		u32 behind = min_t(u32, ALIGN(reply->used, 8U), reply->size);

		reply->room += behind;
		reply->size -= behind;
	}
	reply->first = 0;
	reply->last = 0;
	reply->bytes = 0;
	reply->used = 0;
}

void kmc_reply_sent(struct kmc_reply *reply, u32 len)
{
	/* How most replies go: in one piece that is nobody else's. */
	if (likely(len == reply->bytes && reply->last - reply->first == 1 && !reply->segments[reply->first].owner)) {
		kmc_reply_reset(reply);
		return;
	}
	reply->bytes -= len;
	while (len) {
		struct kmc_segment *head = &reply->segments[reply->first];
		u32 n = min(len, head->len);

		head->data += n;
		head->len -= n;
		len -= n;
		if (head->len)
			break;
		kmc_reply_drop(reply, reply->first, reply->first + 1);
		reply->first++;
	}
	if (reply->first == reply->last)
		kmc_reply_reset(reply);
}

void kmc_reply_clear(struct kmc_reply *reply)
{
	kmc_reply_drop(reply, reply->first, reply->last);
	kmc_reply_reset(reply);
}
