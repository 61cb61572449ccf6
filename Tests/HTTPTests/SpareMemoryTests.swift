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
        spare.gaveBack(leaving: 0, now: now)
        #expect(!spare.isTooMuch(budget, claimed: 0, now: now))
        #expect(spare.isTooMuch(budget + 1, claimed: budget, now: now))
        let later = now + .seconds(1)
        #expect(!spare.isTooMuch(spare.allowed + 5, claimed: 5, now: later))
        #expect(spare.isTooMuch(spare.allowed + 6, claimed: 5, now: later))
    }

    @Test("Once a minute all that has gathered goes, if it is worth it")
    func sweep() {
        let now = Moment.now
        var spare = SpareMemory(budget: 1000 * Self.mebibyte)
        spare.gaveBack(leaving: 20 * Self.mebibyte, now: now)
        #expect(!spare.isTooMuch(60 * Self.mebibyte, claimed: 0, now: now + .seconds(59)))
        #expect(spare.isTooMuch(60 * Self.mebibyte, claimed: 0, now: now + .seconds(60)))
        #expect(!spare.isTooMuch(24 * Self.mebibyte, claimed: 0, now: now + .seconds(60)))
    }

    @Test("What could not be given back is tried again only after a pause")
    func stuckMemory() {
        let now = Moment.now
        let budget = 1000 * Self.mebibyte
        var spare = SpareMemory(budget: budget)
        spare.gaveBack(leaving: 2 * budget, now: now)
        #expect(!spare.isTooMuch(2 * budget, claimed: 0, now: now))
        #expect(spare.isTooMuch(3 * budget, claimed: 0, now: now))
        #expect(spare.isTooMuch(2 * budget, claimed: 0, now: now + .seconds(1)))
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
