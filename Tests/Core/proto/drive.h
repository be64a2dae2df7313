/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A transport that drives a session: gives it input in the runs and budgets that a test wants, sends its
 * replies into a buffer, and does what its verdicts ask.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include "core/cmd/session.h"
#include "core/store/store.h"

/* The input of a session that is being called, @drive_nlent bytes: its sender may still write to it. */
extern const u8 *drive_lent;
extern size_t drive_nlent;

/**
 * struct drive - one session with its cache
 * @run: input bytes given at a time; 0: all there are
 * @first: size of the first run, if not 0 (then @run for the others)
 * @budget: of each turn; 0 in a field: no limit
 * @room: of the reply
 * @send: bytes sent at a time when the reply is full or the input used up; 0: all
 * @closed: the session wanted to be closed
 * @turns, @sends, @processes: verdicts that came
 * @out, @nout: what was sent
 * @peer, @kicked: who the session talks to; how often it was told that there is something to say
 * @shutdown, @graceful, @verbosity: what the core asked its surroundings for
 */
struct drive {
	struct kmc_core core;
	struct kmc_session *session;
	struct kmc_peer peer;
	u32 kicked;
	struct kmc_reply reply;
	u8 *memory;
	u32 room;
	size_t run, first;
	struct kmc_budget budget;
	u32 send;
	bool closed;
	bool shut, graceful;
	u32 level;
	u32 turns, sends, processes;
	u8 *out;
	size_t nout, room_out;
};

/* Settings may be changed between the two. */
void drive_settings(struct kmc_settings *settings);
void drive_open(struct drive *d, const struct kmc_settings *settings);

/* Feed all of @data, or as much as is taken before the session closes. Return: bytes taken. */
size_t drive_feed(struct drive *d, const void *data, size_t len);

/* No input: what the session has to say by itself. */
void drive_listen(struct drive *d);

/* What was sent is forgotten. */
void drive_forget(struct drive *d);

/* Another session with the cache of @d; drive_leave() ends it. */
void drive_join(struct drive *other, struct drive *d);
void drive_leave(struct drive *other);

/* Ends the session; the cache stays. */
void drive_hang_up(struct drive *d);
void drive_close(struct drive *d);

/* A session that has closed, or was ended, is followed by a new one. */
void drive_again(struct drive *d);

u64 drive_count(struct drive *d, enum kmc_counter c);
u64 drive_count_class(struct drive *d, enum kmc_class_counter c);

#endif
