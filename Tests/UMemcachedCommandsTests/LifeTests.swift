// SPDX-License-Identifier: MIT

import Glibc
import KMCControl
import Testing

@testable import UMemcachedCommands

struct LifeTests {
    private static func ending(_ kind: Event.Kind) -> AttachedLife.Ending? {
        AttachedLife.ending(of: Event(kind: kind, id: 1, name: "a"))
    }

    @Test func aClientsShutdownIsNormal() {
        #expect(Self.ending(.stopped(.client(graceful: false))) == .normally)
        #expect(Self.ending(.stopped(.client(graceful: true))) == .normally)
    }

    @Test func aStopByRequestIsTold() {
        guard case .told = Self.ending(.stopped(.request)) else {
            Issue.record("not told")
            return
        }
    }

    @Test(arguments: [Event.Reason.unload, .owner, .other(9)])
    func otherReasonsAreFailures(reason: Event.Reason) {
        guard case .failed = Self.ending(.stopped(reason)) else {
            Issue.record("no failure")
            return
        }
    }

    @Test(arguments: [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
    func placesAreEnumerated(items: [String], text: String) {
        #expect(Start.enumerated(items) == text)
    }

    @Test func whatIsNoStopEndsNothing() {
        #expect(Self.ending(.started) == nil)
        #expect(Self.ending(.other(5)) == nil)
    }

    @Test(
        arguments: [
            (ControlError.moduleNotLoaded, 71), (.notPermitted(sentence: nil), 71),
            (.refused(code: EINVAL, sentence: "x"), 64),
            (.refused(code: ERANGE, sentence: "x"), 64), (.refused(code: ENOENT, sentence: "x"), 1),
            (.refused(code: EBUSY, sentence: "x"), 71), (.badReply("x"), 71),
        ] as [(ControlError, Int32)])
    func everyRefusalHasAStatus(error: ControlError, status: Int32) {
        #expect(Failure(error).status == status)
    }
}
