# SPDX-License-Identifier: MIT
"""The virtual machine: QEMU's arguments, and which accelerator works here."""

import ctypes
import fcntl
import mmap
import os
import pathlib
import platform
import re
import shutil
import subprocess
import time

from . import cache
from .errors import HarnessError

PROBE_SECONDS = 10
DEBUG_EXIT_PORT = 0xF4  # guest/init writes to it

# QEMU's own failures are small exit codes; the guest's are made not to look like them: 64 + status % 64, and the
# debug-exit device turns v into 2v + 1.
DEBUG_EXIT_BASE = 64


def debug_exit_code(status):
    """QEMU's exit code after guest/init reported `status`."""
    return ((DEBUG_EXIT_BASE + status % 64) << 1 | 1) & 0xFF


def qemu():
    """Path of QEMU, or a sentence that says how to get it."""
    found = shutil.which("qemu-system-x86_64")
    if not found:
        raise HarnessError("qemu-system-x86_64 is missing: apt-get install qemu-system-x86 (or `make deps`)")
    return found


def _accelerator_arguments(accelerator, icount):
    if icount:
        # sleep=on: while a guest waits for a file of this machine, sleep=off runs its clock through every limit of time.
        return ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on", "-cpu", "max"]
    if accelerator == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    # A KASAN kernel does not boot with five-level paging under TCG; nothing here needs it.
    return ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"]


def _counter_and_time(counter):
    """This machine's time stamp counter and its clock (ns) at one moment: of many looks the one least disturbed."""
    looks = []
    for _ in range(200):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        ticks = counter()
        looks.append((time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - before, ticks, before))
    took, ticks, before = min(looks)
    return ticks, before + took / 2


def measured_clock_rate():
    """kHz of this machine's time stamp counter; 0 where it has none of x86."""
    if platform.machine() != "x86_64":
        return 0
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as code:
        code.write(b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3")  # rdtsc; shl rdx, 32; or rax, rdx; ret
        place = ctypes.c_char.from_buffer(code)
        counter = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(place))
        first = _counter_and_time(counter)
        time.sleep(0.2)
        second = _counter_and_time(counter)
        del place
    return round((second[0] - first[0]) / (second[1] - first[1]) * 1e6)


def _clock_rate(accelerator, icount):
    """How fast the guest's time stamp counter goes, as this machine's kernel says, or else as measured: an emulated one
    is the host's. A guest that has to find out on a busy host may be wrong by far, and with it each of its time limits.
    """
    if icount or accelerator == "kvm":
        return []
    log = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace", check=False).stdout
    found = re.findall(r"tsc: (?:Detected|Refined TSC clocksource calibration:) ([0-9.]+) MHz", log)
    rate = round(float(found[-1]) * 1000) if found else measured_clock_rate()
    return [f"tsc_early_khz={rate}"] if rate else []


def command_line(kernel, initramfs, options, channels, accelerator):
    """Arguments of QEMU for one run. `channels` maps a channel's name to an inherited socket's descriptor."""
    cpus = 1 if options.icount else options.cpus
    append = ["console=ttyS0", "quiet", "panic=-1", "tsc=reliable", "random.trust_cpu=on",
              # The whole log must reach the harness, also what a test writes to it.
              "printk.devkmsg=on", "log_buf_len=4M",
              # An emulated CPU is slow because the host is busy, not because a work item is bad.
              "workqueue.cpu_intensive_thresh_us=10000000", *_clock_rate(accelerator, options.icount)]
    if options.idle_poll and cpus > 1:
        append.append("idle=poll")
    arguments = [qemu(), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "q35",
                 *_accelerator_arguments(accelerator, options.icount),
                 "-smp", str(cpus), "-m", f"{options.memory}M",
                 "-kernel", str(kernel.image), "-initrd", str(initramfs),
                 "-append", " ".join(append + options.append),
                 "-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=1",
                 "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
                 "-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]
    if options.tap:
        arguments += ["-netdev", f"tap,id=net,ifname={options.tap},script=no,downscript=no",
                      "-device", "virtio-net-pci,netdev=net,romfile="]
    if options.plugin:
        arguments += ["-plugin", options.plugin]
    for name, descriptor in channels.items():
        arguments += ["-chardev", f"socket,id={name},fd={descriptor}"]
    arguments += ["-serial", "chardev:console", "-serial", "chardev:control", "-device", "virtio-serial-pci"]
    for name in ("output", "input", "log"):
        arguments += ["-device", f"virtserialport,chardev={name},name={name}"]
    return arguments


def _kvm_boots(kernel, initramfs):
    """A real trial: /dev/kvm may be there and abort or hang. The guest's init answers at once when asked to probe."""
    arguments = [qemu(), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "q35",
                 *_accelerator_arguments("kvm", False), "-m", "256M", "-kernel", str(kernel.image),
                 "-initrd", str(initramfs), "-append", "console=ttyS0 quiet panic=-1 vm.probe",
                 "-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=1"]
    try:
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == debug_exit_code(0)


def accelerator(kernel, initramfs):
    """"kvm" if a guest really boots with it on this machine, else "tcg". Asked once per boot of the host."""
    forced = os.environ.get("KMC_ACCEL")
    if forced:
        return forced
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    answer = cache.directory() / f"accelerator-{boot}-{os.getuid()}"
    with cache.lock("accelerator"):
        if not answer.exists():
            for old in answer.parent.glob(f"accelerator-*-{os.getuid()}"):
                old.unlink()
            answer.write_text("kvm" if _kvm_boots(kernel, initramfs) else "tcg", encoding="ascii")
    return answer.read_text(encoding="ascii")


def inheritable(sockets):
    """Let a child inherit these sockets; returns name -> descriptor."""
    for one in sockets.values():
        fcntl.fcntl(one.fileno(), fcntl.F_SETFD, 0)
    return {name: one.fileno() for name, one in sockets.items()}
