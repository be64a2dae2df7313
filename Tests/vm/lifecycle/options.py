# SPDX-License-Identifier: MIT
"""Options in every form memcached takes, their effect as `stats settings` tells it, and the exit status of a refusal."""

import contextlib
import pathlib
import tempfile

from lib import server
from lib.server import refused, succeed, tool
from lib.tap import check, equal, test
from lib.wire import Wire


@contextlib.contextmanager
def _detached(*options, environment=None):
    """An instance from options alone; gives the line the tool printed."""
    done = succeed(*options, env=environment)
    try:
        yield done.stdout
    finally:
        succeed("stop", "--all")


def _settings(port, host="127.0.0.1"):
    with Wire((host, port)) as wire:
        return wire.stats(b"settings")


# Options with PORT for the port, and what `stats settings` must then say.
FORMS = (
    ("-vpPORT", {"verbosity": "1"}),
    ("-vvv -p PORT", {"verbosity": "3"}),
    ("-pPORT -m100", {"maxbytes": str(100 << 20)}),
    ("--port=PORT --memory-limit=100", {"maxbytes": str(100 << 20)}),
    ("--por PORT --memory-l 100", {"maxbytes": str(100 << 20)}),
    ("-p PORT -omaxconns_fast,hashpower=20", {"maxconns_fast": "yes", "hashpower_init": "20"}),
    ("-p PORT -o no_maxconns_fast -o hashpower=17", {"maxconns_fast": "no", "hashpower_init": "17"}),
    ("-p PORT -o idle_timeout=100,slab_chunk_max=256", {"idle_timeout": "100", "slab_chunk_max": "262144"}),
    ("-p PORT -o read_buf_mem_limit=2", {"read_buf_mem_limit": str(2 << 20)}),
    ("-p PORT -M -c 77 -R 3 -b 99", {"evictions": "off", "maxconns": "77", "reqs_per_event": "3",
                                    "tcp_backlog": "99"}),
    ("-p PORT -o no_slab_reassign,slab_automove=2", {"slab_reassign": "no", "slab_automove": "2"}),
    ("-p PORT -o slab_automove_ratio=0.5,slab_automove_window=3,track_sizes",
     {"slab_automove_ratio": "0.50", "slab_automove_window": "3", "track_sizes": "yes"}),
    ("-p PORT -I 2m -m 64", {"item_size_max": str(2 << 20)}),
    ("-p PORT -I 524288 -o slab_chunk_max=256", {"item_size_max": "524288"}),
    ("-p PORT -f 1.5 -n 96", {"growth_factor": "1.50", "chunk_size": "96"}),
    ("-p PORT -C", {"cas_enabled": "no"}),
    ("-p PORT -D:", {"stat_key_prefix": ":", "detail_enabled": "yes"}),
    ("-p PORT -A -F", {"flush_enabled": "no"}),
    ("-p PORT -t 7 -U 0", {"num_threads": "7", "udpport": "0"}),
    ("-p PORT -U PORT", {"tcpport": "PORT", "udpport": "PORT"}),
    ("-U PORT", {"tcpport": "PORT", "udpport": "PORT"}),
    ("-p PORT -m 100MB -c 99x", {"maxbytes": str(100 << 20), "maxconns": "99"}),
    ("-p PORT -o no_chunked_items", {"slab_chunk_max": str(1 << 20)}),
    ("-p PORT -o no_modern", {"slab_chunk_max": str(1 << 20), "maxconns_fast": "no", "lru_crawler": "no",
                             "lru_maintainer_thread": "no", "lru_segmented": "no", "hash_algorithm": "jenkins"}),
    ("-p PORT -o no_modern,lru_maintainer,lru_crawler,hash_algorithm=xxh3",
     {"lru_crawler": "yes", "lru_maintainer_thread": "yes", "lru_segmented": "yes", "hash_algorithm": "xxh3"}),
    ("-p PORT -o hot_lru_pct=10,warm_lru_pct=70,hot_max_factor=0.1,warm_max_factor=3",
     {"hot_lru_pct": "10", "warm_lru_pct": "70", "hot_max_factor": "0.10", "warm_max_factor": "3.00"}),
    ("-p PORT -o temporary_ttl=5,lru_crawler_sleep=7,lru_crawler_tocrawl=8,no_hashexpand",
     {"temp_lru": "yes", "temporary_ttl": "5", "lru_crawler_sleep": "7", "lru_crawler_tocrawl": "8"}),
    ("-p PORT -o no_lru_crawler,no_lru_maintainer", {"lru_crawler": "no", "lru_maintainer_thread": "no"}),
    ("-p PORT -k -L -r -N 4 -o modern,relaxed_privileges,no_drop_privileges,inline_ascii_resp,resp_obj_mem_limit=1",
     {"maxbytes": str(64 << 20), "maxconns_fast": "yes"}),
    ("-p PORT -o drop_privileges,no_inline_ascii_resp,tail_repair_time=10,worker_logbuf_size=1",
     {"maxbytes": str(64 << 20), "tail_repair_time": "10"}),
    ("-p PORT -u root", {"maxbytes": str(64 << 20)}),
    ("-p PORT --conn-limit=55 --disable-evictions --max-item-size=512k -o slab_chunk_max=256", {"maxconns": "55",
                                    "evictions": "off", "item_size_max": "524288"}),
)


