import Glibc
import TestMaterial
import Testing
import Text

@Suite("A small file is read whole or refused")
struct RegularFileTests {
    private let folder = TemporaryFolder()

    @Test("A file that just fits its limit is read whole", arguments: [0, 1, 5000, 70_000])
    func whole(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        folder.write(bytes, to: "file")
        let file = try RegularFile(folder.path + "/file", limit: count)
        #expect(file.bytes == bytes)
        #expect(!file.isReadableByAll)
    }

    @Test("A file of one byte more than its limit is refused, never cut off", arguments: [0, 1, 5000])
    func tooLarge(limit: Int) {
        folder.write([UInt8](repeating: 7, count: limit + 1), to: "file")
        #expect(throws: RegularFile.Failure.tooLarge) {
            try RegularFile(folder.path + "/file", limit: limit)
        }
    }

    @Test("A file that all may read says so")
    func readable() throws {
        folder.write([1], to: "file")
        #expect(unsafe chmod(folder.path + "/file", 0o644) == 0)
        #expect(try RegularFile(folder.path + "/file", limit: 1).isReadableByAll)
    }

    @Test("A folder and a pipe without a writer are refused at once")
    func notRegular() {
        #expect(unsafe mkfifo(folder.path + "/pipe", 0o600) == 0)
        for path in [folder.path, folder.path + "/pipe"] {
            #expect(throws: RegularFile.Failure.notRegular) { try RegularFile(path, limit: 10) }
        }
    }

    @Test("What is not there is unreadable, with the system's reason")
    func missing() {
        #expect(throws: RegularFile.Failure.unreadable(errno: ENOENT)) {
            try RegularFile(folder.path + "/none", limit: 10)
        }
    }
}
