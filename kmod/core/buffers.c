// SPDX-License-Identifier: GPL-2.0
#include "core.h"
#include "buffers.h"
#include "stats_rows.h"

/* memcached 1.6.45, memcached.h: READ_BUFFER_SIZE, MAX_RESP_PER_BUNDLE on 64 bits */
#define KMC_BUFFER_SIZE		16384U
#define KMC_BUFFER_ANSWERS	13U
#define KMC_BUFFER_THREADS_MAX	1024U	/* more share these */

/**
 * struct kmc_buffers_part - what a thread would have
 * @lock: protects the rest; innermost, BH off
 * @reads: buffers of requests; @answers: in as many buffers as they need, and the last of those is kept
 * @most: buffers ever in use
 */
struct kmc_buffers_part {
	spinlock_t lock;
	u32 reads, answers;
	bool answered;
	u32 most;
} ____cacheline_aligned_in_smp;

/**
 * struct kmc_buffers - all parts
 * @limit: buffers that one part may have
 */
struct kmc_buffers {
	u32 nr, limit;
	struct kmc_buffers_part parts[];
};

int kmc_buffers_init(struct kmc_core *core)
{
	u32 nr = min(core->settings.threads, KMC_BUFFER_THREADS_MAX), i;
	struct kmc_buffers *buffers;

	if (!core->settings.read_buf_mem_limit)
		return 0;
	buffers = kvcalloc(1, struct_size(buffers, parts, nr), KMC_GFP);
	if (!buffers)
		return -ENOMEM;
	buffers->nr = nr;
	buffers->limit = max(core->settings.read_buf_mem_limit / core->settings.threads / KMC_BUFFER_SIZE, 1U);
	for (i = 0; i < nr; i++)
		spin_lock_init(&buffers->parts[i].lock);
	core->buffers = buffers;
	return 0;
}

void kmc_buffers_exit(struct kmc_core *core)
{
	kvfree(core->buffers);
	core->buffers = NULL;
}

static u32 kmc_buffers_of_answers(const struct kmc_buffers_part *part)
{
	return max(DIV_ROUND_UP(part->answers, KMC_BUFFER_ANSWERS), (u32)part->answered);
}

/* Whether the part may be as it is now; it is noted then. */
static bool kmc_buffers_fit(const struct kmc_buffers *buffers, struct kmc_buffers_part *part)
{
	u32 used = part->reads + kmc_buffers_of_answers(part);

	lockdep_assert_held(&part->lock);
	if (used > buffers->limit)
		return false;
	part->most = max(part->most, used);
	return true;
}

bool kmc_buffers_read(struct kmc_buffers *buffers, u32 client)
{
	struct kmc_buffers_part *part = &buffers->parts[client % buffers->nr];
	bool fits;

	spin_lock(&part->lock);
	part->reads++;
	fits = kmc_buffers_fit(buffers, part);
	if (!fits)
		part->reads--;
	spin_unlock(&part->lock);
	return fits;
}

void kmc_buffers_read_done(struct kmc_buffers *buffers, u32 client)
{
	struct kmc_buffers_part *part = &buffers->parts[client % buffers->nr];

	spin_lock(&part->lock);
	part->reads--;
	spin_unlock(&part->lock);
}

bool kmc_buffers_answer(struct kmc_buffers *buffers, u32 client)
{
	struct kmc_buffers_part *part = &buffers->parts[client % buffers->nr];
	bool fits, before;

	spin_lock(&part->lock);
	before = part->answered;
	part->answers++;
	part->answered = true;
	fits = kmc_buffers_fit(buffers, part);
	if (!fits) {
		part->answers--;
		part->answered = before;
	}
	spin_unlock(&part->lock);
	return fits;
}

void kmc_buffers_sent(struct kmc_buffers *buffers, u32 client, u32 answers)
{
	struct kmc_buffers_part *part = &buffers->parts[client % buffers->nr];

	spin_lock(&part->lock);
	part->answers -= answers;
	spin_unlock(&part->lock);
}

void kmc_buffers_totals(struct kmc_buffers *buffers, struct kmc_buffers_totals *totals)
{
	u32 i, used = 0, held = 0;

	*totals = (struct kmc_buffers_totals){ };
	for (i = 0; buffers && i < buffers->nr; i++) {
		struct kmc_buffers_part *part = &buffers->parts[i];

		spin_lock_bh(&part->lock);
		totals->count += part->most;
		totals->answers += part->answers;
		held += kmc_buffers_of_answers(part);
		used += part->reads;
		spin_unlock_bh(&part->lock);
	}
	totals->bytes = totals->count * KMC_BUFFER_SIZE;
	totals->free_bytes = (totals->count - used - held) * KMC_BUFFER_SIZE;
	totals->answer_bytes = (u64)held * KMC_BUFFER_SIZE;
}

u64 kmc_stat_buffers(struct kmc_listing *list, u32 offset)
{
	struct kmc_buffers_totals totals;

	kmc_buffers_totals(list->core->buffers, &totals);
	return *(const u64 *)((const u8 *)&totals + offset);
}
