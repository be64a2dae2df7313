# SPDX-License-Identifier: MIT
"""The rules of the house that a machine can hold. See tools/check."""
