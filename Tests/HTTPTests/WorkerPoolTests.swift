import Glibc
import Locking
import Testing

@testable import HTTP

@Suite("Worker pool")
struct WorkerPoolTests {
    @Test("Jobs beyond threads and queue are not taken")
    func bounded() throws {
        let pool = try WorkerPool(threads: 2, queueLimit: 3)
        let gate = Gate()
        for _ in 0..<5 { #expect(pool.submit { gate.pass() }) }
        gate.waitForArrivals(2)
        #expect(pool.running == 2)
        #expect(pool.queued == 3)
        #expect(pool.isFull)
        #expect(!pool.submit { Issue.record("a refused job ran") })
        gate.open()
        gate.waitForArrivals(5)
        pool.stop()
        #expect(pool.waitForThreads(atMost: .seconds(10)))
        #expect(pool.queued == 0)
        #expect(!pool.submit {})
    }

    @Test("A long job delays nobody while a thread is idle")
    func noHeadOfLineBlocking() throws {
        let pool = try WorkerPool(threads: 2, queueLimit: 10)
        let long = Gate()
        #expect(pool.submit { long.pass() })
        long.waitForArrivals(1)
        let short = Gate()
        short.open()
        for _ in 0..<10 {
            #expect(pool.submit { short.pass() })
        }
        short.waitForArrivals(10)
        #expect(pool.running >= 1)
        long.open()
        pool.stop()
        #expect(pool.waitForThreads(atMost: .seconds(10)))
    }

    @Test("A thread blocks signals from elsewhere, and none of the faults it can raise itself")
    func signalMask() throws {
        let pool = try WorkerPool(threads: 1, queueLimit: 1)
        let blocked = Monitor<[Int32: Bool]>([:])
        let signals = [SIGTERM, SIGINT, SIGHUP, SIGBUS, SIGSEGV, SIGILL, SIGFPE]
        #expect(
            pool.submit {
                var mask = sigset_t()
                unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
                for signal in signals {
                    let isMember = unsafe sigismember(&mask, signal) == 1
                    blocked.withLock { $0[signal] = isMember }
                }
            })
        pool.stop()
        #expect(pool.waitForThreads(atMost: .seconds(10)))
        let found = blocked.withLock { $0 }
        #expect(signals.filter { found[$0] == true } == [SIGTERM, SIGINT, SIGHUP])
        #expect(found.count == signals.count)
    }

    @Test("Jobs start in the order they came")
    func order() throws {
        let pool = try WorkerPool(threads: 1, queueLimit: 100)
        let gate = Gate()
        let seen = Monitor([Int]())
        #expect(pool.submit { gate.pass() })
        for number in 0..<100 {
            #expect(pool.submit { seen.withLock(waking: .everybody) { $0.append(number) } })
        }
        gate.open()
        #expect(seen.wait { $0.count == 100 ? $0 : nil } == Array(0..<100))
        pool.stop()
    }

    @Test("Jobs queued before stopping still run")
    func stopping() throws {
        let pool = try WorkerPool(threads: 1, queueLimit: 10)
        let gate = Gate()
        for _ in 0..<5 { #expect(pool.submit { gate.pass() }) }
        pool.stop()
        gate.open()
        gate.waitForArrivals(5)
        #expect(pool.waitForThreads(atMost: .seconds(10)))
        #expect(gate.arrived == 5)
    }

    @Test("Short jobs pass long ones that wait")
    func shortFirst() throws {
        let pool = try WorkerPool(threads: 1, queueLimit: 100)
        let gate = Gate()
        let seen = Monitor([String]())
        #expect(pool.submit { gate.pass() })
        gate.waitForArrivals(1)
        func add(_ name: String, _ expected: Duration) -> Bool {
            pool.submit(expected: expected) { seen.withLock(waking: .everybody) { $0.append(name) } }
        }
        #expect(add("long", .seconds(60)))
        #expect(add("longer", .seconds(120)))
        #expect(add("short", .zero))
        #expect(add("short again", .zero))
        gate.open()
        let order = seen.wait(atMost: .seconds(10)) { $0.count == 4 ? $0 : nil }
        #expect(order == ["short", "short again", "long", "longer"])
        pool.stop()
    }

    @Test("A short job passes a longer one by no more than that takes")
    func lateJob() {
        var queue = JobQueue()
        let start = Moment.now
        let seen = Monitor([String]())
        func add(_ name: String, at delay: Duration, _ expected: Duration) {
            queue.add({ seen.withLock { $0.append(name) } }, due: start + delay + expected)
        }
        add("a bit", at: .zero, .milliseconds(2))
        add("short", at: .milliseconds(1), .zero)
        // Not yet due when "a bit" is, however short it is.
        add("late", at: .milliseconds(3), .zero)
        while let next = queue.popFirst() { next() }
        #expect(seen.withLock { $0 } == ["short", "a bit", "late"])
    }

    @Test("A queue hands out everything, the first due first")
    func queue() {
        var queue = JobQueue()
        var random = UInt64(7)
        let start = Moment.now
        let taken = Monitor([Int]())
        for _ in 0..<50 {
            for _ in 0..<20 {
                random = random &* 6_364_136_223_846_793_005 &+ 1
                let delay = Int(random >> 60)
                queue.add({ taken.withLock { $0.append(delay) } }, due: start + .seconds(delay))
            }
            for _ in 0..<7 { queue.popFirst()?() }
        }
        #expect(queue.count == 50 * 13)
        taken.withLock { $0 = [] }
        while let next = queue.popFirst() { next() }
        let rest = taken.withLock { $0 }
        #expect(rest.count == 50 * 13)
        #expect(rest == rest.sorted())
    }
}

@Suite("Core count")
struct CoreCountTests {
    @Test(
        "A control group's quota counts as the cores it pays for, rounded up",
        arguments: [
            ("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", nil),
            ("", nil),
            ("100000 0\n", nil), ("-1 100000\n", nil), ("nonsense", nil),
        ] as [(String, Int?)])
    func quota(text: String, cores: Int?) throws {
        let file = try TemporaryPath()
        file.write(text)
        #expect(WorkerPool.quota(file.path) == cores)
    }

    @Test("There is always one")
    func atLeastOne() {
        #expect(WorkerPool.coreCount >= 1)
        #expect(WorkerPool.quota("/no/such/file") == nil)
    }
}
