// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// The file of `-P`. As in memcached, one that cannot be written is told and is no reason not to serve.
struct PidFile {
    let path: String

    /// Written beside it first and renamed, so that it is complete as soon as it is there.
    func write(as program: String) {
        if let pid = running() {
            Console.complain("\(path) names a process that runs, \(pid), and is written anew", as: program)
        }
        let draft = path + ".tmp"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return complain("written", program) }
        Console.write("\(getpid())\n", to: descriptor)
        if close(descriptor) != 0 || rename(draft, path) != 0 { complain("written", program) }
    }

    func remove(as program: String) {
        if unlink(path) != 0 { complain("removed", program) }
    }

    /// The process that the file names, if there is one.
    private func running() -> pid_t? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        guard let pid = CNumber.whole(text), pid > 0, pid <= Int64(Int32.max), kill(pid_t(pid), 0) == 0 else {
            return nil
        }
        return pid_t(pid)
    }

    private func complain(_ what: String, _ program: String) {
        Console.complain("the pid file \(path) cannot be \(what): \(describe(errno: errno))", as: program)
    }
}
