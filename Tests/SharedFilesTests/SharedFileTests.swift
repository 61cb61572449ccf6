import Glibc
import TestMaterial
import Testing

import SharedFiles

@Suite("Files read where they lie")
struct SharedFileTests {
    @Test("A file's bytes are those that were written", arguments: [0, 1, 4096, 4097, 1_000_003])
    func bytesAreThoseWritten(count: Int) throws {
        let folder = TemporaryFolder()
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        folder.write(bytes, to: "batch.safetensors")
        let file = try folder.directory.file("batch.safetensors")
        #expect(file.count == count)
        #expect(file.contents == bytes)
        try file.checkUnchanged()
    }

    @Test(
        "Names that are paths, hidden, empty or strange are refused",
        arguments: [
            "", ".", "..", "../secret", "/etc/passwd", "a/b", ".hidden", "a\0b", "a b", "ä", "a%2fb",
            String(repeating: "a", count: 201), "a\n",
        ])
    func strangeNames(name: String) throws {
        let directory = try TemporaryFolder().directory
        #expect(throws: SharedFileError.invalidName) { try directory.file(name) }
        #expect(throws: SharedFileError.invalidName) { try directory.makeFile(name, count: 1) }
    }

    @Test("Links, folders, pipes and sockets are no files, and none of them makes opening wait")
    func onlyRegularFiles() throws {
        let folder = TemporaryFolder()
        folder.write([1, 2, 3], to: "real")
        unsafe symlink(folder.path + "/real", folder.path + "/link")
        unsafe symlink("/etc/hostname", folder.path + "/outside")
        unsafe mkdir(folder.path + "/folder", 0o700)
        unsafe mkfifo(folder.path + "/pipe", 0o600)
        let directory = try folder.directory
        for name in ["link", "outside", "folder", "pipe"] {
            #expect(throws: SharedFileError.notARegularFile) { try directory.file(name) }
        }
        #expect(throws: SharedFileError.noSuchFile) { try directory.file("absent") }
    }

    @Test("A folder that is replaced by a link after it was opened is still the one that is served")
    func theFolderIsHeld() throws {
        let folder = TemporaryFolder()
        unsafe mkdir(folder.path + "/served", 0o700)
        folder.write([7], to: "served/file")
        let directory = try SharedDirectory(path: folder.path + "/served")
        unsafe rename(folder.path + "/served", folder.path + "/moved")
        unsafe symlink("/etc", folder.path + "/served")
        #expect(try directory.file("file").contents == [7])
        #expect(throws: SharedFileError.noSuchFile) { try directory.file("hostname") }
        unsafe unlink(folder.path + "/moved/file")
    }

    @Test("A folder that does not exist or is a file is refused")
    func noFolder() throws {
        let folder = TemporaryFolder()
        folder.write([], to: "file")
        #expect(throws: SharedFileError.noSuchFile) { try SharedDirectory(path: folder.path + "/absent") }
        #expect(throws: SharedFileError.notARegularFile) {
            try SharedDirectory(path: folder.path + "/file")
        }
    }

    @Test("What is cut off while mapped reads as zeros, and the file counts as changed")
    func truncationWhileMapped() throws {
        let folder = TemporaryFolder()
        folder.write([UInt8](repeating: 9, count: 100_000), to: "file")
        let file = try folder.directory.file("file")
        folder.truncate("file", to: 4096)
        let contents = file.contents
        #expect(contents.count == 100_000)
        #expect(contents[..<4096].allSatisfy { $0 == 9 })
        #expect(contents[4096...].allSatisfy { $0 == 0 })
        // Given its size back, it is still not what it was.
        folder.truncate("file", to: 100_000)
        #expect(throws: SharedFileError.changed) { try file.checkUnchanged() }
    }

    @Test("Many threads that touch a missing page at once all go on")
    func truncationUnderThreads() async throws {
        let folder = TemporaryFolder()
        folder.write([UInt8](repeating: 9, count: 1 << 20), to: "file")
        let file = try folder.directory.file("file")
        folder.truncate("file", to: 0)
        let sums = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { file.contents.reduce(0) { $0 + Int($1) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums == [Int](repeating: 0, count: 8))
        #expect(throws: SharedFileError.changed) { try file.checkUnchanged() }
    }

    @Test("A file that grew or was written again counts as changed")
    func growth() throws {
        let folder = TemporaryFolder()
        folder.write([1, 2, 3], to: "file")
        let file = try folder.directory.file("file")
        folder.truncate("file", to: 4)
        #expect(throws: SharedFileError.changed) { try file.checkUnchanged() }
    }

    @Test("Any number of files can be mapped at once, and each reads its own")
    func manyAtOnce() throws {
        let folder = TemporaryFolder()
        let directory = try folder.directory
        let files = try (0..<100).map { number in
            folder.write([UInt8(number)], to: "file\(number)")
            return try directory.file("file\(number)")
        }
        folder.truncate("file50", to: 0)
        for (number, file) in files.enumerated() {
            #expect(file.contents == [number == 50 ? 0 : UInt8(number)])
        }
    }
}
