// SPDX-License-Identifier: GPL-2.0
/*
 * UDP: the stack hands each datagram to udp_receive() (encap_rcv), in softirq, on any number of CPUs at
 * once and without the socket lock. There it is served in a session of its own, and answered; what
 * needs process context, or more than a turn, goes to a work item by a bounded queue.
 *
 * Nothing is sent through the socket, for whoever holds a duplicate can cork it, and a corked send
 * sleeps: datagrams are built here and routed from the address that was asked. They are charged to the
 * socket (sock_wfree), so its cgroup's filters and the firewall see whose they are, and the bytes on
 * their way are bounded. For the same reason nobody here takes the socket lock, which a holder of a
 * duplicate can keep for as long as its own memory takes to be read.
 *
 * The stack calls encap_rcv before the socket's filter: we ask that ourselves. ICMP errors end in the
 * stack, as for any socket with an encap_type and no handler of them.
 *
 * Lifetime. kmc_udp_attach() puts struct kmc_udp into sk_user_data and hooks encap_rcv; until
 * kmc_udp_start() datagrams go into the socket's queue, from where the work item takes them. The
 * listener holds the socket's file all the time. End: kmc_udp_detach() restores both fields (unless
 * somebody with a duplicate has changed them since), a grace period later no CPU is in udp_receive();
 * only then kmc_udp_free() cancels the work, drops what is queued, and the listener drops the file. So
 * whoever is in here may charge datagrams to the socket. Datagrams on their way outlive all that: they
 * refer to the socket only, which waits for them (sk_wmem_alloc).
 *
 * SOCK_DESTROY may unhash the socket: then no more datagrams come; nothing else changes.
 *
 * Locks: udp->lock protects the queue, innermost, taken with bottom halves off. sk_callback_lock for
 * sk_user_data.
 */
#include "udp.h"

#include <linux/filter.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "charge.h"
#include "core/cmd/session.h"
#include "core/proto/udp_frame.h"
#include "datagram.h"
#include "listener.h"
#include "server.h"

#define ENCAP_TYPE	0xff		/* none of UDP_ENCAP_*: only that it is not 0 counts */
#define QUEUE_MAX	32		/* datagrams that wait for the work item */
#define TURN_KEYS	256		/* keys of gets in softirq, or between two rests of the work item */
#define TURNS_MAX	16384		/* more than a datagram has requests, each of which may take a turn */
#define ROOM		(8192 - sizeof(struct kmc_udp_request))

/**
 * struct kmc_udp_request - a datagram that is being served
 * @node: in struct kmc_udp.queue
 * @skb: the datagram, ours; data begins at the UDP header. NULL once its buffer has become the answer's.
 * @link: bytes that the header of the device takes which @skb came by; 0: nobody knows any more
 * @offset: in @skb, of the first byte that the session has not taken
 * @route: how the answer goes
 * @turns: how often it was served, @verdict: what became of the last time
 * @out: the answer, cut into datagrams
 * @reply: what is not cut yet; in @room
 */
struct kmc_udp_request {
	struct list_head node;
	struct sk_buff *skb;
	u32 link;
	u32 offset;
	u32 turns;
	enum kmc_verdict verdict;
	struct kmc_udp_frame frame;
	struct kmc_route route;
	struct kmc_session *session;
	struct kmc_budget budget;
	struct sk_buff_head out;
	struct kmc_reply reply;
	u8 room[];
};

/**
 * struct kmc_udp_cpu - what a CPU keeps from one datagram to the next; used with BH off by itself
 * @spare: a request that has ended, with a session that can begin anew, or NULL: in the steady state nothing
 *	is allocated
 * @way: of the last answer
 */
struct kmc_udp_cpu {
	struct kmc_udp_request *spare;
	struct kmc_way way;
};

/**
 * struct kmc_udp - a socket that is served
 * @listener, @sk: fixed; @sk is the listener's
 * @open: kmc_udp_start() was called, kmc_udp_detach() was not
 * @work: serves @queue, and what came before @open
 * @lock: protects @queue and @queued
 * @cpus: what each CPU keeps for the next datagram
 */
