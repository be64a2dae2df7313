// SPDX-License-Identifier: MIT

/// Finds a short part of a failing sequence that still fails (delta debugging, Zeller and Hildebrandt 2002).
enum Minimizer {
    /// - Parameters:
    ///   - attempts: how many sequences may be tried.
    ///   - seconds: how long it may take in all.
    ///   - fails: whether a shorter sequence fails, too.
    static func minimize<Element>(
        _ failing: [Element], attempts: Int = 400, seconds: Double = 60, fails: ([Element]) -> Bool
    ) -> [Element] {
        let deadline = steadySeconds() + seconds
        var left = attempts
        var best = failing
        var parts = 2
        while best.count > 1, left > 0, steadySeconds() < deadline {
            let length = (best.count + parts - 1) / parts
            var shorter: [Element]?
            for begin in stride(from: 0, to: best.count, by: length) where shorter == nil && left > 0 {
                let candidate = Array(best[..<begin]) + Array(best[min(best.count, begin + length)...])
                guard !candidate.isEmpty else { continue }
                left -= 1
                if fails(candidate) { shorter = candidate }
            }
            if let shorter {
                best = shorter
                parts = max(2, parts - 1)
            } else if length == 1 {
                break
            } else {
                parts = min(best.count, parts * 2)
            }
        }
        return best
    }
}
