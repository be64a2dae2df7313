/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The very core of the module, for tests and bench in other languages: one opaque cache, sessions that
 * take bytes and give bytes. Linked into tests and bench only (licences).
 *
 * One thread at a time for a cache and its sessions. Clock, failing allocations and the counts of
 * allocations belong to the process: whoever turns them must run alone.
 */
#ifndef CKMCCORE_H
#define CKMCCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kmcsim_cache kmcsim_cache;
typedef struct kmcsim_session kmcsim_session;

/* A setting by its name in struct kmc_settings ("memory_limit", "item_size_max", ...). */
typedef struct kmcsim_setting {
	const char *name;
	uint64_t value;
} kmcsim_setting;

/**
 * kmcsim_cache_create - a cache with defaults but for @count settings
 * @complaint: why not, a constant sentence; may be NULL
 * Return: NULL if a setting is unknown or wrong, or there is no memory.
 */
kmcsim_cache *kmcsim_cache_create(const kmcsim_setting *settings, size_t count, const char **complaint);

/* All its sessions must be closed. */
void kmcsim_cache_destroy(kmcsim_cache *cache);

/* Who says @user and @password is let in; for a cache with the setting "auth". false: no memory. */
bool kmcsim_cache_admit(kmcsim_cache *cache, const char *user, const char *password);

/* Upkeep, until there is none left to do now. Return: rounds it took. */
unsigned int kmcsim_cache_maintain(kmcsim_cache *cache);

/* Whether a client has asked that the cache end. */
bool kmcsim_cache_shut_down(const kmcsim_cache *cache);

/* How often sessions of this cache stopped before all was done, by what they asked for. */
typedef enum kmcsim_stop {
	KMCSIM_STOP_SEND,
	KMCSIM_STOP_TURN,
	KMCSIM_STOP_PROCESS,
	KMCSIM_STOP_NR,
} kmcsim_stop;
uint64_t kmcsim_cache_stops(const kmcsim_cache *cache, kmcsim_stop stop);

/* @protocol: 0 by the first byte, 1 text, 2 binary. NULL: no memory. */
kmcsim_session *kmcsim_session_open(kmcsim_cache *cache, uint8_t protocol);
void kmcsim_session_close(kmcsim_session *session);

/**
 * kmcsim_session_limits - how little may be done at a time, to see every place where it stops
 * @requests, @bytes: budget of a turn; as many keys of gets as requests
 * @send: bytes of a reply that are taken at a time
 * All 1 and up. Preset: no limit.
 */
void kmcsim_session_limits(kmcsim_session *session, uint32_t requests, uint32_t bytes, uint32_t send);

/* Give a run of bytes; the replies pile up. false: the session wants to be closed, or is. */
bool kmcsim_session_feed(kmcsim_session *session, const uint8_t *bytes, size_t len);

/* The replies so far; valid until the next call with this session. */
const uint8_t *kmcsim_session_replies(const kmcsim_session *session, size_t *len);
void kmcsim_session_clear_replies(kmcsim_session *session);

/* The clock stands until somebody moves it. Wall: unix time now. */
void kmcsim_clock_advance(uint64_t milliseconds);
void kmcsim_clock_set_wall(int64_t seconds);
int64_t kmcsim_clock_wall(void);

/* The @first allocation from now, and @count from there on, fail; 0: none does. */
void kmcsim_fail_allocations(uint64_t first, uint64_t count);
uint64_t kmcsim_allocations(void);
uint64_t kmcsim_live_allocations(void);

void kmcsim_random_seed(uint64_t seed);

#endif
