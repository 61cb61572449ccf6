import Text
import Testing

@Suite struct NearestNameTests {
    static let cases: [(String, String?)] = [
        ("cppo-remving", "cppo-removing"), ("TAU", "tau"), ("tua", "tau"), ("top_k_ration", "top_k_ratio"),
        ("zebra", nil), ("temperature", nil),
    ]

    @Test("A misspelt name finds the one that was meant, an unrelated one nothing", arguments: cases)
    func nearest(name: String, expected: String?) {
        let known = ["cppo-preserving", "cppo-removing", "tau", "top_k_ratio"]
        #expect(nearestName(to: name, among: known) == expected)
    }
}
