// SPDX-License-Identifier: MIT

import Glibc
import KMCControl
import Testing

@testable import UMemcachedCommands

/// A file beside these tests.
func text(ofFile name: String, from here: String = #filePath) throws -> String {
    let folder = here.prefix(through: here.lastIndex(of: "/")!)
    let file = try #require(fopen(folder + name, "r"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { break }
        bytes += buffer.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// An empty directory, removed with its contents.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/umemcached-tests.XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    /// A file in it.
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws {
        let file = try #require(fopen("\(path)/\(name)", "w"))
        defer { fclose(file) }
        let all = Array(bytes)
        #expect(fwrite(all, 1, all.count, file) == all.count)
    }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink("\(path)/\(name)")
        }
        closedir(folder)
        rmdir(path)
    }
}

/// What a server's options say.
func serverOptions(_ words: String...) throws -> ServerOptions { try serverOptions(words: words) }

func serverOptions(words: [String]) throws -> ServerOptions {
    guard case .serve(let options) = try ServerCommandLine.parse(["umemcached"] + words, own: true) else {
        throw Failure("it printed instead", status: 0)
    }
    return options
}

func failure<Result>(of body: () throws(Failure) -> Result) -> Failure? {
    do throws(Failure) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
