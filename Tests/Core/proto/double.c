// SPDX-License-Identifier: GPL-2.0
#include "double.h"
#include "drive.h"
#include "core/store/slab.h"

#define DOUBLE_ITEM_MAX		(1U << 20)
#define DOUBLE_CLASS		7

struct kmc_store {
	struct kmc_core *core;
	struct double_entry *first;
	u64 cas, linked;
	u32 held;
	u32 flush_at;
	s64 shift;
	u32 still;
};

struct double_entry {
	struct double_entry *next;
	struct kmc_item *item;
};

struct double_knobs double_knobs;

int kmc_store_create(struct kmc_core *core)
{
	core->store = kzalloc(sizeof(*core->store), GFP_KERNEL);
	if (!core->store)
		return -ENOMEM;
	core->store->core = core;
	core->store->cas = 1;	/* so that the first is 2, as memcached's */
	memset(&double_knobs, 0, sizeof(double_knobs));
	return 0;
}

static void double_unlink(struct kmc_store *store, struct double_entry **at)
{
	struct double_entry *entry = *at;

	*at = entry->next;
	store->held++;
	kmc_item_put(store, entry->item);
	kfree(entry);
}

void kmc_store_destroy(struct kmc_store *store)
{
	local_bh_disable();
	while (store->first)
		double_unlink(store, &store->first);
	local_bh_enable();
	kfree(store);
}

u32 double_held(struct kmc_store *store)
{
	return store->held;
}

int kmc_store_provide(struct kmc_store *store)
{
	kmc_assert_process();
	double_knobs.provided++;
	return double_knobs.provide_fails ? -ENOMEM : 0;
}

u32 kmc_store_now(const struct kmc_store *store)
{
	return store->still ? : (u32)(2 + ktime_get_seconds() + store->shift);
}

u32 kmc_store_deadline(const struct kmc_store *store, s64 exptime)
{
	s64 start = kmc_store_real(store) - kmc_store_now(store);

	if (exptime == 0)
		return 0;
	if (exptime < 0)
		return 1;
	if (exptime <= 60 * 60 * 24 * 30)
		return kmc_store_now(store) + exptime;
	return exptime <= start ? 1 : exptime - start;
}

struct kmc_key kmc_key(const struct kmc_store *store, const u8 *data, u32 len)
{
	return (struct kmc_key){ .data = data, .len = len, .hash = len * 31 + data[0] };
}

static bool double_dead(struct kmc_store *store, const struct kmc_item *item)
{
	u32 now = kmc_store_now(store);

	if (store->flush_at && store->flush_at <= now && (READ_ONCE(item->seen) & KMC_SEEN_TIME) <= store->flush_at)
		return true;
	return item->exptime && item->exptime <= now;
}

static struct double_entry **double_find(struct kmc_store *store, const struct kmc_key *key)
{
	struct double_entry **at = &store->first;

	kmc_assert_bh_off();
	while (*at) {
		struct kmc_item *item = (*at)->item;

		if (item->nkey != key->len || memcmp(item->data, key->data, key->len))
			at = &(*at)->next;
		else if (double_dead(store, item))
			double_unlink(store, at);
		else
			return at;
	}
	return NULL;
}

static u64 double_cas(struct kmc_store *store, const struct kmc_change *change)
{
	return change->with_cas ? change->cas : ++store->cas;
}

static void double_link(struct kmc_store *store, struct kmc_item *item, const struct kmc_change *change)
{
	struct double_entry *entry = kmalloc(sizeof(*entry), GFP_ATOMIC);

	BUG_ON(!entry);
	refcount_inc(&item->ref);
	store->linked = item->cas = double_cas(store, change);
	item->seen = kmc_store_now(store);
	entry->item = item;
	entry->next = store->first;
	store->first = entry;
	kmc_count(&store->core->stats, total_items);
}

void kmc_item_get(struct kmc_item *item)
{
	refcount_inc(&item->ref);
}

void kmc_item_put(struct kmc_store *store, struct kmc_item *item)
{
	kmc_assert_bh_off();
	store->held--;
	if (refcount_dec_and_test(&item->ref))
		kfree(item);
}

static struct kmc_item *double_new(struct kmc_store *store, const struct kmc_key *key, u32 nbytes)
{
	struct kmc_item *item;

