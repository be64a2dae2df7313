// SPDX-License-Identifier: GPL-2.0
/* What "stats settings" shows, in memcached 1.6.45's order and names. Which rows are constants here: docs/protocol.md. */
#include "stats_rows.h"
#include "../include/uapi/linux/kmemcache.h"

u64 kmc_listing_setting(const struct kmc_listing *list, u32 attr)
{
	size_t i = 0;

	while (i + 1 < kmc_setting_count && kmc_setting_rows[i].attr != attr)
		i++;
	return kmc_setting_get(&list->core->settings, &kmc_setting_rows[i]);
}

enum kmc_shown {
	KMC_SHOWN_TEXT,		/* @text, whatever the settings */
	KMC_SHOWN_TCP_PORT,	/* these three: what the surroundings say */
	KMC_SHOWN_UDP_PORT,
	KMC_SHOWN_SOCKET_PATH,
	KMC_SHOWN_NUMBER,
	KMC_SHOWN_OCTAL,
	KMC_SHOWN_CHARACTER,
	KMC_SHOWN_FACTOR,	/* thousandths, with two digits */
	KMC_SHOWN_RATIO,	/* millionths, rounded to two digits */
	KMC_SHOWN_YES_NO,
	KMC_SHOWN_ON_OFF,
	KMC_SHOWN_PROTOCOL,
	KMC_SHOWN_HASH,
	KMC_SHOWN_INTER,
	KMC_SHOWN_SASL,
	KMC_SHOWN_AUTH_FILE,	/* with authentication in text */
};

/**
 * struct kmc_shown_setting - a row of "stats settings"
 * @attr: KMC_S_*, or 0 where no setting is shown
 */
struct kmc_shown_setting {
	const char *name;
	enum kmc_shown how;
	u16 attr;
	const char *text;
};

