// SPDX-License-Identifier: MIT

import KMCControl
import Testing

@testable import UMemcachedCommands

struct InstanceTests {
    private static func some() -> [Instance] {
        [
            Instance(id: 1, name: "tcp-11211", endpoints: [.ipv4("127.0.0.1", port: 11211)]),
            Instance(id: 2, name: "unix-a", endpoints: [.unix("/tmp/a")]),
            Instance(id: 7, name: "7a", endpoints: [.ipv6("::1", port: 5), .ipv4("127.0.0.1", port: 5)]),
        ]
    }

    private static func find(_ wanted: String?, _ instances: [Instance] = some()) throws(Failure) -> UInt32 {
        try InstanceChoice.find(wanted, among: instances).id
    }

    @Test func anInstanceGoesByNameIdOrPort() throws {
        #expect(try Self.find("tcp-11211") == 1)
        #expect(try Self.find("2") == 2)
        #expect(try Self.find("11211") == 1)
        #expect(try Self.find("5") == 7)
        #expect(try Self.find("7a") == 7)
    }

    @Test func theOnlyOneNeedsNoName() throws {
        #expect(try Self.find(nil, [Self.some()[1]]) == 2)
    }

    @Test func amongSeveralOneMustBeNamed() {
        let refusal = failure { () throws(Failure) in try Self.find(nil) }
        #expect(refusal?.sentence == "several instances are running: name one of tcp-11211 (1), unix-a (2), 7a (7)")
    }

    @Test func amongNoneTheSentenceTellsHowToStartOne() {
        for wanted in [nil, "x"] {
            let refusal = failure { () throws(Failure) in try Self.find(wanted, []) }
            #expect(refusal?.sentence.contains("starts one") == true)
        }
    }

    @Test func aPortThatSeveralListenOnIsAmbiguous() {
        let two = [
            Instance(id: 1, name: "a", endpoints: [.ipv4("127.0.0.1", port: 99)]),
            Instance(id: 2, name: "b", endpoints: [.ipv4("127.0.0.2", port: 99)]),
        ]
        let refusal = failure { () throws(Failure) in try Self.find("99", two) }
        #expect(refusal?.sentence == "several instances listen on port 99: name one of a (1), b (2)")
    }

    @Test func aSingleWordOfStatsIsAnInstanceOrElseAGroup() throws {
        let one = [Self.some()[0]]
        #expect(try Stats.choose("settings", nil, among: one).1 == "settings")
        #expect(try Stats.choose("tcp-11211", nil, among: one).1 == nil)
        #expect(try Stats.choose("unix-a", "items", among: Self.some()).0.id == 2)
        #expect(throws: Failure.self) { try Stats.choose("settings", nil, among: Self.some()) }
    }

    @Test(arguments: [
        (Endpoint.ipv4("0.0.0.0", port: 11211), "tcp-11211"), (.ipv6("::", port: 5), "tcp-5"),
        (.unix("/run/x/my cache.sock"), "unix-my_cache.sock"),
        (.unix("/tmp/" + String(repeating: "y", count: 40)), "unix-" + String(repeating: "y", count: 26)),
    ])
    func theNameComesFromPortOrPath(endpoint: Endpoint, name: String) {
        #expect(InstanceName.preset(for: endpoint) == name)
    }

    @Test func theListShowsWhereInstancesListen() {
        let text = Format.text.render(List.table([Self.some()[0]], namespaces: false))
        #expect(
            text == """
                ID  NAME       LISTENS          STATE    ATTACHED  PID  CONNECTIONS  UPTIME
                1   tcp-11211  127.0.0.1:11211  running  no        0    0            0 s

                """)
    }

    @Test func aListenerThatWasShutIsMarked() {
        var instance = Self.some()[1]
        instance.listeners[0].isShut = true
        #expect(instance.places == ["/tmp/a (shut from outside)"])
    }

    @Test func theStatusSumsUp() {
        let statistics = [
            ("bytes", "2048"), ("limit_maxbytes", "67108864"), ("curr_items", "3"), ("evictions", "0"),
            ("max_connections", "1024"), ("cmd_get", "4"), ("get_hits", "3"), ("get_misses", "1"), ("cmd_set", "9"),
        ].map { Statistic(name: $0.0, value: $0.1) }
        #expect(
            Format.text.render([Status.record(Self.some()[0], statistics)]) == """
                tcp-11211 (id 1, detached, running)
                  id            1
                  name          tcp-11211
                  listens on    127.0.0.1:11211
                  running for   0 s
                  memory used   2.0 KiB
                  memory limit  64.0 MiB
                  items         3
                  evictions     0
                  connections   0
                  at most       1024
                  gets          4
                  hits          75.0 %
                  sets          9

                """)
    }
}