	/* Who changes the key after it was hashed, has an item that the index does not find where it lies. */
	BUG_ON(key->data >= drive_lent && key->data < drive_lent + drive_nlent);
	if (nbytes > DOUBLE_ITEM_MAX - 100)
		return ERR_PTR(-E2BIG);
	if (double_knobs.again) {
		double_knobs.again--;
		return ERR_PTR(-EAGAIN);
	}
	if (double_knobs.full) {
		double_knobs.full--;
		return ERR_PTR(-ENOMEM);
	}
	item = kmalloc(sizeof(*item) + key->len + nbytes, GFP_ATOMIC);
	if (!item)
		return ERR_PTR(-ENOMEM);
	memset(item, 0, sizeof(*item));
	refcount_set(&item->ref, 1);
	item->nkey = key->len;
	item->nbytes = nbytes;
	item->class = DOUBLE_CLASS;
	memcpy(item->data, key->data, key->len);
	store->held++;
	return item;
}

struct kmc_item *kmc_item_alloc(struct kmc_store *store, const struct kmc_key *key, u32 client_flags,
				u32 deadline, u32 nbytes)
{
	struct kmc_item *item;

	kmc_assert_bh_off();
	item = double_new(store, key, nbytes);
	if (IS_ERR(item))
		return item;
	item->client_flags = client_flags;
	item->exptime = deadline;
	return item;
}

struct kmc_item *kmc_store_get(struct kmc_store *store, const struct kmc_key *key, enum kmc_miss *miss)
{
	struct double_entry **at = double_find(store, key);

	*miss = at ? KMC_MISS_NONE : KMC_MISS_ABSENT;
	if (!at)
		return NULL;
	store->held++;
	kmc_item_get((*at)->item);
	return (*at)->item;
}

struct kmc_item *kmc_store_get_touch(struct kmc_store *store, const struct kmc_key *key, u32 deadline,
				     enum kmc_miss *miss)
{
	struct kmc_item *item = kmc_store_get(store, key, miss);

	if (item)
		item->exptime = deadline;
	return item;
}

struct kmc_item *kmc_store_look(struct kmc_store *store, const struct kmc_key *key,
				struct kmc_look *look, enum kmc_miss *miss)
{
	struct kmc_item *item = kmc_store_get(store, key, miss);

	double_knobs.looks++;
	if (!item)
		return NULL;
	look->cas = item->cas;
	look->exptime = item->exptime;
	look->seen = item->seen;
	look->flags = item->flags;
	look->won = kmc_look_wins(look, item->flags, item->exptime);
	if (look->touch)
		item->exptime = look->deadline;
	if (look->won)
		item->flags |= KMC_ITEM_WON;
	if (!look->unseen)
		item->seen = kmc_store_now(store) | KMC_SEEN_FETCHED;
	return item;
}

void kmc_peek_begin(struct kmc_store *store, const struct kmc_key *key, struct kmc_peek *peek)
{
	struct double_entry **at = double_find(store, key);
	struct kmc_item *item = at ? (*at)->item : NULL;

	memset(peek, 0, sizeof(*peek));
	double_knobs.peeks++;
	peek->item = item;
	peek->miss = item ? KMC_MISS_NONE : KMC_MISS_ABSENT;
	if (!item)
		return;
	peek->value = item->nbytes > KMC_COPY_MAX ? NULL : item->data + item->nkey;
	peek->cas = item->cas;
	peek->nbytes = item->nbytes;
	peek->client_flags = item->client_flags;
	peek->class = item->class;
	peek->exptime = item->exptime;
	peek->seen = item->seen;
	peek->flags = item->flags;
}

void kmc_peek_key(struct kmc_store *store, struct kmc_key *key, struct kmc_peek *peek)
{
	*key = kmc_key(store, key->data, key->len);
	kmc_peek_begin(store, key, peek);
}

bool kmc_peek_valid(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	if (!double_knobs.torn)
		return true;
	double_knobs.torn--;
	return false;
}

void kmc_peek_touch(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	WRITE_ONCE(((struct kmc_item *)peek->item)->seen, kmc_store_now(store) | KMC_SEEN_FETCHED);
}

bool kmc_peek_done(struct kmc_store *store, const struct kmc_key *key, const struct kmc_peek *peek)
{
	if (!kmc_peek_valid(store, key, peek))
		return false;
	kmc_peek_touch(store, key, peek);
	return true;
}

static void double_run(struct kmc_cursor *cursor)
{
	cursor->room = min_t(u32, cursor->left, DOUBLE_RUN);
}

void kmc_cursor_init(struct kmc_store *store, struct kmc_cursor *cursor, struct kmc_item *item)
{
	cursor->left = item->nbytes;
	cursor->at = item->data + item->nkey;
	double_run(cursor);
}