struct kmc_udp {
	struct kmc_listener *listener;
	struct sock *sk;
	bool open;
	struct work_struct work;
	spinlock_t lock;
	struct list_head queue;
	u32 queued;
	struct kmc_udp_cpu __percpu *cpus;
};

static struct workqueue_struct *udp_wq;
static struct kmem_cache *request_cache;

static struct kmc_core *core_of(const struct kmc_udp *udp)
{
	return &udp->listener->server->core;
}

/* Seen in /proc/net/udp and by ss(8), as other datagrams that a socket had to drop. */
static void count_drop(const struct kmc_udp *udp)
{
	atomic_inc(&udp->sk->sk_drops);
}

static void request_destroy(struct kmc_udp_request *request)
{
	kmc_session_destroy(request->session);
	kmem_cache_free(request_cache, request);
}

/* What belongs to one datagram. */
static void request_empty(struct kmc_udp_request *request)
{
	kmc_reply_clear(&request->reply);
	__skb_queue_purge(&request->out);
	kfree_skb(request->skb);
	request->skb = NULL;
}

/* BH off. */
static void request_free(struct kmc_udp *udp, struct kmc_udp_request *request)
{
	request_empty(request);
	if (!KMC_UDP_SPARES || !kmc_session_renew(request->session) ||
	    this_cpu_cmpxchg(udp->cpus->spare, NULL, request))
		request_destroy(request);
}

static void request_budget(const struct kmc_udp *udp, struct kmc_udp_request *request)
{
	request->budget.requests = core_of(udp)->settings.reqs_per_event;
	request->budget.keys = TURN_KEYS;
	request->budget.bytes = U16_MAX;
}

/* Return: NULL without memory. */
static struct kmc_udp_request *request_alloc(struct kmc_udp *udp)
{
	struct mem_cgroup *before = kmc_charge_begin(udp->listener->server);
	struct kmc_udp_request *request = kmem_cache_alloc(request_cache, KMC_GFP_ATOMIC);

	/* memcached looks at the first byte whatever was said of the listener: so no protocol is forced. */
	if (request)
		request->session = kmc_session_create(core_of(udp), KMC_PROTOCOL_AUTO, KMC_GFP_ATOMIC);
	if (request && !request->session) {
		kmem_cache_free(request_cache, request);
		request = NULL;
	}
	kmc_charge_end(before);
	return request;
}

/* BH off. Return: NULL without memory; @skb is still the caller's then. */
static struct kmc_udp_request *request_new(struct kmc_udp *udp, struct sk_buff *skb)
{
	struct kmc_udp_request *request = this_cpu_xchg(udp->cpus->spare, NULL);

	if (!request)
		request = request_alloc(udp);
	if (!request)
		return NULL;
	request->skb = skb;
	request->link = 0;
	request->offset = sizeof(struct udphdr) + KMC_UDP_FRAME;
	request->turns = 0;
	request->verdict = KMC_NEED_INPUT;
	__skb_queue_head_init(&request->out);
	kmc_reply_init(&request->reply, core_of(udp)->store, request->room, ROOM);
	return request;
}

/* Nothing of the datagram will be read any more, and nothing was said yet: its buffer may carry the answer. */
static void request_turn_round(struct kmc_udp_request *request)
{
	if (request->verdict != KMC_NEED_INPUT && request->verdict != KMC_NEED_CLOSE)
		return;
	if (KMC_UDP_SPARES && request->skb && request->link && request->reply.bytes && skb_queue_empty(&request->out) &&
	    kmc_datagram_reuse(&request->out, request->skb, request->link, request->reply.bytes))
		request->skb = NULL;
}

/* Cut what the reply holds into datagrams. Return: 0, -EMSGSIZE: too many of them, -ENOMEM. */
static int request_cut(struct kmc_udp_request *request)
{
	struct kmc_reply *reply = &request->reply;
	int err = 0;
	u32 i;

	request_turn_round(request);
	for (i = reply->first; i < reply->last && !err; i++)
		err = kmc_datagrams_add(&request->out, reply->segments[i].data, reply->segments[i].len,
					KMC_UDP_REPLY_MAX);
	kmc_reply_clear(reply);
	return err;
}

