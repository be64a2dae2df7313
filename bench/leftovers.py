# SPDX-License-Identifier: MIT
"""Counts how often a work item of the data path ran: what was not served in softirq or in the client's own task."""

import pathlib
import re

EVENT = pathlib.Path("/sys/kernel/tracing/events/workqueue/workqueue_execute_start")
# The work items that serve requests: kmod/conn.c, kmod/udp.c.
SERVING = ("conn_work", "udp_work")
TRIGGER = "hist:keys=function.sym"


class Leftovers:
    """Between enter and exit; then `count` says."""

    count = 0

    def __enter__(self):
        (EVENT / "trigger").write_text(TRIGGER, encoding="ascii")
        return self

    def __exit__(self, *_):
        seen = (EVENT / "hist").read_text(encoding="ascii")
        (EVENT / "trigger").write_text("!" + TRIGGER, encoding="ascii")
        rows = re.findall(r"function: \[\w+\] (\w+) *\[kmemcache\] *\} hitcount: +(\d+)", seen)
        self.count = sum(int(hits) for name, hits in rows if name in SERVING)
