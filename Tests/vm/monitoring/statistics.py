# SPDX-License-Identifier: MIT
"""Each key of each group of "stats", in memcached 1.6.45's order; and what they say after the same traffic."""

import fnmatch
import pathlib
import re
import time

from lib.server import Server, is_ours
from lib.tap import check, equal, test

GENERAL = """
    pid uptime time version libevent pointer_size rusage_user rusage_system max_connections curr_connections
    total_connections rejected_connections connection_structures response_obj_oom response_obj_count response_obj_bytes
    read_buf_count read_buf_bytes read_buf_bytes_free read_buf_oom reserved_fds cmd_get cmd_set cmd_flush cmd_touch
    cmd_meta get_hits get_misses get_expired get_flushed delete_misses delete_hits incr_misses incr_hits decr_misses
    decr_hits cas_misses cas_hits cas_badval touch_hits touch_misses store_too_large store_no_memory auth_cmds
    auth_errors idle_kicks bytes_read bytes_written limit_maxbytes accepting_conns listen_disabled_num
    time_in_listen_disabled_us threads conn_yields hash_power_level hash_bytes hash_is_expanding slab_reassign_rescues
    slab_reassign_chunk_rescues slab_reassign_inline_reclaim slab_reassign_busy_items slab_reassign_busy_deletes
    slab_reassign_busy_nomem slab_reassign_last_busy_status slab_reassign_running slabs_moved lru_crawler_running
    lru_crawler_starts lru_maintainer_juggles malloc_fails log_worker_dropped log_worker_written log_watcher_skipped
    log_watcher_sent log_watchers unexpected_napi_ids round_robin_fallback bytes curr_items total_items
    slab_global_page_pool expired_unfetched evicted_unfetched evicted_active evictions reclaimed crawler_reclaimed
    crawler_items_checked lrutail_reflocked moves_to_cold moves_to_warm moves_within_lru direct_reclaims
    lru_bumps_dropped""".split()

# memcached has drop_privileges where it was built with seccomp, and ext_* and slab_automove_freeratio with extstore.
SETTINGS = """
    maxbytes maxconns tcpport udpport inter verbosity oldest evictions domain_socket umask shutdown_command growth_factor
    chunk_size num_threads num_threads_per_udp stat_key_prefix detail_enabled reqs_per_event cas_enabled tcp_backlog
    binding_protocol auth_enabled_sasl auth_enabled_ascii item_size_max maxconns_fast hashpower_init slab_reassign
    slab_automove slab_automove_ratio slab_automove_window slab_chunk_max lru_crawler lru_crawler_sleep
    lru_crawler_tocrawl tail_repair_time flush_enabled dump_enabled hash_algorithm lru_maintainer_thread lru_segmented
    hot_lru_pct warm_lru_pct hot_max_factor warm_max_factor temp_lru temporary_ttl idle_timeout watcher_logbuf_size
    worker_logbuf_size read_buf_mem_limit track_sizes inline_ascii_response drop_privileges num_napi_ids memory_file
    client_flags_size""".split()
BY_BUILD = re.compile("drop_privileges|ext_|slab_automove_freeratio")

ITEMS = """
    number number_hot number_warm number_cold number_temp age_hot age_warm age mem_requested evicted evicted_nonzero
    evicted_time outofmemory tailrepairs reclaimed expired_unfetched evicted_unfetched evicted_active crawler_reclaimed
    crawler_items_checked lrutail_reflocked moves_to_cold moves_to_warm moves_within_lru direct_reclaims hits_to_hot
    hits_to_warm hits_to_cold hits_to_temp""".split()

SLABS = """
    chunk_size chunks_per_page total_pages total_chunks used_chunks free_chunks free_chunks_end get_hits cmd_set
    delete_hits incr_hits decr_hits cas_hits cas_badval touch_hits""".split()

LISTENER = ["addr", "state", "secs_since_last_cmd"]
CONNECTION = ["addr", "listen_addr", "state", "secs_since_last_cmd"]

# What goes with an option.
OF_MAINTAINER = """
    lru_maintainer_juggles evicted_active moves_to_cold moves_to_warm moves_within_lru direct_reclaims lru_bumps_dropped
    number_hot number_warm number_cold age_hot age_warm hits_to_hot hits_to_warm hits_to_cold hits_to_temp""".split()
