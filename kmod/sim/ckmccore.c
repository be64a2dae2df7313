// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "include/ckmccore.h"
#include "sim.h"
#include "../core/auth.h"
#include "../core/core.h"
#include "../core/reply.h"
#include "../core/cmd/session.h"
#include "../core/store/store.h"

struct kmcsim_cache {
	struct kmc_core core;
	unsigned int sessions;
	bool shut_down;
	u64 stops[KMCSIM_STOP_NR];
};

struct kmcsim_session {
	struct kmcsim_cache *cache;
	struct kmc_session *session;
	struct kmc_reply reply;
	struct kmc_budget budget;
	u32 send;
	bool closed;
	u8 *out;		/* [0, @out_len) of @out_size */
	size_t out_len, out_size;
	u8 room[KMC_REPLY_ROOM_MIN];
};

static void kmcsim_wake(struct kmc_core *core)
{
	kmc_assert_bh_off();
}

static void kmcsim_shutdown(struct kmc_core *core, bool graceful)
{
	container_of(core, struct kmcsim_cache, core)->shut_down = true;
}

static void kmcsim_verbosity(struct kmc_core *core, u32 level)
{
	WRITE_ONCE(core->settings.verbose, (u8)min(level, 3U));
}

static void kmcsim_gauges(struct kmc_core *core, struct kmc_core_gauges *g)
{
	*g = (struct kmc_core_gauges){
		.pid = 1,
		.curr_connections = container_of(core, struct kmcsim_cache, core)->sessions,
		.accepting_conns = true,
	};
}

static const struct kmc_core_ops kmcsim_ops = {
	.wake = kmcsim_wake,
	.shutdown = kmcsim_shutdown,
	.verbosity = kmcsim_verbosity,
	.gauges = kmcsim_gauges,
};

static bool kmcsim_set(struct kmc_settings *settings, const kmcsim_setting *setting)
{
	size_t i;

	for (i = 0; i < kmc_setting_count; i++) {
		const struct kmc_setting_row *row = &kmc_setting_rows[i];

		if (row->type == KMC_SETTING_STRING || strcmp(row->name, setting->name))
			continue;
		if (setting->value < row->min || setting->value > row->max)
			return false;
		kmc_setting_put(settings, row, setting->value);
		return true;
	}
	return false;
}

kmcsim_cache *kmcsim_cache_create(const kmcsim_setting *list, size_t count, const char **complaint)
{
	struct kmc_settings settings;
	struct kmcsim_cache *cache;
	const char *unwanted;
	size_t i;

	complaint = complaint ?: &unwanted;
	kmc_settings_defaults(&settings);
	*complaint = "no such setting, or out of its range";
	for (i = 0; i < count; i++)
		if (!kmcsim_set(&settings, &list[i]))
			return NULL;
	if (kmc_settings_check(&settings, complaint))
		return NULL;
	*complaint = "no memory";
	cache = kvzalloc(sizeof(*cache), GFP_KERNEL);
	if (cache && kmc_core_init(&cache->core, &settings, &kmcsim_ops)) {
		kvfree(cache);
		return NULL;
	}
	return cache;
}

void kmcsim_cache_destroy(kmcsim_cache *cache)
{
	WARN_ON(cache->sessions);
	kmc_core_exit(&cache->core);
	kvfree(cache);
}

bool kmcsim_cache_admit(kmcsim_cache *cache, const char *user, const char *password)
{
	static const u8 salt[KMC_AUTH_SALT_LEN] = "of a cache that nobody attacks";
	u8 digest[KMC_AUTH_DIGEST_LEN];
	struct kmc_auth_table *table;

	kmc_auth_digest(digest, salt, 1, (const u8 *)user, strlen(user), (const u8 *)password, strlen(password));
	table = kmc_auth_table_create(salt, 1, digest, 1);
	if (table)
		kmc_auth_replace(&cache->core, table);
	return table;
}

unsigned int kmcsim_cache_maintain(kmcsim_cache *cache)
{
	unsigned int rounds = 1;

	while (!kmc_store_maintain(cache->core.store))
		rounds++;
	return rounds;
}

bool kmcsim_cache_shut_down(const kmcsim_cache *cache)
{
	return cache->shut_down;
}

uint64_t kmcsim_cache_stops(const kmcsim_cache *cache, kmcsim_stop stop)
{
	return cache->stops[stop];
}

