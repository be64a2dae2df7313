// SPDX-License-Identifier: MIT

/// The list behind `-o`: `name` or `name=value`, with commas between.
enum Suboptions {
    static func apply(_ list: String, to options: inout ServerOptions) throws(Failure) {
        for item in list.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let row = OptionTable.suboptions.first(where: { $0.name == String(parts[0]) }) else {
                throw Failure(
                    "there is no suboption \"\(item)\" of -o: --help lists those that there are",
                    status: ExitStatus.failure)
            }
            try row.apply(parts.count == 2 ? String(parts[1]) : nil, to: &options)
        }
    }
}
