// SPDX-License-Identifier: GPL-2.0
#include "find.h"
#include "siphash13.h"

#define KMC_STRIPES_PER_CPU	64

static_assert(sizeof(struct kmc_bucket) == 64);

u64 kmc_hash(const struct kmc_store *store, const u8 *data, u32 len)
{
	return kmc_siphash13(&store->index.key, data, len);
}

struct kmc_key kmc_key(const struct kmc_store *store, const u8 *data, u32 len)
{
	return (struct kmc_key){ .data = data, .len = len, .hash = kmc_siphash13(&store->index.key, data, len) };
}

static size_t kmc_table_bytes(const struct kmc_table *table)
{
	return (table->mask + 1 + table->spills) * sizeof(struct kmc_bucket);
}

static void *kmc_index_memory(size_t bytes)
{
	const gfp_t gfp = KMC_GFP | __GFP_ZERO;

	/* kvmalloc() warns about more than INT_MAX bytes. */
	return bytes > INT_MAX ? __vmalloc(bytes, gfp) : kvmalloc(bytes, gfp);
}

static struct kmc_table *kmc_table_create(u32 power)
{
	struct kmc_table *table = kzalloc(sizeof(*table), KMC_GFP);

	if (!table)
		return NULL;
	table->power = power;
	table->mask = (1ULL << (power - KMC_BUCKET_FILL_BITS)) - 1;
	table->spills = (u32)((table->mask + 1) / 8);
	spin_lock_init(&table->lock);
	table->buckets = kmc_index_memory(kmc_table_bytes(table));
	if (!table->buckets) {
		kfree(table);
		return NULL;
	}
	return table;
}

static void kmc_table_destroy(struct kmc_table *table)
{
	if (!table)
		return;
	kvfree(table->buckets);
	kfree(table);
}

int kmc_index_init(struct kmc_store *store)
{
	struct kmc_index *index = &store->index;
	u32 power = clamp_t(u32, store->core->settings.hashpower, KMC_HASHPOWER_MIN, KMC_HASHPOWER_MAX);
	struct kmc_table *table;
	u32 stripes, i;

	mutex_init(&index->grow);
	get_random_bytes(&index->key, sizeof(index->key));
	stripes = (u32)roundup_pow_of_two(num_possible_cpus() * KMC_STRIPES_PER_CPU);
	stripes = min(stripes, 1U << (KMC_HASHPOWER_MIN - KMC_BUCKET_FILL_BITS));
	index->stripe_mask = stripes - 1;
	index->stripes = kvcalloc(stripes, sizeof(*index->stripes), KMC_GFP);
	table = kmc_table_create(power);
	if (!index->stripes || !table) {
		kvfree(index->stripes);
		kmc_table_destroy(table);
		return -ENOMEM;
	}
	for (i = 0; i < stripes; i++) {
		spin_lock_init(&index->stripes[i].lock);
		seqcount_spinlock_init(&index->stripes[i].sequence, &index->stripes[i].lock);
	}
	RCU_INIT_POINTER(index->table, table);
	return 0;
}

void kmc_index_exit(struct kmc_store *store)
{
	struct kmc_index *index = &store->index;
	struct kmc_table *table = rcu_dereference_protected(index->table, true);

	kmc_table_destroy(index->old);
	kmc_table_destroy(table->next);
	kmc_table_destroy(table);
	kvfree(index->stripes);
	mutex_destroy(&index->grow);
	memzero_explicit(&index->key, sizeof(index->key));
}

struct kmc_found kmc_index_find(const struct kmc_store *store, const struct kmc_key *key)
{
	struct kmc_found found;

	/* Under the lock a chain ends. */
	kmc_find(store, key, U32_MAX, &found);
	return found;
}

/* The slot that holds @handle (0: a free one), in the chain from @place on. */
static struct kmc_bucket *kmc_place_seek(struct kmc_place place, u32 handle, u32 *slot)
{
	struct kmc_bucket *bucket;

	for (bucket = place.bucket; bucket; bucket = kmc_spilled(place.table, bucket))
		for (*slot = 0; *slot < KMC_BUCKET_SLOTS; (*slot)++)
			if (bucket->handle[*slot] == handle)
				return bucket;
	return NULL;
}

