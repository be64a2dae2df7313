# SPDX-License-Identifier: MIT
"""What changed between memcached 1.6.18 and 1.6.45, as far as random operations meet it.

The model's table (Sources/KMCProtocolModel/Dialect.swift) is the longer one, with commits.
"""

import re


class Explanation:
    """A difference that is right. The patterns must match the whole request and the whole answers.

    `parts` says that the two servers may hold different items from then on.
    """

    def __init__(self, subject, release, request, theirs, ours, parts=False):
        self.subject, self.release, self.parts = subject, release, parts
        self._patterns = [re.compile(text, re.DOTALL) for text in (request, theirs, ours)]

    def matches(self, request, theirs, ours):
        return all(pattern.fullmatch(text) for pattern, text in zip(self._patterns, (request, theirs, ours)))


_ERROR = rb"ERROR\r\n"
_FORMAT = rb"CLIENT_ERROR bad command line format\r\n"
_FLAG = rb"CLIENT_ERROR invalid flag\r\n"
_EITHER = rb"CLIENT_ERROR invalid or duplicate flag\r\n"
_LINE = rb"[^\n]*\n"
# Between two spaces; a tab is a byte like any other, also in a key.
_WORD = rb"[^ \r\n]+"
_NORMAL = rb"(?:HD|VA \d+|EN|NF|NS|EX)\b.*"

ALL = [
    Explanation("too few words, or a line of one byte: another error", "1.6.40", _LINE, _ERROR, _FORMAT),
    Explanation("words behind the last argument: ignored", "1.6.40", _LINE, _ERROR, rb"(?!ERROR).*", parts=True),
    Explanation("spaces before a command: refused", "1.6.40", rb" " + _LINE, rb"(?!ERROR).*", _ERROR, parts=True),
    Explanation("gat without a key: refused", "1.6.40", rb"gats? " + _WORD + rb"\r\n", rb"END\r\n", _FORMAT),
    Explanation("an unknown command with noreply: silence", "1.6.40", _WORD + rb" noreply\r\n", _ERROR, rb""),
    Explanation("a refused storage line: its data is thrown away", "1.6.40", rb"(?:set|add|replace|append|prepend|cas|ms) .*",
                rb"(" + _FORMAT + rb"|CLIENT_ERROR [^\n]*\n)" + _ERROR, rb"CLIENT_ERROR [^\n]*\n"),
    Explanation("the line behind a bad data chunk: another error", "1.6.40", rb"(?:set|ms) .*",
                rb"(?:CLIENT_ERROR bad data chunk\r\n)?" + _ERROR, rb"(?:CLIENT_ERROR bad data chunk\r\n)?" + _FORMAT),
    Explanation("shutdown without -A: other words", "1.6.40", rb"shutdown\r\n", rb"ERROR: shutdown not enabled\r\n",
                rb"SERVER_ERROR: shutdown not enabled\r\n"),
    Explanation("bad flags of md: told apart", "1.6.40", rb"md .*", _EITHER, rb"CLIENT_ERROR .*"),
    Explanation("a flag that begins with no letter or digit: the line is malformed", "1.6.40", rb"m[gsda] .*",
                rb"CLIENT_ERROR .*", _FORMAT),
    Explanation("too many flags: other words", "1.6.40", rb"m[sda] .*", rb"CLIENT_ERROR options flags too long\r\n", rb"CLIENT_ERROR .*"),
    Explanation("E: new", "1.6.27", rb"m[gsda] .* E\d*.*", _FLAG + rb"|" + _EITHER, _NORMAL, parts=True),
    Explanation("md x: new", "1.6.27", rb"md .* x.*", _FLAG + rb"|" + _EITHER, _NORMAL, parts=True),
    Explanation("mg C: the value is left out where it is known", "1.6.40", rb"mg .* C\d+.*", rb"VA \d+.*", rb"HD.*"),
    Explanation("ma with N and q: silence also where it begins the number", "1.6.40", rb"ma .*", rb"(?:HD|VA).*", rb""),
    Explanation("a number of a command: digits only", "1.6.40", rb"(?:incr|decr|touch|gats?|verbosity) .*", rb"(?!CLIENT_ERROR).*", rb"CLIENT_ERROR .*", parts=True),
]

# Answered alike, and yet the two servers may hold different items from then on: what the module refuses has done nothing,
# while memcached finds an opaque token that is too long only when the item has been marked as fetched, or its time is set.
PARTED = Explanation("a refused meta command has done nothing (kmemcache)", "ours", rb"m[gsda] " + _WORD + rb" .*O[^ \r\n]{32,}.*",
                     rb"CLIENT_ERROR opaque token too long\r\n", rb"CLIENT_ERROR opaque token too long\r\n", parts=True)

# What 1.6.45 does and the module, for the reasons in docs/protocol.md, doesn't.
NOT_OURS = [
    Explanation("me with b: needs a further word", "1.6.40", rb"me " + _WORD + rb" b\r\n", rb"(?:EN|ME).*", rb"(?:EN|ME).*"),
    Explanation("a key of get that is too long: a line more", "1.6.40", rb"get .*", _FORMAT, _FORMAT + rb"\r\n"),
]
