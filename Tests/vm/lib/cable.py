# SPDX-License-Identifier: MIT
"""A cable that loopback's IPv4 traffic goes over: both ends of a veth pair, in this namespace.

What comes in has then been received by a NAPI poll or the backlog of another device, in segments as large as
Ethernet's or merged again (GRO), and what goes out meets a device's offloads. Clients and servers notice nothing of it.
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import subprocess

from lib.tap import check

_NEAR, _FAR = "kmcnear", "kmcfar"
_ADDRESS = "02:00:00:00:77:01"
_SIOCETHTOOL = 0x8946
_COMMANDS = {"sg": 0x19, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}  # ETHTOOL_SSG and so on: linux/ethtool.h

# What the ends can do. With segmentation left to the device veth hands over up to 64 KiB as they are, and merges nothing.
KINDS = {
    "veth": {"tso": 1, "gro": 0},
    "veth-segments": {"tso": 0, "gro": 0},
    "veth-gro": {"tso": 0, "gro": 1},
    "veth-copy": {"tso": 0, "gso": 0, "sg": 0, "gro": 0},
}


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, f"{' '.join(command)}: {done.stderr!r}")


def offload(device, feature, wanted):
    """What `ethtool -K DEVICE FEATURE on|off` does; not every machine has ethtool."""
    value = bytearray(struct.pack("II", _COMMANDS[feature], wanted))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sP", device.encode(), ctypes.addressof(ctypes.c_char.from_buffer(value)))
        fcntl.ioctl(sock, _SIOCETHTOOL, request)


def _settings(device):
    """Addresses of 127.0.0.0/8 come from here and go there; the other end's sender is ourselves."""
    for name, value in (("route_localnet", 1), ("accept_local", 1), ("rp_filter", 0)):
        pathlib.Path(f"/proc/sys/net/ipv4/conf/{device}/{name}").write_text(str(value))


_RULES = (("pref", "10", "iif", _FAR, "lookup", "local"), ("pref", "20", "iif", "lo", "to", "127.0.0.0/8", "lookup", "77"),
          ("pref", "30", "lookup", "local"))


@contextlib.contextmanager
def over(kind):
    """Loopback's IPv4 traffic goes over a cable of that kind meanwhile. In a guest only."""
    check("KMC_VM" in os.environ, "this changes the routes of the machine: run it in a guest")
    _run("modprobe", "veth")
    _run("ip", "link", "add", _NEAR, "address", _ADDRESS, "type", "veth", "peer", "name", _FAR, "address", _ADDRESS)
    try:
        for device in (_NEAR, _FAR):
            for feature, wanted in KINDS[kind].items():
                offload(device, feature, wanted)
            _settings(device)
            # Both have the same address, so nobody has to ask for it.
            _run("ip", "link", "set", device, "arp", "off", "up")
        _settings("all")
        _run("ip", "route", "add", "127.0.0.0/8", "dev", _NEAR, "src", "127.0.0.1", "table", "77")
        for rule in _RULES:
            _run("ip", "rule", "add", *rule)
        _run("ip", "rule", "delete", "pref", "0")
        yield
    finally:
        subprocess.run(["ip", "rule", "add", "pref", "0", "lookup", "local"], check=False)
        for rule in _RULES:
            subprocess.run(["ip", "rule", "delete", *rule], check=False, capture_output=True)
        _run("ip", "link", "delete", _NEAR)


def received():
    """Packets that have come over the cable, and those that IP has seen: fewer where they were merged."""
    device = int(pathlib.Path(f"/sys/class/net/{_FAR}/statistics/rx_packets").read_text())
    names, values = (line.split() for line in pathlib.Path("/proc/net/snmp").read_text().splitlines()
                     if line.startswith("Ip:"))
    return device, int(values[names.index("InReceives")])
