// SPDX-License-Identifier: MIT

/// The page umemcached(8), in the language of mandoc(1). What it says of options and verbs comes from their tables.
enum ManualPage {
    static var text: String {
        head + list(OptionTable.options(own: true)) + middle + list(OptionTable.suboptions) + verbs + tail
    }

    private static let head = """
        .\\" SPDX-License-Identifier: MIT
        .Dd $Mdocdate$
        .Dt UMEMCACHED 8
        .Os
        .Sh NAME
        .Nm umemcached
        .Nd memcached in the Linux kernel
        .Sh SYNOPSIS
        .Nm
        .Op Ar option ...
        .Nm
        .Ar verb
        .Op Ar argument ...
        .Sh DESCRIPTION
        .Nm
        starts memcached servers that run in the kernel module kmemcache, and looks after them.
        Without a verb as its first word it starts one and returns as soon as clients can connect.
        Called by the name memcached, or with
        .Fl -foreground
        or
        .Fl d ,
        the server ends with the process that stays.
        .Pp
        The options are memcached's:
        .Bl -tag -width Ds

        """

    private static let middle = """
        .El
        .Pp
        Behind
        .Fl o ,
        with commas between:
        .Bl -tag -width Ds

        """

    private static var verbs: String {
        let lines = Tool.configuration.subcommands.map { verb in
            ".It Cm \(verb.configuration.commandName ?? "")\n\(escaped(verb.configuration.abstract))\n"
        }
        return """
            .El
            .Pp
            The verbs;
            .Nm
            .Cm help
            .Ar verb
            tells more of each:
            .Bl -tag -width Ds

            """ + lines.joined()
    }

    private static let tail = """
        .El
        .Sh ENVIRONMENT
        .Bl -tag -width Ds
        .It Ev MEMCACHED_PORT_FILENAME
        A file that gets a line for each port.
        .It Ev T_MEMD_INITIAL_MALLOC
        Bytes of the memory limit that count as taken already; memcached's own tests set it.
        .It Ev LISTEN_PID , LISTEN_FDS
        Sockets of a service manager, served in place of
        .Fl p , Fl l
        and
        .Fl s .
        .It Ev NOTIFY_SOCKET
        Where a service manager hears that the server is ready, reads its files again, or stops.
        .El
        .Sh EXIT STATUS
        .Bl -tag -width Ds
        .It 0
        Done.
        .It 1
        A wrong value, an instance that is not there, a server that ended unexpectedly.
        .It 64
        A command line that cannot be followed.
        .It 67
        No such user.
        .It 71
        The system refused: an address, a path, a permission, or the module is not there.
        .El
        .Sh SIGNALS
        A process that stays ends its server on SIGINT, SIGTERM and SIGUSR1, and reads its files again on SIGHUP.
        .Sh EXAMPLES
        Serve with 1 GiB until somebody stops it:
        .Dl umemcached -m 1024 -p 11211
        .Dl umemcached status
        .Dl umemcached stop 11211
        .Sh SEE ALSO
        .Xr systemd.socket 5 ,
        .Xr modprobe 8

        """

    private static func list(_ rows: [OptionRow]) -> String {
        rows.filter { !$0.sentence.isEmpty }.map { row in
            let preset = row.preset.map { "\nThe default is \(escaped($0))." } ?? ""
            return ".It \(heading(row))\n\(escaped(sentence(row.sentence)))\(preset)\n"
        }.joined()
    }

    private static func heading(_ row: OptionRow) -> String {
        let value = row.valueName.map { " Ar \($0.lowercased())" } ?? ""
        if row.isSuboption { return "Cm \(row.name ?? "")\(value.isEmpty ? "" : " Ns = Ns\(value)")" }
        return [row.short.map { "Fl \($0)\(value)" }, row.name.map { "Fl -\($0)\(value.isEmpty ? "" : " Ns = Ns\(value)")" }]
            .compactMap(\.self).joined(separator: " , ")
    }

    /// Begins with a capital letter and ends with a full stop.
    private static func sentence(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
    }

    /// No line may begin as a request would, and a backslash is one.
    private static func escaped(_ text: String) -> String {
        let text = text.replacing("\\", with: "\\e")
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }
}
