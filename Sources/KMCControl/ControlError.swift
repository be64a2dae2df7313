// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import Glibc

/// Why an operation on the module did not happen. Each case has a sentence for a person.
public enum ControlError: Error, Equatable, Sendable {
    /// The generic netlink family is not there.
    case moduleNotLoaded
    /// The caller lacks CAP_NET_ADMIN (`EPERM`), with the kernel's sentence if it sent one.
    case notPermitted(sentence: String?)
    /// The module said no: an errno of the contract, and its sentence if it sent one.
    case refused(code: Int32, sentence: String?)
    /// A reply that does not follow the contract.
    case badReply(String)
    /// A call of the netlink library or of the C library failed.
    case system(call: String, reason: String)
    /// Events were lost because they were not read in time (`ENOBUFS`).
    case eventsLost

    /// What happened and what to do about it.
    public var sentence: String {
        switch self {
        case .moduleNotLoaded:
            "the kernel module kmemcache is not loaded: load it as root with \"modprobe kmemcache\" "
                + "where it is installed, or with \"insmod kmod/kmemcache.ko\" from its source tree"
        case .notPermitted(let sentence):
            (sentence.map { "\($0): " } ?? "")
                + "the capability CAP_NET_ADMIN in this network namespace is needed: run this as root"
        // The module's sentence tells what the value is for, not what is wrong with it.
        case .refused(ERANGE, let sentence?):
            "a value is outside of the module's range: \(sentence)"
        case .refused(_, let sentence?):
            sentence
        case .refused(let code, nil):
            "the kernel module refused: " + describe(errno: code)
        case .badReply(let what):
            "the kernel module sent a reply that this program does not understand (\(what)): "
                + "use a module and a program of the same version"
        case .system(let call, let reason):
            "\(call) failed: \(reason)"
        case .eventsLost:
            "events from the kernel module were lost: more came than were read"
        }
    }

    /// Whether the module has no such instance (any more), or is itself gone.
    public var isNotFound: Bool {
        switch self {
        case .moduleNotLoaded, .refused(ENOENT, _): true
        default: false
        }
    }
}

/// The C library's words for an errno.
public func describe(errno code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}