/* Offer the session what is left of the datagram, piece by piece as it lies there. */
static enum kmc_verdict request_feed(struct kmc_udp_request *request)
{
	enum kmc_verdict verdict = KMC_NEED_INPUT;
	struct skb_seq_state state;
	u32 len, used = 0;
	const u8 *data;
	size_t took;

	if (request->offset == request->skb->len)
		return kmc_session_input(request->session, NULL, 0, &took, &request->reply, &request->budget);
	skb_prepare_seq_read(request->skb, request->offset, request->skb->len, &state);
	while ((len = skb_seq_read(used, &data, &state))) {
		verdict = kmc_session_input(request->session, data, len, &took, &request->reply,
					    &request->budget);
		used += took;
		if (verdict != KMC_NEED_INPUT) {
			skb_abort_seq_read(&state);
			break;
		}
	}
	request->offset += used;
	return verdict;
}

/*
 * One turn. BH off. Return: 0: all that will be said is in ->out, unless @verdict is KMC_NEED_TURN or
 * KMC_NEED_PROCESS; an error: nothing can be said.
 */
static int request_run(struct kmc_udp *udp, struct kmc_udp_request *request)
{
	struct mem_cgroup *before = kmc_charge_begin(udp->listener->server);
	int err;

	request_budget(udp, request);
	do {
		request->verdict = request_feed(request);
		err = request_cut(request);
	} while (request->verdict == KMC_NEED_SEND && !err);
	kmc_charge_end(before);
	if (!err && request->verdict == KMC_NEED_TURN && !request->budget.requests)
		kmc_count(&core_of(udp)->stats, conn_yields);
	if (err != -EMSGSIZE)
		return err;
	__skb_queue_purge(&request->out);
	kmc_session_too_much(request->session, &request->reply);
	request->verdict = KMC_NEED_CLOSE;
	return request_cut(request);
}

static bool request_goes_on(const struct kmc_udp_request *request)
{
	return request->turns < TURNS_MAX &&
	       (request->verdict == KMC_NEED_TURN || request->verdict == KMC_NEED_PROCESS);
}

/* All is said: out with it. BH off. */
static void request_finish(struct kmc_udp *udp, struct kmc_udp_request *request, int err)
{
	u32 sent = 0;

	/* The rest was to come with another datagram: multi-datagram requests are dropped. */
	if (!err && kmc_session_busy(request->session))
		count_drop(udp);
	if (!err && !skb_queue_empty(&request->out))
		err = kmc_datagrams_send(udp->sk, &request->route, &this_cpu_ptr(udp->cpus)->way, request->frame.id,
					 &request->out, &sent);
	if (err)
		count_drop(udp);
	kmc_count_add(&core_of(udp)->stats, KMC_COUNT_bytes_written, sent);
	request_free(udp, request);
}

/* For the work item. What the skb borrows from the softirq goes; the rest it owns. */
static void request_defer(struct kmc_udp *udp, struct kmc_udp_request *request)
{
	bool full;

	skb_dst_drop(request->skb);
	skb_orphan(request->skb);
	spin_lock(&udp->lock);
	full = udp->queued == QUEUE_MAX;
	if (!full) {
		udp->queued++;
		list_add_tail(&request->node, &udp->queue);
	}
	spin_unlock(&udp->lock);
	if (!full) {
		queue_work(udp_wq, &udp->work);
		return;
	}
	count_drop(udp);
	request_free(udp, request);
}

/*
 * The beginning of every request: frame and addresses. @skb is ours, its data begins at the UDP header.
 * Return: NULL: there is none, and @skb is gone.
 */
static struct kmc_udp_request *request_begin(struct kmc_udp *udp, struct sk_buff *skb)
{
	struct kmc_udp_request *request;
	struct kmc_udp_frame frame;
	u8 bytes[KMC_UDP_FRAME];
	u32 len = skb->len - sizeof(struct udphdr);