kmcsim_session *kmcsim_session_open(kmcsim_cache *cache, uint8_t protocol)
{
	struct kmcsim_session *s = kvzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->session = kmc_session_create(&cache->core, protocol, GFP_KERNEL);
	if (!s->session) {
		kvfree(s);
		return NULL;
	}
	s->cache = cache;
	cache->sessions++;
	kmcsim_session_limits(s, U32_MAX, U32_MAX, U32_MAX);
	kmc_reply_init(&s->reply, cache->core.store, s->room, sizeof(s->room));
	return s;
}

void kmcsim_session_close(kmcsim_session *s)
{
	kmc_reply_clear(&s->reply);
	kmc_session_destroy(s->session);
	s->cache->sessions--;
	free(s->out);
	kvfree(s);
}

void kmcsim_session_limits(kmcsim_session *s, uint32_t requests, uint32_t bytes, uint32_t send)
{
	s->budget = (struct kmc_budget){ .requests = requests, .keys = requests, .bytes = bytes };
	s->send = send;
}

/* The harness' own memory, which never fails on demand. */
static void kmcsim_keep(struct kmcsim_session *s, const u8 *data, u32 len)
{
	if (s->out_size - s->out_len < len) {
		s->out_size = (s->out_size + len) * 2;
		s->out = realloc(s->out, s->out_size);
		KMC_SIM_DEMAND(s->out, "no memory for the harness");
	}
	memcpy(s->out + s->out_len, data, len);
	s->out_len += len;
}

/* Send what the reply holds; at most @most bytes of it. */
static void kmcsim_send(struct kmcsim_session *s, u32 most)
{
	while (most && !kmc_reply_empty(&s->reply)) {
		const struct kmc_segment *segment = &s->reply.segments[s->reply.first];
		u32 len = min(segment->len, most);

		kmcsim_keep(s, segment->data, len);
		kmc_reply_sent(&s->reply, len);
		most -= len;
	}
}

static enum kmc_verdict kmcsim_turn(struct kmcsim_session *s, const u8 *bytes, size_t len, size_t *used)
{
	struct kmc_budget budget = s->budget;
	enum kmc_verdict verdict;

	local_bh_disable();
	verdict = kmc_session_input(s->session, bytes, len, used, &s->reply, &budget);
	local_bh_enable();
	s->cache->stops[KMCSIM_STOP_SEND] += verdict == KMC_NEED_SEND;
	s->cache->stops[KMCSIM_STOP_TURN] += verdict == KMC_NEED_TURN;
	s->cache->stops[KMCSIM_STOP_PROCESS] += verdict == KMC_NEED_PROCESS;
	return verdict;
}

bool kmcsim_session_feed(kmcsim_session *s, const uint8_t *bytes, size_t len)
{
	enum kmc_verdict verdict;
	size_t used;

	if (s->closed)
		return false;
	do {
		verdict = kmcsim_turn(s, bytes, len, &used);
		WARN_ON(used > len);
		bytes += used;
		len -= used;
		if (verdict == KMC_NEED_SEND)
			kmcsim_send(s, s->send);
		else if (verdict == KMC_NEED_PROCESS)
			kmc_session_process(s->session);
	} while (verdict != KMC_NEED_CLOSE && (verdict != KMC_NEED_INPUT || len));
	kmcsim_send(s, U32_MAX);
	s->closed = verdict == KMC_NEED_CLOSE;
	return !s->closed;
}

const uint8_t *kmcsim_session_replies(const kmcsim_session *s, size_t *len)
{
	*len = s->out_len;
	return s->out;
}

void kmcsim_session_clear_replies(kmcsim_session *s)
{
	s->out_len = 0;
}

void kmcsim_clock_advance(uint64_t milliseconds)
{
	kmc_sim_clock_advance(milliseconds);
}

void kmcsim_clock_set_wall(int64_t seconds)
{
	kmc_sim_clock_set_wall(seconds);
}

int64_t kmcsim_clock_wall(void)
{
	return ktime_get_real_seconds();
}

void kmcsim_fail_allocations(uint64_t first, uint64_t count)
{
	kmc_sim_fail(first, count);
}

uint64_t kmcsim_allocations(void)
{
	return kmc_sim_allocations();
}

uint64_t kmcsim_live_allocations(void)
{
	return kmc_sim_live_allocations();
}

void kmcsim_random_seed(uint64_t seed)
{
	kmc_sim_random_seed(seed);
}
