# SPDX-License-Identifier: MIT
"""What is fuzzed."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    """A program for libFuzzer.

    main: its source. defines: FUZZ_PROTOCOL, what a stream speaks (0 by the first byte, 1 text, 2 binary);
    FUZZ_LOCKED. longest: bytes of an input. sources: the parser, whose lines the kept inputs must reach.
    planted: a bug, as (file, what is there, what instead).
    """

    name: str
    main: str
    defines: tuple
    longest: int
    dictionary: str
    sources: tuple
    planted: str
    plant: tuple


TARGETS = (
    Target("text", "stream.c", ("FUZZ_PROTOCOL=1",), 4096, "text.dict",
           ("core/proto/text.c", "core/proto/text_admin.c", "core/proto/tokens.c", "core/proto/numbers.c"),
           "a key that is too long",
           ("core/proto/text.c", "if (tokens->token[i].len > KMC_TEXT_KEY_MAX)", "if (tokens->token[i].len > 2 * KMC_TEXT_KEY_MAX)")),
    Target("meta", "stream.c", ("FUZZ_PROTOCOL=1",), 1024, "meta.dict",
           ("core/proto/meta.c", "core/proto/base64.c"),
           "an opaque that is too long",
           ("core/proto/meta.c", "min_t(size_t, token->len, KMC_META_OPAQUE_MAX));", "token->len);")),
    Target("binary", "stream.c", ("FUZZ_PROTOCOL=2",), 1024, "binary.dict",
           ("core/proto/binary.c",),
           "a header that is read before it is there",
           ("core/proto/binary.c", "if (len < kmc_binary_head(command, &header))", "if (len < KMC_BINARY_HEADER)")),
    Target("datagram", "datagram.c", (), 512, "text.dict",
           ("core/proto/udp_frame.c",),
           "a frame that is read before it is there",
           ("core/proto/udp_frame.c", "if (len <= KMC_UDP_FRAME)", "if (len <= 4)")),
    Target("clients", "clients.c", (), 512, "clients.dict",
           ("core/cmd/store.c", "core/cmd/arith.c", "core/cmd/command.c"),
           "an allocation that nobody checks",
           ("core/cmd/command.c", "	if (!s->carry) {", "	if (!s) {")),
    Target("locked", "stream.c", ("FUZZ_PROTOCOL=0", "FUZZ_LOCKED=1"), 512, "locked.dict",
           ("core/proto/text_auth.c", "core/cmd/auth.c"),
           "a password that is read before it is there",
           ("core/proto/text_auth.c", "return len < line + size ? 0 : line + size;", "return line + size;")),
)