	kmc_count_add(&core_of(udp)->stats, KMC_COUNT_bytes_read, len);
	if (skb_is_gso(skb) || len > U16_MAX || len <= sizeof(bytes) ||
	    skb_copy_bits(skb, sizeof(struct udphdr), bytes, sizeof(bytes)) ||
	    kmc_udp_frame_parse(bytes, len, &frame))
		goto drop;
	request = request_new(udp, skb);
	if (!request)
		goto drop;
	request->frame = frame;
	if (!kmc_route_back(udp->sk, skb, &request->route))
		return request;
	count_drop(udp);
	request_free(udp, request);
	return NULL;

drop:
	count_drop(udp);
	kfree_skb(skb);
	return NULL;
}

/* Softirq, or a task with bottom halves off, under RCU. Return: 1: the stack goes on; 0: it is ours. */
static int udp_receive(struct sock *sk, struct sk_buff *skb)
{
	struct kmc_udp *udp = rcu_dereference_sk_user_data(sk);
	struct kmc_udp_request *request;
	int err;

	if (!udp || !READ_ONCE(udp->open))
		return 1;
	if (sk_filter_trim_cap(sk, skb, sizeof(struct udphdr))) {
		count_drop(udp);
		kfree_skb(skb);
		return 0;
	}
	WRITE_ONCE(udp->listener->last_active, jiffies);
	request = request_begin(udp, skb);
	if (!request)
		return 0;
	/* Only here: a datagram in the socket's queue keeps something else in the place of its device. */
	request->link = LL_RESERVED_SPACE(skb->dev);
	err = request_run(udp, request);
	if (!err && request_goes_on(request))
		request_defer(udp, request);
	else
		request_finish(udp, request, err);
	return 0;
}

static struct kmc_udp_request *queue_take(struct kmc_udp *udp)
{
	struct kmc_udp_request *request;

	spin_lock_bh(&udp->lock);
	request = list_first_entry_or_null(&udp->queue, struct kmc_udp_request, node);
	if (request) {
		list_del(&request->node);
		udp->queued--;
	}
	spin_unlock_bh(&udp->lock);
	return request;
}

static void request_process(struct kmc_udp *udp, struct kmc_udp_request *request)
{
	struct mem_cgroup *before = kmc_charge_begin(udp->listener->server);

	kmc_session_process(request->session);
	kmc_charge_end(before);
}

/* To the end, in process context. */
static void request_complete(struct kmc_udp *udp, struct kmc_udp_request *request)
{
	int err;

	do {
		if (request->verdict == KMC_NEED_PROCESS)
			request_process(udp, request);
		cond_resched();
		request->turns++;
		local_bh_disable();
		err = request_run(udp, request);
		local_bh_enable();
	} while (!err && request_goes_on(request));
	local_bh_disable();
	request_finish(udp, request, err);
	local_bh_enable();
}

/*
 * Datagrams that the socket queued before we were open; not those that come after our end, which may never stop. Their
 * UDP header is pulled, and checked or not.
 */
static void serve_backlog(struct kmc_udp *udp)
{
	struct kmc_udp_request *request;
	struct sk_buff *skb;
	int err;

	while (READ_ONCE(udp->open) && (skb = skb_recv_udp(udp->sk, MSG_DONTWAIT, &err))) {
		if (udp_lib_checksum_complete(skb)) {
			count_drop(udp);
			kfree_skb(skb);
			continue;
		}
		skb_orphan(skb);
		skb_push(skb, sizeof(struct udphdr));
		local_bh_disable();
		request = request_begin(udp, skb);
		local_bh_enable();
		if (request)
			request_complete(udp, request);
		cond_resched();
	}
}

static void udp_work(struct work_struct *work)
{
	struct kmc_udp *udp = container_of(work, struct kmc_udp, work);
	struct kmc_udp_request *request;

	if (!skb_queue_empty_lockless(&udp->sk->sk_receive_queue) ||
	    !skb_queue_empty_lockless(&udp_sk(udp->sk)->reader_queue))
		serve_backlog(udp);
	while ((request = queue_take(udp))) {
		request_complete(udp, request);
		cond_resched();
	}
}