u32 kmc_cursor_run(const struct kmc_cursor *cursor, u8 **at)
{
	*at = cursor->at;
	return cursor->room;
}

void kmc_cursor_advance(struct kmc_store *store, struct kmc_cursor *cursor, u32 len)
{
	BUG_ON(len > cursor->room);
	cursor->at += len;
	cursor->left -= len;
	cursor->room -= len;
	if (!cursor->room)
		double_run(cursor);
}

u32 kmc_cursor_write(struct kmc_store *store, struct kmc_cursor *cursor, const u8 *data, u32 len)
{
	u32 done = 0;

	while (done < len && cursor->room) {
		u32 n = min(len - done, cursor->room);

		memcpy(cursor->at, data + done, n);
		kmc_cursor_advance(store, cursor, n);
		done += n;
	}
	return done;
}

/* The present item's value and @item's, in the order of @mode. */
static struct kmc_item *double_join(struct kmc_store *store, const struct kmc_key *key,
				    struct kmc_item *old, struct kmc_item *item, bool append)
{
	const struct kmc_item *a = append ? old : item, *b = append ? item : old;
	struct kmc_item *joined = double_new(store, key, old->nbytes + item->nbytes);

	if (IS_ERR(joined))
		return joined;
	joined->client_flags = old->client_flags;
	joined->exptime = old->exptime;
	joined->flags = old->flags & KMC_ITEM_BINARY;
	memcpy(joined->data + key->len, a->data + a->nkey, a->nbytes);
	memcpy(joined->data + key->len + a->nbytes, b->data + b->nkey, b->nbytes);
	return joined;
}

static enum kmc_store_status double_count(struct kmc_store *store, enum kmc_store_status status)
{
	struct kmc_stats *stats = &store->core->stats;

	if (status == KMC_STORED)
		kmc_count_in(stats, DOUBLE_CLASS, cas_hits);
	else if (status == KMC_EXISTS)
		kmc_count_in(stats, DOUBLE_CLASS, cas_badval);
	else
		kmc_count(stats, cas_misses);
	return status;
}

static enum kmc_store_status double_replace(struct kmc_store *store, struct double_entry **at,
					    struct kmc_item *item, const struct kmc_change *change)
{
	if (at)
		double_unlink(store, at);
	double_link(store, item, change);
	return KMC_STORED;
}

static enum kmc_store_status double_store_cas(struct kmc_store *store, struct double_entry **at,
					      struct kmc_item *item, struct kmc_linking *how)
{
	const struct kmc_item *old = at ? (*at)->item : NULL;
	bool stale;

	if (!old)
		return double_count(store, KMC_NOT_FOUND);
	stale = how->stale && how->cas && how->cas < old->cas;
	if (old->cas != how->cas && !stale)
		return double_count(store, KMC_EXISTS);
	if (stale) {
		item->exptime = old->exptime;
		item->flags |= KMC_ITEM_STALE | (old->flags & KMC_ITEM_WON);
	}
	return double_count(store, double_replace(store, at, item, &how->change));
}

static enum kmc_store_status double_store_join(struct kmc_store *store, const struct kmc_key *key,
					       struct double_entry **at, struct kmc_item *item,
					       struct kmc_linking *how)
{
	struct kmc_item *joined;

	if (!at)
		return how->vivify ? double_replace(store, at, item, &how->change) : KMC_NOT_STORED;
	if (how->cas && how->cas != (*at)->item->cas)
		return KMC_EXISTS;
	joined = double_join(store, key, (*at)->item, item, how->mode == KMC_APPEND);
	if (IS_ERR(joined))
		return joined == ERR_PTR(-EAGAIN) ? KMC_AGAIN :
		       joined == ERR_PTR(-E2BIG) ? KMC_TOO_LARGE : KMC_NO_MEMORY;
	double_replace(store, at, joined, &how->change);
	how->nbytes_out = joined->nbytes;
	how->work = joined->nbytes;
	kmc_item_put(store, joined);
	return KMC_STORED;
}

static enum kmc_store_status double_store(struct kmc_store *store, const struct kmc_key *key,
					  struct kmc_item *item, struct kmc_linking *how)
{
	struct double_entry **at = double_find(store, key);