bool kmc_index_has(const struct kmc_store *store, u64 hash, u32 handle)
{
	u32 slot;

	lockdep_assert_held(&kmc_stripe(&store->index, hash)->lock);
	return kmc_place_seek(kmc_place(&store->index, hash), handle, &slot);
}

u32 kmc_index_neighbour(const struct kmc_store *store, u64 hash, u32 nth)
{
	struct kmc_place place = kmc_place(&store->index, hash);
	struct kmc_bucket *bucket;
	u32 slot;

	lockdep_assert_held(&kmc_stripe(&store->index, hash)->lock);
	for (bucket = place.bucket; bucket; bucket = kmc_spilled(place.table, bucket))
		for (slot = 0; slot < KMC_BUCKET_SLOTS; slot++)
			if (bucket->handle[slot] && nth-- == 0)
				return bucket->handle[slot];
	return 0;
}

/* A further bucket behind the last of the chain, or NULL: the pool is empty. */
static struct kmc_bucket *kmc_place_spill(struct kmc_store *store, struct kmc_place place)
{
	struct kmc_table *table = place.table;
	struct kmc_bucket *last = place.bucket, *next;
	u32 number = 0;
	bool half;

	spin_lock(&table->lock);
	if (table->free) {
		number = table->free;
		table->free = table->buckets[table->mask + number].spill;
	} else if (table->fresh < table->spills) {
		number = ++table->fresh;
	}
	half = number && number == table->fresh && number == table->spills / 2;
	spin_unlock(&table->lock);
	if (half)
		kmc_store_wake(store);
	if (!number)
		return NULL;
	while ((next = kmc_spilled(table, last)))
		last = next;
	next = &table->buckets[table->mask + number];
	WRITE_ONCE(next->spill, 0);
	WRITE_ONCE(last->spill, number);
	return next;
}

/* Give back a spilled bucket in which nothing is left. */
static void kmc_place_shrink(struct kmc_place place, struct kmc_bucket *empty)
{
	struct kmc_table *table = place.table;
	struct kmc_bucket *before = place.bucket;
	u32 slot, number;

	for (slot = 0; slot < KMC_BUCKET_SLOTS; slot++)
		if (empty->handle[slot])
			return;
	while (kmc_spilled(table, before) != empty)
		before = kmc_spilled(table, before);
	number = before->spill;
	WRITE_ONCE(before->spill, empty->spill);
	spin_lock(&table->lock);
	WRITE_ONCE(empty->spill, table->free);
	table->free = number;
	spin_unlock(&table->lock);
}

static void kmc_bucket_tag(struct kmc_bucket *bucket, u32 slot, u8 tag)
{
	u32 shift = slot % 8 * 8;

	if (slot < 8)
		WRITE_ONCE(bucket->tags_low,
			   (bucket->tags_low & ~(0xffULL << shift)) | (u64)tag << shift);
	else
		WRITE_ONCE(bucket->tags_high,
			   (bucket->tags_high & ~(0xffU << shift)) | (u32)tag << shift);
}

static bool kmc_place_insert(struct kmc_store *store, struct kmc_place place, u8 tag, u32 handle)
{
	u32 slot = 0;
	struct kmc_bucket *bucket = kmc_place_seek(place, 0, &slot);

	if (!bucket) {
		bucket = kmc_place_spill(store, place);
		slot = 0;
	}
	if (!bucket)
		return false;
	kmc_bucket_tag(bucket, slot, tag);
	WRITE_ONCE(bucket->handle[slot], handle);
	return true;
}

bool kmc_index_insert(struct kmc_store *store, u64 hash, u32 handle)
{
	struct kmc_index *index = &store->index;
	struct kmc_stripe *stripe = kmc_stripe(index, hash);

	lockdep_assert_held(&stripe->lock);
	if (!kmc_place_insert(store, kmc_place(index, hash), kmc_tag(hash), handle)) {
		WRITE_ONCE(index->full, true);
		return false;
	}
	WRITE_ONCE(stripe->items, stripe->items + 1);
	return true;
}

void kmc_index_replace(struct kmc_store *store, u64 hash, u32 old, u32 handle)
{
	u32 slot;
	struct kmc_bucket *bucket;

	lockdep_assert_held(&kmc_stripe(&store->index, hash)->lock);
	bucket = kmc_place_seek(kmc_place(&store->index, hash), old, &slot);
	if (!WARN_ON_ONCE(!bucket))
		WRITE_ONCE(bucket->handle[slot], handle);
}

