import Glibc
import Observability
import Testing

@Suite struct LogOutletTests {
    /// A pipe, of which somebody may or may not read the other end.
    private final class Pipe: Sendable {
        let reading: CInt
        let writing: CInt

        init() throws {
            var ends: [CInt] = [0, 0]
            let result = unsafe pipe(&ends)
            try #require(result == 0)
            reading = ends[0]
            writing = ends[1]
            // What stands in it is read to its last byte, and no further.
            _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        }

        deinit {
            close(reading)
            close(writing)
        }

        func read() -> [Substring] {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            var text: [UInt8] = []
            while true {
                let count = unsafe bytes.withUnsafeMutableBytes {
                    unsafe Glibc.read(reading, $0.baseAddress, $0.count)
                }
                guard count > 0 else { break }
                text += bytes[..<count]
            }
            return String(decoding: text, as: UTF8.self).split(separator: "\n")
        }
    }

    private func line(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

    @Test(arguments: [100, 4096, 5000, 70_000])
    func `nobody waits for a reader that stands still, who is told how many lines are missing`(length: Int)
        throws
    {
        let pipe = try Pipe()
        let outlet = LogOutlet(pipe.writing, patience: .milliseconds(1))
        let filling = String(repeating: "x", count: length - 1)
        let count = 2_000_000 / length
        for _ in 0..<count { outlet.write(line(filling)) { line("lost \($0)") } }
        let before = pipe.read()
        let whole = before.filter { $0 == filling }.count
        #expect(whole < count && before.count - whole <= 1)
        outlet.write(line("after")) { line("lost \($0)") }
        let after = pipe.read()
        #expect(after.suffix(2) == ["lost \(count - whole)", "after"])
        outlet.write(line("then")) { line("lost \($0)") }
        #expect(pipe.read() == ["then"])
    }

    @Test func `what nobody can ever read is given up without a wait and is not counted`() throws {
        // No such file is open; poll(2) passes over negative numbers.
        let outlet = LogOutlet(.max, patience: .seconds(3600))
        for _ in 0..<3 {
            outlet.write(line("x")) { _ in
                Issue.record("nothing was lost")
                return []
            }
        }
    }
}
