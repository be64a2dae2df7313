// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdlib.h>
#include "sim.h"

#if defined(__SANITIZE_ADDRESS__)
#define KMC_SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KMC_SIM_ASAN 1
#endif
#endif

#ifdef KMC_SIM_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* In front of each allocation, as far as its alignment wants. */
struct head {
	size_t size;
	void *start;
};

static struct {
	u64 tried, live, bytes;
	u64 fail_from, fail_to;		/* [from, to) in numbers of tries */
} memory;
static bool poisoning = true;

void kmc_sim_fail(u64 first, u64 count)
{
	u64 from = first ? __atomic_load_n(&memory.tried, __ATOMIC_RELAXED) + first - 1 : 0;

	if (count > U64_MAX - from)
		count = U64_MAX - from;
	WRITE_ONCE(memory.fail_from, from);
	WRITE_ONCE(memory.fail_to, first ? from + count : 0);
}

u64 kmc_sim_allocations(void)
{
	return READ_ONCE(memory.tried);
}

u64 kmc_sim_live_allocations(void)
{
	return READ_ONCE(memory.live);
}

u64 kmc_sim_live_bytes(void)
{
	return READ_ONCE(memory.bytes);
}

void *kmc_sim_alloc(size_t size, size_t align, gfp_t gfp)
{
	u64 number = __atomic_fetch_add(&memory.tried, 1, __ATOMIC_RELAXED);
	struct head *head;
	char *start, *p;

	if (gfpflags_allow_blocking(gfp))
		kmc_assert_process();
	if (number >= READ_ONCE(memory.fail_from) && number < READ_ONCE(memory.fail_to))
		return NULL;
	if (align < sizeof(*head))
		align = sizeof(*head);
	if (size > PTRDIFF_MAX - 2 * align)
		return NULL;
	start = malloc(size + 2 * align);
	if (!start)
		return NULL;
	p = (char *)(((uintptr_t)start + sizeof(*head) + align - 1) & ~(uintptr_t)(align - 1));
	head = (struct head *)p - 1;
	head->size = size;
	head->start = start;
	/* Unset memory must not look like zeroes by chance. */
	memset(p, gfp & __GFP_ZERO ? 0 : 0xa5, size);
#ifdef KMC_SIM_ASAN
	ASAN_POISON_MEMORY_REGION(p + size, (size_t)(start + size + 2 * align - (p + size)));
	ASAN_POISON_MEMORY_REGION(head, sizeof(*head));
#endif
	__atomic_fetch_add(&memory.live, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&memory.bytes, size, __ATOMIC_RELAXED);
	return p;
}

void kmc_sim_free(const void *p)
{
	struct head *head;

	if (!p)
		return;
	head = (struct head *)(uintptr_t)p - 1;
#ifdef KMC_SIM_ASAN
	ASAN_UNPOISON_MEMORY_REGION(head, sizeof(*head));
	ASAN_UNPOISON_MEMORY_REGION(p, head->size);
#endif
	__atomic_fetch_sub(&memory.live, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&memory.bytes, head->size, __ATOMIC_RELAXED);
	free(head->start);
}

void kmc_sim_poisoning(bool on)
{
	poisoning = on;
}

bool kmc_sim_can_poison(void)
{
#ifdef KMC_SIM_ASAN
	return true;
#else
	return false;
#endif
}

void kmc_poison(const void *start, size_t len)
{
#ifdef KMC_SIM_ASAN
	if (poisoning)
		ASAN_POISON_MEMORY_REGION(start, len);
#endif
}

void kmc_unpoison(const void *start, size_t len)
{
#ifdef KMC_SIM_ASAN
	if (poisoning)
		ASAN_UNPOISON_MEMORY_REGION(start, len);
#endif
}