	switch (how->mode) {
	case KMC_CAS:
		return double_store_cas(store, at, item, how);
	case KMC_ADD:
		if (at || double_knobs.rivals)
			return KMC_NOT_STORED;
		return double_replace(store, at, item, &how->change);
	case KMC_REPLACE:
		return at ? double_replace(store, at, item, &how->change) : KMC_NOT_STORED;
	case KMC_SET:
		return double_replace(store, at, item, &how->change);
	default:
		return double_store_join(store, key, at, item, how);
	}
}

enum kmc_store_status kmc_store_link_as(struct kmc_store *store, const struct kmc_key *key,
					struct kmc_item *item, struct kmc_linking *how)
{
	enum kmc_store_status status;

	how->cas_out = 0;
	how->nbytes_out = item->nbytes;
	status = double_store(store, key, item, how);
	if (how->fetched)
		item->seen |= KMC_SEEN_FETCHED;
	if (status == KMC_STORED)
		how->cas_out = store->linked;
	if (double_knobs.rivals)
		double_knobs.rivals--;
	return status;
}

/* Not where the other way is what a test is about. */
bool kmc_put_key(struct kmc_store *store, const struct kmc_put *put, u32 *class)
{
	struct kmc_linking how = { .mode = KMC_SET };
	u8 room[KMC_KEY_MAX];
	struct kmc_item *item;
	struct kmc_key key;

	kmc_assert_bh_off();
	if (double_knobs.again || double_knobs.full || double_knobs.rivals || put->nbytes > KMC_COPY_MAX)
		return false;
	memcpy(room, put->key, put->nkey);
	key = kmc_key(store, room, put->nkey);
	item = kmc_item_alloc(store, &key, put->client_flags, put->deadline, put->nbytes);
	if (IS_ERR(item))
		return false;
	memcpy(item->data + put->nkey, put->value, put->nbytes);
	kmc_store_link_as(store, &key, item, &how);
	kmc_item_put(store, item);
	*class = DOUBLE_CLASS;
	return true;
}

enum kmc_store_status kmc_store_discard(struct kmc_store *store, const struct kmc_key *key,
					struct kmc_discard *how)
{
	struct double_entry **at = double_find(store, key);
	struct kmc_change grave = how->change;
	struct kmc_item *item;

	if (!at)
		return KMC_NOT_FOUND;
	item = (*at)->item;
	if (how->with_cas && how->cas != item->cas)
		return KMC_EXISTS;
	how->class = DOUBLE_CLASS;
	how->nbytes = how->tombstone ? how->tombstone->nbytes : item->nbytes;
	if (how->tombstone) {
		grave.cas = grave.with_cas ? grave.cas : item->cas;
		grave.with_cas = true;
		how->tombstone->flags |= item->flags & KMC_ITEM_BINARY;
		item = how->tombstone;
		double_replace(store, at, item, &grave);
	}
	if (how->stale) {
		item->exptime = how->change.with_deadline ? how->change.deadline : item->exptime;
		item->flags = (item->flags | KMC_ITEM_STALE) & ~KMC_ITEM_WON;
		item->cas = double_cas(store, &how->change);
	} else if (!how->tombstone) {
		double_unlink(store, at);
	}
	return KMC_STORED;
}

u64 kmc_item_nominal(const struct kmc_store *store, u32 nkey, u32 client_flags, u32 nbytes)
{
	return 48 + 8 + 3 + (client_flags ? 4 : 0) + nkey + nbytes;
}

enum kmc_store_status kmc_store_delete(struct kmc_store *store, const struct kmc_key *key, u64 cas,
				       u32 *class)
{
	struct double_entry **at = double_find(store, key);

	if (!at)
		return KMC_NOT_FOUND;
	if (class)
		*class = (*at)->item->class;
	if (cas && cas != (*at)->item->cas)
		return KMC_EXISTS;
	double_unlink(store, at);
	return KMC_STORED;
}

static bool double_number(const struct kmc_item *item, u64 *value)
{
	char text[KMC_NUMBER_MAX + 1] = "";

	if (!item->nbytes || item->nbytes > KMC_NUMBER_MAX)
		return false;
	memcpy(text, item->data + item->nkey, item->nbytes);
	text[strcspn(text, " ")] = 0;
	return !kstrtou64(text, 10, value);
}

enum kmc_store_status kmc_store_delta(struct kmc_store *store, const struct kmc_key *key,
				      struct kmc_delta *delta)
{
	struct double_entry **at = double_find(store, key);
	struct kmc_item *item;
	u64 value;

