// SPDX-License-Identifier: MIT

import ArgumentParser
import Glibc
import KMCControl

/// The whole program, but for its entry.
public enum Program {
    /// Does what a command line asks for, and ends the process.
    ///
    /// - Parameter arguments: with the program's name in front
    public static func run(_ arguments: [String]) -> Never {
        let program = arguments.first?.split(separator: "/").last.map(String.init) ?? "umemcached"
        do {
            exit(try status(arguments, program))
        } catch let failure as Failure {
            Console.complain(failure.sentence, as: program)
            exit(failure.status)
        } catch let error as ControlError {
            let failure = Failure(error)
            Console.complain(failure.sentence, as: program)
            exit(failure.status)
        } catch {
            Tool.exit(withError: error)
        }
    }

    /// `memcached`, or one of its builds by name (`memcached-debug`, `memcached-1.6.45`): whoever calls that expects the
    /// server to stay in the foreground.
    static func isMemcachedName(_ program: String) -> Bool {
        program == "memcached" || program.hasPrefix("memcached-")
    }

    /// What `make install` asks for: the manual page, and completions for a shell.
    private static func installed(_ words: [String]) -> String? {
        switch (words.first, words.count) {
        case ("--generate-manual", 1): ManualPage.text
        case ("--generate-completion-script", 2): CompletionShell(rawValue: words[1]).map(Completions.script)
        default: nil
        }
    }

    private static func status(_ arguments: [String], _ program: String) throws -> Int32 {
        let isMemcached = isMemcachedName(program)
        if !isMemcached, let text = installed(Array(arguments.dropFirst())) {
            Console.out(text)
            return ExitStatus.success
        }
        if !isMemcached, arguments.count > 1, Tool.claims(arguments[1]) {
            var command = try Tool.parseAsRoot(Array(arguments.dropFirst()))
            try command.run()
            return ExitStatus.success
        }
        switch try ServerCommandLine.parse(arguments.isEmpty ? [program] : arguments, own: !isMemcached) {
        case .show(let what):
            Console.out(HelpText.text(for: what, program: program, own: !isMemcached))
            return ExitStatus.success
        case .serve(let options):
            return try Start(options: options, program: program, isMemcached: isMemcached).run()
        }
    }
}
