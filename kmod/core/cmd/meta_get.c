// SPDX-License-Identifier: GPL-2.0
/*
 * mg. An item that the command leaves as it is, is read without a lock, as get does it; the lock is taken
 * where something is to be written (T, a win, N on a miss) and for values that are too large to be copied.
 */
#include "meta.h"
#include "../bytes.h"

/**
 * struct kmc_meta_get - one mg
 * @key: of the item
 * @look: what it does to the item, and how the item was before
 * @item: what is shown of it
 */
struct kmc_meta_get {
	struct kmc_key key;
	struct kmc_look look;
	struct kmc_meta_item item;
};

static void kmc_meta_get_begin(struct kmc_session *s, struct kmc_meta_get *get, u8 *room)
{
	struct kmc_store *store = s->core->store;
	const struct kmc_meta *meta = &s->req.meta;

	*get = (struct kmc_meta_get){ .key = kmc_meta_key(s, room) };
	get->item = kmc_meta_nothing(s, &get->key);
	get->look.unseen = kmc_meta_has(s, KMC_META('u'));
	get->look.touch = kmc_meta_has(s, KMC_META('T'));
	if (get->look.touch)
		get->look.deadline = kmc_store_deadline(store, s->req.exptime);
	if (kmc_meta_has(s, KMC_META('R')))
		get->look.recache = kmc_store_deadline(store, meta->recache);
	if (get->look.touch && get->look.recache)
		get->look.touch_first = memchr(meta->order, 'T', meta->count) <
					memchr(meta->order, 'R', meta->count);
	get->item.touched = get->look.deadline;
}

static void kmc_meta_get_count(struct kmc_session *s, u8 class)
{
	if (kmc_meta_has(s, KMC_META('T')))
		kmc_count_in(kmc_session_stats(s), class & KMC_ITEM_CLASS, touch_hits);
	else
		kmc_count_hit(s, class);
}

/* Counted as a get also with T, as in memcached. */
static enum kmc_result kmc_meta_get_miss(struct kmc_session *s, struct kmc_turn *turn,
					 struct kmc_meta_get *get)
{
	kmc_count(kmc_session_stats(s), get_misses);
	if (kmc_meta_has(s, KMC_META('q')))
		return KMC_DONE;
	return kmc_meta_say(s, turn, "EN", &get->item, KMC_META_SHOW_KEY);
}

static bool kmc_meta_get_wants_value(const struct kmc_session *s, u64 cas)
{
	return kmc_meta_has(s, KMC_META('v')) && !(kmc_meta_has(s, KMC_META('C')) && s->req.cas == cas);
}

/* All but the value. @flags: of the item as it was. Return: the line's length. */
static u32 kmc_meta_get_line(struct kmc_session *s, struct kmc_meta_get *get, u8 *line, u8 flags, bool value)
{
	u8 *at = line + 2;

	memcpy(line, value ? "VA" : "HD", 2);
	if (value) {
		*at++ = ' ';
		at += kmc_put_u64(at, get->item.nbytes);
	}
	at = kmc_meta_put(at, &s->req, &get->item, KMC_META_SHOW_ITEM);
	if (flags & KMC_ITEM_WON) {
		memcpy(at, " Z", 2);
		at += 2;
	}
	if (flags & KMC_ITEM_STALE) {
		memcpy(at, " X", 2);
		at += 2;
	}
	if (get->look.won) {
		memcpy(at, " W", 2);
		at += 2;
	}
	memcpy(at, "\r\n", 2);
	return (u32)(at + 2 - line);
}

/* An item that is held: its value, if it is wanted, follows as there is room for it. */
static enum kmc_result kmc_meta_get_held(struct kmc_session *s, struct kmc_turn *turn,
					 struct kmc_meta_get *get, struct kmc_item *item, u8 flags)
{
	bool value = kmc_meta_get_wants_value(s, get->item.cas);
	u8 *line = kmc_reply_add(turn->reply, KMC_LINE_MAX);

	kmc_meta_get_count(s, READ_ONCE(item->class));
	if (!WARN_ON_ONCE(!line))
		kmc_reply_trim(turn->reply, KMC_LINE_MAX - kmc_meta_get_line(s, get, line, flags, value));
	if (value) {
		kmc_get_open(s, item);
		return kmc_get_show(s, turn);
	}
	kmc_item_put(s->core->store, item);
	return KMC_DONE;
}

/* Under the lock. false: there is no item. */
static bool kmc_meta_get_look(struct kmc_session *s, struct kmc_turn *turn, struct kmc_meta_get *get,
			      enum kmc_result *result)
{
	struct kmc_look *look = &get->look;
	struct kmc_item *item;
	enum kmc_miss miss;

