// SPDX-License-Identifier: MIT

import ArgumentParser

/// What a shell completes: verbs as swift-argument-parser knows them, and a server's options from their table. A command
/// line whose first word begins with `-` is a server's.
enum Completions {
    static func script(_ shell: CompletionShell) -> String {
        let verbs = Tool.completionScript(for: shell)
        let rows = OptionTable.options(own: true).filter { !$0.sentence.isEmpty }
        return switch shell {
        case .zsh: zsh(verbs, rows)
        case .fish: verbs + "\n" + fish(rows)
        default: verbs + "\n" + bash(rows)
        }
    }

    private static func bash(_ rows: [OptionRow]) -> String {
        let words = rows.map { row in row.name.map { "--\($0)" } ?? "-\(row.short!)" }
        let suboptions = OptionTable.suboptions.filter { !$0.sentence.isEmpty }.compactMap(\.name)
        return """

            _umemcached_server() {
                if [[ ${3} == -o || ${3} == --extended ]]; then
                    COMPREPLY=($(compgen -W '\(suboptions.joined(separator: " "))' -- "${2}"))
                elif [[ ${2} == -* ]]; then
                    COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- "${2}"))
                fi
            }
            _umemcached_any() {
                if [[ ${COMP_WORDS[1]} == -* ]]; then
                    _umemcached_server "$@"
                else
                    _umemcached "$@"
                fi
            }
            complete -o default -o filenames -F _umemcached_any umemcached

            """
    }

    private static func fish(_ rows: [OptionRow]) -> String {
        let lines = rows.map { row in
            var line = "complete -c umemcached -n __umemcached_is_server"
            if let short = row.short { line += " -s \(short)" }
            if let name = row.name { line += " -l \(name)" }
            if row.valueName != nil { line += " -r" }
            return line + " -d \(quoted(row.sentence))\n"
        }
        return """
            function __umemcached_is_server
                set -l words (commandline -opc)
                test (count $words) -eq 1; or string match -q -- '-*' $words[2]
            end

            """ + lines.joined()
    }

    private static func zsh(_ verbs: String, _ rows: [OptionRow]) -> String {
        let specifications = rows.flatMap { row in
            [row.short.map { "-\($0)" }, row.name.map { "--\($0)" }].compactMap(\.self).map { spelling in
                let value = row.valueName.map { ":\($0):_files" } ?? ""
                let mark = value.isEmpty ? "" : spelling.hasPrefix("--") ? "=" : "+"
                return "            " + quoted("\(spelling)\(mark)[\(row.sentence)]\(value)")
            }
        }
        let server = """
                if [[ ${words[2]} == -* ]]; then
                    local -ar server_specs=(
            \(specifications.joined(separator: "\n"))
                    )
                    _arguments -s -S : "${server_specs[@]}"
                    return
                fi

            """
        let head = "_umemcached() {\n"
        return verbs.replacing(head, with: head + server, maxReplacements: 1)
    }

    /// In single quotes, which all three shells understand so.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
