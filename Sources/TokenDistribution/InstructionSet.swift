// The Swift interface to the C kernels of single rows; that of an anchor's and its references' is in ContrastKernels.swift.
internal import CLogitKernels
import Synchronization
import Tensor

/// What the inner loops over logits are compiled for. Each gives the same bits on every machine that has it, whatever the
/// number of threads or the chunks a row arrives in; two of them differ in the last digits.
package enum InstructionSet: String, Sendable, CaseIterable {
    /// 16 floats at once: AVX-512 F, BW, DQ, VL, CD (x86-64-v4).
    case avx512
    /// 8 floats at once: AVX2, FMA, F16C (x86-64-v3).
    case avx2
    /// 4 floats at once: NEON, which every 64-bit Arm processor has.
    case neon
    /// What every machine has; the same bits on all of them.
    case portable

    /// Whether the processor has it and the operating system keeps its registers.
    package var isAvailable: Bool { unsafe logit_kernels_for(number) != nil }

    /// Those this machine can run, fastest first; never empty.
    package static var available: [InstructionSet] { allCases.filter(\.isAvailable) }

    /// What the process computes with where no call names another: the fastest there is, or what `use` chose.
    package static var inUse: InstructionSet {
        switch chosen.load(ordering: .relaxed) {
        case 0: .portable
        case 1: .neon
        case 2: .avx2
        case 3: .avx512
        default: fastest
        }
    }

    /// Chooses for the whole process; meant for its start, before anything is computed. The set must be available.
    package static func use(_ set: InstructionSet) {
        precondition(set.isAvailable, "this machine has no \(set)")
        chosen.store(Int(set.number.rawValue), ordering: .relaxed)
    }

    private static let fastest = available[0]
    private static let chosen = Atomic(-1)

    var number: logit_kernels_instruction_set {
        switch self {
        case .avx512: LOGIT_KERNELS_AVX512
        case .avx2: LOGIT_KERNELS_AVX2
        case .neon: LOGIT_KERNELS_NEON
        case .portable: LOGIT_KERNELS_PORTABLE
        }
    }

    /// The table of this set, which must be available.
    fileprivate var kernels: logit_kernels_table {
        guard let table = unsafe logit_kernels_for(number) else {
            preconditionFailure("this machine has no \(self)")
        }
        return unsafe table.pointee
    }
}

/// Element types the kernels read.
struct KernelElement {
    let code: logit_kernels_element
    let size: Int

    /// Nil for what is not a float of at most 32 bits.
    init?(_ type: ElementType) {
        switch type {
        case .float32: code = LOGIT_KERNELS_F32
        case .bfloat16: code = LOGIT_KERNELS_BF16
        case .float16: code = LOGIT_KERNELS_F16
        case .float64, .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64: return nil
        }
        size = type.size
    }
}

/// Sums over the logits of a row except its pivot: Σ 2^(z·rate − reference), and the same weighted by z − pivot.
struct KernelSums {
    /// Elements whose sums run in Float; 4 KiB of F32.
    static let blockLength = Int(LOGIT_KERNELS_BLOCK)

    private var sums = logit_kernels_sums()

    var rate: Double { sums.rate }
    var reference: Double { sums.reference }

    mutating func pivot(at pivot: Float, rate: Double, reference: Double) {
        sums.pivot = pivot
        sums.rate = rate
        sums.reference = reference
    }

    /// Both sums, which then start at 0 again.
    mutating func takeTotals() -> (sum: Double, weighted: Double) {
        defer { (sums.sum, sums.weighted) = (0, 0) }
        return (sums.sum, sums.weighted)
    }

    /// Adds blocks until one needs a new pivot or holds what is no number; returns how many elements were added.
    mutating func add(_ bytes: RawSpan, _ element: KernelElement, _ set: InstructionSet) -> Int {
        let kernels = set.kernels
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe kernels.add(bytes.baseAddress, bytes.count / element.size, element.code, &sums)
        }
    }

    /// Adds a block but for the elements that equal the pivot, its maximum; returns how many those are, or 0 when Float
    /// overflowed and nothing was added.
    mutating func addPivoted(_ block: RawSpan, _ element: KernelElement, _ set: InstructionSet) -> Int {
        let kernels = set.kernels
        return unsafe block.withUnsafeBytes { bytes in
            unsafe kernels.add_pivoted(bytes.baseAddress, bytes.count / element.size, element.code, &sums)
        }
    }

    /// The largest number of a block, −inf if there is none, and whether it holds NaN.
    static func maximum(
        of block: RawSpan, _ element: KernelElement, _ set: InstructionSet
    ) -> (value: Float, hasNaN: Bool) {
        let kernels = set.kernels
        let found = unsafe block.withUnsafeBytes { bytes in
            unsafe kernels.maximum(bytes.baseAddress, bytes.count / element.size, element.code)
        }
        return (found.maximum, found.has_nan != 0)
    }
}
