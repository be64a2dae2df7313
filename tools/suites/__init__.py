# SPDX-License-Identifier: MIT
"""The table of test suites, what their reports say, and what runs them. See tools/run-suites."""
