// SPDX-License-Identifier: MIT

/// What the requests of a run ask for.
public enum Mix: Sendable, Equatable {
    /// `get` of one key.
    case get
    /// `set` of one key.
    case set
    /// `get` of several keys.
    case mget
    /// Meta `mg` with the `v` flag, of one key.
    case mg
    /// `gets` requests of `get`, then one of `set`, over and over.
    case mixed(gets: Int)

    /// Whether a run of this mix reads, so that its keys must be there.
    public var reads: Bool { self != .set }
}

extension Mix: LosslessStringConvertible {
    /// Reads `get`, `set`, `mget`, `mg`, `mixed` (30:1) and `mixed:GETS:1`.
    public init?(_ description: String) {
        switch description {
        case "get": self = .get
        case "set": self = .set
        case "mget": self = .mget
        case "mg": self = .mg
        case "mixed": self = .mixed(gets: 30)
        default:
            let parts = description.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "mixed", parts[2] == "1",
                let gets = Int(parts[1]), (1...1_000_000).contains(gets)
            else { return nil }
            self = .mixed(gets: gets)
        }
    }

    public var description: String {
        switch self {
        case .get: "get"
        case .set: "set"
        case .mget: "mget"
        case .mg: "mg"
        case .mixed(let gets): "mixed:\(gets):1"
        }
    }
}
