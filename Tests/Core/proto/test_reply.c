// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "drive.h"

static u8 room[KMC_REPLY_ROOM_MIN];

static struct kmc_item *reply_item(struct kmc_store *store, u32 nbytes)
{
	struct kmc_key key = kmc_key(store, (const u8 *)"key", 3);
	struct kmc_item *item;

	item = kmc_item_alloc(store, &key, 0, 0, nbytes);
	BUG_ON(IS_ERR(item));
	return item;
}

static void test_reply_merge(struct kmc_reply *reply)
{
	tap_ok(kmc_reply_copy(reply, "abc", 3) && kmc_reply_copy(reply, "def", 3), "two copies fit");
	tap_number(reply->last, 1, "neighbours become one segment");
	tap_bytes(reply->segments[0].data, reply->segments[0].len, "abcdef", 6, "of both their bytes");
	tap_ok(kmc_reply_constant(reply, "xyz", 3), "a constant fits");
	tap_number(reply->last, 2, "a constant is a segment of its own");
	tap_ok(kmc_reply_copy(reply, "ghi", 3), "a third copy fits");
	tap_number(reply->last, 3, "behind a constant a new segment begins");
	tap_number(reply->bytes, 12, "all bytes are counted");
	kmc_reply_trim(reply, 1);
	tap_number(reply->bytes, 11, "trimmed by one");
	tap_ok(kmc_reply_copy(reply, "I", 1), "the trimmed byte can be had again");
	tap_bytes(reply->segments[2].data, reply->segments[2].len, "ghI", 3, "and is the new one");
	kmc_reply_trim(reply, 3);
	tap_number(reply->last, 2, "a segment trimmed to nothing is gone");
	kmc_reply_sent(reply, 4);
	tap_bytes(reply->segments[0].data, reply->segments[0].len, "ef", 2, "sent in part");
	kmc_reply_sent(reply, 3);
	tap_number(reply->first, 1, "sent to its end, a segment is done with");
	tap_bytes(reply->segments[1].data, reply->segments[1].len, "yz", 2, "and the next one began");
	kmc_reply_sent(reply, 2);
	tap_ok(kmc_reply_empty(reply) && !reply->used && !reply->last, "emptied: all room is back");
	tap_ok(kmc_reply_constant(reply, NULL, 0) && kmc_reply_empty(reply), "nothing adds nothing");
}

static void test_reply_rewind(struct kmc_reply *reply, struct kmc_store *store)
{
	struct kmc_item *item = reply_item(store, 100);
	struct kmc_reply_mark mark;

	mark = kmc_reply_mark(reply);
	kmc_reply_copy(reply, "abc", 3);
	kmc_reply_rewind(reply, mark);
	tap_ok(kmc_reply_empty(reply) && !reply->used && !reply->last, "rewound to the empty reply");
	kmc_reply_copy(reply, "abc", 3);
	mark = kmc_reply_mark(reply);
	kmc_reply_copy(reply, "def", 3);
	kmc_reply_item(reply, item, kmc_item_value(item), 10);
	kmc_reply_item(reply, item, kmc_item_value(item) + 10, 10);
	tap_number(refcount_read(&item->ref), 3, "each of an item's segments has a reference");
	tap_number(reply->last, 3, "also when they are neighbours");
	kmc_reply_rewind(reply, mark);
	tap_number(refcount_read(&item->ref), 1, "rewinding drops them");
	tap_number(reply->bytes, 3, "and the bytes");
	tap_bytes(reply->segments[0].data, reply->segments[0].len, "abc", 3, "but not those before");
	kmc_reply_item(reply, item, kmc_item_value(item), 10);
	kmc_reply_copy(reply, "end", 3);
	kmc_reply_sent(reply, 3 + 9);
	tap_number(refcount_read(&item->ref), 2, "held until its last byte is sent");
	kmc_reply_sent(reply, 1);
	tap_number(refcount_read(&item->ref), 1, "and no longer");
	kmc_reply_item(reply, item, kmc_item_value(item), 10);
	kmc_reply_clear(reply);
	tap_number(refcount_read(&item->ref), 1, "clearing drops references");
	tap_ok(kmc_reply_empty(reply), "and all bytes");
	kmc_reply_item(reply, item, kmc_item_value(item), 0);
	tap_number(refcount_read(&item->ref), 1, "no bytes, no reference");
	kmc_item_put(store, item);
}

