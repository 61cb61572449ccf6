// swift-tools-version: 6.3
import PackageDescription

// One strictness for all: Swift 6 mode is the tools version's default; warnings are errors so that none ages.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// C in which a switch that lacks a case, or any other warning, is an error.
func strictC(
    _ name: String, _ dependencies: [Target.Dependency] = [], excluding exclude: [String] = [],
    linking libraries: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, exclude: exclude,
        cSettings: [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)],
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestMaterial"], swiftSettings: strict)
}

let package = Package(
    name: "perception-server",
    products: [.executable(name: "perception-server", targets: ["perception-server"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Reads the contract while the server is built.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Ground floor: text and numbers as they arrive.
        strictC("CNumberText"),
        module("JSON", ["CNumberText"]),
        module("EngineReplies", ["JSON", "Text"]),
        strictC("CNumberLists"),
        module("Tensor", ["CNumberLists", "JSON"]),
        strictC("CProcess"),
        module("ProcessFacts", ["CProcess"]),
        module("Locking"),
        module("Parallelism", ["CProcess", "Locking"]),
        module("Text"),
        strictC("CFileMapping"),
        module("SharedFiles", ["CFileMapping"]),

        // Numbers.
        strictC("CLogitKernels"),
        module("TokenDistribution", ["CLogitKernels", "Parallelism", "Tensor"]),
        module("Batches", ["CNumberLists"]),
        module("Advantages"),
        module("Perception", ["Batches", "CNumberLists", "Parallelism"]),
        strictC("CTokenLoss", ["CNumberLists"]),
        module(
            "ContrastiveLoss",
            ["Batches", "CNumberLists", "CTokenLoss", "Parallelism", "Perception", "TokenDistribution"]),
        module("PolicyObjective", ["Batches", "ContrastiveLoss", "Parallelism"]),

        // Pixels.
        strictC("CWorkWatch"),
        strictC("CImageCodecs", ["CWorkWatch"], linking: ["jpeg", "png", "z"]),
        strictC("CPixelKernels", ["CWorkWatch"]),
        module("Images", ["CImageCodecs", "CPixelKernels", "CWorkWatch"]),
        module("Perturbation", ["CPixelKernels", "Images", "JSON", "Text"]),
        module("ContactSheet", ["Images", "JSON", "Perturbation"]),

        // Bytes.
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        strictC("CConfinement"),
        strictC("CEventWait"),
        module(
            "HTTP",
            [
                "CConfinement", "CEventWait", "CMicroHTTPD", "Locking", "Parallelism", "ProcessFacts", "Text",
                httpTypes, logging,
            ]),
        module("Observability", ["Locking", logging]),

        // Where the columns meet.
        strictC("CContract"),
        .executableTarget(
            name: "contract-compiler", dependencies: ["JSON", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .plugin(
            name: "ContractCompilation", capability: .buildTool(), dependencies: ["contract-compiler"],
            path: "Sources/ContractCompilation"),
        .target(name: "ContractJSON", swiftSettings: strict, plugins: ["ContractCompilation"]),
        strictC("CPages", excluding: ["assets", "asset.inc", "README"]),
        strictC("CClientWheel", linking: ["gnutls", "z"]),
        module("ClientWheel", ["CClientWheel", "Text"]),
        module(
            "Service",
            [
                "Advantages", "Batches", "CContract", "CPages", "ClientWheel", "ContactSheet", "ContractJSON",
                "ContrastiveLoss", "EngineReplies", "HTTP", "Images",
                "JSON", "Locking",
                "Observability", "Parallelism", "Perception", "Perturbation", "PolicyObjective",
                "SharedFiles",
                "Text", "Tensor", "TokenDistribution", httpTypes, logging,
            ]),
        .executableTarget(
            name: "perception-server",
            dependencies: [
                "Batches", "CProcess", "HTTP", "JSON", "Locking", "Observability", "Parallelism",
                "ProcessFacts",
                "Service", "SharedFiles", "TokenDistribution",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), logging,
            ],
            swiftSettings: strict),

        // Shows recorded logits scored by a running server.
        .executableTarget(
            name: "score-table", dependencies: ["HTTP", "JSON", "Tensor", httpTypes],
            path: "Tests/Quickstart/ScoreTable", swiftSettings: strict),
        .executableTarget(
            name: "kernel-benchmark", dependencies: ["JSON", "Tensor", "TokenDistribution"],
            path: "Tests/Benchmarks/Kernels", swiftSettings: strict),
        .executableTarget(
            name: "step-benchmark",
            dependencies: ["ForeignPictures", "Images", "JSON", "Perturbation", "WorkQuestions"],
            path: "Tests/Benchmarks/Steps", swiftSettings: strict),
        // The codecs' libraries are linked by CImageCodecs.
        .target(name: "ForeignFiles", dependencies: ["CImageCodecs"], path: "Tests/ForeignFiles"),
        .target(
            name: "ForeignPictures", dependencies: ["ForeignFiles", "Images"], path: "Tests/ForeignPictures",
            swiftSettings: strict),
        .target(
            name: "WorkQuestions", dependencies: ["Locking"], path: "Tests/WorkQuestions",
            swiftSettings: strict),
        .target(name: "TestMaterial", path: "Tests/TestMaterial", swiftSettings: strict),
        tests("JSONTests", ["CNumberText", "JSON"]),
        tests("EngineRepliesTests", ["EngineReplies", "JSON"]),
        tests("TensorTests", ["JSON", "Tensor"]),
        tests("LockingTests", ["Locking"]),
        tests("ParallelismTests", ["Locking", "Parallelism"]),
        tests("ProcessFactsTests", ["Locking", "Parallelism", "ProcessFacts"]),
        tests("TextTests", ["Text"]),
        tests("SharedFilesTests", ["SharedFiles"]),
        tests("TokenDistributionTests", ["Tensor", "TokenDistribution"]),
        tests("AdvantagesTests", ["Advantages"]),
        tests("PerceptionTests", ["Batches", "CNumberLists", "Perception"]),
        tests(
            "ContrastiveLossTests",
            ["Batches", "ContrastiveLoss", "JSON", "Perception", "Tensor", "TokenDistribution"]),
        tests(
            "PolicyObjectiveTests", ["Batches", "ContrastiveLoss", "JSON", "PolicyObjective", "Tensor"]),
        tests("ImagesTests", ["ForeignPictures", "Images", "JSON"]),
        tests("PerturbationTests", ["Images", "JSON", "Perturbation"]),
        tests("ContactSheetTests", ["ContactSheet", "Images", "JSON", "Perturbation"]),
        .target(name: "AllocationCount", path: "Tests/AllocationCount"),
        tests(
            "ClaimTests",
            [
                "AllocationCount", "ContactSheet", "ForeignPictures", "HTTP", "Images", "JSON", "Locking",
                "Perturbation", "Service", "Tensor", "Text", "WorkQuestions",
                httpTypes,
            ]),
        tests("HTTPTests", ["HTTP", "Locking", "Parallelism", httpTypes]),
        tests("ObservabilityTests", ["JSON", "Locking", "Observability", logging]),
        tests(
            "ServiceTests",
            [
                "ContrastiveLoss", "HTTP", "Images", "JSON", "Locking", "Observability", "Perturbation",
                "Service", "SharedFiles", "Tensor",
                httpTypes, logging,
            ]),
    ]
)

// Fuzzing instruments every module, so these are built on request only, into a folder of their own: see Tests/Fuzz/run.
if Context.environment["PERCEPTION_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["HTTP", "Service", httpTypes, logging], path: "Tests/Fuzz",
            exclude: ["run", "Seeds", "seeds.py"],
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
            // gold fails on the renamed main.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}
