// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import Synchronization

/// A server's command line, read with getopt_long(3) as memcached does: clustered letters, values with or without a
/// space, long names cut short.
enum ServerCommandLine {
    /// What a command line asks for.
    enum Request: Equatable {
        case serve(ServerOptions)
        case show(OptionRow.Printout)
    }

    /// getopt's state is the process'.
    private static let lock = Mutex(())

    /// - Parameters:
    ///   - arguments: with the program's name in front
    ///   - own: whether options that memcached does not have count
    static func parse(_ arguments: [String], own: Bool) throws(Failure) -> Request {
        let result = lock.withLock { _ in
            Result { () throws(Failure) in try parseLocked(arguments, OptionTable.options(own: own), strict: own) }
        }
        return try result.get()
    }

    private static func parseLocked(
        _ arguments: [String], _ rows: [OptionRow], strict: Bool
    ) throws(Failure) -> Request {
        let vector = CStrings(arguments)
        let names = CStrings(rows.map { $0.name ?? "" })
        let long = longOptions(rows, names)
        let letters =
            ":"
            + rows.map { row in
                row.short.map { "\($0)" + (row.takesValue ? ":" : "") } ?? ""
            }.joined()
        var options = ServerOptions()
        getopt_restart()
        while true {
            let code = getopt_long(vector.count, vector.pointers, letters, long, nil)
            if code == -1 { break }
            guard let row = rows.enumerated().first(where: { $0.element.code(at: $0.offset) == code })?.element else {
                throw refusal(code, rows, vector)
            }
            if case .print(let what) = row.meaning { return .show(what) }
            let value = getopt_argument().map { String(String(cString: $0).trimmingPrefix(while: \.isWhitespace)) }
            try row.apply(value, to: &options)
        }
        let rest = Int(getopt_next_index())
        // memcached passes over words that are no options; here they are verbs with a slip of the pen.
        if strict, rest < vector.count {
            throw Failure(
                "there is no verb \"\(vector[rest])\": umemcached help lists the verbs, and -h the options of a server",
                status: ExitStatus.usage)
        }
        return .serve(options)
    }

    /// What getopt could not follow: `?` for an unknown option, `:` for a missing value.
    private static func refusal(_ code: Int32, _ rows: [OptionRow], _ vector: borrowing CStrings) -> Failure {
        let refused = getopt_refused()
        let row = rows.enumerated().first { $0.element.code(at: $0.offset) == refused || $0.element.letter == refused }
        if code == Int32(UInt8(ascii: ":")), let row = row?.element {
            return Failure("\(row.spelling) needs a value", status: ExitStatus.failure)
        }
        if let row = row?.element {
            return Failure("\(row.spelling) takes no value", status: ExitStatus.failure)
        }
        let letter = UInt8(truncatingIfNeeded: refused)
        let given = letter == 0 ? vector[Int(getopt_next_index()) - 1] : "-\(Unicode.Scalar(letter))"
        return Failure(
            "there is no option \"\(given)\", or its name could be several: --help lists the options",
            status: ExitStatus.failure)
    }

    private static func longOptions(_ rows: [OptionRow], _ names: borrowing CStrings) -> [option] {
        var long: [option] = []
        for (index, row) in rows.enumerated() where row.name != nil {
            let form =
                switch row.argument {
                case .none: no_argument
                case .required: required_argument
                case .ignored: optional_argument
                }
            long.append(option(name: names.pointers[index], has_arg: form, flag: nil, val: row.code(at: index)))
        }
        return long + [option()]
    }
}

extension OptionRow {
    fileprivate var letter: Int32? { short?.asciiValue.map(Int32.init) }

    /// What getopt returns for it: the letter, or a number above all letters.
    fileprivate func code(at index: Int) -> Int32 { letter ?? 0x100 + Int32(index) }

    fileprivate var takesValue: Bool {
        if case .required = argument { true } else { false }
    }
}

/// Strings as C wants a program's arguments: pointers, and a null at the end.
private struct CStrings: ~Copyable {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let count: Int32

    init(_ strings: [String]) {
        count = Int32(strings.count)
        pointers = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { (pointers + index).initialize(to: strdup(string)) }
        (pointers + strings.count).initialize(to: nil)
    }

    deinit {
        for index in 0..<Int(count) { free(pointers[index]) }
        pointers.deallocate()
    }

    /// getopt reorders the pointers, options first.
    subscript(index: Int) -> String { String(cString: pointers[index]!) }
}
