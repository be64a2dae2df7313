// SPDX-License-Identifier: GPL-2.0
/*
 * The core in user space, timed: what parsing, looking up, a whole request and a whole store cost without a socket, and
 * how that scales over threads. Prints one line for each: what, threads, ns per operation, operations per second.
 *
 * The simulation's locks check their owner and its per-CPU data is found by a call, so absolute figures are above the
 * kernel's; what changes between two runs of this program is the core's own.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/cmd/session.h"
#include "core/core.h"
#include "core/proto/protocol.h"
#include "core/store/store.h"
#include "sim/sim.h"

#define KEYS		10000
#define VALUE		"01234567890123456789012345678901"
#define MOST_THREADS	64
#define LINE		128

/**
 * struct worker - a thread, with a connection of its own
 * @line: the requests, each as a text of @line_len bytes
 */
struct worker {
	pthread_t thread;
	struct kmc_session *session;
	struct kmc_reply reply;
	u8 room[KMC_REPLY_ROOM_MIN];
	char line[KEYS][LINE];
	u32 line_len[KEYS];
	u64 rounds;
	u64 sum;
	void (*step)(struct worker *worker, u32 key);
};

static struct kmc_core core;
static pthread_barrier_t barrier;

static void nothing(struct kmc_core *c)
{
}

static void end(struct kmc_core *c, bool graceful)
{
}

static void level(struct kmc_core *c, u32 verbosity)
{
}

static void gauges(struct kmc_core *c, struct kmc_core_gauges *g)
{
}

static const struct kmc_core_ops ops = { .wake = nothing, .shutdown = end, .verbosity = level, .gauges = gauges };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* A head and its first key. */
static void step_parse(struct worker *worker, u32 key)
{
	const u8 *line = (const u8 *)worker->line[key];
	struct kmc_request request;
	size_t used;
	ssize_t head;

	head = kmc_text.parse(line, worker->line_len[key], &request);
	if (head > 0 && kmc_text.next_key(line + head, worker->line_len[key] - head, &used, &request) == KMC_KEY_ONE)
		worker->sum += used;
}

/* Hash, index, header. */
static void step_look(struct worker *worker, u32 number)
{
	struct kmc_key key;
	struct kmc_peek peek;

	local_bh_disable();
	key = kmc_key(core.store, (const u8 *)worker->line[number] + 4, 16);
	kmc_peek_begin(core.store, &key, &peek);
	if (peek.value && kmc_peek_valid(core.store, &key, &peek))
		worker->sum += peek.nbytes;
	local_bh_enable();
}

/* From bytes to bytes. */
static void step_request(struct worker *worker, u32 key)
{
	struct kmc_budget budget = { .requests = U32_MAX, .keys = U32_MAX, .bytes = U32_MAX };
	const u8 *line = (const u8 *)worker->line[key];
	size_t len = worker->line_len[key], used;
	enum kmc_verdict verdict;

	do {
		local_bh_disable();
		verdict = kmc_session_input(worker->session, line, len, &used, &worker->reply, &budget);
		local_bh_enable();
		line += used;
		len -= used;
		if (verdict == KMC_NEED_PROCESS)
			kmc_session_process(worker->session);
		worker->sum += worker->reply.bytes;
		kmc_reply_sent(&worker->reply, worker->reply.bytes);
	} while (len && verdict != KMC_NEED_CLOSE);
}

static void *work(void *context)
{
	struct worker *worker = context;
	u64 round;
	u32 key = 0;

	pthread_barrier_wait(&barrier);
	for (round = 0; round < worker->rounds; round++) {
		worker->step(worker, key);
		key = (key + 7919) % KEYS;
	}
	return NULL;
}

/* What the instance's worker does in the kernel. */
static void upkeep(void)
{
	kmc_store_provide(core.store);
	kmc_store_maintain(core.store);
}

static double run(struct worker **workers, u32 threads, u64 rounds, void (*step)(struct worker *worker, u32 key),
		  const char *form)
{
	double start;
	u32 i, key;

	for (i = 0; i < threads; i++) {
		workers[i]->rounds = rounds;
		workers[i]->step = step;
		for (key = 0; key < KEYS; key++)
			workers[i]->line_len[key] = snprintf(workers[i]->line[key], LINE, form, key);
	}
	upkeep();
	pthread_barrier_init(&barrier, NULL, threads + 1);
	for (i = 0; i < threads; i++)
		pthread_create(&workers[i]->thread, NULL, work, workers[i]);
	pthread_barrier_wait(&barrier);
	start = now();
	for (i = 0; i < threads; i++)
		pthread_join(workers[i]->thread, NULL);
	pthread_barrier_destroy(&barrier);
	return (now() - start) / rounds;
}

static const struct row {
	const char *name;
	void (*step)(struct worker *worker, u32 key);
	const char *form;
	bool alone;
} rows[] = {
	{ "set, whole", step_request, "set kkkkkkkk%08x 0 0 32\r\n" VALUE "\r\n" },
	{ "get, parse", step_parse, "get kkkkkkkk%08x\r\n", true },
	{ "get, look up", step_look, "get kkkkkkkk%08x\r\n", true },
	{ "get, whole", step_request, "get kkkkkkkk%08x\r\n" },
	{ "mg, whole", step_request, "mg kkkkkkkk%08x v\r\n" },
	{ "miss, whole", step_request, "get missing.%08x\r\n" },
};

static struct worker *hire(void)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	worker->session = kmc_session_create(&core, core.settings.protocol, GFP_KERNEL);
	kmc_reply_init(&worker->reply, core.store, worker->room, sizeof(worker->room));
	return worker;
}

int main(int argc, char **argv)
{
	u64 rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
	u32 most = argc > 2 ? (u32)atoi(argv[2]) : 4, threads, i;
	struct worker *workers[MOST_THREADS];
	struct kmc_settings settings;

	if (!rounds || !most || most > MOST_THREADS) {
		fprintf(stderr, "native [OPERATIONS [THREADS]]: up to %d threads\n", MOST_THREADS);
		return 64;
	}
	kmc_settings_defaults(&settings);
	if (kmc_core_init(&core, &settings, &ops))
		return 1;
	for (i = 0; i < most; i++)
		workers[i] = hire();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (threads = 1; threads <= (rows[i].alone ? 1 : most); threads *= 2) {
			double ns = run(workers, threads, rounds, rows[i].step, rows[i].form);

			printf("%-14s %2u threads %8.1f ns %12.0f /s\n", rows[i].name, threads, ns, threads * 1e9 / ns);
			fflush(stdout);
		}
	}
	for (i = 0; i < most; i++) {
		kmc_session_destroy(workers[i]->session);
		kmc_reply_clear(&workers[i]->reply);
		free(workers[i]);
	}
	kmc_core_exit(&core);
	return 0;
}
