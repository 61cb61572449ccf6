import Glibc

/// A moment as log stores read it: UTC, RFC 3339, milliseconds.
struct Timestamp: CustomStringConvertible {
    private let time: timespec

    static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time: time)
    }

    var description: String {
        var calendar = unsafe tm()
        var seconds = time.tv_sec
        unsafe gmtime_r(&seconds, &calendar)
        let (year, month, day) = unsafe (calendar.tm_year, calendar.tm_mon, calendar.tm_mday)
        let (hour, minute, second) = unsafe (calendar.tm_hour, calendar.tm_min, calendar.tm_sec)
        let date = "\(year + 1900)-\(padded(Int(month) + 1, 2))-\(padded(Int(day), 2))"
        let clock = "\(padded(Int(hour), 2)):\(padded(Int(minute), 2)):\(padded(Int(second), 2))"
        return "\(date)T\(clock).\(padded(time.tv_nsec / 1_000_000, 3))Z"
    }

    private func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
