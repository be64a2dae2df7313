# SPDX-License-Identifier: MIT
"""The contract of kmod/include/uapi/linux/kmemcache.h, byte by byte: builds and reads its messages without any library
that would refuse to build a wrong one."""

import os
import pathlib
import re
import socket
import struct

from lib import tap

HEADER = pathlib.Path(__file__).resolve().parents[3] / "kmod/include/uapi/linux/kmemcache.h"

NETLINK_GENERIC, SOL_NETLINK = 16, 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 1, 10, 11, 12
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 2, 16, 3
NLM_F_CAPPED, NLM_F_ACK_TLVS, NLA_F_NESTED = 0x100, 0x200, 0x8000
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS = 1, 2


def _constants():
    """Names and numbers of the header: its enums and its flags."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="ascii"), flags=re.S)
    names = {}
    for body in re.findall(r"enum \w+ \{(.*?)\}", text, flags=re.S):
        for number, name in enumerate(re.findall(r"(\w+)", body)):
            names[name] = number
    for name, shift in re.findall(r"#define (\w+)\s+\(1U << (\d+)\)", text):
        names[name] = 1 << int(shift)
    for name, number in re.findall(r"#define (\w+)\s+(\d+)\s", text):
        names[name] = int(number)
    for name in [name for name in names if name.startswith("__") and name.endswith("_MAX")]:
        names[name[2:]] = names[name] - 1
    return names


globals().update(_constants())


class Refused(OSError):
    """The module said no; `sentence` is its extended ack."""

    def __init__(self, errno_, sentence):
        super().__init__(errno_, f"{os.strerror(errno_)}: {sentence}")
        self.sentence = sentence


def attr(kind, data=b""):
    """One attribute; `data` is bytes, a str (with its zero) or a list of attributes (a nest)."""
    if isinstance(data, list):
        kind, data = kind | NLA_F_NESTED, b"".join(data)
    elif isinstance(data, str):
        data = data.encode() + b"\0"
    return struct.pack("HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def u8(kind, value):
    return attr(kind, struct.pack("B", value))


def u16(kind, value):
    return attr(kind, struct.pack("H", value))


def u32(kind, value):
    return attr(kind, struct.pack("I", value))


def s32(kind, value):
    return attr(kind, struct.pack("i", value))


def u64(kind, value):
    return attr(kind, struct.pack("Q", value))


def attrs(data):
    """The attributes in `data`, in order: (kind, bytes)."""
    found = []
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        found.append((kind & 0x3fff, data[4:length]))
        data = data[(length + 3) & ~3:]
    return found


def number(data):
    return int.from_bytes(data, "little")


def text(data):
    return data.rstrip(b"\0").decode()


class Netlink:
    """A generic netlink socket that speaks to the kmemcache family of its network namespace."""

    def __init__(self, portid=0):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC)
        self.socket.bind((portid, 0))
        self.socket.settimeout(300)
        for option in (NETLINK_EXT_ACK, NETLINK_CAP_ACK):
            self.socket.setsockopt(SOL_NETLINK, option, 1)
        self.sequence, self.events = 0, []
        self.family, self.groups = self._resolve()

    def close(self):
        self.socket.close()

    def _resolve(self):
        reply = self._exchange(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attr(2, "kmemcache"))
        found = dict(attrs(reply))
        groups = {}
        for _, group in attrs(found.get(7, b"")):
            fields = dict(attrs(group))
            groups[text(fields[1])] = number(fields[2])
        return number(found[1]), groups

    def join(self, name="events"):
        """Receive a group's messages; they gather in `events` with receive_event()."""
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[name])

    def send(self, kind, command, body, flags=NLM_F_REQUEST | NLM_F_ACK, version=1):
        self.sequence += 1
        payload = struct.pack("BBH", command, version, 0) + body
        self.socket.send(struct.pack("IHHII", 16 + len(payload), kind, flags, self.sequence, 0) + payload)

    def _exchange(self, kind, command, body, flags=NLM_F_REQUEST | NLM_F_ACK):
        self.send(kind, command, body, flags)
        return self.receive()

    def receive(self):
        """The reply to the last request: its attributes' bytes, b"" for a bare ack; raises Refused."""
        reply = b""
        while True:
            data = self.socket.recv(1 << 17)
            while data:
                length, kind, flags, sequence, _ = struct.unpack_from("IHHII", data)
                message, data = data[16:length], data[(length + 3) & ~3:]
                if kind == NLMSG_ERROR and sequence == self.sequence:
                    self._raise(message, flags)
                    return reply
                if sequence == self.sequence:
                    reply = message[4:]
                elif sequence == 0:
                    self.events.append(message[4:])

    @staticmethod
    def _raise(message, flags):
        error = -struct.unpack_from("i", message)[0]
        if not error:
            return
        rest = message[4 + 16:]
        if not flags & NLM_F_CAPPED:
            rest = message[4 + struct.unpack_from("I", message, 4)[0]:]
        said = dict(attrs(rest)) if flags & NLM_F_ACK_TLVS else {}
        raise Refused(error, text(said.get(NLMSGERR_ATTR_MSG, b"")))

    def ask(self, command, *attributes):
        """One operation of ours; returns the reply's attributes."""
        return attrs(self._exchange(self.family, command, b"".join(attributes)))

    def receive_event(self, timeout=60):
        """The next event as a dictionary of attributes."""
        self.socket.settimeout(timeout)
        while not self.events:
            data = self.socket.recv(1 << 17)
            while data:
                length, _, _, sequence, _ = struct.unpack_from("IHHII", data)
                if sequence == 0:
                    self.events.append(data[20:length])
                data = data[(length + 3) & ~3:]
        self.socket.settimeout(300)
        return dict(attrs(self.events.pop(0)))

    # Operations, as a well-behaved tool would ask for them.

    def new(self, sockets, *settings, name=None, attached=False, pid=0, protocol=None):
        body = [attr(KMC_A_LISTENER, [s32(KMC_L_FD, fd if isinstance(fd, int) else fd.fileno())] +
                     ([] if protocol is None else [u8(KMC_L_PROTOCOL, protocol)])) for fd in sockets]
        if name is not None:
            body.append(attr(KMC_A_NAME, name))
        if settings:
            body.append(attr(KMC_A_SETTINGS, list(settings)))
        body += [u32(KMC_A_PID, pid), u32(KMC_A_FLAGS, KMC_INSTANCE_F_ATTACHED if attached else 0)]
        return instance(dict(self.ask(KMC_CMD_NEW, *body))[KMC_A_INSTANCE])

    def delete(self, id_, *more):
        self.ask(KMC_CMD_DEL, u32(KMC_A_ID, id_), *more)

    def get(self, id_, *more):
        return instance(dict(self.ask(KMC_CMD_GET, u32(KMC_A_ID, id_), *more))[KMC_A_INSTANCE])

    def list(self, *more):
        """All instances, page after page."""
        found, cursor = [], 0
        while True:
            reply = self.ask(KMC_CMD_LIST, u32(KMC_A_CURSOR, cursor), *more)
            found += [instance(data) for kind, data in reply if kind == KMC_A_INSTANCE]
            cursors = [number(data) for kind, data in reply if kind == KMC_A_CURSOR]
            if not cursors:
                return found
            cursor = cursors[0]

    def stats(self, id_, group=""):
        """Rows of a group of statistics as a dictionary of strings."""
        rows, cursor = {}, 0
        while True:
            reply = self.ask(KMC_CMD_STATS, u32(KMC_A_ID, id_), attr(KMC_A_STATS_GROUP, group), u32(KMC_A_CURSOR, cursor))
            for kind, data in reply:
                if kind == KMC_A_STAT:
                    row = dict(attrs(data))
                    rows[text(row[KMC_STAT_NAME])] = text(row[KMC_STAT_VALUE])
            cursors = [number(data) for kind, data in reply if kind == KMC_A_CURSOR]
            if not cursors:
                return rows
            cursor = cursors[0]