#define KMC_SHOW(title, form, setting) \
	{ .name = title, .how = KMC_SHOWN_##form, .attr = KMC_S_##setting }
#define KMC_SHOW_TEXT(title, what)	{ .name = title, .text = what }
#define KMC_SHOW_GAUGE(title, form)	{ .name = title, .how = KMC_SHOWN_##form }

/* memcached.c, process_stat_settings() */
static const struct kmc_shown_setting kmc_shown_settings[] = {
	KMC_SHOW("maxbytes", NUMBER, MEMORY_LIMIT),
	KMC_SHOW("maxconns", NUMBER, CONN_LIMIT),
	KMC_SHOW_GAUGE("tcpport", TCP_PORT),
	KMC_SHOW_GAUGE("udpport", UDP_PORT),
	KMC_SHOW("inter", INTER, INTER),
	KMC_SHOW("verbosity", NUMBER, VERBOSE),
	KMC_SHOW_TEXT("oldest", "0"),
	KMC_SHOW("evictions", ON_OFF, EVICT),
	KMC_SHOW_GAUGE("domain_socket", SOCKET_PATH),
	KMC_SHOW("umask", OCTAL, UMASK),
	KMC_SHOW("shutdown_command", YES_NO, SHUTDOWN_ENABLED),
	KMC_SHOW("growth_factor", FACTOR, GROWTH_FACTOR),
	KMC_SHOW("chunk_size", NUMBER, SIZE_MIN),
	KMC_SHOW("num_threads", NUMBER, THREADS),
	KMC_SHOW("num_threads_per_udp", NUMBER, THREADS),
	KMC_SHOW("stat_key_prefix", CHARACTER, PREFIX_DELIM),
	KMC_SHOW("detail_enabled", YES_NO, STATS_DETAIL),
	KMC_SHOW("reqs_per_event", NUMBER, REQS_PER_EVENT),
	KMC_SHOW("cas_enabled", YES_NO, CAS),
	KMC_SHOW("tcp_backlog", NUMBER, BACKLOG),
	KMC_SHOW("binding_protocol", PROTOCOL, PROTOCOL),
	KMC_SHOW("auth_enabled_sasl", SASL, AUTH),
	KMC_SHOW("auth_enabled_ascii", AUTH_FILE, AUTH_FILE),
	KMC_SHOW("item_size_max", NUMBER, ITEM_SIZE_MAX),
	KMC_SHOW("maxconns_fast", YES_NO, MAXCONNS_FAST),
	KMC_SHOW("hashpower_init", NUMBER, HASHPOWER),
	KMC_SHOW("slab_reassign", YES_NO, SLAB_REASSIGN),
	KMC_SHOW("slab_automove", NUMBER, SLAB_AUTOMOVE),
	KMC_SHOW("slab_automove_ratio", RATIO, SLAB_AUTOMOVE_RATIO),
	KMC_SHOW("slab_automove_window", NUMBER, SLAB_AUTOMOVE_WINDOW),
	KMC_SHOW("slab_chunk_max", NUMBER, SLAB_CHUNK_MAX),
	KMC_SHOW("lru_crawler", YES_NO, LRU_CRAWLER),
	KMC_SHOW("lru_crawler_sleep", NUMBER, LRU_CRAWLER_SLEEP),
	KMC_SHOW("lru_crawler_tocrawl", NUMBER, LRU_CRAWLER_TOCRAWL),
	KMC_SHOW("tail_repair_time", NUMBER, TAIL_REPAIR_TIME),
	KMC_SHOW("flush_enabled", YES_NO, FLUSH_ENABLED),
	KMC_SHOW("dump_enabled", YES_NO, DUMP_ENABLED),
	KMC_SHOW("hash_algorithm", HASH, HASH_ALGORITHM),
	KMC_SHOW("lru_maintainer_thread", YES_NO, LRU_MAINTAINER),
	KMC_SHOW("lru_segmented", YES_NO, LRU_SEGMENTED),
	KMC_SHOW("hot_lru_pct", NUMBER, HOT_LRU_PCT),
	KMC_SHOW("warm_lru_pct", NUMBER, WARM_LRU_PCT),
	KMC_SHOW("hot_max_factor", FACTOR, HOT_MAX_FACTOR),
	KMC_SHOW("warm_max_factor", FACTOR, WARM_MAX_FACTOR),
	KMC_SHOW("temp_lru", YES_NO, TEMP_LRU),
	KMC_SHOW("temporary_ttl", NUMBER, TEMPORARY_TTL),
	KMC_SHOW("idle_timeout", NUMBER, IDLE_TIMEOUT),
	KMC_SHOW("watcher_logbuf_size", NUMBER, WATCHER_LOGBUF_SIZE),
	KMC_SHOW("worker_logbuf_size", NUMBER, WORKER_LOGBUF_SIZE),
	KMC_SHOW("read_buf_mem_limit", NUMBER, READ_BUF_MEM_LIMIT),
	KMC_SHOW("track_sizes", YES_NO, TRACK_SIZES),
	KMC_SHOW_TEXT("inline_ascii_response", "no"),
	KMC_SHOW_TEXT("drop_privileges", "no"),
	KMC_SHOW_TEXT("num_napi_ids", "0"),
	KMC_SHOW_TEXT("memory_file", "(null)"),
	KMC_SHOW_TEXT("client_flags_size", "4"),
};

static const char *const kmc_protocol_names[] = {
	[KMC_PROTOCOL_AUTO] = "auto-negotiate",
	[KMC_PROTOCOL_TEXT] = "ascii",
	[KMC_PROTOCOL_BINARY] = "binary",
};

static const char *const kmc_hash_names[] = {
	[KMC_HASH_MURMUR3] = "murmur3",
	[KMC_HASH_JENKINS] = "jenkins",
	[KMC_HASH_XXH3] = "xxh3",
};

static void kmc_shown_value(const struct kmc_listing *list, const struct kmc_shown_setting *shown,
			    char *at, size_t size)
{
	const struct kmc_settings *settings = &list->core->settings;
	u64 value = shown->attr ? kmc_listing_setting(list, shown->attr) : 0;

	switch (shown->how) {
	case KMC_SHOWN_TEXT:
		scnprintf(at, size, "%s", shown->text);
		break;
	case KMC_SHOWN_TCP_PORT:
		scnprintf(at, size, "%u", list->gauges.tcp_port);
		break;
	case KMC_SHOWN_UDP_PORT:
		scnprintf(at, size, "%u", list->gauges.udp_port);
		break;
	case KMC_SHOWN_SOCKET_PATH:
		scnprintf(at, size, "%s", list->gauges.socket_path ? list->gauges.socket_path : "NULL");
		break;
	case KMC_SHOWN_NUMBER:
		scnprintf(at, size, "%llu", value);
		break;
	case KMC_SHOWN_OCTAL:
		scnprintf(at, size, "%llo", value);
		break;
	case KMC_SHOWN_CHARACTER:
		scnprintf(at, size, "%c", (int)value);
		break;
	case KMC_SHOWN_FACTOR:
		scnprintf(at, size, "%llu.%02u", value / 1000, (u32)(value % 1000) / 10);
		break;
	case KMC_SHOWN_RATIO:
		value = (value + 5000) / 10000;
		scnprintf(at, size, "%llu.%02u", value / 100, (u32)(value % 100));
		break;
	case KMC_SHOWN_YES_NO:
		scnprintf(at, size, "%s", value ? "yes" : "no");
		break;
	case KMC_SHOWN_ON_OFF:
		scnprintf(at, size, "%s", value ? "on" : "off");
		break;
	case KMC_SHOWN_PROTOCOL:
		scnprintf(at, size, "%s", kmc_protocol_names[value]);
		break;
	case KMC_SHOWN_HASH:
		scnprintf(at, size, "%s", kmc_hash_names[value]);
		break;
	case KMC_SHOWN_INTER:
		scnprintf(at, size, "%s", value ? settings->inter : "NULL");
		break;
	case KMC_SHOWN_SASL:
		scnprintf(at, size, "%s", value == KMC_AUTH_SASL ? "yes" : "no");
		break;
	case KMC_SHOWN_AUTH_FILE:
		scnprintf(at, size, "%s", value ? settings->auth_file : "no");
		break;
	}
}

void kmc_list_settings(struct kmc_listing *list)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kmc_shown_settings); i++) {
		const struct kmc_shown_setting *shown = &kmc_shown_settings[i];

		if (!kmc_list_begin(list))
			continue;
		scnprintf(list->row.name, sizeof(list->row.name), "%s", shown->name);
		kmc_shown_value(list, shown, list->row.value, sizeof(list->row.value));
		kmc_list_emit(list);
	}
}
