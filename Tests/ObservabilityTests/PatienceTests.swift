import Testing

@testable import Observability

@Suite struct PatienceTests {
    @Test func `who waits again and again does so for a tenth of the time`() {
        let begin = SuspendingClock.now
        var patience = Patience(atMost: .seconds(1), now: begin)
        var now = begin
        var waited = Duration.zero
        // Waits as long as it may, whenever it may for a millisecond.
        while now < begin + .seconds(1000) {
            let left = patience.left(at: now)
            if left >= .milliseconds(1) {
                patience.spend(left)
                waited += left
                now += left
            }
            now += .milliseconds(1)
        }
        #expect(waited > .seconds(99) && waited < .seconds(102))
    }

    @Test func `it grows no longer than it was at first, and is never less than none`() {
        let begin = SuspendingClock.now
        var patience = Patience(atMost: .seconds(1), now: begin)
        #expect(patience.left(at: begin + .seconds(3600)) == .seconds(1))
        patience.spend(.seconds(5))
        #expect(patience.left(at: begin + .seconds(3600)) == .zero)
        #expect(patience.left(at: begin + .seconds(3601)) == .milliseconds(100))
    }
}
