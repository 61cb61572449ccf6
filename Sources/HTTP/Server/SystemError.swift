import Glibc

/// Returns the C library's message for an error number.
enum SystemError {
    static func text(_ number: Int32) -> String {
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