OF_REASSIGN = [key for key in GENERAL if key.startswith("slab_reassign")] + ["slabs_moved"]
OF_CRAWLER = ["lru_crawler_running", "lru_crawler_starts"]

TRAFFIC = (
    (b"set a 0 0 1\r\n1\r\n", b"STORED\r\n"), (b"set b 7 0 5000\r\n" + b"b" * 5000 + b"\r\n", b"STORED\r\n"),
    (b"add a 0 0 1\r\nx\r\n", b"NOT_STORED\r\n"), (b"get a c\r\n", b"VALUE a 0 1\r\n1\r\nEND\r\n"),
    (b"incr a 1\r\n", b"2\r\n"), (b"decr a 1\r\n", b"1\r\n"), (b"incr z 1\r\n", b"NOT_FOUND\r\n"),
    (b"decr z 1\r\n", b"NOT_FOUND\r\n"), (b"touch a 100\r\n", b"TOUCHED\r\n"), (b"touch z 1\r\n", b"NOT_FOUND\r\n"),
    (b"gat 0 a z\r\n", b"VALUE a 0 1\r\n1\r\nEND\r\n"), (b"cas a 0 0 1 99999\r\nx\r\n", b"EXISTS\r\n"),
    (b"cas z 0 0 1 1\r\nx\r\n", b"NOT_FOUND\r\n"), (b"set d 0 0 1\r\nx\r\n", b"STORED\r\n"),
    (b"delete d\r\n", b"DELETED\r\n"), (b"delete d\r\n", b"NOT_FOUND\r\n"), (b"set e 0 -1 1\r\nx\r\n", b"STORED\r\n"),
    (b"get e\r\n", b"END\r\n"), (b"mg a v\r\n", b"VA 1\r\n1\r\n"), (b"ms f 1\r\nf\r\n", b"HD\r\n"),
    (b"set g 0 0 2000000\r\n" + b"g" * 2000000 + b"\r\n", b"SERVER_ERROR object too large for cache\r\n"),
)

# After TRAFFIC; memcached agrees. get_expired or reclaimed: whoever meets e first, the get or the maintainer.
AFTER = {
    b"": """max_connections=1024 curr_connections=1 rejected_connections=0 cmd_get=4 cmd_set=8 cmd_flush=0 cmd_touch=4 cmd_meta=0
        get_hits=2 get_misses=2 get_flushed=0 delete_misses=1 delete_hits=1 incr_misses=1 incr_hits=1
        decr_misses=1 decr_hits=1 cas_misses=1 cas_hits=0 cas_badval=1 touch_hits=2 touch_misses=2 store_too_large=1
        store_no_memory=0 auth_cmds=0 auth_errors=0 limit_maxbytes=67108864 accepting_conns=1 listen_disabled_num=0
        threads=4 hash_is_expanding=0 slabs_moved=0 log_watchers=0 curr_items=3 total_items=5 evictions=0
        slab_global_page_pool=0""",
    b"items": """items:1:number=2 items:1:evicted=0 items:1:outofmemory=0 items:1:tailrepairs=0
        items:19:number=1 items:19:evicted=0""",
    b"slabs": """1:total_pages=1 1:used_chunks=2 1:get_hits=2 1:cmd_set=7 1:delete_hits=1 1:incr_hits=1 1:decr_hits=1
        1:cas_hits=0 1:cas_badval=1 1:touch_hits=2 1:free_chunks_end=0 19:total_pages=1 19:used_chunks=1 19:cmd_set=1
        active_slabs=2 total_malloced=2097152""",
    b"sizes": "64=2 5088=1",
}


def _keys(rows, prefix=""):
    """In their order, those that begin with `prefix`, without it."""
    return [name[len(prefix):] for name in rows if name.startswith(prefix)]


def _without(keys, *others):
    return [key for key in keys if not any(key in other for other in others)]


def _fill(wire):
    for request, reply in TRAFFIC:
        wire.ask(request, reply)


