// SPDX-License-Identifier: MIT

/// Requests one after the other, the replies they should get, and where each of both starts: entry n to entry n + 1.
struct Pages: BitwiseCopyable {
    private(set) var requests = Sheet()
    private(set) var replies = Sheet()
    private(set) var requestStarts: UnsafeMutablePointer<Int>
    private(set) var replyStarts: UnsafeMutablePointer<Int>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        requestStarts = .allocate(capacity: capacity + 1)
        replyStarts = .allocate(capacity: capacity + 1)
        requestStarts[0] = 0
        replyStarts[0] = 0
    }

    func deallocate() {
        requests.deallocate()
        replies.deallocate()
        requestStarts.deallocate()
        replyStarts.deallocate()
    }

    mutating func empty() {
        requests.empty()
        replies.empty()
        count = 0
    }

    mutating func append(_ encoder: Encoder, _ action: Action, _ keys: UnsafePointer<UInt32>, _ perRequest: Int, tag: Int) {
        precondition(count < capacity)
        encoder.encode(
            action, keys, action == .set ? 1 : perRequest, tag: UInt16(truncatingIfNeeded: tag), to: &requests,
            reply: &replies)
        count += 1
        requestStarts[count] = requests.count
        replyStarts[count] = replies.count
    }
}

/// All requests of a run in the order in which connections send them; after the last comes the first again. What fits is
/// written down before the run, so that the loop sends and compares bytes that are there already.
///
/// A plain value that nothing changes after init; `Plan` owns it.
struct Script: BitwiseCopyable {
    /// The most bytes that are written down before.
    private static let mostWritten = 64 << 20
    /// Keys that a script names, unless there are more of them or bytes are too many.
    private static let usualLength = 1 << 16
    private static let longest = 1 << 22
    private static let sampled = 64

    private let workload: UnsafePointer<Workload>
    let encoder: Encoder
    let depth: Int
    let keysPerRequest: Int
    /// Requests before the first comes again.
    let length: Int
    /// Number of the key that each request names, `keysPerRequest` for each.
    private let schedule: UnsafeMutablePointer<UInt32>
    /// Everything, or nothing: then each connection writes its next batch itself.
    let pages: Pages?

    init(_ workload: Workload, order: Plan.Order, framed: Bool) {
        let kept = UnsafeMutablePointer<Workload>.allocate(capacity: 1)
        kept.initialize(to: workload)
        self.workload = UnsafePointer(kept)
        encoder = Encoder(corpus: Corpus(workload), dialect: workload.dialect, framed: framed)
        depth = workload.depth
        keysPerRequest = workload.keysPerRequest
        let bytes = Self.bytesPerRequest(workload, encoder)
        let fitting = Self.mostWritten / bytes
        let covering = max(workload.keys / keysPerRequest, 1)
        var isWritten = order == .random
        if order == .sequential {
            length = covering + (covering * keysPerRequest < workload.keys ? 1 : 0)
        } else if fitting >= max(2 * covering, depth, Self.sampled / 2) {
            length = min(fitting, max(Self.usualLength / keysPerRequest, depth, 2 * covering))
        } else {
            length = min(max(Self.usualLength, covering), Self.longest)
            isWritten = false
        }
        schedule = .allocate(capacity: length * keysPerRequest)
        var draw = KeyDraw(workload.popularity, keys: workload.keys, seed: workload.seed)
        for place in 0..<length * keysPerRequest {
            schedule[place] = order == .random ? draw.next() : UInt32(place % workload.keys)
        }
        if isWritten {
            var pages = Pages(capacity: length)
            for number in 0..<length {
                pages.append(
                    encoder, workload.action(number), schedule + number * keysPerRequest, keysPerRequest, tag: number)
            }
            self.pages = pages
        } else {
            pages = nil
        }
    }

    func deallocate() {
        workload.deallocate()
        encoder.corpus.deallocate()
        schedule.deallocate()
        pages?.deallocate()
    }

    /// The keys that the request with this number names.
    func keys(_ number: Int) -> UnsafePointer<UInt32> { UnsafePointer(schedule + number * keysPerRequest) }

    func action(_ number: Int) -> Action { workload.pointee.action(number) }

    var verify: Bool { workload.pointee.verify }

    /// How many of the `count` requests from `first` on read.
    func reads(_ first: Int, _ count: Int) -> Int {
        switch workload.pointee.mix {
        case .set: return 0
        case .mixed(let gets):
            // Sets are the multiples of gets + 1.
            func sets(below end: Int) -> Int { (end + gets) / (gets + 1) }
            return count - (sets(below: first + count) - sets(below: first))
        default: return count
        }
    }

    /// About how long a request and its reply are together.
    private static func bytesPerRequest(_ workload: Workload, _ encoder: Encoder) -> Int {
        var pages = Pages(capacity: sampled)
        defer { pages.deallocate() }
        let keys = UnsafeMutablePointer<UInt32>.allocate(capacity: workload.keysPerRequest)
        defer { keys.deallocate() }
        for number in 0..<sampled where number == 0 || pages.requests.count + pages.replies.count < mostWritten {
            for place in 0..<workload.keysPerRequest { keys[place] = UInt32((number + place) % workload.keys) }
            pages.append(encoder, workload.action(number), keys, workload.keysPerRequest, tag: number)
        }
        return max((pages.requests.count + pages.replies.count) / pages.count, 1)
    }
}
