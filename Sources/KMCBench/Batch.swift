// SPDX-License-Identifier: MIT

/// The requests that a connection has under way, as bytes to send and bytes to expect. Its own pages are used where the
/// script has not written everything down.
struct Batch: BitwiseCopyable {
    let script: UnsafePointer<Script>
    private var own: Pages

    /// Number of the first request, and of the next batch's.
    private(set) var first = 0
    private var next: Int
    private(set) var count = 0
    private(set) var requests: UnsafeMutableRawPointer
    private(set) var requestStarts: UnsafeMutablePointer<Int>
    private(set) var replies: UnsafeRawPointer
    private(set) var replyStarts: UnsafeMutablePointer<Int>

    init(_ script: UnsafePointer<Script>, first: Int) {
        self.script = script
        next = first % script.pointee.length
        own = Pages(capacity: script.pointee.pages == nil ? script.pointee.depth : 1)
        requests = own.requests.bytes
        requestStarts = own.requestStarts
        replies = UnsafeRawPointer(own.replies.bytes)
        replyStarts = own.replyStarts
    }

    func deallocate() {
        own.deallocate()
    }

    var requestLength: Int { requestStarts[count] &- requestStarts[0] }
    var replyLength: Int { replyStarts[count] &- replyStarts[0] }

    /// Where the reply to request `place` of the batch starts; that to the last ends at `count`.
    func replyStart(_ place: Int) -> Int { replyStarts[place] &- replyStarts[0] }
    func requestStart(_ place: Int) -> Int { requestStarts[place] &- requestStarts[0] }

    /// Number of request `place` of the batch in the script.
    func number(_ place: Int) -> Int { first &+ place }

    /// Goes on to the next requests, at most `limit`; returns how many.
    mutating func turn(limit: Int) -> Int {
        count = min(script.pointee.depth, limit)
        first = next &+ count <= script.pointee.length ? next : 0
        next = first &+ count
        if let pages = script.pointee.pages {
            requests = pages.requests.bytes + pages.requestStarts[first]
            requestStarts = pages.requestStarts + first
            replies = UnsafeRawPointer(pages.replies.bytes) + pages.replyStarts[first]
            replyStarts = pages.replyStarts + first
        } else {
            write()
        }
        return count
    }

    private mutating func write() {
        own.empty()
        for place in 0..<count {
            let number = number(place)
            own.append(
                script.pointee.encoder, script.pointee.action(number), script.pointee.keys(number),
                script.pointee.keysPerRequest, tag: number)
        }
        requests = own.requests.bytes
        replies = UnsafeRawPointer(own.replies.bytes)
    }
}
