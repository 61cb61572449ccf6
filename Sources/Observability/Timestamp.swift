import Glibc

/// A moment in the form that log stores read: RFC 3339 in UTC, with milliseconds.
struct Timestamp {
    private let time: timespec

    static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time: time)
    }

    func write(to bytes: inout [UInt8]) {
        var calendar = unsafe tm()
        var seconds = time.tv_sec
        unsafe gmtime_r(&seconds, &calendar)
        let (year, month, day) = unsafe (calendar.tm_year, calendar.tm_mon, calendar.tm_mday)
        let (hour, minute, second) = unsafe (calendar.tm_hour, calendar.tm_min, calendar.tm_sec)
        let parts: [(value: Int, digits: Int, after: Unicode.Scalar)] = [
            (Int(year) + 1900, 4, "-"), (Int(month) + 1, 2, "-"), (Int(day), 2, "T"), (Int(hour), 2, ":"),
            (Int(minute), 2, ":"), (Int(second), 2, "."), (time.tv_nsec / 1_000_000, 3, "Z"),
        ]
        for part in parts {
            var unit = part.digits == 4 ? 1000 : part.digits == 3 ? 100 : 10
            while unit > 0 {
                bytes.append(UInt8(ascii: "0") + UInt8(part.value / unit % 10))
                unit /= 10
            }
            bytes.append(UInt8(ascii: part.after))
        }
    }
}
