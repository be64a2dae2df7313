# SPDX-License-Identifier: MIT
"""What is measured. Frozen: another script or binary around a scenario moves its figures by about 1 %."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One row of the table: a load, given as options of `umemcached bench`, and which ratio it should reach."""
    name: str
    transport: str      # "tcp", "udp" or "unix"
    mix: str
    operations: int     # requests under --icount; otherwise FREE_RUNNING times as many
    depth: int = 1
    connections: int = 1
    floor: float = 0.0  # 0: none
    aim: float = 0.0
    keys: int = 1000
    value_size: str = "32"
    more: tuple = ()    # further options
    gate: bool = False  # whether bench/gate measures it

    @property
    def title(self):
        return f"{self.transport} {self.name}"


# A run on a clock that is not the instruction count has to be longer than the noise.
FREE_RUNNING = 5
WARMUP = 500
# Servers are busy for a while after they start and after keys were stored (memcached's LRU maintainer, our reserves).
SETTLING_SECONDS = 3
KEY_SIZE = 16

SCENARIOS = (
    Scenario("get", "tcp", "get", 4000, floor=1.45, aim=1.6, gate=True),
    Scenario("get, 32 connections", "tcp", "get", 4000, connections=32, floor=1.45, aim=1.6, gate=True),
    Scenario("16 pipelined mg", "tcp", "mg", 64000, depth=16, floor=1.9, aim=2.3, gate=True),
    Scenario("24-key get", "tcp", "mget", 2000, floor=2.0, aim=2.6, gate=True),
    Scenario("set", "tcp", "set", 4000, floor=1.4, aim=1.6, gate=True),
    Scenario("16 pipelined set", "tcp", "set", 64000, depth=16, floor=1.7, aim=2.2, gate=True),
    Scenario("get", "udp", "get", 4000, floor=1.7, aim=2.0, gate=True),
    Scenario("get", "unix", "get", 4000, floor=2.0, aim=2.3, gate=True),
    Scenario("16 pipelined mg", "unix", "mg", 64000, depth=16, floor=2.2, aim=2.8, gate=True),
    Scenario("binary get", "tcp", "get", 4000, floor=1.45, aim=1.6, more=("--protocol", "binary"), gate=True),
    Scenario("4 KiB get", "tcp", "get", 3000, floor=1.3, value_size="4096"),
    Scenario("64 KiB get", "tcp", "get", 600, floor=1.3, keys=100, value_size="65536"),
    Scenario("1 MiB get", "tcp", "get", 60, floor=1.3, keys=8, value_size="1048000"),
    Scenario("mixed 30:1", "tcp", "mixed:30:1", 4000),
    Scenario("mixed 9:1", "tcp", "mixed:9:1", 4000),
    Scenario("ETC, 8 connections", "tcp", "mixed:30:1", 4000, connections=8, value_size="etc",
             more=("--key-size", "etc", "--popularity", "zipf")),
    Scenario("USR, 8 connections", "tcp", "mixed:499:1", 4000, connections=8, value_size="usr",
             more=("--key-size", "usr", "--popularity", "zipf")),
    Scenario("set", "unix", "set", 4000),
    Scenario("16 pipelined set", "unix", "set", 64000, depth=16),
    Scenario("set, 32 connections", "tcp", "set", 4000, connections=32),
)
# What bench/scaling measures.
PARALLEL = ("tcp get, 32 connections", "tcp set, 32 connections")
# Round trip of the first row, ours in parts of memcached's.
P50_FLOOR, P50_AIM = 0.70, 0.63

# Bytes of overhead per item: each key stored once, in an instance that holds nothing else.
MEMORY_ITEMS = 100_000
MEMORY_VALUE_SIZES = (10, 100, 1000)
IDLE_TRANSPORTS = ("tcp", "unix")
