// SPDX-License-Identifier: MIT

/// The list behind `-o`: `name` or `name=value`, with commas between.
enum Suboptions {
    static func apply(_ list: String, to options: inout ServerOptions) throws(Failure) {
        for item in items(list) {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let row = OptionTable.suboptions.first(where: { $0.name == name }) else { throw refusal(name) }
            try row.apply(parts.count == 2 ? String(parts[1]) : nil, to: &options)
        }
    }

    /// As getsubopt(3): a comma may end the list, and what is between two commas is an item even if it is empty.
    private static func items(_ list: String) -> [Substring] {
        let items = list.split(separator: ",", omittingEmptySubsequences: false)
        return items.last?.isEmpty == true ? items.dropLast() : items
    }

    private static func refusal(_ name: String) -> Failure {
        if let (_, reason) = OptionTable.refusedFamilies.first(where: { name.hasPrefix($0.0) }) {
            return Failure("-o \(name) is not offered: \(reason), so leave it out", status: ExitStatus.failure)
        }
        return Failure(
            "there is no suboption \"\(name)\" of -o: --help lists those that there are", status: ExitStatus.failure)
    }
}
