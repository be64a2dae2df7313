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

    /// Whether the contract takes it.
    static func isAllowed(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Int(KMC_NAME_MAX) && name.unicodeScalars.allSatisfy(isAllowed)
            && !name.allSatisfy(\.isNumber)
    }

    /// What the contract does not take becomes `_`.
    private static func fitted(_ text: String) -> String {
        String(text.unicodeScalars.map { isAllowed($0) ? Character($0) : "_" }.prefix(Int(KMC_NAME_MAX)))
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "A"..."Z", "a"..."z", "0"..."9", ".", "_", ":", "-": true
        default: false
        }
    }
}