@test("statistics: every key of every group, in order", needs="1.6.45")
def keys():
    with Server("-o", "track_sizes") as one, one.wire() as wire:
        _fill(wire)
        equal(_keys(wire.stats()), _without(GENERAL, ["idle_kicks"]), "stats")
        settings = [key for key in _keys(wire.stats(b"settings")) if is_ours() or not BY_BUILD.match(key)]
        equal(settings, SETTINGS if is_ours() else _without(SETTINGS, ["drop_privileges"]), "stats settings")
        items = wire.stats(b"items")
        for number in ("1", "19"):
            equal(_keys(items, f"items:{number}:"), _without(ITEMS, ["number_temp"]), f"class {number} in stats items")
        equal(len(items), 2 * (len(ITEMS) - 1), "rows of stats items")
        slabs = wire.stats(b"slabs")
        for number in ("1", "19"):
            equal(_keys(slabs, f"{number}:"), SLABS, f"class {number} in stats slabs")
        equal(list(slabs)[2 * len(SLABS):], ["active_slabs", "total_malloced"], "the rest of stats slabs")
        equal(list(wire.stats(b"sizes")), ["64", "5088"], "stats sizes")


@test("statistics: keys that come and go with options", needs="1.6.45")
def by_option():
    with Server("-o", "no_lru_maintainer,no_lru_crawler,no_slab_reassign,idle_timeout=100,no_maxconns_fast") as one, one.wire() as wire:
        _fill(wire)
        gone = (OF_MAINTAINER, OF_REASSIGN, OF_CRAWLER, ["rejected_connections"])
        equal(_keys(wire.stats()), _without(GENERAL, *gone), "stats")
        equal(_keys(wire.stats(b"items"), "items:1:"), _without(ITEMS, ["number_temp"], *gone), "stats items")
        equal(wire.stats(b"sizes"), {"sizes_status": "disabled"}, "stats sizes")
    with Server("-o", "temporary_ttl=30") as one, one.wire() as wire:
        _fill(wire)
        equal(_keys(wire.stats(b"items"), "items:1:"), ITEMS, "stats items with temporary_ttl")


@test("statistics: what they say after the same traffic", needs="1.6.45")
def meanings():
    with Server("-o", "track_sizes") as one, one.wire() as wire:
        _fill(wire)
        for group, wanted in AFTER.items():
            rows = wire.stats(group)
            for name, value in (row.split("=") for row in wanted.split()):
                equal(rows[name], value, f"stats {group.decode()}: {name}")
        items = wire.stats(b"items")
        requested = sum(int(items[f"items:{number}:mem_requested"]) for number in (1, 19))
        equal(wire.stats()["bytes"], str(requested), "bytes")
        # What the items take: ours have a header of 40 bytes, and no zero byte or line end.
        equal(requested, 3 * 40 + 3 + 2 + 5000 if is_ours() else 5186, "mem_requested")


@test("statistics: reset takes back what was counted, and nothing else", needs="1.6.45")
def reset():
    with Server() as one, one.wire() as wire:
        _fill(wire)
        wire.ask(b"stats reset\r\n", b"RESET\r\n")
        rows = wire.stats()
        for name in GENERAL:
            if re.match("cmd_|get_|delete_|incr_|decr_|cas_|touch_|store_|total_items", name):
                equal(rows[name], "0", name)
        equal((rows["curr_items"], rows["curr_connections"]), ("3", "1"), "what is there")


@test("statistics: settings say what was asked for", needs="1.6.45")
def settings():
    with Server("-m", "100", "-c", "500", "-t", "3", "-f", "1.5", "-n", "64", "-D", "/", "-R", "5", "-C", "-b", "200", "-B",
                "ascii", "-I", "2m", "-M", "-F", "-X", "-A", "-o", "hashpower=18,slab_automove=2,slab_automove_ratio=0.5,"
                "slab_automove_window=7,slab_chunk_max=256,lru_crawler_sleep=200,lru_crawler_tocrawl=9,hash_algorithm=jenkins,"
                "hot_lru_pct=10,warm_lru_pct=30,hot_max_factor=0.3,warm_max_factor=3,temporary_ttl=33,idle_timeout=77,"
                "watcher_logbuf_size=128,worker_logbuf_size=32,track_sizes") as one, one.wire() as wire:
        rows = wire.stats(b"settings")
        for name, value in (row.split("=") for row in """
                maxbytes=104857600 maxconns=500 udpport=0 inter=127.0.0.1 verbosity=0 oldest=0 evictions=off domain_socket=NULL
                umask=700 shutdown_command=yes growth_factor=1.50 chunk_size=64 num_threads=3 num_threads_per_udp=3
                stat_key_prefix=/ detail_enabled=yes reqs_per_event=5 cas_enabled=no tcp_backlog=200 binding_protocol=ascii
                auth_enabled_sasl=no auth_enabled_ascii=no item_size_max=2097152 maxconns_fast=yes hashpower_init=18
                slab_reassign=yes slab_automove=2 slab_automove_ratio=0.50 slab_automove_window=7 slab_chunk_max=262144
                lru_crawler=yes lru_crawler_sleep=200 lru_crawler_tocrawl=9 tail_repair_time=0 flush_enabled=no
                dump_enabled=no hash_algorithm=jenkins lru_maintainer_thread=yes lru_segmented=yes hot_lru_pct=10
                warm_lru_pct=30 hot_max_factor=0.30 warm_max_factor=3.00 temp_lru=yes temporary_ttl=33 idle_timeout=77
                watcher_logbuf_size=131072 worker_logbuf_size=32768 track_sizes=yes memory_file=(null) client_flags_size=4
                """.split()):
            equal(rows[name], value, name)
        equal(rows["tcpport"], str(one.port), "tcpport")


