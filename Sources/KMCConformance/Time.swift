// SPDX-License-Identifier: MIT

import Glibc

/// Seconds since 1970.
func wallClock() -> Int64 {
    Int64(time(nil))
}

/// Seconds that have passed since some moment, whatever is done to the calendar.
func steadySeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// Waits; the endpoint's clock goes on meanwhile.
func pause(milliseconds: Int) {
    usleep(UInt32(milliseconds) * 1000)
}
