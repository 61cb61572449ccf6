import Glibc
import Locking
import Parallelism
import ProcessFacts
import Testing

@Suite("Freed memory")
struct ProcessMemoryTests {
    private static let block = 1 << 20
    private static let blocks = 48

    /// Sanitizers bring an allocator of their own.
    private static let isPlain =
        unsafe dlsym(nil, "__asan_init") == nil && dlsym(nil, "__tsan_init") == nil

    @Test(
        "A thread's heap keeps its end for the next request until it is asked to give it back",
        .enabled(if: isPlain))
    func heapEnds() throws {
        ProcessMemory.keepForTheNextRequest()
        // Other tests' threads may share the heap and take some of it, and their servers give free memory back.
        var attempts: [[Int]] = []
        repeat { attempts.append(try residentBlocks()) } while !Self.isRight(attempts) && attempts.count < 10
        #expect(Self.isRight(attempts), "\(attempts)")
    }

    private static func isRight(_ attempts: [[Int]]) -> Bool {
        attempts.contains { $0[0] > blocks * 3 / 4 && $0[1] < blocks / 4 }
    }

    /// How many freed blocks are in memory before and after their heap's end is given back.
    private func residentBlocks() throws -> [Int] {
        try onOneThread {
            // All above the first become the end of the heap, if nothing else comes to stand between or above them: the
            // small things of this thread find room below.
            var addresses: [UnsafeMutableRawPointer] = unsafe []
            unsafe addresses.reserveCapacity(Self.blocks)
            for size in stride(from: 16, through: 1024, by: 16) {
                let small = unsafe (0..<7).map { _ in unsafe malloc(size) }
                for index in unsafe small.indices { unsafe free(small[index]) }
            }
            for _ in 0..<Self.blocks {
                if let block = unsafe malloc(Self.block) { unsafe addresses.append(block) }
            }
            for index in unsafe addresses.indices { unsafe memset(addresses[index], 1, Self.block) }
            for index in unsafe addresses.indices.dropFirst().reversed() { unsafe free(addresses[index]) }
            let kept = unsafe addresses.dropFirst().count { unsafe Self.isResident($0) }
            ProcessMemory.giveBackHeapEnds()
            defer { ProcessMemory.keepHeapEnds() }
            unsafe free(addresses[0])
            return [kept, unsafe addresses.dropFirst().count { unsafe Self.isResident($0) }]
        }
    }

    /// Whether the second page of a block is in memory; the first may hold what the heap writes down.
    private static func isResident(_ block: UnsafeMutableRawPointer) -> Bool {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let address = unsafe UnsafeMutableRawPointer(bitPattern: (Int(bitPattern: block) / page + 1) * page)
        var found: UInt8 = 0
        return unsafe mincore(address, page, &found) == 0 && found & 1 == 1
    }

    /// Runs `body` on a thread of its own, which has its own heap, and returns the result.
    private func onOneThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) throws -> Result {
        let result = Monitor<Result?>(nil)
        try PosixThread.start(named: "heap") {
            let found = body()
            result.withLock(waking: .everybody) { $0 = found }
        }
        return result.wait { $0 }
    }
}
