/// A priority queue of jobs by due time; jobs with the same due time keep their order. A binary heap in an array.
struct JobQueue: Sendable {
    private struct Entry: Sendable {
        let due: Moment
        let number: Int
        let job: WorkerPool.Job

        static func < (a: Entry, b: Entry) -> Bool { (a.due, a.number) < (b.due, b.number) }
    }

    private var entries: [Entry] = []
    private var added = 0

    var count: Int { entries.count }

    /// - Complexity: O(log count)
    mutating func add(_ job: @escaping WorkerPool.Job, due: Moment) {
        entries.append(Entry(due: due, number: added, job: job))
        added += 1
        var place = entries.count - 1
        while place > 0, entries[place] < entries[(place - 1) / 2] {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// - Complexity: O(log count)
    mutating func popFirst() -> WorkerPool.Job? {
        guard let last = entries.popLast() else { return nil }
        guard let first = entries.first else { return last.job }
        entries[0] = last
        var place = 0
        while let child = leastChild(of: place), entries[child] < entries[place] {
            entries.swapAt(place, child)
            place = child
        }
        return first.job
    }

    private func leastChild(of place: Int) -> Int? {
        let (left, right) = (2 * place + 1, 2 * place + 2)
        guard left < entries.count else { return nil }
        return right < entries.count && entries[right] < entries[left] ? right : left
    }
}
