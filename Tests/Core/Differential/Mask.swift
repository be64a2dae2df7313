// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel

/// What the model cannot know of a meta reply: the slab class, and by how much a time has passed (it wraps).
enum Mask {
    private static let fields: [(name: Bytes, least: Int)] = [(Bytes(" cls="), 1), (Bytes(" t429496"), 4)]

    /// The bytes with a `#` for the digits behind each field's name.
    static func masked(_ bytes: Bytes) -> Bytes {
        guard !bytes.isEmpty else { return bytes }
        return fields.reduce(bytes) { masked($0, $1.name, $1.least) }
    }

    private static func masked(_ bytes: Bytes, _ name: Bytes, _ least: Int) -> Bytes {
        var result: Bytes = []
        var rest = bytes[...]
        while let place = rest.firstRange(of: name) {
            let digits = rest[place.upperBound...].prefix { (0x30...0x39).contains($0) }
            result += rest[..<place.upperBound] + (digits.count >= least ? [0x23] : digits)
            rest = rest[digits.endIndex...]
        }
        return result + rest
    }
}
