// SPDX-License-Identifier: GPL-2.0
/* What a watcher reads: memcached 1.6.45's lines (logger.c), byte for byte. */
#include "core.h"
#include "store/store.h"

static void kmc_line_put(struct kmc_watch *watch, const char *format, ...) __printf(2, 3);

static void kmc_line_vput(struct kmc_watch *watch, const char *format, va_list args)
{
	u32 room = sizeof(watch->line) - watch->len;
	int n = vsnprintf(watch->line + watch->len, room, format, args);

	if (n > 0)
		watch->len += min_t(u32, n, room - 1);
}

static void kmc_line_put(struct kmc_watch *watch, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	kmc_line_vput(watch, format, args);
	va_end(args);
}

/* What every line begins with. Microseconds are not filled up with zeros: so 1.6.45. */
static struct kmc_watch *kmc_line_begin(struct kmc_core *core)
	__acquires(&core->watch.lock)
{
	struct kmc_watch *watch = &core->watch;
	u64 now, seconds;

	kmc_assert_bh_off();
	spin_lock(&watch->lock);
	now = ktime_get_real_ns();
	seconds = div_u64(now, NSEC_PER_SEC);
	watch->len = 0;
	kmc_line_put(watch, "ts=%llu.%u gid=%llu ", seconds,
		     (u32)(now - seconds * NSEC_PER_SEC) / (u32)NSEC_PER_USEC, ++watch->gid);
	return watch;
}

static void kmc_line_key(struct kmc_watch *watch, const u8 *key, u32 len)
{
	if (WARN_ON_ONCE(KMC_PERCENT_BYTES(len) > sizeof(watch->line) - watch->len))
		return;
	watch->len += kmc_percent_encode((u8 *)watch->line + watch->len, key, len);
}

static void kmc_line_end(struct kmc_core *core, u32 event)
	__releases(&core->watch.lock)
{
	kmc_watch_deliver(core, event);
	spin_unlock(&core->watch.lock);
}

/* Whose doing it is; known to the CPU as long as bottom halves are off. */
static u32 kmc_line_client(struct kmc_watch *watch)
{
	return __this_cpu_read(*watch->client);
}

void kmc_watch_fetch(struct kmc_core *core, const struct kmc_key *key, u32 miss, u32 class, u32 nbytes)
{
	static const char *const found[] = {
		[KMC_MISS_NONE] = "found",
		[KMC_MISS_ABSENT] = "not_found",
		[KMC_MISS_EXPIRED] = "expired",
		[KMC_MISS_FLUSHED] = "flushed",
	};
	struct kmc_watch *watch = kmc_line_begin(core);

	kmc_line_put(watch, "type=item_get key=");
	kmc_line_key(watch, key->data, key->len);
	kmc_line_put(watch, " status=%s clsid=%u cfd=%u size=%u\n", found[miss],
		     miss == KMC_MISS_NONE ? class : 0, kmc_line_client(watch),
		     miss == KMC_MISS_NONE ? nbytes : 0);
	kmc_line_end(core, KMC_WATCH_FETCHERS);
}

void kmc_watch_store(struct kmc_core *core, const struct kmc_key *key, const struct kmc_watch_store *store)
{
	static const char *const modes[] = {
		[KMC_SET] = "set",
		[KMC_ADD] = "add",
		[KMC_REPLACE] = "replace",
		[KMC_APPEND] = "append",
		[KMC_PREPEND] = "prepend",
		[KMC_CAS] = "cas",
	};
	static const char *const statuses[] = {
		[KMC_STORED] = "stored",
		[KMC_NOT_STORED] = "not_stored",
		[KMC_EXISTS] = "exists",
		[KMC_NOT_FOUND] = "not_found",
		[KMC_TOO_LARGE] = "too_large",
		[KMC_NO_MEMORY] = "no_memory",
	};
	u32 ttl = store->deadline ? store->deadline - kmc_store_now(core->store) : 0;
	struct kmc_watch *watch = kmc_line_begin(core);

	kmc_line_put(watch, "type=item_store key=");
	kmc_line_key(watch, key->data, key->len);
	kmc_line_put(watch, " status=%s cmd=%s ttl=%u clsid=%u cfd=%u size=%u\n", statuses[store->status],
		     modes[store->mode], ttl, store->class, kmc_line_client(watch), store->nbytes);
	kmc_line_end(core, KMC_WATCH_MUTATIONS);
}

void kmc_watch_evict(struct kmc_core *core, struct kmc_item *item)
{
	u32 now = kmc_store_now(core->store), seen = READ_ONCE(item->seen);
	u32 exptime = READ_ONCE(item->exptime);
	struct kmc_watch *watch = kmc_line_begin(core);

	kmc_line_put(watch, "type=eviction key=");
	kmc_line_key(watch, kmc_item_key(item), item->nkey);
	kmc_line_put(watch, " fetch=%s ttl=%lld la=%d clsid=%u size=%u\n",
		     seen & KMC_SEEN_FETCHED ? "yes" : "no", exptime ? (s64)exptime - now : -1LL,
		     (s32)(now - (seen & KMC_SEEN_TIME)), kmc_item_class(item), item->nbytes);
	kmc_line_end(core, KMC_WATCH_EVICTIONS);
}

void kmc_watch_delete(struct kmc_core *core, const struct kmc_key *key, const char *cmd, u32 class,
		      u32 nbytes)
{
	struct kmc_watch *watch = kmc_line_begin(core);

	kmc_line_put(watch, "type=deleted key=");
	kmc_line_key(watch, key->data, key->len);
	kmc_line_put(watch, " cmd=%s clsid=%u size=%u\n", cmd, class, nbytes);
	kmc_line_end(core, KMC_WATCH_DELETIONS);
}

void kmc_watch_conn(struct kmc_core *core, const struct kmc_watch_conn *conn)
{
	struct kmc_watch *watch = kmc_line_begin(core);

	kmc_line_put(watch, "type=%s rip=%s rport=%u transport=%s ", conn->reason ? "conn_close" : "conn_new",
		     conn->address, conn->port, conn->transport);
	if (conn->reason)
		kmc_line_put(watch, "reason=%s ", conn->reason);
	kmc_line_put(watch, "cfd=%u\n", conn->number);
	kmc_line_end(core, KMC_WATCH_CONNEVENTS);
}

void kmc_watch_system(struct kmc_core *core, const char *format, ...)
{
	struct kmc_watch *watch = kmc_line_begin(core);
	va_list args;

	va_start(args, format);
	kmc_line_vput(watch, format, args);
	va_end(args);
	kmc_line_put(watch, "\n");
	kmc_line_end(core, KMC_WATCH_SYSEVENTS);
}
