import TestMaterial
import Testing
import Text

@Suite("Base64")
struct Base64Tests {
    @Test(
        "The examples of RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func examples(_ plain: String, _ text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == Array(text.utf8))
        #expect(decoded(text) == .success(Array(plain.utf8)))
    }

    @Test("Any bytes come back")
    func roundTrips() {
        var random = SeededGenerator(seed: 1)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            // A slice that doesn't start at 0, as in a longer text.
            let text = [0x20] + Base64.encode(bytes)
            #expect(Base64.decode(text.dropFirst()) == .success(bytes))
        }
    }

    @Test(
        "What doesn't belong is told by its place",
        arguments: [
            ("Zg", 2), ("Zg=", 2), ("Z===", 1), ("====", 0), ("Zg==Zg==", 2), ("Zm9*", 3), ("Zm 9", 2),
            ("Zm-_", 2), ("Zh==", 1), ("Zm9=", 2), ("Zm9v\n", 4),
        ])
    func refusals(_ text: String, _ offset: Int) {
        guard case .failure(let fault) = decoded(text) else {
            Issue.record("\(text) was taken")
            return
        }
        #expect(fault.offset == offset && !fault.reason.isEmpty)
    }

    private func decoded(_ text: String) -> Result<[UInt8], InvalidBase64> {
        Base64.decode(Array(text.utf8)[...])
    }
}
