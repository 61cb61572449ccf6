import JSON

extension JSONReader {
    /// Reads a log-probability as engines write it. Null and numbers up to −9999 mean −inf.
    mutating func logProb() throws(JSONError) -> Double {
        if try nextKind() == .null {
            try null()
            return -.infinity
        }
        return meaning(ofLogProb: try double())
    }

    /// Skips any value. Unlike `skip`, it may be used for any number of values.
    mutating func ignore() throws(JSONError) {
        switch try nextKind() {
        case .null: try null()
        case .bool: _ = try bool()
        case .number: _ = try double()
        case .string: _ = try string()
        case .array: try array { (reader, _) throws(JSONError) in try reader.ignore() }
        case .object: try object { (reader, _) throws(JSONError) in try reader.ignore() }
        }
    }

    /// Reads a list of whole numbers; nil for any other value.
    mutating func wholeNumbers() throws(JSONError) -> [Int]? {
        var broken: EngineReplyError?
        let numbers = try attempt(&broken) { (reader) throws(EngineReplyError) in
            var numbers: [Int] = []
            var cursor = ReplyCursor("")
            do throws(JSONError) {
                try reader.array { (reader, _) throws(JSONError) in
                    numbers.append(try reader.wholeNumber(&cursor))
                }
            } catch {
                throw cursor.error(for: error)
            }
            return numbers
        }
        return try? numbers.get()
    }

    /// Reads a token id that is written as a number.
    mutating func wholeNumber(_ cursor: inout ReplyCursor) throws(JSONError) -> Int {
        let number = try number()
        guard let id = number.integer else {
            throw cursor.fail(.invalidTokenID(shortened("\(number.double ?? .nan)")), self)
        }
        return Int(id)
    }

    /// Reads a value that a form may turn out not to need. Its fault is kept until that is known.
    /// - Parameter broken: the fault to throw if no value could be read at all.
    mutating func attempt<Value>(
        _ broken: inout EngineReplyError?,
        _ read: (inout JSONReader) throws(EngineReplyError) -> Value
    ) throws(JSONError) -> Result<Value, EngineReplyError> {
        var trial = self
        do throws(EngineReplyError) {
            let value = try read(&trial)
            self = trial
            return .success(value)
        } catch {
            let found = error
            do throws(JSONError) {
                try ignore()
            } catch {
                if found.byte == error.byte { broken = found }
                throw error
            }
            return .failure(found)
        }
    }
}

/// vLLM writes −inf as −9999, and some clients as −99999.
func meaning(ofLogProb value: Double) -> Double { value <= -9999 ? -.infinity : value }

/// Parses a token id that is written as a member's name, in the form in which Python writes it.
func tokenID(_ name: some StringProtocol) -> Int? {
    let digits = name.utf8
    guard let first = digits.first, digits.count <= 18, first != UInt8(ascii: "0") || digits.count == 1,
        digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int(name)
}

/// Clips a hostile name for an error message.
func shortened(_ name: String) -> String { name.count > 40 ? name.prefix(40) + "…" : name }
