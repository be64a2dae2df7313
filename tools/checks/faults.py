# SPDX-License-Identifier: MIT
"""Every place of the module that asks for memory is one that tests can make fail (test-kmod/sites.h)."""

import re

from . import sources

SITES = "test-kmod/sites.h"
# What asks for memory, by the names the kernel gives it.
ASKS = re.compile(r"\b(k[vmz]*(?:alloc|calloc)(?:_array|_node)?|kmemdup\w*|kstrn?dup\w*|kv?asprintf|krealloc\w*|\w*vmalloc\w*|vzalloc|"
                  r"alloc_\w+|__get_free_pages?|kmem_cache_(?:z?alloc|create)\w*|(?:genl|nl)msg_new|"
                  r"\w*skb_(?:copy|clone|realloc_headroom)|(?:idr|ida|xa)_alloc\w*|xa_(?:store|insert)\w*|sock_create\w*|"
                  r"kernel_accept|__sk_mem_\w*schedule|\w+_route_output\w*|\w+_dst_lookup\w*|kthread_create\w*|genl_register_family|"
                  r"netlink_register_notifier|kmc_shrinker_start|tcp_send\w+_locked|\w*page_frag_refill)\(")
OWN = re.compile(r"^(?:static|struct|void|int|bool)[^\n=;(]*?(\w+)\(", re.M)


def sites():
    """Places that ask for memory and go through no macro of sites.h."""
    wrapped = set(re.findall(r"^#define (\w+)\(", sources.text(SITES), re.M))
    for path in sources.below("kmod", ".c", ".h"):
        if path.is_relative_to("kmod/sim") or path.is_relative_to("kmod/compat"):
            continue
        code = sources.code(path)
        for name in sorted(set(ASKS.findall(code)) - wrapped - set(OWN.findall(code))):
            yield f"{path}: {name}() asks for memory, and {SITES} does not make it fail"