void kmc_index_remove(struct kmc_store *store, u64 hash, u32 handle)
{
	struct kmc_place place = kmc_place(&store->index, hash);
	struct kmc_stripe *stripe = kmc_stripe(&store->index, hash);
	struct kmc_bucket *bucket;
	u32 slot;

	lockdep_assert_held(&stripe->lock);
	bucket = kmc_place_seek(place, handle, &slot);
	if (WARN_ON_ONCE(!bucket))
		return;
	WRITE_ONCE(bucket->handle[slot], 0);
	WRITE_ONCE(stripe->items, stripe->items - 1);
	if (bucket != place.bucket)
		kmc_place_shrink(place, bucket);
}

/* Take all out of a bucket that nobody looks at yet. */
static void kmc_place_clear(struct kmc_place place)
{
	struct kmc_bucket *bucket;

	while ((bucket = kmc_spilled(place.table, place.bucket))) {
		memset(bucket->handle, 0, sizeof(bucket->handle));
		kmc_place_shrink(place, bucket);
	}
	memset(place.bucket->handle, 0, sizeof(place.bucket->handle));
}

/* Split bucket @number into its two of the next table. false: too many spilled there; nothing was done. */
static bool kmc_table_split(struct kmc_store *store, struct kmc_table *table, u64 number)
{
	struct kmc_place from = { table, &table->buckets[number] };
	struct kmc_table *next = table->next;
	struct kmc_bucket *bucket;
	u32 slot;

	for (bucket = from.bucket; bucket; bucket = kmc_spilled(table, bucket)) {
		for (slot = 0; slot < KMC_BUCKET_SLOTS; slot++) {
			u32 handle = bucket->handle[slot];
			struct kmc_place to = { .table = next };
			u64 hash;

			if (!handle)
				continue;
			hash = kmc_item_as_key(store, kmc_item_at(&store->slab, handle)).hash;
			to.bucket = &next->buckets[hash & next->mask];
			if (!kmc_place_insert(store, to, kmc_tag(hash), handle))
				goto undo;
		}
	}
	return true;
undo:
	kmc_place_clear((struct kmc_place){ next, &next->buckets[number] });
	kmc_place_clear((struct kmc_place){ next, &next->buckets[number + table->mask + 1] });
	return false;
}

/* Split the next bucket, so that readers and writers of its stripe find all or nothing of it moved. */
static bool kmc_table_move(struct kmc_store *store, struct kmc_table *table)
{
	struct kmc_stripe *stripe = kmc_stripe(&store->index, table->moved);
	bool moved;

	spin_lock_bh(&stripe->lock);
	write_seqcount_begin(&stripe->sequence);
	moved = kmc_table_split(store, table, table->moved);
	if (moved)
		WRITE_ONCE(table->moved, table->moved + 1);
	write_seqcount_end(&stripe->sequence);
	spin_unlock_bh(&stripe->lock);
	return moved;
}

static u64 kmc_index_items(const struct kmc_index *index)
{
	u64 items = 0;
	u32 i;

	for (i = 0; i <= index->stripe_mask; i++)
		items += READ_ONCE(index->stripes[i].items);
	return items;
}

/* Whether the present table is moving; if it should be, begin. @expand: also when there is room still. */
static bool kmc_index_begin(struct kmc_index *index, struct kmc_table *table, bool expand)
{
	struct kmc_table *next;

	lockdep_assert_held(&index->grow);
	if (table->next)
		return true;
	if (!READ_ONCE(index->full) && (!expand || kmc_index_items(index) <= 1ULL << table->power))
		return false;
	if (index->old) {
		synchronize_rcu();
		kmc_table_destroy(index->old);
		index->old = NULL;
	}
	next = table->power < KMC_HASHPOWER_MAX ? kmc_table_create(table->power + 1) : NULL;
	WRITE_ONCE(index->stuck, !next);
	if (next)
		smp_store_release(&table->next, next);
	return next;
}