@test("options: every form, and its effect in stats settings", needs="module", timeout=90)
def forms():
    for text, expected in FORMS:
        port = str(server.free_port())
        with _detached(*text.replace("PORT", port).split()):
            found = _settings(int(port))
            for name, value in expected.items():
                equal(found.get(name), value.replace("PORT", port), f"{text}: {name}")


@test("options: -l in every form", needs="module", timeout=60)
def listen():
    port = server.free_port()
    with _detached("-p", port, "-l", "127.0.0.1,127.0.0.2", "-l", "127.0.0.3"):
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            with Wire((host, port)) as wire:
                wire.alive()
        for host in ("127.0.0.4", "::1"):
            try:
                Wire((host, port)).close()
                check(False, f"{host} answers, but was not given")
            except ConnectionRefusedError:
                pass
        equal(_settings(port)["inter"], "127.0.0.1,127.0.0.2,127.0.0.3", "inter")
    other = server.free_port()
    for text, there in (("127.0.0.1:OTHER", [("127.0.0.1", other)]), ("[::1]:OTHER", [("::1", other)]),
                        ("::1", [("::1", port)]), ("*:OTHER", [("127.0.0.1", other), ("::1", other)]),
                        ("127.0.0.1;127.0.0.2:OTHER", [("127.0.0.1", port), ("127.0.0.2", other)]),
                        ("localhost", [("127.0.0.1", port)])):
        with _detached("-p", port, "-l", text.replace("OTHER", str(other))):
            for endpoint in there:
                with Wire(endpoint) as wire:
                    wire.alive()


@test("options: -p -1 takes a free port; MEMCACHED_PORT_FILENAME names it", needs="module")
def port_file():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "ports"
        environment = {**server.os.environ, "MEMCACHED_PORT_FILENAME": str(path)}
        with _detached("-p", "-1", "-l", "127.0.0.1", environment=environment) as said:
            text = path.read_text()
            check(text.startswith("TCP INET: ") and text.endswith("\n"), f"port file: {text!r}")
            port = int(text.split(":")[1])
            check(str(port) in said, f"{port} is not in {said!r}")
            with Wire(("127.0.0.1", port)) as wire:
                wire.alive()
        port = server.free_port()
        with _detached("-p", port, "-l", "127.0.0.1,::1", environment=environment):
            equal(sorted(path.read_text().splitlines()), [f"TCP INET6: {port}", f"TCP INET: {port}"], "port file")
        environment["MEMCACHED_PORT_FILENAME"] = f"{folder}/none/ports"
        refused("-p", port, status=71, words=["MEMCACHED_PORT_FILENAME"], env=environment)
        check("no instance" in succeed("list").stdout, "an instance nobody knows of was left behind")


@test("options: T_MEMD_INITIAL_MALLOC counts as taken: the room that it leaves is all there is", needs="module")
def initial_malloc():
    value = b"a" * (400 << 10)
    for taken, malloced, stored in (((62 << 20) + 32, (63 << 20) + 32, 2), ("x", 5 << 20, 9), ("-1", 5 << 20, 9)):
        port = server.free_port()
        environment = {**server.os.environ, "T_MEMD_INITIAL_MALLOC": str(taken)}
        with _detached("-p", port, "-l", "127.0.0.1", "-M", environment=environment), Wire(("127.0.0.1", port)) as wire:
            found = [wire.command(b"set big%d 0 0 %d\r\n%s" % (number, len(value), value)) for number in range(9)]
            equal(found.count(b"STORED"), stored, f"{taken} taken: how many were stored")
            equal(wire.stats(b"slabs")["total_malloced"], str(malloced), f"{taken} taken: total_malloced")


