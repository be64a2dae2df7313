# SPDX-License-Identifier: MIT
"""Reads Linux x86 kernel images: release string, and the vmlinux packed inside a bzImage."""

import lzma
import re
import shutil
import struct
import subprocess
import zlib

ELF_MAGIC = b"\x7fELF"


def _unlz4(packed):
    return _through("lz4", packed)


def _through(program, packed):
    """Decompress with a program that may be absent; trailing garbage is expected, so its status is not."""
    if not shutil.which(program):
        return b""
    done = subprocess.run([program, "-dc"], input=packed, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.stdout


# First bytes of each compression that CONFIG_KERNEL_* offers on x86, and what undoes it.
COMPRESSIONS = (
    (b"\x1f\x8b\x08", lambda data: zlib.decompressobj(31).decompress(data)),
    (b"\xfd7zXZ\x00", lambda data: lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)),
    (b"\x5d\x00\x00\x00", lambda data: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data)),
    (b"\x28\xb5\x2f\xfd", lambda data: _through("zstd", data)),
    (b"\x02\x21\x4c\x18", _unlz4),
)


def _setup_header(image):
    """The protected-mode payload's place in a bzImage (Documentation/arch/x86/boot.rst), or None."""
    if len(image) < 0x250 or image[0x202:0x206] != b"HdrS":
        return None
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    return (sectors + 1) * 512 + offset, length


def extract_vmlinux(image):
    """The ELF kernel inside a bzImage's bytes, or None if it cannot be had."""
    place = _setup_header(image)
    if place is None:
        return None
    packed = image[place[0]:place[0] + place[1]]
    for magic, unpack in COMPRESSIONS:
        if not packed.startswith(magic):
            continue
        try:
            plain = unpack(packed)
        except (lzma.LZMAError, zlib.error):
            return None
        return plain if plain.startswith(ELF_MAGIC) else None
    return None


def has_pvh_entry(vmlinux):
    """Whether QEMU can enter this ELF kernel directly: it looks for the Xen PVH note."""
    # Note header: namesz 4, descsz 4 or 8, type 18 (XEN_ELFNOTE_PHYS32_ENTRY), name "Xen".
    return any(struct.pack("<III", 4, size, 18) + b"Xen\0" in vmlinux for size in (4, 8))


def release(image):
    """The kernel release (`uname -r`) of a bzImage's or vmlinux's bytes, or None."""
    if _setup_header(image):
        start = struct.unpack_from("<H", image, 0x20E)[0] + 0x200
        text = image[start:start + 256].split(b"\0")[0]
        return text.split(b" ")[0].decode("ascii", "replace") or None
    found = re.search(rb"Linux version ([0-9][\w.+~-]*) \(", image)
    return found.group(1).decode() if found else None
