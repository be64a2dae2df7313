# SPDX-License-Identifier: MIT
"""What is measured. Frozen: another script or binary around a scenario moves its figures by about 1 %."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One row of the table: a load, given as options of `umemcached bench`."""
    name: str
    transport: str      # "tcp" or "unix"
    mix: str
    depth: int
    connections: int
    operations: int     # requests under --icount; otherwise FREE_RUNNING times as many
    note: str = ""


# A run on a clock that is not the instruction count has to be longer than the noise.
FREE_RUNNING = 5
WARMUP = 500
# Servers are busy for a while after they start and after keys were stored (memcached's LRU maintainer, our reserves).
SETTLING_SECONDS = 3
KEYS = 1000
KEY_SIZE = 16
VALUE_SIZE = 32

_EACH_ALONE = "memcached before 1.6.45 sends each pipelined get alone: counts only against 1.6.45"

SCENARIOS = (
    Scenario("get", "tcp", "get", 1, 1, 4000),
    Scenario("get, 32 connections", "tcp", "get", 1, 32, 4000),
    Scenario("set", "tcp", "set", 1, 1, 4000),
    Scenario("16 pipelined mg", "tcp", "mg", 16, 1, 64000),
    Scenario("16 pipelined set", "tcp", "set", 16, 1, 64000),
    Scenario("16 pipelined get", "tcp", "get", 16, 1, 16000, _EACH_ALONE),
    Scenario("24-key get", "tcp", "mget", 1, 1, 2000),
    Scenario("get", "unix", "get", 1, 1, 4000),
    Scenario("get, 32 connections", "unix", "get", 1, 32, 4000),
    Scenario("set", "unix", "set", 1, 1, 4000),
    Scenario("16 pipelined mg", "unix", "mg", 16, 1, 64000),
    Scenario("16 pipelined set", "unix", "set", 16, 1, 64000),
    Scenario("16 pipelined get", "unix", "get", 16, 1, 16000, _EACH_ALONE),
    Scenario("24-key get", "unix", "mget", 1, 1, 2000),
)

# Bytes of overhead per item: each key stored once, in an instance that holds nothing else.
MEMORY_ITEMS = 100_000
MEMORY_VALUE_SIZES = (10, 100, 1000)
MEMORY_LIMIT_MB = 512
