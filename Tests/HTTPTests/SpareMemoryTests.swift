import Parallelism
import Testing

@testable import HTTP

@Suite("Spare memory")
struct SpareMemoryTests {
    private static let mebibyte = 1 << 20

    @Test("An eighth of the budget may wait for the next request, and no less than 64 MiB")
    func allowance() {
        #expect(SpareMemory(budget: 4096 * Self.mebibyte).allowed == 512 * Self.mebibyte)
        #expect(SpareMemory(budget: Self.mebibyte).allowed == 64 * Self.mebibyte)
    }

    @Test("More than the budget goes at once, more than is allowed besides what is claimed after a pause")
    func limits() {
        let now = Moment.now
        let budget = 1000 * Self.mebibyte
        var spare = SpareMemory(budget: budget)
        spare.took(.giveBack, leaving: 0, now: now)
        #expect(spare.next(budget, claimed: 0, now: now) == nil)
        #expect(spare.next(budget + 1, claimed: budget, now: now) == .giveBack)
        let later = now + .seconds(1)
        #expect(spare.next(spare.allowed + 5, claimed: 5, now: later) == nil)
        #expect(spare.next(spare.allowed + 6, claimed: 5, now: later) == .giveBack)
    }

    @Test("The heaps are swept once a minute for a second, however little they keep")
    func sweep() {
        var spare = SpareMemory(budget: 1000 * Self.mebibyte)
        let begin = Moment.now
        #expect(spare.next(0, claimed: 0, now: begin + .seconds(59)) == nil)
        #expect(spare.next(0, claimed: 0, now: begin + .seconds(60)) == .beginSweep)
        spare.took(.beginSweep, leaving: 0, now: begin + .seconds(60))
        #expect(spare.next(0, claimed: 0, now: begin + .milliseconds(60_999)) == nil)
        // What is too much goes meanwhile, and does not put the end off.
        #expect(spare.next(1001 * Self.mebibyte, claimed: 0, now: begin + .milliseconds(60_999)) == .giveBack)
        spare.took(.giveBack, leaving: 0, now: begin + .milliseconds(60_999))
        #expect(spare.next(0, claimed: 0, now: begin + .seconds(61)) == .endSweep)
        spare.took(.endSweep, leaving: 0, now: begin + .seconds(61))
        #expect(spare.next(0, claimed: 0, now: begin + .seconds(120)) == nil)
        #expect(spare.next(0, claimed: 0, now: begin + .seconds(121)) == .beginSweep)
    }

    @Test("What could not be given back is tried again only after a pause")
    func stuckMemory() {
        let now = Moment.now
        let budget = 1000 * Self.mebibyte
        var spare = SpareMemory(budget: budget)
        spare.took(.giveBack, leaving: 2 * budget, now: now)
        #expect(spare.next(2 * budget, claimed: 0, now: now) == nil)
        #expect(spare.next(3 * budget, claimed: 0, now: now) == .giveBack)
        #expect(spare.next(2 * budget, claimed: 0, now: now + .seconds(1)) == .giveBack)
    }

    @Test("Who waits for a step's worth of grants is told at the next one")
    func turnover() throws {
        let budget = MemoryBudget(total: 100, retryAfter: .zero, turnoverStep: 50)
        let told = Gate()
        told.open()
        try PosixThread.start(named: "watcher") {
            while budget.waitForTurnover(atMost: .seconds(600)) { told.pass() }
            told.pass()
        }
        // However much of it was given back in between.
        for round in 1...3 {
            for _ in 0..<5 {
                let share = MemoryShare(of: budget)
                #expect(share.extend(to: 10) == nil)
            }
            told.waitForArrivals(round)
        }
        budget.close()
        told.waitForArrivals(4)
    }
}