static void test_reply_full(struct kmc_reply *reply)
{
	u32 i;

	tap_ok(kmc_reply_add(reply, KMC_REPLY_ROOM_MIN + 1) == NULL, "more than the room is refused");
	tap_ok(kmc_reply_empty(reply), "and adds nothing");
	tap_ok(kmc_reply_add(reply, U32_MAX) == NULL, "also when it is absurdly more");
	tap_ok(kmc_reply_add(reply, KMC_REPLY_ROOM_MIN) == room, "exactly the room is not");
	tap_ok(!kmc_reply_copy(reply, "x", 1), "then it is full");
	tap_ok(!kmc_reply_fits(reply, 1), "and says so");
	kmc_reply_clear(reply);
	for (i = 0; i < KMC_REPLY_SEGMENTS; i++)
		if (!kmc_reply_constant(reply, "xy", 1))
			break;
	tap_number(i, KMC_REPLY_SEGMENTS, "as many segments as it has");
	tap_ok(!kmc_reply_constant(reply, "x", 1), "and no more");
	tap_ok(!kmc_reply_copy(reply, "x", 1) && !reply->used, "a copy takes no room then");
	tap_ok(!kmc_reply_fits(reply, 1), "nothing fits");
	kmc_reply_clear(reply);
}

/* Room that is looked at after it was sent: what is added later must not lie in it. */
static void test_reply_lasting(struct kmc_reply *reply)
{
	static u8 other[KMC_REPLY_ROOM_MIN];

	reply->lasting = true;
	kmc_reply_copy(reply, "abcdefghijk", 11);
	kmc_reply_sent(reply, 4);
	kmc_reply_sent(reply, 7);
	tap_ok(reply->room == room + 16 && reply->size == sizeof(room) - 16, "an emptied reply leaves behind what lasts");
	kmc_reply_copy(reply, "lmn", 3);
	tap_bytes(room, 11, "abcdefghijk", 11, "which stays as it was");
	kmc_reply_constant(reply, "xyz", 3);
	kmc_reply_sent(reply, 1);
	kmc_reply_move(reply, other, sizeof(other));
	tap_ok(reply->room == other && reply->size == sizeof(other) && !reply->lasting, "moved to other room, all of it is to be had");
	memset(room, 0, sizeof(room));
	tap_bytes(reply->segments[reply->first].data, reply->segments[reply->first].len, "mn", 2, "what was not sent has moved along");
	tap_bytes(reply->segments[reply->first + 1].data, 3, "xyz", 3, "a constant has not");
	kmc_reply_copy(reply, "op", 2);
	tap_number(reply->bytes, 7, "it can be added to");
	kmc_reply_sent(reply, 7);
	tap_ok(reply->room == other && !reply->used, "and room that does not last is used again");
	kmc_reply_init(reply, reply->store, room, sizeof(room));
	reply->lasting = true;
	kmc_reply_add(reply, sizeof(room) - 3);
	kmc_reply_clear(reply);
	tap_ok(!reply->size && !kmc_reply_fits(reply, 1), "none is left where all but less than a word was used");
	kmc_reply_init(reply, reply->store, room, sizeof(room));
}

void test_reply(void)
{
	struct kmc_reply reply;
	struct drive d;

	drive_open(&d, NULL);
	BUG_ON(kmc_store_provide(d.core.store));
	local_bh_disable();
	kmc_reply_init(&reply, d.core.store, room, sizeof(room));
	test_reply_merge(&reply);
	test_reply_rewind(&reply, d.core.store);
	test_reply_full(&reply);
	test_reply_lasting(&reply);
	local_bh_enable();
	drive_close(&d);
}
