internal import CConfinement

/// What a server gives up once it listens, so that nothing it is sent can make it call anybody: no further socket, no
/// connection to anywhere, no other program. Whatever a picture or a tensor does to it, it can answer and nothing else.
package enum Confinement {
    package struct Unavailable: Error, Sendable, Equatable {
        package let errno: CInt
    }

    enum Reach: CInt {
        /// The calling thread and those it starts.
        case thread = 0
        case process = 1
    }

    /// For ever, and for all threads. After it no further ``Server`` or ``LoopbackClient`` can be made.
    /// - Throws: where the kernel or the processor has no filters of system calls, or a filter around it forbids them.
    package static func begin() throws(Unavailable) {
        try begin(for: .process)
    }

    static func begin(for reach: Reach) throws(Unavailable) {
        let number = perception_confine(reach.rawValue)
        guard number == 0 else { throw Unavailable(errno: number) }
    }
}
