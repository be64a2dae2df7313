// SPDX-License-Identifier: MIT

/// The texts that a server's command line prints instead of starting. Names and sentences come from the tables.
enum HelpText {
    /// The level of memcached's behaviour, then our own version: `KMC_VERSION_TEXT` of kmod/core/version.h.
    static let version = "1.6.45-kmemcache-0.1.0"

    static let license = """
        kmemcache: the kernel module is under the GNU General Public License, version 2;
        this program is under the MIT licence.

        """

    static func text(for what: OptionRow.Printout, program: String, own: Bool) -> String {
        switch what {
        case .help: help(program: program, own: own)
        case .version: "\(program) \(version)\n"
        case .license: license
        }
    }

    static func help(program: String, own: Bool) -> String {
        var text = "Usage: \(program) [OPTION...]\n"
        if own { text += "       \(program) VERB [...]\n" }
        text += """

            Starts a memcached that runs in the Linux kernel (module kmemcache).

            Options:

            """
        text += lines(OptionTable.options(own: own).filter(\.isShown)) { $0.invocation }
        text += "\nBehind -o:\n"
        text += lines(OptionTable.suboptions.filter(\.isShown)) { $0.assignment }
        if own { text += "\n" + verbs(program) }
        return text
    }

    private static func verbs(_ program: String) -> String {
        """
        A verb counts only as the first word: \(Tool.verbs.joined(separator: ", ")).
        "\(program) help VERB" tells more.

        """
    }

    private static let indent = 36
    private static let width = 100

    /// A line for each row, longer sentences on several, all beginning in the same column.
    private static func lines(_ rows: [OptionRow], _ left: (OptionRow) -> String) -> String {
        rows.map { row in
            let sentence = row.sentence + (row.preset.map { " (default: \($0))" } ?? "")
            let wrapped = wrap(sentence, width - indent).joined(separator: "\n" + String(repeating: " ", count: indent))
            let name = "  " + left(row)
            return name + String(repeating: " ", count: max(2, indent - name.count)) + wrapped + "\n"
        }.joined()
    }

    private static func wrap(_ sentence: String, _ width: Int) -> [String] {
        var lines: [String] = []
        for word in sentence.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

extension OptionRow {
    fileprivate var isShown: Bool {
        !sentence.isEmpty
    }

    /// What the help calls the value; `nil`: it has none.
    var valueName: String? {
        if case .required(let name) = argument { name } else { nil }
    }

    /// `-p, --port=N`
    fileprivate var invocation: String {
        let letter = short.map { "-\($0)" } ?? "   "
        guard let name else { return letter + (valueName.map { " \($0)" } ?? "") }
        return letter + (short == nil ? " --" : ", --") + name + (valueName.map { "=\($0)" } ?? "")
    }

    /// `hashpower=N`
    fileprivate var assignment: String { (name ?? "") + (valueName.map { "=\($0)" } ?? "") }
}
