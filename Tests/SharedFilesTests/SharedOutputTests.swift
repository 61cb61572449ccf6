import Glibc
import TestMaterial
import Testing

import SharedFiles

@Suite("Files made in the shared directory")
struct SharedOutputTests {
    private func fill(_ output: SharedOutput, _ byte: UInt8) {
        unsafe output.withBytes { memory in
            for index in memory.indices { unsafe memory[index] = byte }
        }
    }

    @Test("A published file has its name and bytes, and nothing else is left", arguments: [0, 1, 10_000])
    func publishing(count: Int) throws {
        let folder = TemporaryFolder()
        let output = try folder.directory.makeFile("result", count: count)
        fill(output, 3)
        #expect(!folder.names.contains("result"))
        try output.publish()
        #expect(folder.names == ["result"])
        #expect(try folder.directory.file("result").contents == [UInt8](repeating: 3, count: count))
    }

    @Test("A file that is never published leaves nothing behind")
    func abandoning() throws {
        let folder = TemporaryFolder()
        do {
            let output = try folder.directory.makeFile("result", count: 100)
            fill(output, 3)
            #expect(folder.names.count == 1)
        }
        #expect(folder.names == [])
    }

    @Test("Publishing replaces a file in one step: who has the old one mapped keeps it")
    func replacing() throws {
        let folder = TemporaryFolder()
        folder.write([1, 1], to: "result")
        let old = try folder.directory.file("result")
        let output = try folder.directory.makeFile("result", count: 3)
        fill(output, 2)
        try output.publish()
        #expect(try folder.directory.file("result").contents == [2, 2, 2])
        #expect(old.contents == [1, 1])
    }

    @Test("A link of that name is replaced, not followed")
    func linkIsReplaced() throws {
        let folder = TemporaryFolder()
        folder.write([1], to: "target")
        unsafe symlink(folder.path + "/target", folder.path + "/result")
        let output = try folder.directory.makeFile("result", count: 1)
        fill(output, 2)
        try output.publish()
        #expect(try folder.directory.file("result").contents == [2])
        #expect(try folder.directory.file("target").contents == [1])
    }

    @Test("A hard link of that name is replaced; the file's other name keeps what it had")
    func hardLinkIsReplaced() throws {
        let outside = TemporaryFolder()
        let folder = TemporaryFolder()
        outside.write([1], to: "precious")
        unsafe link(outside.path + "/precious", folder.path + "/result")
        let output = try folder.directory.makeFile("result", count: 1)
        fill(output, 2)
        try output.publish()
        #expect(try outside.directory.file("precious").contents == [1])
        #expect(try folder.directory.file("result").contents == [2])
    }

    @Test("Links that wait under the name of a file in the making are not written through")
    func waitingLinks() throws {
        let outside = TemporaryFolder()
        let folder = TemporaryFolder()
        outside.write([1], to: "precious")
        // The next numbers: whoever watches the folder can guess them.
        let directory = try folder.directory
        let first = try directory.makeFile("result", count: 1)
        let name = try #require(folder.names.first)
        let parts = name.split(separator: ".")
        let number = try #require(parts.last.flatMap { Int($0) })
        for guess in number + 1...number + 50 {
            unsafe symlink(
                outside.path + "/precious", folder.path + "/.result.\(getpid()).\(guess)")
        }
        let second = try directory.makeFile("result", count: 1)
        fill(second, 2)
        try second.publish()
        #expect(try outside.directory.file("precious").contents == [1])
        #expect(try directory.file("result").contents == [2])
        #expect(first.count == 1)
    }

    @Test("The longest name is still one when a file of that name is in the making")
    func longestName() throws {
        let folder = TemporaryFolder()
        let name = String(repeating: "n", count: 200)
        let output = try folder.directory.makeFile(name, count: 1)
        fill(output, 2)
        try output.publish()
        #expect(folder.names == [name])
    }

    @Test("A folder of that name is not replaced")
    func folderStays() throws {
        let folder = TemporaryFolder()
        unsafe mkdir(folder.path + "/result", 0o700)
        let output = try folder.directory.makeFile("result", count: 1)
        #expect(throws: SharedFileError.notARegularFile) { try output.publish() }
    }

    @Test("More bytes than the file system has are refused at once, and nothing is left")
    func noSpace() throws {
        let folder = TemporaryFolder()
        let directory = try folder.directory
        #expect(throws: SharedFileError.noSpace(bytes: 1 << 55)) {
            try directory.makeFile("result", count: 1 << 55)
        }
        #expect(folder.names == [])
    }

    @Test("A file that somebody shortens while it is filled is not published")
    func shortenedOutput() throws {
        let folder = TemporaryFolder()
        let output = try folder.directory.makeFile("result", count: 50_000)
        let name = try #require(folder.names.first)
        folder.truncate(name, to: 10)
        fill(output, 2)
        #expect(throws: SharedFileError.changed) { try output.publish() }
    }
}
