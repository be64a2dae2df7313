# SPDX-License-Identifier: MIT
"""What somebody who holds a descriptor, or sends one, can keep from happening: to others nothing."""

import array
import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import select
import signal
import socket
import struct
import threading
import time

from lib import kmcnl as k
from lib.kmcnl import test
from lib.tap import check, equal

SMALL = (k.u64(k.KMC_S_MEMORY_LIMIT, 8 << 20), k.u32(k.KMC_S_HASHPOWER, 12))
_libc = ctypes.CDLL(None, use_errno=True)


def until(condition, what, seconds=60):
    """Wait for condition() to become true."""
    started = time.monotonic()
    while not condition():
        check(time.monotonic() - started < seconds, f"not within {seconds} s: {what}")
        time.sleep(0.01)


def _send_files(sock, data, *files):
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno() for file in files]))])


def _tenant(body):
    """Run body() in a child that owns an instance, until body() has returned: then it is killed."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        body()
        os.write(write, b"x")
        signal.pause()
    os.close(write)
    told = os.read(read, 1)
    os.close(read)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    equal(told, b"x", "what the tenant said")


def _connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(path)
    return client


@test("an owner that hides in a connection whose replies nobody reads: killed, and the instance is gone")
def _():
    def body():
        netlink, path = k.Netlink(), f"\0kmc-hidden-{os.getpid()}"
        netlink.new([k.listen_unix(path)], *SMALL, attached=True)
        client = _connect(path)
        client.sendall(b"set k 0 0 500000\r\n" + bytes(500000) + b"\r\n")
        equal(client.recv(100), b"STORED\r\n", "answer")
        client.sendall(b"get k\r\n" * 20)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(3):
                _send_files(client, b"get k\r\n", netlink.socket, client)
    watcher = k.Netlink()
    for _ in range(3):
        _tenant(body)
        until(lambda: not watcher.list(), "the instance whose owner was killed is gone")


@test("an owner that hides in a connection that is not accepted: killed, and the instance is gone")
def _():
    def body():
        netlink, path = k.Netlink(), f"\0kmc-hidden-{os.getpid()}"
        netlink.new([k.listen_unix(path)], *SMALL, k.u32(k.KMC_S_CONN_LIMIT, 1), k.u8(k.KMC_S_MAXCONNS_FAST, 0),
                    attached=True)
        inside, waiting = _connect(path), _connect(path)
        inside.sendall(b"version\r\n")
        check(inside.recv(100).startswith(b"VERSION"), "no answer to the first client")
        # What keeps the limit reached hides, too.
        _send_files(waiting, b"version\r\n", netlink.socket, inside, waiting)
    watcher = k.Netlink()
    for _ in range(3):
        _tenant(body)
        until(lambda: not watcher.list(), "the instance whose owner was killed is gone")


NR_USERFAULTFD, UFFD_API, REGISTER_MISSING = 323, 0xaa, 1
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_ZEROPAGE = 0xc018aa3f, 0xc020aa00, 0xc020aa04
PAGE = mmap.PAGESIZE


class Memory:
    """Two pages, the second of which comes only when it is given: until then who reads or writes it waits."""

    def __init__(self):
        self._uffd = _libc.syscall(NR_USERFAULTFD, os.O_CLOEXEC)
        if self._uffd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        fcntl.ioctl(self._uffd, UFFDIO_API, struct.pack("QQQ", UFFD_API, 0, 0))
        self._pages = mmap.mmap(-1, 2 * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._pages[:PAGE] = bytes(PAGE)
        self.edge = ctypes.addressof(ctypes.c_char.from_buffer(self._pages)) + PAGE
        fcntl.ioctl(self._uffd, UFFDIO_REGISTER, struct.pack("QQQQ", self.edge, PAGE, REGISTER_MISSING, 0))

    def wait_for_user(self):
        """Until somebody wants what is not there."""
        equal(len(os.read(self._uffd, 32)), 32, "bytes of a message of userfaultfd")

    def give(self):
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._uffd, UFFDIO_ZEROPAGE, struct.pack("QQQq", self.edge, PAGE, 0, 0))
        os.close(self._uffd)


def _can_hold():
    """Whether user space may say when memory comes."""
    try:
        Memory().give()
        return True
    except OSError as problem:
        check("-kmc-" in os.uname().release and problem.errno == errno.ENOSYS, f"no userfaultfd: {problem}")
        return False


@contextlib.contextmanager
def _held_up(call):
    """call(address) goes on in a thread, and waits in the kernel for memory at that address and behind."""
    memory = Memory()
    thread = threading.Thread(target=call, args=(memory,))
    thread.start()
    memory.wait_for_user()
    try:
        yield
    finally:
        memory.give()
        thread.join()


def _locked(sock):
    """The socket's lock is held: the kernel reads an option that is slow to come."""
    # The first bytes are read before the lock is taken (ip(7), IP_OPTIONS).
    return _held_up(lambda memory: _libc.setsockopt(sock.fileno(), socket.IPPROTO_IP, socket.IP_OPTIONS,
                                                    ctypes.c_void_p(memory.edge - 8), 16))


def _watched(epoll):
    """The epoll instance's lock is held: the kernel writes events to where it cannot yet."""
    return _held_up(lambda memory: _libc.epoll_wait(epoll.fileno(), ctypes.c_void_p(memory.edge), 10, -1))