	item = kmc_store_look(s->core->store, &get->key, look, &miss);
	if (!item)
		return false;
	kmc_meta_look_at(s, &get->item, look->flags, look->seen);
	get->item.exptime = look->exptime;
	get->item.cas = look->cas;
	get->item.nbytes = item->nbytes;
	get->item.client_flags = item->client_flags;
	*result = kmc_meta_get_held(s, turn, get, item, look->flags);
	return true;
}

enum kmc_meta_peeked {
	KMC_META_SEEN,		/* and answered */
	KMC_META_ABSENT,
	KMC_META_LOCK,		/* must be looked at under the lock */
};

/* Answer with what is peeked, once that has turned out to be valid. Return: its length; 0: no room. */
static u32 kmc_meta_get_copy(struct kmc_session *s, struct kmc_turn *turn, struct kmc_meta_get *get,
			     const struct kmc_peek *peek, bool value)
{
	u32 tail = value ? peek->nbytes + s->protocol->tail_len : 0;
	u8 *at = kmc_reply_room(turn->reply, KMC_LINE_MAX + tail), *end;

	if (!at)
		return 0;
	kmc_meta_look_at(s, &get->item, peek->flags, peek->seen);
	get->item.exptime = peek->exptime;
	get->item.cas = peek->cas;
	get->item.nbytes = peek->nbytes;
	get->item.client_flags = peek->client_flags;
	end = at + kmc_meta_get_line(s, get, at, peek->flags, value);
	if (value) {
		end = kmc_copy(end, peek->value, peek->nbytes);
		end = kmc_copy(end, s->protocol->tail, s->protocol->tail_len);
	}
	return (u32)(end - at);
}

static enum kmc_meta_peeked kmc_meta_get_peek(struct kmc_session *s, struct kmc_turn *turn,
					      struct kmc_meta_get *get)
{
	struct kmc_store *store = s->core->store;
	struct kmc_peek peek __uninitialized;
	bool value;
	u32 i, len;

	for (i = 0; i < KMC_PEEK_TRIES; i++) {
		kmc_peek_begin(store, &get->key, &peek);
		if (!peek.item) {
			kmc_get_watch(s, &get->key, &peek);
			return KMC_META_ABSENT;
		}
		value = kmc_meta_get_wants_value(s, peek.cas);
		if ((value && !peek.value) || kmc_look_wins(&get->look, peek.flags, peek.exptime))
			return KMC_META_LOCK;
		len = kmc_meta_get_copy(s, turn, get, &peek, value);
		if (!len)
			return KMC_META_LOCK;
		if (kmc_peek_valid(store, &get->key, &peek)) {
			kmc_reply_keep(turn->reply, len);
			kmc_get_watch(s, &get->key, &peek);
			if (!get->look.unseen)
				kmc_peek_touch(store, &get->key, &peek);
			kmc_meta_get_count(s, peek.class);
			return KMC_META_SEEN;
		}
	}
	return KMC_META_LOCK;
}

/* What asks for no more than to see an item as it is. */
#define KMC_META_GLANCE \
	(KMC_META('v') | KMC_META('k') | KMC_META('f') | KMC_META('c') | KMC_META('s') | KMC_META('O') | KMC_META('q'))

/* Such an mg, answered by a single look at the store: how nearly all of them end. */
static __always_inline enum kmc_meta_peeked kmc_meta_get_glance(struct kmc_session *s, struct kmc_turn *turn, u32 now)
{
	const struct kmc_request *req = &s->req;
	const bool value = kmc_meta_has(s, KMC_META('v'));
	struct kmc_store *store = s->core->store;
	struct kmc_peek peek __uninitialized;
	struct kmc_key key __uninitialized;
	u8 *at, *end;

	if (kmc_watched(&s->core->watch, KMC_WATCH_FETCHERS))
		return KMC_META_LOCK;
	key.data = req->key;
	key.len = req->nkey;
	peek.now = now;
	kmc_peek_key(store, &key, &peek);
	if (!peek.item)
		return KMC_META_ABSENT;
	if ((value && !peek.value) || peek.flags & (KMC_ITEM_WON | KMC_ITEM_STALE | KMC_ITEM_BINARY))
		return KMC_META_LOCK;
	at = kmc_reply_room(turn->reply, KMC_LINE_MAX + (value ? peek.nbytes : 0));
	if (!at)
		return KMC_META_LOCK;
	end = kmc_copy(at, (const u8 *)(value ? "VA" : "HD"), 2);
	if (value) {
		*end++ = ' ';
		end += kmc_put_u64(end, peek.nbytes);
	}
	if (req->meta.count) {
		struct kmc_meta_item item = kmc_meta_nothing(s, &key);

		item.cas = peek.cas;
		item.nbytes = peek.nbytes;
		item.client_flags = peek.client_flags;
		end = kmc_meta_put(end, req, &item, KMC_META_SHOW_ITEM);
	}
	end = kmc_copy(end, (const u8 *)"\r\n", 2);
	if (value) {
		end = kmc_copy(end, peek.value, peek.nbytes);
		end = kmc_copy(end, (const u8 *)"\r\n", 2);
	}
	if (!kmc_peek_done(store, &key, &peek))
		return KMC_META_LOCK;
	kmc_reply_keep(turn->reply, (u32)(end - at));
	kmc_count_hit(s, peek.class);
	return KMC_META_SEEN;
}

