// SPDX-License-Identifier: GPL-2.0
/*
 * Three clients of one cache in any protocol, whose bytes come in any order, while time passes, upkeep
 * runs, memory runs out and connections end.
 *
 * Input: a byte of settings, then steps: a byte that says what (bits 0-1 who, 2-4 an enum fuzz_step, 5-7
 * how much) and, for bytes to be sent, a byte of length and as many bytes.
 */
#include "harness.h"
#include <string.h>

#define FUZZ_CLIENTS 3

enum fuzz_step {
	FUZZ_SEND,
	FUZZ_SEND_SLOWLY,
	FUZZ_SEND_WITHOUT_MEMORY,
	FUZZ_WAIT,
	FUZZ_UPKEEP,
	FUZZ_HANG_UP,
};

struct fuzz_clients {
	kmcsim_cache *cache;
	kmcsim_session *session[FUZZ_CLIENTS];
};

static kmcsim_session *fuzz_client(struct fuzz_clients *clients, unsigned int who)
{
	if (!clients->session[who])
		clients->session[who] = kmcsim_session_open(clients->cache, 0);
	FUZZ_DEMAND(clients->session[who]);
	return clients->session[who];
}

static void fuzz_hang_up(struct fuzz_clients *clients, unsigned int who)
{
	if (clients->session[who])
		kmcsim_session_close(clients->session[who]);
	clients->session[who] = NULL;
}

/* What is about a client's bytes. Return: whether it is. */
static bool fuzz_prepare(kmcsim_session *session, enum fuzz_step what, unsigned int much)
{
	if (what == FUZZ_SEND_SLOWLY)
		kmcsim_session_limits(session, 1 + much, 64, 1 + much);
	else if (what == FUZZ_SEND_WITHOUT_MEMORY)
		kmcsim_fail_allocations(1 + much / 2, 1 + (much & 1) * 100);
	return what <= FUZZ_SEND_WITHOUT_MEMORY;
}

/* Return: bytes of @data that the step took. */
static size_t fuzz_step(struct fuzz_clients *clients, const uint8_t *data, size_t size)
{
	unsigned int who = data[0] % FUZZ_CLIENTS, much = data[0] >> 5;
	enum fuzz_step what = data[0] >> 2 & 7;
	size_t len;

	if (what == FUZZ_WAIT)
		kmcsim_clock_advance(much * 700);
	else if (what == FUZZ_UPKEEP)
		kmcsim_cache_maintain(clients->cache);
	else if (what == FUZZ_HANG_UP)
		fuzz_hang_up(clients, who);
	if (size < 2 || !fuzz_prepare(fuzz_client(clients, who), what, much))
		return 1;
	len = data[1] < size - 2 ? data[1] : size - 2;
	if (!fuzz_feed(clients->session[who], data + 2, len))
		fuzz_hang_up(clients, who);
	kmcsim_fail_allocations(0, 0);
	return 2 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_clients clients = { NULL };
	unsigned int who;
	size_t at;

	if (size < 2)
		return 0;
	clients.cache = fuzz_pair(data[0]).whole;
	for (at = 1; at < size;)
		at += fuzz_step(&clients, data + at, size - at);
	for (who = 0; who < FUZZ_CLIENTS; who++)
		fuzz_hang_up(&clients, who);
	return 0;
}
