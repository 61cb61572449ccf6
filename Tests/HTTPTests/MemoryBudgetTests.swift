import HTTPTypes
import Testing

@testable import HTTP

@Suite("Memory budget")
struct MemoryBudgetTests {
    private let budget = MemoryBudget(total: 100, retryAfter: .seconds(3))

    @Test("What is given back can be had again")
    func claims() {
        let first = MemoryShare(of: budget)
        let second = MemoryShare(of: budget)
        #expect(first.extend(to: 60) == nil)
        #expect(
            second.extend(to: 50)
                == .memoryInUse(needed: 50, free: 40, budget: 100, retryAfter: .seconds(3)))
        #expect(second.extend(to: 101) == .memoryInsufficient(needed: 101, budget: 100))
        #expect(first.extend(to: 110) == .memoryInsufficient(needed: 110, budget: 100))
        #expect(first.extend(to: .max) == .memoryInsufficient(needed: .max, budget: 100))
        #expect(first.extend(to: 100) == nil)
        #expect(budget.claimed == 100)
        first.release()
        #expect(second.extend(to: 100) == nil)
    }

    @Test("A share never shrinks by being extended")
    func extending() {
        let share = MemoryShare(of: budget)
        #expect(share.extend(to: 60) == nil)
        #expect(share.extend(to: 10) == nil)
        #expect(budget.claimed == 60)
    }

    @Test("An answer is counted though it is larger than what is left")
    func settling() {
        let share = MemoryShare(of: budget)
        #expect(share.extend(to: 60) == nil)
        share.settle(at: 150)
        #expect(budget.claimed == 150)
        #expect(
            MemoryShare(of: budget).extend(to: 1)
                == .memoryInUse(needed: 1, free: 0, budget: 100, retryAfter: .seconds(3)))
        share.settle(at: 20)
        #expect(budget.claimed == 20)
    }

    @Test("The last to let go of a share gives it back")
    func holders() {
        var first: MemoryShare? = MemoryShare(of: budget)
        var second = first
        #expect(second?.extend(to: 70) == nil)
        first = nil
        withExtendedLifetime(second) { #expect(budget.claimed == 70) }
        second = nil
        #expect(budget.claimed == 0)
        #expect(first == nil)
    }
}

/// Routes whose work claims as many bytes as the query says, and then waits at the gate.
private func claimingRoutes(_ gate: Gate) -> [Route] {
    [
        Route(.post, "/claim") { head in
            let bytes = head.query.first.flatMap { Int($0.value) } ?? 0
            return .sink(
                BufferedBody(for: head) { _, scope in
                    .work {
                        if let refusal = scope.claim(bytes) { return refusal.response(renderPlainly, head) }
                        gate.pass()
                        return Response(text: scope.isWanted ? "wanted" : "unwanted")
                    }
                })
        }
    ]
}

@Suite("Memory of work")
struct WorkMemoryTests {
    @Test("What work claims is refused at once while other work holds it, and had when that has ended")
    func refusedAndHad() throws {
        let gate = Gate()
        let service = try TestService(routes: claimingRoutes(gate)) { $0.memoryBudgetBytes = 1000 }
        let first = try service.client()
        try first.begin(.post, "/claim?bytes=600", body: [1, 2, 3])
        gate.waitForArrivals(1)
        #expect(service.server.load.memoryBytes == 603)

        let second = try service.client()
        let refused = try second.request(.post, "/claim?bytes=500", body: [1])
        #expect(refused.status == 503)
        #expect(refused.headers[.retryAfter] == "1")
        #expect(refused.text.hasPrefix("memoryInUse(needed: 501, free: 396"))

        gate.open()
        #expect(try first.receiveReply().text == "wanted")
        service.waitForMemory(0)
        #expect(try second.request(.post, "/claim?bytes=500", body: [1]).text == "wanted")
        let never = try second.request(.post, "/claim?bytes=1000", body: [1])
        #expect(never.status == 507)
        #expect(never.text == "memoryInsufficient(needed: 1001, budget: 1000)")
        service.waitForMemory(0)
    }

    @Test("Work that a client has left keeps its memory until it ends")
    func abandonedWork() throws {
        let gate = Gate()
        let service = try TestService(routes: claimingRoutes(gate)) { $0.memoryBudgetBytes = 1000 }
        var client: LoopbackClient? = try service.client()
        try client?.begin(.post, "/claim?bytes=600", body: [1])
        gate.waitForArrivals(1)
        client = nil
        #expect(service.server.load.memoryBytes == 601)
        gate.open()
        service.waitForMemory(0)
    }

    @Test("A large body is refused at its head while no work is taken")
    func overload() throws {
        let service = try TestService {
            $0.workerThreads = 1
            $0.workQueueLimit = 0
            $0.maxBodyBytes = 1 << 30
        }
        let first = try service.client()
        try first.begin(.post, "/gated")
        service.gate.waitForArrivals(1)
        let second = try service.client()
        // Nothing of the body is ever sent.
        try second.send("POST /heavy HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n\r\n")
        #expect(try second.receiveReply().status == 503)
        // Little is read, because it may turn out to be light.
        let third = try service.client()
        #expect(try third.request(.post, "/echo", body: Array("light".utf8)).text == "light")
        service.gate.open()
        #expect(try first.receiveReply().text == "passed")
    }
}
