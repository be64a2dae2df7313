# SPDX-License-Identifier: MIT
"""What the suites of Tests/vm share."""
