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

import scenarios  # noqa: E402
import servers  # noqa: E402

RESULT_MARK = "@result "


def tell(result):
    print(RESULT_MARK + json.dumps(result), flush=True)


def say(text):
    print(text, flush=True)


def make_server(side, transport, settings, memory_mb=64, threads=None):
    """A server of one side: "peer" is always a process; "ours" is an instance, unless told to be a program."""
    if side == "ours" and not settings["ours"]:
        return servers.Instance(settings["tool"], transport, memory_mb)
    return servers.Process(settings["ours"] if side == "ours" else settings["peer"], transport, memory_mb, threads)


class NotServed(Exception):
    """The server answers every request of a scenario with an error: it does not know the command."""


def load(settings, server, *options):
    """Runs the load generator, returns its report. Anything but right values ends the whole run, or is NotServed."""
    command = [settings["tool"], "bench", "--json", *server.client_options(), *map(str, options)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    report = json.loads(done.stdout or "{}")
    if done.returncode != 0 and 0 < report.get("requests", 0) == report["errors"]:
        raise NotServed
    if done.returncode != 0 or report["misses"]:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}: {done.stdout.strip()}")
    return report


def measure(settings, scenario, server):
    """The median run of as many as asked for."""
    free = not settings["icount"]
    threads = min(os.cpu_count(), scenario.connections)
    options = ["--mix", scenario.mix, "--depth", scenario.depth, "--connections", scenario.connections,
               "--threads", threads, "--operations", scenario.operations * (scenarios.FREE_RUNNING if free else 1),
               "--warmup", scenarios.WARMUP, "--keys", scenarios.KEYS, "--key-size", scenarios.KEY_SIZE,
               "--value-size", scenarios.VALUE_SIZE, "--no-fill"]
    load(settings, server, "--mix", "get", "--operations", 0, "--keys", scenarios.KEYS, "--key-size",
         scenarios.KEY_SIZE, "--value-size", scenarios.VALUE_SIZE)
    time.sleep(scenarios.SETTLING_SECONDS)
    reports = [load(settings, server, *options) for _ in range(settings["repeats"])]
    middle = statistics.median_low(report["requests_per_second"] for report in reports)
    return next(report for report in reports if report["requests_per_second"] == middle)


def compare(settings, number, scenario):
    """One row: each side in turn, with a server of its own that nothing else uses."""
    variants = [("peer", threads) for threads in settings["peer_threads"]]
    variants += [("ours", threads) for threads in (settings["peer_threads"] if settings["ours"] else [None])]
    for side, threads in variants:
        server = make_server(side, scenario.transport, settings, threads=threads).start()
        try:
            report = measure(settings, scenario, server)
        except NotServed:
            tell({"kind": "not served", "scenario": number, "side": side})
            say(f"{scenario.transport} {scenario.name}: {side} answers with errors")
            continue
        finally:
            server.stop()
        tell({"kind": "speed", "scenario": number, "side": side, "threads": threads, "report": report})
        say(f"{scenario.transport} {scenario.name}: {side} {threads or ''} {report['requests_per_second']:.0f}/s")


def weigh(settings, side, value_size):
    """Bytes per item that are neither key nor value."""
    items = settings["memory_items"]
    server = make_server(side, "unix", settings, scenarios.MEMORY_LIMIT_MB).start()
    try:
        time.sleep(scenarios.SETTLING_SECONDS)
        real, available, own = server.real_bytes(), servers.available_bytes(), server.own_total_bytes()
        load(settings, server, "--mix", "get", "--operations", 0, "--keys", items, "--key-size", scenarios.KEY_SIZE,
             "--value-size", value_size)
        time.sleep(scenarios.SETTLING_SECONDS)
        held = int(server.statistics()["curr_items"])
        if held != items:
            raise SystemExit(f"memory: {held} of {items} items are there")
        payload = items * (scenarios.KEY_SIZE + value_size)

        def overhead(total):
            return (total - payload) / items
        result = {"kind": "memory", "side": side, "value_size": value_size, "items": items,
                  "real": overhead(server.real_bytes() - real),
                  "available": overhead(available - servers.available_bytes()),
                  "own": overhead(server.own_total_bytes() - own)}
    finally:
        server.stop()
    tell(result)
    say(f"{value_size}-byte values: {side} {result['real']:.1f} bytes of overhead per item")


def main():
    settings = json.loads(sys.argv[1])
    # Where things lie in memory is not what is compared.
    pathlib.Path("/proc/sys/kernel/randomize_va_space").write_text("0\n", encoding="ascii")
    version = subprocess.run([settings["peer"], "-V"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    tell({"kind": "guest", "peer": version, "kernel": os.uname().release, "cpus": os.cpu_count()})
    for number, scenario in enumerate(scenarios.SCENARIOS):
        if settings["rows"] in f"{scenario.transport} {scenario.name}":
            compare(settings, number, scenario)
    for value_size in scenarios.MEMORY_VALUE_SIZES if settings["memory_items"] else ():
        for side in ("peer", "ours"):
            weigh(settings, side, value_size)
    tell({"kind": "end"})


if __name__ == "__main__":
    main()
