import Dispatch
import Locking
import Testing

@Suite("A value behind a lock")
struct MonitorTests {
    @Test("Changes from many threads are all kept")
    func exclusion() {
        let sum = Monitor(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<10_000 { sum.withLock { $0 += 1 } }
        }
        #expect(sum.withLock { $0 } == 80_000)
    }

    @Test("Who waits takes what a change brings, and is woken for it")
    func waking() {
        let offered = Monitor<[Int]>([])
        let taken = Monitor<[Int]>([])
        // On a thread of its own, however few cores there are.
        let taker = DispatchQueue(label: "taker")
        taker.async {
            for _ in 0..<1000 {
                let one = offered.wait { $0.popLast() }
                taken.withLock(waking: .everybody) { $0.append(one) }
            }
        }
        for round in 0..<1000 {
            offered.withLock(waking: .one) { $0.append(round) }
            taken.wait { $0.count > round ? () : nil }
        }
        #expect(taken.withLock { $0 } == Array(0..<1000))
    }

    @Test("Waiting ends at its limit, with a last look")
    func limit() {
        let value = Monitor(0)
        var looks = 0
        let found: Int? = value.wait(atMost: .milliseconds(1)) { _ in
            looks += 1
            return nil
        }
        #expect(found == nil && looks >= 2)
        #expect(value.wait(atMost: .zero) { $0 } == 0)
    }
}
