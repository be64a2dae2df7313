# SPDX-License-Identifier: MIT
"""How a run may end, other than with COMMAND's own exit status."""

# Above what programs commonly use, below the shell's 126..165.
STATUS_LOG = 120        # the guest's kernel log holds a line it must not hold
STATUS_PANIC = 121      # the guest's kernel panicked
STATUS_NO_RESULT = 122  # the guest ended without saying how
STATUS_NO_BOOT = 123    # the guest never got as far as COMMAND
STATUS_TIMEOUT = 124    # the guest was still running at the time limit
STATUS_HARNESS = 125    # nothing was run: usage, missing kernel, missing program
STATUS_INTERRUPTED = 130


class HarnessError(Exception):
    """A failure of the harness, as one sentence that says what to do."""

    def __init__(self, sentence, status=STATUS_HARNESS):
        super().__init__(sentence)
        self.status = status