/*
 * N: an empty item, won by whoever makes it. false: somebody was faster, and the item is there.
 */
static bool kmc_meta_get_vivify(struct kmc_session *s, struct kmc_turn *turn, struct kmc_meta_get *get,
				enum kmc_result *result)
{
	struct kmc_store *store = s->core->store;
	struct kmc_linking how = {
		.mode = KMC_ADD,
		.fetched = !get->look.unseen,
		.quiet = true,		/* 1.6.45 tells of no store here */
		.change = kmc_meta_change(s),
	};
	enum kmc_store_status status;
	struct kmc_item *item;

	item = kmc_item_alloc(store, &get->key, 0, kmc_meta_vivified(s), 0);
	if (IS_ERR(item)) {
		status = item == ERR_PTR(-EAGAIN) ? KMC_AGAIN : KMC_NO_MEMORY;
	} else {
		kmc_item_mark(item, KMC_ITEM_WON | (get->item.binary ? KMC_ITEM_BINARY : 0));
		status = kmc_store_link_as(store, &get->key, item, &how);
		if (status != KMC_STORED)
			kmc_item_put(store, item);
	}
	if (status == KMC_NOT_STORED)
		return false;
	if (status == KMC_STORED) {
		get->look.won = true;
		get->item.created = true;
		get->item.now = kmc_store_now(store);
		get->item.vivified = kmc_store_deadline(store, s->req.meta.vivify);
		get->item.cas = how.cas_out;
		*result = kmc_meta_get_held(s, turn, get, item, 0);
	} else if (status == KMC_AGAIN && kmc_starve(s) == KMC_PROCESS) {
		*result = KMC_PROCESS;
	} else {
		*result = kmc_meta_get_miss(s, turn, get);
	}
	return true;
}

/* @peeked: what is known of it */
static noinline enum kmc_result kmc_meta_get_look_closely(struct kmc_session *s, struct kmc_turn *turn,
							  enum kmc_meta_peeked peeked)
{
	enum kmc_result result = KMC_DONE;
	struct kmc_meta_get get __uninitialized;
	u8 room[KMC_KEY_MAX] __uninitialized;
	u32 tries;

	kmc_meta_get_begin(s, &get, room);
	if (!get.look.touch && peeked != KMC_META_ABSENT)
		peeked = kmc_meta_get_peek(s, turn, &get);
	if (peeked == KMC_META_SEEN)
		return KMC_DONE;
	for (tries = 0; tries < KMC_PEEK_TRIES; tries++) {
		if (peeked != KMC_META_ABSENT && kmc_meta_get_look(s, turn, &get, &result))
			return result;
		if (!kmc_meta_has(s, KMC_META('N')))
			break;
		if (kmc_meta_get_vivify(s, turn, &get, &result))
			return result;
		peeked = KMC_META_LOCK;
	}
	return kmc_meta_get_miss(s, turn, &get);
}

/*
 * Behind an mg that needed but a glance there often lies another: go on with it, without a way back and forth
 * through the session. None that needs process context (only N, to make an item): KMC_PROCESS would take back all
 * that were answered since kmc_session_start(). Return: whether there is one, which then is the session's request.
 */
static bool kmc_meta_get_ahead(struct kmc_session *s, struct kmc_turn *turn)
{
	struct kmc_budget *budget = turn->budget;
	size_t head;

	if (s->carry_to != s->carry_from || s->core->buffers || s->protocol != &kmc_text || !budget->requests ||
	    !budget->bytes || turn->used == turn->len || !kmc_reply_fits(turn->reply, KMC_LINE_MAX))
		return false;
	head = kmc_meta_parse_plain(turn->data + turn->used, turn->len - turn->used, &s->req);
	if (!head || kmc_meta_has(s, ~KMC_META_GLANCE))
		return false;		/* the session will read it */
	budget->requests--;
	kmc_advance(turn, head);
	return true;
}

enum kmc_result kmc_meta_get_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_meta_peeked peeked;
	u32 now;

	if (s->item)
		return kmc_get_show(s, turn);
	if (kmc_meta_has(s, ~KMC_META_GLANCE))
		return kmc_meta_get_look_closely(s, turn, KMC_META_LOCK);
	now = kmc_store_now(s->core->store);
	do {
		peeked = kmc_meta_get_glance(s, turn, now);
		if (peeked != KMC_META_SEEN)
			return kmc_meta_get_look_closely(s, turn, peeked);
	} while (kmc_meta_get_ahead(s, turn));
	return KMC_DONE;
}
