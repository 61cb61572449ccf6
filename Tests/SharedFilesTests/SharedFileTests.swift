import Glibc
import Synchronization
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
            String(repeating: "a", count: 201), String(repeating: "a", count: 1 << 20), "a\n", "a\r", "\t",
            "..%2fsecret", "%2e%2e", "a\\b", "a／b", "a∕b", "．．", "a\u{0}", "\u{0}", "~root", "a:b", "é",
            "e\u{301}",
            "/proc/self/fd/0", "proc/self/root", "\u{202E}txt", "*", "a?", "$HOME",
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

    @Test("A file in memory with holes is refused before any of them is read; one that is reserved is not")
    func holesInMemory() throws {
        let folder = TemporaryFolder(in: "/dev/shm")
        let page = 4096
        folder.write([UInt8](repeating: 7, count: page), to: "sparse")
        folder.truncate("sparse", to: 100 * page)
        let directory = try folder.directory
        #expect(throws: SharedFileError.sparse(missing: 99 * page)) { try directory.file("sparse") }
        #expect(folder.allocatedBytes(of: "sparse") == page)
        folder.reserve("sparse", 100 * page)
        let file = try directory.file("sparse")
        #expect(file.contents == [UInt8](repeating: 7, count: page) + [UInt8](repeating: 0, count: 99 * page))
        try file.checkUnchanged()
        for count in [0, 1, page - 1, page, page + 1] {
            folder.write([UInt8](repeating: 1, count: count), to: "whole")
            #expect(try directory.file("whole").count == count)
        }
    }

    @Test("A hard link is no file: its other name may be that of a file outside")
    func hardLinks() throws {
        let outside = TemporaryFolder()
        let folder = TemporaryFolder()
        outside.write([42], to: "secret")
        unsafe link(outside.path + "/secret", folder.path + "/file")
        let directory = try folder.directory
        #expect(throws: SharedFileError.notARegularFile) { try directory.file("file") }
        unsafe unlink(outside.path + "/secret")
        #expect(try directory.file("file").contents == [42])
    }

    @Test("A hard link that is made while a file is read counts as a change")
    func hardLinkMeanwhile() throws {
        let folder = TemporaryFolder()
        folder.write([42], to: "file")
        let file = try folder.directory.file("file")
        unsafe link(folder.path + "/file", folder.path + "/other")
        #expect(throws: SharedFileError.changed) { try file.checkUnchanged() }
    }

    @Test("Sockets and devices are no files")
    func devices() throws {
        let folder = TemporaryFolder()
        var names = ["socket"]
        unsafe mknod(folder.path + "/socket", S_IFSOCK | 0o600, 0)
        // Only who is root may make one: the device with the numbers of /dev/zero.
        if unsafe mknod(folder.path + "/zero", S_IFCHR | 0o600, 1 << 8 | 5) == 0 { names.append("zero") }
        let directory = try folder.directory
        for name in names {
            #expect(folder.names.contains(name))
            do {
                _ = try directory.file(name)
                Issue.record("\(name) was opened")
            } catch {
                // A place that has no devices at all says that it is not permitted.
                #expect(error == .notARegularFile || error == .permissionDenied && name == "zero")
            }
        }
    }

    @Test("Who swaps a file for a link to another in between never has the other read")
    func swapping() async throws {
        let outside = TemporaryFolder()
        let folder = TemporaryFolder()
        outside.write([66], to: "secret")
        folder.write([7], to: "own")
        let directory = try folder.directory
        let paths = (
            own: folder.path + "/own", place: folder.path + "/file", secret: outside.path + "/secret"
        )
        let swaps = Swaps()
        let seen = await withTaskGroup(of: Set<[UInt8]>.self) { group in
            group.addTask {
                for turn in 0..<3_000 {
                    unsafe unlink(paths.place)
                    if turn.isMultiple(of: 2) {
                        unsafe symlink(paths.secret, paths.place)
                    } else {
                        unsafe rename(paths.own, paths.place)
                        unsafe rename(paths.place, paths.own)
                    }
                }
                swaps.areOver.store(true, ordering: .releasing)
                return []
            }
            group.addTask {
                var seen: Set<[UInt8]> = []
                while !swaps.areOver.load(ordering: .acquiring) {
                    if let file = try? directory.file("file") { seen.insert(file.contents) }
                }
                return seen
            }
            return await group.reduce(into: Set<[UInt8]>()) { $0.formUnion($1) }
        }
        #expect(seen.isSubset(of: [[7]]))
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

/// Told to who reads by who swaps.
private final class Swaps: Sendable {
    let areOver = Atomic(false)
}