/* Return: 0, or -EBUSY: somebody was faster. */
static int hook(struct kmc_udp *udp)
{
	struct udp_sock *up = udp_sk(udp->sk);
	int err = -EBUSY;

	write_lock_bh(&udp->sk->sk_callback_lock);
	if (!udp->sk->sk_user_data && !READ_ONCE(up->encap_type) && !READ_ONCE(up->encap_rcv)) {
		err = 0;
		__rcu_assign_sk_user_data_with_flags(udp->sk, udp, SK_USER_DATA_NOCOPY);
		WRITE_ONCE(up->encap_rcv, udp_receive);
		WRITE_ONCE(up->encap_type, ENCAP_TYPE);
	}
	write_unlock_bh(&udp->sk->sk_callback_lock);
	return err;
}

struct kmc_udp *kmc_udp_attach(struct kmc_listener *listener, struct netlink_ext_ack *extack)
{
	struct kmc_udp *udp = kzalloc(sizeof(*udp), KMC_GFP);

	if (udp)
		udp->cpus = alloc_percpu_gfp(struct kmc_udp_cpu, KMC_GFP);
	if (!udp || !udp->cpus) {
		kfree(udp);
		NL_SET_ERR_MSG(extack, "no memory for a listener");
		return ERR_PTR(-ENOMEM);
	}
	udp->listener = listener;
	udp->sk = listener->sk;
	INIT_WORK(&udp->work, udp_work);
	spin_lock_init(&udp->lock);
	INIT_LIST_HEAD(&udp->queue);
	if (hook(udp)) {
		NL_SET_ERR_MSG(extack, "something else was attached to a UDP socket meanwhile");
		free_percpu(udp->cpus);
		kfree(udp);
		return ERR_PTR(-EBUSY);
	}
	/* For good: the socket keeps the note that it did this, and takes it back when it is destroyed. */
	udp_tunnel_encap_enable(udp->sk);
	return udp;
}

void kmc_udp_start(struct kmc_udp *udp)
{
	WRITE_ONCE(udp->open, true);
	queue_work(udp_wq, &udp->work);
}

void kmc_udp_detach(struct kmc_udp *udp)
{
	struct udp_sock *up = udp_sk(udp->sk);

	WRITE_ONCE(udp->open, false);
	write_lock_bh(&udp->sk->sk_callback_lock);
	if (cmpxchg(&up->encap_rcv, udp_receive, NULL) == udp_receive)
		WRITE_ONCE(up->encap_type, 0);
	rcu_assign_sk_user_data(udp->sk, NULL);
	write_unlock_bh(&udp->sk->sk_callback_lock);
}

/* Nobody serves any more. */
static void free_cpus(struct kmc_udp *udp)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kmc_udp_cpu *kept = per_cpu_ptr(udp->cpus, cpu);

		if (kept->spare)
			request_destroy(kept->spare);
		kmc_way_drop(&kept->way);
	}
	free_percpu(udp->cpus);
}

void kmc_udp_free(struct kmc_udp *udp)
{
	struct kmc_udp_request *request;

	cancel_work_sync(&udp->work);
	while ((request = queue_take(udp))) {
		request_empty(request);
		request_destroy(request);
	}
	free_cpus(udp);
	kfree(udp);
}

int kmc_udp_init(void)
{
	request_cache = kmc_cache_create("kmc_udp", sizeof(struct kmc_udp_request) + ROOM);
	if (!request_cache)
		return -ENOMEM;
	udp_wq = alloc_workqueue("kmc_udp", WQ_MEM_RECLAIM, 0);
	if (udp_wq)
		return 0;
	kmem_cache_destroy(request_cache);
	return -ENOMEM;
}

void kmc_udp_exit(void)
{
	destroy_workqueue(udp_wq);
	kmem_cache_destroy(request_cache);
}