def _prefixes(wire):
    """The rows of "stats detail dump", in no order."""
    wire.send(b"stats detail dump\r\n")
    rows = []
    while (line := wire.line()) != b"END":
        rows.append(line.decode())
    return sorted(rows)


@test("statistics: -D counts by the delimiter that it names, and by no other", needs="1.6.45")
def delimiter():
    for mark, rows in (("/", ["PREFIX a get 2 hit 1 set 1 del 0", "PREFIX b:1 get 1 hit 0 set 0 del 1"]),
                       ("1", ["PREFIX a/ get 1 hit 1 set 1 del 0", "PREFIX b: get 1 hit 0 set 1 del 1"]),
                       ("#", [])):
        with Server("-D", mark) as one, one.wire() as wire:
            wire.ask(b"set a/1 0 0 1\r\nx\r\n", b"STORED\r\n")
            wire.ask(b"set b:1 0 0 1\r\nx\r\n", b"STORED\r\n")
            wire.ask(b"get a/1 a/2 b:1/3\r\n", b"VALUE a/1 0 1\r\nx\r\nEND\r\n")
            wire.ask(b"delete b:1/4\r\n", b"NOT_FOUND\r\n")
            equal(_prefixes(wire), rows, f"-D {mark}")


@test("statistics: connections and who listens", needs="1.6.45")
def connections():
    with Server() as one, one.wire() as other:
        time.sleep(2.5)
        with one.wire() as wire:
            other.alive()
            rows = wire.stats(b"conns")
        ids = list(dict.fromkeys(name.split(":")[0] for name in rows))
        equal(len(ids), 3, "a listener and two connections")
        listeners = [id for id in ids if rows[f"{id}:state"] == "conn_listening"]
        equal(len(listeners), 1, "listeners")
        for id in ids:
            equal(_keys(rows, f"{id}:"), LISTENER if id in listeners else CONNECTION, f"rows of {id}")
            check(rows[f"{id}:addr"].startswith("tcp:127.0.0.1:"), rows[f"{id}:addr"])
        check(int(rows[f"{listeners[0]}:secs_since_last_cmd"]) >= 2, "who listens does so for 2 s, whoever comes meanwhile")
        states = sorted(rows[f"{id}:state"] for id in ids if id not in listeners)
        equal(states, ["conn_parse_cmd", "conn_read"], "who asks, and who does nothing")


@test("statistics: docs/protocol.md says of each key what it is")
def documented():
    text = (pathlib.Path(__file__).resolve().parents[3] / "docs/protocol.md").read_text().split("\n## Statistics\n")[1]
    parts = {part.split("\n")[0]: part for part in text.split("\n## ")[0].split("\n### ")}
    for title, keys in (("`stats`", GENERAL), ("`stats settings`", SETTINGS), ("`stats items`, for each class that has items", ITEMS),
                        ("`stats slabs`, for each class that has pages", SLABS), ("`stats conns`", CONNECTION)):
        # A word that ends in * stands for all keys that begin so.
        words = re.findall(r"[a-z_]+\*?", parts[title])
        missing = [key for key in keys if not any(fnmatch.fnmatchcase(key, word) for word in words)]
        equal(missing, [], f"keys that {title} in docs/protocol.md does not name")
