// SPDX-License-Identifier: MIT

/// Waits for the threads of a run, tells how far they are, and ends them when asked to or when the server is silent.
struct Watcher {
    /// Seconds without a reply after which a run fails.
    static let patience = 30
    /// Seconds that a stopped run gets for the replies to what is sent.
    private static let patienceAfterStop: UInt64 = 2

    private let crew: [LoadThread]
    private let start = monotonicNanoseconds()
    private var told = 0
    private var last = 0
    private var lastAnswer = 0
    private var stopTime: UInt64?
    private var interrupted = false
    /// Whether threads had to be interrupted because nothing came.
    private(set) var stalled = false

    init(_ crew: [LoadThread]) {
        self.crew = crew
    }

    /// Whether somebody wanted the end before it came.
    var stopped: Bool { stopTime != nil }

    mutating func watch(_ stop: () -> Bool, _ progress: (Int, Int) -> Void) {
        for thread in crew {
            while !thread.join(milliseconds: stopped ? 100 : 1000) {
                look(stop, progress)
            }
        }
    }

    private mutating func look(_ stop: () -> Bool, _ progress: (Int, Int) -> Void) {
        let now = monotonicNanoseconds()
        let seconds = Int((now - start + 50_000_000) / 1_000_000_000)
        if seconds > told {
            told = seconds
            let done = crew.reduce(0) { $0 + $1.progress }
            if done != last { lastAnswer = seconds }
            last = done
            progress(done, seconds)
        }
        if stop() && !stopped {
            stopTime = now
            crew.forEach { $0.stop() }
        }
        if seconds - lastAnswer >= Self.patience { stalled = true }
        let tooLate = stopTime.map { now - $0 > Self.patienceAfterStop * 1_000_000_000 } ?? false
        if (stalled || tooLate) && !interrupted {
            interrupted = true
            crew.forEach { $0.interrupt() }
        }
    }
}
