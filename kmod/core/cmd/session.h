/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session: one connection's conversation, without its socket.
 *
 * Bytes go in as they arrive, in runs of any length; replies come out as segments. The caller owns
 * transport, memory of the reply and scheduling:
 *
 *	do {
 *		verdict = kmc_session_input(s, data, len, &used, reply, &budget);
 *		data += used, len -= used;
 *		...act on the verdict...
 *	} while (len);
 *
 * Locking: one context at a time calls into a session; BH off in kmc_session_input().
 */
#ifndef KMC_SESSION_H
#define KMC_SESSION_H

#include "../core.h"
#include "../reply.h"

struct kmc_session;

/**
 * enum kmc_verdict - why kmc_session_input() came back
 * @KMC_NEED_INPUT: all bytes are used; go on when more have come
 * @KMC_NEED_SEND: the reply is full; send some of it, then call again with the rest
 * @KMC_NEED_TURN: the budget is used up; let others go first, then call again with the rest
 * @KMC_NEED_PROCESS: something must be done that may sleep: call kmc_session_process() in process
 *	context, then call again with the rest. Nothing of the request was done yet.
 * @KMC_NEED_CLOSE: send what the reply holds, then close. No byte is taken any more.
 */
enum kmc_verdict {
	KMC_NEED_INPUT,
	KMC_NEED_SEND,
	KMC_NEED_TURN,
	KMC_NEED_PROCESS,
	KMC_NEED_CLOSE,
};

/**
 * struct kmc_budget - what one turn may cost
 * @requests: commands still allowed, as memcached's -R counts them: a get is one, however many keys it has
 * @keys: keys of gets still allowed, together
 * @bytes: input bytes still allowed; bytes of values that a request has copied count as well
 * All count down and stop at 0.
 */
struct kmc_budget {
	u32 requests;
	u32 keys;
	u32 bytes;
};

/**
 * kmc_session_create - a conversation that starts
 * @core: must outlive the session
 * @protocol: enum kmc_protocol, what it may speak
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Return: the session, or NULL without memory.
 */
struct kmc_session *kmc_session_create(struct kmc_core *core, u8 protocol, gfp_t gfp);

/* Who is at the other end; @peer must outlive the session. Without, it cannot watch. Before the first input. */
void kmc_session_meet(struct kmc_session *session, struct kmc_peer *peer);

/* Drops what a request in progress holds. Process context if it may watch, else any but a hard interrupt. NULL is
 * fine.
 */
void kmc_session_destroy(struct kmc_session *session);

/*
 * A conversation that stands between two requests begins anew, as if it had just been created. BH off.
 * Return: false: it cannot, for it holds something; destroy it.
 */
bool kmc_session_renew(struct kmc_session *session);

/**
 * kmc_session_input - take bytes, do what they ask, add the answers to @reply
 * @data, @len: a run of input; @len may be 0 to go on with a request that wanted sending or a turn
 * @used: how much of it was taken, always set
 * BH off. Return: see enum kmc_verdict; while it is KMC_NEED_SEND, _TURN or _PROCESS the rest of the
 * run must be offered again.
 */
enum kmc_verdict kmc_session_input(struct kmc_session *session, const u8 *data, size_t len,
				   size_t *used, struct kmc_reply *reply, struct kmc_budget *budget);

/* Process context, BH on: what KMC_NEED_PROCESS asked for (pages for the store, for example). */
void kmc_session_process(struct kmc_session *session);

/*
 * What was to be said is longer than the transport can take, and was dropped: say so, in an empty @reply.
 * BH off; the session takes nothing after this.
 */
void kmc_session_too_much(struct kmc_session *session, struct kmc_reply *reply);

/* All that was in the reply is sent, or will never be. BH off. */
void kmc_session_sent(struct kmc_session *session);

/* Whether it has something to say though no input has come: call kmc_session_input(). */
bool kmc_session_pending(const struct kmc_session *session);

/**
 * enum kmc_ending - what a client that watches connections is told of one that ends
 */
enum kmc_ending {
	KMC_ENDING_ERROR,
	KMC_ENDING_NORMAL,
	KMC_ENDING_IDLE,
	KMC_ENDING_SHUTDOWN,
};

/* Why kmc_session_input() said KMC_NEED_CLOSE. */
enum kmc_ending kmc_session_ending(const struct kmc_session *session);

/* What bytes it waits for: of requests (neither), of a value, or of one that is thrown away. */
bool kmc_session_takes_value(const struct kmc_session *session);
bool kmc_session_swallows(const struct kmc_session *session);

/* Whether it waits in the middle of a request (for "stats conns" and the idle timeout). */
bool kmc_session_busy(const struct kmc_session *session);

#endif