def instance(data):
    """A KMC_A_INSTANCE nest, its fields by name."""
    found = attrs(data)
    fields = dict(found)
    return {"id": number(fields[KMC_A_ID]), "name": text(fields[KMC_A_NAME]), "flags": number(fields[KMC_A_FLAGS]),
            "pid": number(fields[KMC_A_PID]), "state": number(fields[KMC_A_STATE]), "conns": number(fields[KMC_A_CONNS]),
            "uptime": number(fields[KMC_A_UPTIME]), "netns": number(fields[KMC_A_NETNS]),
            "settings": dict(attrs(fields.get(KMC_A_SETTINGS, b""))),
            "listeners": [dict(attrs(nest)) for kind, nest in found if kind == KMC_A_LISTENER]}


def test(name, **how):
    """tap.test() for what needs the door; whatever instances a failure leaves do not fail the tests after it."""
    def register(function):
        def body():
            try:
                function()
            finally:
                netlink = Netlink()
                for left in netlink.list(u32(KMC_A_FLAGS, KMC_LIST_F_ALL_NETNS)):
                    netlink.delete(left["id"], u32(KMC_A_FLAGS, KMC_LIST_F_ALL_NETNS))
        return tap.test(name, needs="module", **how)(body)
    return register


def listen_tcp(host="127.0.0.1", port=0, backlog=1024):
    """A listening TCP socket as the tool would make it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(backlog)
    return sock


def listen_unix(path):
    """A listening unix stream socket; a name that begins with a zero byte is abstract."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.bind(path)
    sock.listen(1024)
    return sock