bool kmc_index_grow(struct kmc_store *store, u32 buckets)
{
	struct kmc_index *index = &store->index;
	struct kmc_table *table;
	bool more = false;

	kmc_assert_process();
	mutex_lock(&index->grow);
	if (index->old && poll_state_synchronize_rcu(index->cookie)) {
		kmc_table_destroy(index->old);
		index->old = NULL;
	}
	table = rcu_dereference_protected(index->table, lockdep_is_held(&index->grow));
	if (!kmc_index_begin(index, table, store->core->settings.hash_expand))
		goto out;
	while (buckets-- && table->moved <= table->mask) {
		if (!kmc_table_move(store, table)) {
			WRITE_ONCE(index->stuck, true);
			goto out;
		}
		cond_resched();
	}
	WRITE_ONCE(index->stuck, false);
	more = table->moved <= table->mask;
	if (!more) {
		rcu_assign_pointer(index->table, table->next);
		index->old = table;
		index->cookie = start_poll_synchronize_rcu();
		WRITE_ONCE(index->full, false);
	}
out:
	mutex_unlock(&index->grow);
	return more;
}

/* Once for each: what is visited may be removed, and a spilled bucket that gets empty so is another's at once. */
static void kmc_place_visit(struct kmc_place place, void (*visit)(void *ctx, u32 handle), void *ctx)
{
	struct kmc_bucket *bucket, *next;
	u32 handle[KMC_BUCKET_SLOTS];
	u32 slot;

	for (bucket = place.bucket; bucket; bucket = next) {
		next = kmc_spilled(place.table, bucket);
		memcpy(handle, bucket->handle, sizeof(handle));
		for (slot = 0; slot < KMC_BUCKET_SLOTS; slot++)
			if (handle[slot])
				visit(ctx, handle[slot]);
	}
}

u64 kmc_index_order(u64 x)
{
	x = (x >> 1 & 0x5555555555555555ULL) | (x & 0x5555555555555555ULL) << 1;
	x = (x >> 2 & 0x3333333333333333ULL) | (x & 0x3333333333333333ULL) << 2;
	x = (x >> 4 & 0x0f0f0f0f0f0f0f0fULL) | (x & 0x0f0f0f0f0f0f0f0fULL) << 4;
	return swab64(x);
}

/*
 * The position is a bucket's number with its bits in reverse, at the upper end of the word. Counting up
 * from there goes through a table's buckets so that those which one bucket splits into follow each other;
 * whatever size the table has at the next step, all that is behind the position has been visited, and
 * nothing else.
 */
void kmc_index_step(struct kmc_store *store, struct kmc_walk *walk,
		    void (*visit)(void *ctx, u32 handle), void *ctx)
{
	struct kmc_index *index = &store->index;
	u64 number = kmc_index_order(walk->position);
	struct kmc_stripe *stripe = kmc_stripe(index, number);
	struct kmc_place places[2] = { };
	struct kmc_table *table;
	u32 i;

	if (walk->done)
		return;
	spin_lock_bh(&stripe->lock);
	table = rcu_dereference_bh(index->table);
	number &= table->mask;
	if (number < READ_ONCE(table->moved)) {
		struct kmc_table *next = smp_load_acquire(&table->next);

		places[0] = (struct kmc_place){ next, &next->buckets[number] };
		places[1] = (struct kmc_place){ next, &next->buckets[number + table->mask + 1] };
	} else {
		places[0] = (struct kmc_place){ table, &table->buckets[number] };
	}
	for (i = 0; i < ARRAY_SIZE(places) && places[i].bucket; i++)
		kmc_place_visit(places[i], visit, ctx);
	/* To the end of the bucket's places: the position may lie anywhere between. */
	walk->position |= (1ULL << (64 - (table->power - KMC_BUCKET_FILL_BITS))) - 1;
	walk->position++;
	walk->done = walk->position == 0;
	spin_unlock_bh(&stripe->lock);
}

u64 kmc_index_buckets(const struct kmc_store *store)
{
	return rcu_dereference_bh(store->index.table)->mask + 1;
}

void kmc_index_totals(const struct kmc_store *store, struct kmc_index_totals *totals)
{
	const struct kmc_table *table = rcu_dereference_bh(store->index.table);
	const struct kmc_table *next = smp_load_acquire(&table->next);

	totals->power = next ? next->power : table->power;
	totals->bytes = kmc_table_bytes(table) + (next ? kmc_table_bytes(next) : 0);
	totals->growing = next;
}
