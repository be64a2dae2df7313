// SPDX-License-Identifier: GPL-2.0
/* The simulated kernel itself: it must notice what a real one would forbid. */
#include "fixture.h"
#include "suites.h"

static spinlock_t lock;
static seqcount_spinlock_t sequence;

static void siphash_of_the_paper(void)
{
	siphash_key_t key;
	u8 data[15], i;

	for (i = 0; i < 16; i++)
		((u8 *)&key)[i] = i;
	for (i = 0; i < 15; i++)
		data[i] = i;
	/* Appendix A of the paper. */
	CHECK(siphash(data, sizeof(data), &key) == 0xa129ca6149be45e5ULL);
}

static void lock_with_bh_on(void)
{
	spin_lock_init(&lock);
	spin_lock(&lock);
}

static void lock_twice(void)
{
	spin_lock_init(&lock);
	spin_lock_bh(&lock);
	spin_lock_bh(&lock);
}

static void write_without_lock(void)
{
	spin_lock_init(&lock);
	seqcount_spinlock_init(&sequence, &lock);
	write_seqcount_begin(&sequence);
}

static void sleep_with_bh_off(void)
{
	local_bh_disable();
	kfree(kmalloc(1, GFP_KERNEL));
}

static void resched_with_bh_off(void)
{
	local_bh_disable();
	cond_resched();
}

static void reference_of_the_dead(void)
{
	refcount_t ref = REFCOUNT_INIT(1);

	CHECK(refcount_dec_and_test(&ref));
	refcount_inc(&ref);
}

static void one_reference_too_many(void)
{
	refcount_t ref = REFCOUNT_INIT(INT_MAX - 1);

	refcount_inc(&ref);
	EQUAL(refcount_read(&ref), INT_MAX);
	refcount_inc(&ref);
}

static void dereference_outside(void)
{
	int *p = NULL;

	CHECK(rcu_dereference(p) == NULL);
}

static void grace_period(void)
{
	unsigned long cookie;

	rcu_read_lock();
	cookie = start_poll_synchronize_rcu();
	CHECK(!poll_state_synchronize_rcu(cookie));
	rcu_read_unlock();
	CHECK(poll_state_synchronize_rcu(cookie));
	local_bh_disable();
	CHECK(poll_state_synchronize_rcu(cookie));
	cookie = start_poll_synchronize_rcu();
	CHECK(!poll_state_synchronize_rcu(cookie));
	local_bh_enable();
	synchronize_rcu();
	CHECK(poll_state_synchronize_rcu(cookie));
}

static void allocations_fail(void)
{
	void *p[4];
	u32 i;

	kmc_sim_fail(2, 2);
	for (i = 0; i < 4; i++) {
		p[i] = kmalloc(8, GFP_ATOMIC);
		CHECK(!p[i] == (i == 1 || i == 2));
	}
	EQUAL(kmc_sim_live_allocations(), 2);
	for (i = 0; i < 4; i++)
		kfree(p[i]);
	EQUAL(kmc_sim_live_allocations(), 0);
}

static void text(void)
{
	char small[4];
	u64 number;
	u32 narrow;

	EQUAL(scnprintf(small, sizeof(small), "%d", 123456), 3);
	EQUAL(strscpy(small, "ab", sizeof(small)), 2);
	CHECK(strscpy(small, "abcd", sizeof(small)) == -E2BIG);
	CHECK(kstrtoull("18446744073709551615\n", 10, &number) == 0 && number == U64_MAX);
	CHECK(kstrtoull("18446744073709551616", 10, &number) == -ERANGE);
	CHECK(kstrtoull(" 1", 10, &number) == -EINVAL && kstrtoull("", 10, &number) == -EINVAL);
	CHECK(kstrtouint("4294967296", 10, &narrow) == -ERANGE);
}

static const struct tap_test tests[] = {
	{ "sim: siphash", siphash_of_the_paper },
	{ "sim: strings and numbers", text },
	{ "sim: grace periods", grace_period },
	{ "sim: allocations fail on demand and are counted", allocations_fail },
	{ "sim: a spinlock needs bottom halves off", lock_with_bh_on, "must be off" },
	{ "sim: a spinlock is not taken twice", lock_twice, "taken twice" },
	{ "sim: a write section needs its lock", write_without_lock, "not held" },
	{ "sim: no GFP_KERNEL with bottom halves off", sleep_with_bh_off, "may sleep" },
	{ "sim: no cond_resched with bottom halves off", resched_with_bh_off, "may sleep" },
	{ "sim: no reference to the dead", reference_of_the_dead, "dead" },
	{ "sim: CVE-2018-1000127: a reference count does not wrap", one_reference_too_many, "saturated" },
	{ "sim: rcu_dereference needs a read side", dereference_outside, "read side" },
};

const struct tap_suite sim_suite = TAP_SUITE(tests);
