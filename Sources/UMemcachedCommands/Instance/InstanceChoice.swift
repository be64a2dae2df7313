// SPDX-License-Identifier: MIT

import KMCControl

extension Instance {
    /// Where it listens, for a person.
    var places: [String] {
        listeners.map { $0.description + ($0.isShut ? " (shut from outside)" : "") }
    }
}

/// Which instance a person means: by id, name or port, or the only one that there is.
enum InstanceChoice {
    static func find(_ wanted: String?, among instances: [Instance]) throws(Failure) -> Instance {
        guard let wanted else { return try only(instances) }
        if let match = match(wanted, among: instances).first {
            let others = self.match(wanted, among: instances).dropFirst()
            guard others.isEmpty else {
                throw refusal("several instances listen on port \(wanted)", instances)
            }
            return match
        }
        throw refusal("there is no instance with the id, name or port \"\(wanted)\"", instances)
    }

    /// Names are never only digits, so a number is an id or else a port.
    static func match(_ wanted: String, among instances: [Instance]) -> [Instance] {
        guard let number = UInt32(wanted) else { return instances.filter { $0.name == wanted } }
        let byID = instances.filter { $0.id == number }
        return byID.isEmpty ? instances.filter { $0.endpoints.contains { $0.port.map(UInt32.init) == number } } : byID
    }

    private static func only(_ instances: [Instance]) throws(Failure) -> Instance {
        guard let first = instances.first, instances.count == 1 else {
            throw refusal("several instances are running", instances)
        }
        return first
    }

    private static func refusal(_ what: String, _ instances: [Instance]) -> Failure {
        guard !instances.isEmpty else {
            return Failure(
                "no instance is running in this network namespace: \"umemcached -p 11211\" starts one",
                status: ExitStatus.failure)
        }
        let names = instances.map { "\($0.name) (\($0.id))" }.joined(separator: ", ")
        return Failure("\(what): name one of \(names)", status: ExitStatus.failure)
    }
}