	if (!at)
		return KMC_NOT_FOUND;
	if (!(*at)->item->nbytes)
		return KMC_NON_NUMERIC;
	if (delta->cas && delta->cas != (*at)->item->cas)
		return KMC_EXISTS;
	if (!double_number((*at)->item, &value))
		return KMC_NON_NUMERIC;
	if (!delta->decrement)
		value += delta->delta;
	else
		value = delta->delta > value ? 0 : value - delta->delta;
	delta->value = value;
	delta->class = DOUBLE_CLASS;
	delta->exptime = (*at)->item->exptime;
	delta->len = snprintf(delta->text, sizeof(delta->text), "%llu", value);
	/* A number that got shorter is filled up with blanks. */
	item = double_new(store, key, max(delta->len, (*at)->item->nbytes));
	if (IS_ERR(item))
		return item == ERR_PTR(-EAGAIN) ? KMC_AGAIN : KMC_NO_MEMORY;
	memset(item->data + item->nkey, ' ', item->nbytes);
	memcpy(item->data + item->nkey, delta->text, delta->len);
	item->client_flags = (*at)->item->client_flags;
	item->exptime = delta->change.with_deadline ? delta->change.deadline : delta->exptime;
	item->flags = (*at)->item->flags;
	double_replace(store, at, item, &delta->change);
	delta->cas_out = item->cas;
	kmc_item_put(store, item);
	return KMC_STORED;
}

int kmc_store_flush(struct kmc_store *store, u32 when)
{
	if (double_knobs.again) {
		double_knobs.again--;
		return -EAGAIN;
	}
	if (when) {
		store->flush_at = when;
		return 0;
	}
	while (store->first)
		double_unlink(store, &store->first);
	return 0;
}

enum kmc_move_answer kmc_store_reassign(struct kmc_store *store, s32 from, s32 to)
{
	return KMC_MOVE_NO_SPARE;
}

void kmc_store_set_limit(struct kmc_store *store, u64 bytes)
{
}

int kmc_store_crawl(struct kmc_store *store, u64 classes)
{
	return 0;
}

bool kmc_store_crawls(const struct kmc_store *store)
{
	return false;
}

bool kmc_store_tracks_sizes(const struct kmc_store *store)
{
	return false;
}

bool kmc_store_next_size(const struct kmc_store *store, u32 *bytes, u32 *items, u32 *looks)
{
	return false;
}

int kmc_classes_listed(const struct kmc_settings *settings, u32 *sizes)
{
	return 0;
}

void kmc_store_totals(struct kmc_store *store, struct kmc_store_totals *totals)
{
	const struct double_entry *entry;

	memset(totals, 0, sizeof(*totals));
	for (entry = store->first; entry; entry = entry->next) {
		totals->curr_items++;
		totals->bytes += entry->item->nbytes;
	}
	totals->hash_power_level = 16;
}

void kmc_store_reset(struct kmc_store *store)
{
}

bool kmc_store_class(struct kmc_store *store, u32 class, u32 *last, struct kmc_class_totals *totals)
{
	struct kmc_store_totals all;

	*last = 20;
	memset(totals, 0, sizeof(*totals));
	kmc_store_totals(store, &all);
	if (class == DOUBLE_CLASS) {
		totals->chunk_size = 1024;
		totals->pages = 1;
		totals->items = all.curr_items;
	}
	return class && class <= *last;
}

/* Entry @n counted from the oldest, which stays what it is when others come. */
static struct double_entry *double_nth(struct kmc_store *store, u32 n)
{
	struct double_entry *entry;
	u32 count = 0;

	for (entry = store->first; entry; entry = entry->next)
		count++;
	if (n >= count)
		return NULL;
	for (entry = store->first; ++n < count; entry = entry->next)
		;
	return entry;
}

bool kmc_store_sweep(struct kmc_store *store, struct kmc_sweep *sweep, u64 classes,
		     bool (*visit)(void *ctx, struct kmc_item *item), void *ctx)
{
	struct double_entry *entry = double_nth(store, sweep->handle);

	sweep->done = !entry;
	if (!entry)
		return false;
	if (double_dead(store, entry->item) || !(classes >> DOUBLE_CLASS & 1)) {
		sweep->handle++;
		return false;
	}
	if (!visit(ctx, entry->item))
		return false;
	sweep->handle++;
	return true;
}

s64 kmc_store_real(const struct kmc_store *store)
{
	return ktime_get_real_seconds() + store->shift;
}

void kmc_store_shift(struct kmc_store *store, s64 seconds)
{
	store->shift += seconds;
}

void kmc_store_pause(struct kmc_store *store, bool still)
{
	store->still = still ? kmc_store_now(store) : 0;
}
