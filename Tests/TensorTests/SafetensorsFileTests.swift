import Tensor
import TestMaterial
import Testing

/// Written by the Python package, see Tests/Golden/tensors/generate.py.
let referenceFile = GoldenFolder.bytes(of: "tensors/every-type.safetensors")

@Suite("Safetensors files")
struct SafetensorsFileTests {
    static let values: [(String, ElementType, [Int], [Double])] = [
        ("bool", .bool, [3], [1, 0, 1]), ("u8", .uint8, [2, 2], [0, 1, 254, 255]),
        ("i8", .int8, [4], [-128, -1, 0, 127]), ("i16", .int16, [2], [-32768, 32767]),
        ("u16", .uint16, [2], [0, 65535]), ("i32", .int32, [2], [-0x1p31, 0x1p31 - 1]),
        ("u32", .uint32, [2], [0, 0x1p32 - 1]), ("i64", .int64, [3], [-0x1p63, 0x1p63, 0x1p53]),
        ("u64", .uint64, [2], [0, 0x1p53]), ("f16", .float16, [2, 1, 2], [1.5, -0.0, 65504, 0x1p-24]),
        ("bf16", .bfloat16, [2], [1.5, -0x1.FEp127]),
        ("f32", .float32, [2], [Double(Float(0.1)), -Double(Float.greatestFiniteMagnitude)]),
        ("f64", .float64, [2], [0.1, .leastNonzeroMagnitude]), ("scalar", .float32, [], [2.5]),
        ("empty", .float32, [0, 7], []),
    ]

    @Test("What the reference implementation wrote is read, every element type", arguments: values)
    func golden(_ name: String, _ type: ElementType, _ shape: [Int], _ values: [Double]) throws {
        let file = try Safetensors(parsing: referenceFile)
        let tensor = try #require(file.tensors[name])
        #expect(tensor.elementType == type && tensor.shape == shape && tensor.count == values.count)
        #expect(tensor.doubles().map(\.bitPattern) == values.map(\.bitPattern))
        #expect(!tensor.isNumbers)
    }

    @Test("Metadata and the order of the data are kept")
    func goldenMetadata() throws {
        let file = try Safetensors(parsing: referenceFile)
        #expect(file.metadata == ["options": #"{"tau": 0.1}"#, "made by": "café"])
        #expect(file.names.count == SafetensorsFileTests.values.count && file.names[0] == "u64")
        #expect(Set(file.names) == Set(SafetensorsFileTests.values.map(\.0)))
    }

    @Test(
        "A file without tensors is a file",
        arguments: ["{}", "{ }", "{}    ", "{}\n", #"{"__metadata__":{}}"#])
    func nothing(_ header: String) throws {
        let file = try RawFile(header).parsed()
        #expect(file.tensors.isEmpty && file.names.isEmpty && file.metadata.isEmpty)
    }

    @Test("Entries may stand in any order, empty ones between the others")
    func anyOrder() throws {
        let entries = [
            RawFile.entry("late", "[2]", 2, 4), RawFile.entry("nothing", "[0]", 2, 2),
            RawFile.entry("early", "[2]", 0, 2),
            RawFile.entry("end", "[0,3]", 4, 4), RawFile.entry("start", "[3,0]", 0, 0),
        ]
        for shift in entries.indices {
            let turned = entries[shift...] + entries[..<shift]
            let file = try RawFile("{\(turned.joined(separator: ","))}", data: 4).parsed()
            #expect(file.tensors["early"]?.doubles() == [0, 1])
            #expect(file.tensors["late"]?.doubles() == [2, 3])
            #expect(file.tensors["nothing"]?.shape == [0] && file.tensors["end"]?.shape == [0, 3])
        }
    }

    @Test("Data may start at any address", arguments: 0..<8)
    func unaligned(_ padding: Int) throws {
        let header =
            "{\(RawFile.entry("a", "[2]", 0, 16, type: "F64"))}" + String(repeating: " ", count: padding)
        var file = RawFile(header)
        let values = [1.5, -0.1]
        for value in values {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                file.data.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
            }
        }
        #expect(try file.parsed().tensors["a"]?.doubles() == values)
    }

    @Test("Eight dimensions are as many as any request has")
    func rank() throws {
        let file = try RawFile("{\(RawFile.entry("a", "[1,1,2,1,1,1,1,2]", 0, 4))}", data: 4).parsed()
        #expect(file.tensors["a"]?.doubles() == [0, 1, 2, 3])
    }

    @Test("What the writer writes the parser reads, data aligned to eight bytes")
    func roundTrip() throws {
        var writer = SafetensorsWriter()
        writer.setMetadata("result", "{\"loss\":0.5,\"é\":\"\\\"\"}")
        writer.append("mask", shape: [3], masks: [1, 0, 1])
        writer.append(
            "floats", shape: [2, 2], floats: [0.1, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude])
        writer.append("rows", shape: [1], integers: [.max])
        writer.append("nothing", shape: [0, 5], floats: [])
        writer.append("scalar", .float16, shape: [], bytes: [0x00, 0x3E])
        let segments = writer.segments()
        #expect(segments[0].count % 8 == 0)
        let file = try Safetensors(parsing: segments.flatMap { $0 })
        #expect(file.metadata == ["result": "{\"loss\":0.5,\"é\":\"\\\"\"}"])
        #expect(file.tensors.count == 5)
        #expect(file.tensors["mask"]?.elementType == .uint8 && file.tensors["mask"]?.doubles() == [1, 0, 1])
        let floats = [0.1 as Float, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude].map {
            Double($0).bitPattern
        }
        #expect(file.tensors["floats"]?.shape == [2, 2])
        #expect(file.tensors["floats"]?.doubles().map(\.bitPattern) == floats)
        #expect(file.tensors["rows"]?.integers() == [.max])
        #expect(file.tensors["nothing"]?.shape == [0, 5])
        #expect(file.tensors["scalar"]?.doubles() == [1.5])
        // Wider elements come first.
        let sizes = file.names.compactMap { file.tensors[$0]?.elementType.size }
        #expect(sizes == sizes.sorted(by: >))
    }

    @Test("A writer with nothing to write writes a valid file")
    func emptyRoundTrip() throws {
        #expect(try Safetensors(parsing: SafetensorsWriter().segments().flatMap { $0 }).tensors.isEmpty)
    }
}