def _ended(child, what, seconds=120):
    """The child's status; it must end before so many seconds are over."""
    limit = time.monotonic() + seconds
    while not (found := os.waitpid(child, os.WNOHANG))[0]:
        check(time.monotonic() < limit, f"{what}: not done after {seconds} s")
        time.sleep(0.02)
    return os.waitstatus_to_exitcode(found[1])


def _in_time(what, body):
    """body() in a child, for a call that does not come back cannot be interrupted."""
    child = os.fork()
    if not child:
        try:
            body()
            os._exit(0)
        except BaseException as failure:  # whatever it is
            os.write(1, f"# {what}: {failure!r}\n".encode())
            os._exit(1)
    equal(_ended(child, what), 0, f"{what}: status")


def _others_get_on(hostage):
    """What another tenant does beside an instance that is held up."""
    netlink = k.Netlink()
    with k.listen_tcp() as sock, k.listen_unix(f"\0kmc-other-{os.getpid()}") as unix:
        one = netlink.new([sock, unix], *SMALL)
        with socket.create_connection(sock.getsockname(), timeout=60) as client:
            client.sendall(b"mn\r\n")
            equal(client.recv(10), b"MN\r\n", "answer")
        netlink.stats(one["id"])
        equal([found["id"] for found in netlink.list()], [hostage, one["id"]], "instances")
        equal(netlink.get(hostage)["state"], k.KMC_STATE_STOPPING, "state of what is held up")
        netlink.delete(one["id"])
        netlink.new([sock], *SMALL, attached=True)
        netlink.close()
        other = k.Netlink()
        until(lambda: len(other.list()) == 1, "an instance ends with its owner")


def _thread_waits():
    """Whether a thread of the module waits and cannot be interrupted."""
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            if entry.isdigit() and open(f"/proc/{entry}/comm", encoding="ascii").read().startswith("kmcd") and \
                    open(f"/proc/{entry}/stat", encoding="ascii").read().rpartition(")")[2].split()[0] == "D":
                return True
    return False


def _delete(id_, said):
    try:
        k.Netlink().delete(id_)
        said.append("done")
    except k.Refused as refusal:
        said.append(errno.errorcode[refusal.errno])


def _others_get_on_beside_the_end_of(one):
    """Ask for an instance's end, which is held up; returns the thread that asks, and what it will be told."""
    said = []
    thread = threading.Thread(target=_delete, args=(one["id"], said))
    thread.start()
    _in_time("others beside it", lambda: (until(
        lambda: k.Netlink().get(one["id"])["state"] == k.KMC_STATE_STOPPING, "it is being stopped"), _others_get_on(one["id"])))
    return thread, said


@test("who holds the lock of a listener keeps nobody but its own instance from being stopped", timeout=120)
def _():
    if not _can_hold():
        return
    netlink = k.Netlink()
    with k.listen_tcp() as sock:
        one = netlink.new([sock], *SMALL, k.u32(k.KMC_S_CONN_LIMIT, 1), k.u8(k.KMC_S_MAXCONNS_FAST, 0))
        with socket.create_connection(sock.getsockname()) as inside, socket.create_connection(sock.getsockname()):
            inside.sendall(b"mn\r\n")
            equal(inside.recv(10), b"MN\r\n", "answer")
            with _locked(sock):
                # There is room: whoever waits will be accepted.
                inside.close()
                until(_thread_waits, "somebody waits for the listener's lock")
                thread, said = _others_get_on_beside_the_end_of(one)
                thread.join()
                equal(said, ["EBUSY"], "what was said to who asked for its end")
                equal([found["id"] for found in netlink.list()], [one["id"]], "instances")
    until(lambda: not netlink.list(), "it is gone when the lock is free")


@test("an instance is made on a listener whose lock is held, and its owner can be killed", timeout=120)
def _():
    if not _can_hold():
        return
    watcher = k.Netlink()
    with k.listen_tcp() as sock, _locked(sock):
        child = os.fork()
        if not child:
            netlink = k.Netlink()
            netlink.new([sock], *SMALL, attached=True)
            until(_thread_waits, "somebody waits for the listener's lock")
            os.kill(os.getpid(), signal.SIGKILL)
        equal(_ended(child, "a tenant that is killed"), -signal.SIGKILL, "status")
        left, = watcher.list()
        _in_time("others beside it", lambda: _others_get_on(left["id"]))
    until(lambda: not watcher.list(), "it is gone when the lock is free")


@test("who keeps a listener's file from being closed keeps nobody but its own instance from being stopped", timeout=120)
def _():
    if not _can_hold():
        return
    netlink, ready = k.Netlink(), socket.socketpair()
    with select.epoll() as epoll, k.listen_tcp() as sock, ready[0], ready[1]:
        one = netlink.new([sock], *SMALL)
        epoll.register(sock, select.EPOLLIN)
        epoll.register(ready[0], select.EPOLLOUT)
        with _watched(epoll):
            sock.close()
            thread, said = _others_get_on_beside_the_end_of(one)
            thread.join()
            equal(said, ["EBUSY"], "what was said to who asked for its end")
    until(lambda: not netlink.list(), "it is gone when the file is closed")
