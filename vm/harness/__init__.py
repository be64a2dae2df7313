# SPDX-License-Identifier: MIT
"""Boots a Debian kernel under QEMU and runs one command in it. See vm/run."""
