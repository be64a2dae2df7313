// SPDX-License-Identifier: GPL-2.0
#include "drive.h"
#include "sim/sim.h"
#include <stdlib.h>

static void drive_wake(struct kmc_core *core)
{
}

static void drive_shutdown(struct kmc_core *core, bool graceful)
{
	struct drive *d = container_of(core, struct drive, core);

	d->shut = true;
	d->graceful = graceful;
}

static void drive_verbosity(struct kmc_core *core, u32 level)
{
	container_of(core, struct drive, core)->level = level;
}

static void drive_gauges(struct kmc_core *core, struct kmc_core_gauges *g)
{
	g->pid = 4711;
	g->curr_connections = 1;
	g->time_in_listen_disabled_us = 0;
	g->accepting_conns = true;
}

static void drive_kick(struct kmc_peer *peer)
{
	container_of(peer, struct drive, peer)->kicked++;
}

static const struct kmc_core_ops drive_ops = {
	.wake = drive_wake,
	.shutdown = drive_shutdown,
	.verbosity = drive_verbosity,
	.gauges = drive_gauges,
};

void drive_settings(struct kmc_settings *settings)
{
	kmc_settings_defaults(settings);
	settings->memory_limit = 16 << 20;
	settings->hashpower = 12;
}

/* The session and its reply, with the cache of @core. */
static void drive_sit_down(struct drive *d, struct kmc_core *core)
{
	d->session = kmc_session_create(core, core->settings.protocol, GFP_KERNEL);
	BUG_ON(!d->session);
	d->peer = (struct kmc_peer){ .number = 7, .kick = drive_kick };
	kmc_session_meet(d->session, &d->peer);
	d->room = KMC_REPLY_ROOM_MIN;
	d->memory = malloc(d->room);
	kmc_reply_init(&d->reply, core->store, d->memory, d->room);
}

void drive_open(struct drive *d, const struct kmc_settings *settings)
{
	struct kmc_settings preset;

	memset(d, 0, sizeof(*d));
	if (!settings) {
		drive_settings(&preset);
		settings = &preset;
	}
	BUG_ON(kmc_core_init(&d->core, settings, &drive_ops));
	drive_sit_down(d, &d->core);
}

/* Sends up to @len bytes, and checks that the segments are what the reply says. */
static void drive_send(struct drive *d, u32 len)
{
	u32 i, all = 0, done = 0;

	for (i = d->reply.first; i < d->reply.last; i++)
		all += d->reply.segments[i].len;
	BUG_ON(all != d->reply.bytes);
	len = min(len, all);
	if (d->nout + len > d->room_out) {
		d->room_out = 2 * (d->nout + len);
		d->out = realloc(d->out, d->room_out);
	}
	for (i = d->reply.first; done < len; i++) {
		u32 n = min(d->reply.segments[i].len, len - done);

		memcpy(d->out + d->nout, d->reply.segments[i].data, n);
		d->nout += n;
		done += n;
	}
	kmc_reply_sent(&d->reply, len);
}

static void drive_send_all(struct drive *d)
{
	while (!kmc_reply_empty(&d->reply))
		drive_send(d, d->send ? d->send : U32_MAX);
	local_bh_disable();
	kmc_session_sent(d->session);
	local_bh_enable();
}

const u8 *drive_lent;
size_t drive_nlent;

/* One call. Each run is a copy of its own, exactly as long, so that a byte too many is found. */
static enum kmc_verdict drive_call(struct drive *d, const u8 *data, size_t len, size_t *used)
{
	struct kmc_budget budget = {
		.requests = d->budget.requests ? d->budget.requests : U32_MAX,
		.keys = d->budget.keys ? d->budget.keys : U32_MAX,
		.bytes = d->budget.bytes ? d->budget.bytes : U32_MAX,
	};
	enum kmc_verdict verdict;
	u8 *run = malloc(len ? len : 1);

	if (len)
		memcpy(run, data, len);
	drive_lent = run;
	drive_nlent = len;
	local_bh_disable();
	verdict = kmc_session_input(d->session, len ? run : NULL, len, used, &d->reply, &budget);
	local_bh_enable();
	drive_nlent = 0;
	if (len)
		memset(run, 0xdd, len);
	free(run);
	BUG_ON(*used > len);
	BUG_ON(verdict == KMC_NEED_INPUT && *used != len);
	return verdict;
}

/* Calls until nothing more happens with [@from, @to) of the input. */
static enum kmc_verdict drive_run(struct drive *d, const void *data, size_t *from, size_t to)
{
	enum kmc_verdict verdict;
	size_t used;

	do {
		verdict = drive_call(d, (const u8 *)data + *from, to - *from, &used);
		*from += used;
		if (verdict == KMC_NEED_TURN)
			d->turns++;
		if (verdict == KMC_NEED_SEND) {
			d->sends++;
			BUG_ON(kmc_reply_empty(&d->reply));
			drive_send(d, d->send ? d->send : U32_MAX);
		}
		if (verdict == KMC_NEED_PROCESS) {
			d->processes++;
			kmc_session_process(d->session);
		}
	} while (verdict != KMC_NEED_INPUT && verdict != KMC_NEED_CLOSE);
	return verdict;
}

void drive_listen(struct drive *d)
{
	size_t from = 0;

	while (kmc_session_pending(d->session))
		drive_run(d, "", &from, 0);
	drive_send_all(d);
}

size_t drive_feed(struct drive *d, const void *data, size_t len)
{
	size_t from = 0, to = 0;

	while (!d->closed) {
		enum kmc_verdict verdict;

		if (from == to && to == len)
			break;
		if (from == to) {
			size_t run = !to && d->first ? d->first : d->run ? d->run : len;

			to = from + min(run, len - from);
		}
		verdict = drive_run(d, data, &from, to);
		drive_send_all(d);
		d->closed = verdict == KMC_NEED_CLOSE;
	}
	return from;
}

void drive_forget(struct drive *d)
{
	d->nout = 0;
	d->turns = 0;
	d->sends = 0;
	d->processes = 0;
}

void drive_join(struct drive *other, struct drive *d)
{
	memset(other, 0, sizeof(*other));
	drive_sit_down(other, &d->core);
}

void drive_leave(struct drive *other)
{
	drive_hang_up(other);
	free(other->memory);
	free(other->out);
}

void drive_hang_up(struct drive *d)
{
	kmc_reply_clear(&d->reply);
	kmc_session_destroy(d->session);
	d->session = NULL;
}

void drive_again(struct drive *d)
{
	drive_hang_up(d);
	d->session = kmc_session_create(&d->core, d->core.settings.protocol, GFP_KERNEL);
	BUG_ON(!d->session);
	d->closed = false;
}

void drive_close(struct drive *d)
{
	drive_hang_up(d);
	kmc_core_exit(&d->core);
	free(d->memory);
	free(d->out);
}

u64 drive_count(struct drive *d, enum kmc_counter c)
{
	return kmc_stats_sum(&d->core.stats, c);
}

u64 drive_count_class(struct drive *d, enum kmc_class_counter c)
{
	return kmc_stats_sum_classes(&d->core.stats, c);
}
