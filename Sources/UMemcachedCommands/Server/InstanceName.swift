// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import KMCControl

/// The name that an instance gets when `--name` gives none: `tcp-PORT` of its first port, or `unix-FILE` of its path.
enum InstanceName {
    static func preset(for endpoint: Endpoint) -> String {
        switch endpoint {
        case .ipv4(_, let port), .ipv6(_, let port): "tcp-\(port)"
        case .unix(let path): fitted("unix-" + (path.split(separator: "/").last.map(String.init) ?? ""))
        case .other(let family): "family-\(family)"
        }
    }

    /// What the contract allows in a name; the rest becomes `_`.
    private static func fitted(_ text: String) -> String {
        let safe = text.unicodeScalars.map { scalar -> Character in
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", ".", "_", ":", "-": Character(scalar)
            default: "_"
            }
        }
        return String(safe.prefix(Int(KMC_NAME_MAX)))
    }
}