# Command line, status, words in the sentence. The statuses are memcached's.
REFUSALS = (
    ("-p 0", 64, ["-p"]),
    ("-p 70000", 64, ["-p"]),
    ("-m 0", 64, ["-m"]),
    ("-m x", 64, ["-m"]),
    ("-c 0", 1, ["-c"]),
    ("-t 0", 1, ["-t"]),
    ("-f 1", 1, ["-f"]),
    ("-f x", 1, ["-f"]),
    ("-n 0", 1, ["-n"]),
    ("-R 0", 1, ["-R"]),
    ("-I 10", 64, ["-I"]),
    ("-I 2g", 64, ["-I"]),
    ("-I 64m", 64, ["-I"]),
    ("-p x", 64, ["-p"]),
    ("-p -5", 71, ["-5"]),
    ("-N 0", 1, ["-N"]),
    ("-N 5", 64, ["-N"]),
    ("-e /tmp/memory", 64, ["-e"]),
    ("-Z", 64, ["TLS"]),
    ("-P /tmp/pid", 64, ["-d"]),
    ("-o ext_path=/tmp/e:64m", 1, ["extstore"]),
    ("-o ssl_key=/tmp/k", 1, ["TLS"]),
    ("-o proxy_config=/tmp/l", 1, ["proxy"]),
    ("-o tail_repair_time=9", 1, ["tail_repair_time"]),
    ("-o modern,,modern", 1, ["suboption"]),
    ("-p 0 -U 0", 64, ["nothing to listen on"]),
    ("-U -2", 64, ["-U"]),
    ("-l notls:127.0.0.1", 71, ["TLS"]),
    ("-l proto[proxy]:127.0.0.1", 71, ["proxy"]),
    ("-l proto[ascii:127.0.0.1", 71, ["proto["]),
    ("-l tag_123456789_:127.0.0.1", 71, ["tag"]),
    ("-S", 1, ["MEMCACHED_SASL_PWDB"]),
    ("-o nonsense", 1, ["nonsense"]),
    ("-o hashpower=99", 1, ["hashpower"]),
    ("-o hashpower", 1, ["hashpower"]),
    ("-o slab_chunk_max=3", 64, ["slab_chunk_max"]),
    ("--nonsense", 1, ["nonsense"]),
    ("--m", 1, ["--m"]),
    ("-p", 1, ["-p"]),
    ("-u nobody-of-that-name", 67, ["nobody-of-that-name"]),
    ("-l 192.0.2.1 -p 1", 71, ["192.0.2.1"]),
    ("-l no.such.host.invalid -p 1", 71, ["no.such.host.invalid"]),
    ("-p 11213 stop", 64, ["stop"]),
    ("stp", 64, ["stp"]),
)


@test("options: what is wrong is refused with memcached's status and one sentence", needs="module", timeout=90)
def refusals():
    for text, status, words in REFUSALS:
        refused(*text.split(), status=status, words=words)
    check("no instance" in succeed("list").stdout, "an instance of a refused command line")


@test("options: a word that no verb knows is refused by the verbs, too", needs="module")
def verb_refusals():
    for words in (["stop", "--nonsense"], ["list", "more"], ["stats", "a", "b", "c"], ["stop", "--all", "--id", "1"]):
        done = tool(*words)
        equal(done.returncode, 64, f"{' '.join(words)}: status ({done.stderr!r})")
        check(done.stderr, f"{' '.join(words)}: nothing on stderr")


@test("options: -h, -V and -i end with 0 and need no module", needs="module")
def printouts():
    for option in ("-h", "--help"):
        text = succeed(option).stdout
        for name in ("--port", "--memory-limit", "maxconns_fast", "--unix-socket"):
            check(name in text, f"{option} does not tell of {name}")
    check("1.6.45" in succeed("-V").stdout, "-V names the protocol's level")
    for option in ("-i", "--license"):
        done = succeed(option)
        for name in ("GNU General Public License, version 2", "MIT"):
            check(name in done.stdout, f"{option} does not name {name}: {done.stdout!r}")
        equal(done.stderr, "", f"{option}: standard error")
