#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures in the guest what bench/run asked for: its argument is a JSON object. Each result is one line of standard
output that starts with RESULT_MARK; everything else there is for a person to read."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import idle  # noqa: E402
import scenarios  # noqa: E402
import servers  # noqa: E402
from leftovers import Leftovers  # noqa: E402

RESULT_MARK = "@result "


def tell(result):
    print(RESULT_MARK + json.dumps(result), flush=True)


def say(text):
    print(text, flush=True)


def make_server(side, transport, settings, memory_mb=64, threads=None):
    """A server of one side: a peer is always a process; "ours" is an instance, unless told to be a program."""
    if side == "ours" and not settings["ours"]:
        return servers.Instance(settings["tool"], transport, memory_mb)
    return servers.Process(settings["ours"] if side == "ours" else settings["peers"][side], transport, memory_mb,
                           threads)


class NotServed(Exception):
    """The server answers every request of a scenario with an error: it does not know the command."""


def load(settings, server, *options):
    """Runs the load generator, returns its report. Anything but right values ends the whole run, or is NotServed."""
    command = [settings["tool"], "bench", "--json", *server.client_options(), *map(str, options)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    report = json.loads(done.stdout or "{}")
    if done.returncode != 0 and 0 < report.get("requests", 0) == report["errors"]:
        raise NotServed
    if done.returncode != 0 or report["misses"] or report.get("lost"):
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}: {done.stdout.strip()}")
    return report


def load_options(settings, scenario, operations):
    """The options of `umemcached bench` for one scenario."""
    threads = settings["client_threads"] or min(os.cpu_count(), scenario.connections)
    return ["--mix", scenario.mix, "--depth", scenario.depth, "--connections", max(scenario.connections, threads),
            "--threads", threads, "--operations", operations, "--warmup", min(scenarios.WARMUP, operations), "--no-fill",
            *data_options(scenario)]


def data_options(scenario):
    """Which keys and values."""
    size = [] if "--key-size" in scenario.more else ["--key-size", scenarios.KEY_SIZE]
    return ["--keys", scenario.keys, "--value-size", scenario.value_size, *size, *scenario.more]


def measure(settings, scenario, server):
    """The median run of as many as asked for."""
    operations = scenario.operations * (1 if settings["icount"] else scenarios.FREE_RUNNING)
    load(settings, server, "--mix", "get", "--operations", 0, *data_options(scenario))
    time.sleep(scenarios.SETTLING_SECONDS)
    options = load_options(settings, scenario, operations)
    reports = [load(settings, server, *options) for _ in range(settings["repeats"])]
    middle = statistics.median_low(report["requests_per_second"] for report in reports)
    return next(report for report in reports if report["requests_per_second"] == middle)


def share_served_at_once(settings, scenario, server):
    """The part of the batches for which no work item ran, from a run of its own: looking would slow the measured one."""
    operations = max(scenario.operations // 4, scenario.depth * 20)
    options = load_options(settings, scenario, operations)
    options[options.index("--warmup") + 1] = 0
    with Leftovers() as leftovers:
        load(settings, server, *options)
    batches = operations / scenario.depth
    # Each connection's own work item runs when it is accepted, and when it ends.
    return max(0.0, 1 - max(0, leftovers.count - 2 * scenario.connections) / batches)


def compare(settings, number, scenario):
    """One row: each side in turn, with a server of its own that nothing else uses."""
    sides = [] if settings["ours_only"] else [(side, threads) for side in settings["peers"]
                                              for threads in settings["peer_threads"]]
    sides += [("ours", threads) for threads in (settings["peer_threads"] if settings["ours"] else [None])]
    for side, threads in sides:
        server = make_server(side, scenario.transport, settings, threads=threads).start()
        try:
            report = measure(settings, scenario, server)
            if side == "ours" and not settings["ours"]:
                report["at_once"] = share_served_at_once(settings, scenario, server)
        except NotServed:
            tell({"kind": "not served", "scenario": number, "side": side})
            say(f"{scenario.title}: {side} answers with errors")
            continue
        finally:
            server.stop()
        tell({"kind": "speed", "scenario": number, "side": side, "threads": threads, "report": report})
        say(f"{scenario.title}: {side} {threads or ''} {report['requests_per_second']:.0f}/s")


def weigh(settings, side, value_size, items):
    """Bytes per item that are neither key nor value."""
    payload = items * (scenarios.KEY_SIZE + value_size)
    limit = max(64, (payload + items * 256) * 5 // 4 >> 20)
    server = make_server(side, "unix", settings, limit).start()
    try:
        time.sleep(scenarios.SETTLING_SECONDS)
        real, available, own = server.real_bytes(), servers.available_bytes(), server.own_total_bytes()
        load(settings, server, "--mix", "get", "--operations", 0, "--keys", items, "--key-size", scenarios.KEY_SIZE,
             "--value-size", value_size)
        time.sleep(scenarios.SETTLING_SECONDS)
        held = int(server.statistics()["curr_items"])
        if held != items:
            raise SystemExit(f"memory: {held} of {items} items are there")

        def overhead(total):
            return (total - payload) / items
        result = {"kind": "memory", "side": side, "value_size": value_size, "items": items,
                  "real": overhead(server.real_bytes() - real),
                  "available": overhead(available - servers.available_bytes()),
                  "own": overhead(server.own_total_bytes() - own)}
    finally:
        server.stop()
    tell(result)
    say(f"{items} items, {value_size}-byte values: {side} {result['real']:.1f} bytes of overhead per item")


def hold(settings, side, transport, count):
    """Bytes per idle connection."""
    result = idle.weigh(make_server(side, transport, settings), count) | {"side": side, "transport": transport}
    tell(result)
    say(f"{count} idle {transport} connections: {side} {result['available']:.0f} bytes each, both ends")


def describe(settings):
    """What is measured, and on what."""
    versions = {side: subprocess.run([peer, "-V"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()[-1]
                for side, peer in settings["peers"].items()}
    tell({"kind": "guest", "peers": versions, "kernel": os.uname().release, "cpus": os.cpu_count()})


def is_wanted(settings, scenario):
    """Whether this row was asked for."""
    if settings["titles"] is not None:
        return scenario.title in settings["titles"]
    return settings["rows"] in scenario.title and (scenario.gate or not settings["gate_rows"])


def main():
    settings = json.loads(sys.argv[1])
    # Where things lie in memory is not what is compared.
    pathlib.Path("/proc/sys/kernel/randomize_va_space").write_text("0\n", encoding="ascii")
    describe(settings)
    for number, scenario in enumerate(scenarios.SCENARIOS):
        if is_wanted(settings, scenario):
            compare(settings, number, scenario)
    for items in settings["memory_items"]:
        for value_size in scenarios.MEMORY_VALUE_SIZES:
            for side in [*settings["peers"], "ours"]:
                weigh(settings, side, value_size, items)
    for transport in scenarios.IDLE_TRANSPORTS if settings["idle_connections"] else ():
        for side in [*settings["peers"], "ours"]:
            hold(settings, side, transport, settings["idle_connections"])
    tell({"kind": "end"})


if __name__ == "__main__":
    main()
