import Images
import JSON
import Perturbation

/// A request for perturbed views, independent of its encoding.
struct PerturbRequest: Sendable {
    struct Picture: Sendable {
        /// The client's id, or the index.
        let id: String
        let source: PictureSource
        /// Whether the picture only serves as a second picture of others.
        var isSecondOnly = false
    }

    struct RequestedView: Sendable {
        let name: String
        let content: Content
    }

    enum Content: Sendable {
        case recipe(DrawnRecipe)
        case steps([any PerturbationStep])
    }

    /// A recipe with everything its draws depend on besides the picture.
    struct DrawnRecipe: Sendable {
        let recipe: Recipe
        let seed: Seed
        let always: Bool
        /// The strength of scheduled values, 0 … 1.
        let strength: Double
        /// The pictures of the request that may be the second one.
        let seconds: [PictureReference]
    }

    /// Nil if the body is the picture.
    let form: PictureForm?
    let pictures: [Picture]
    let views: [RequestedView]
    let settings: PerturbSettings
    /// The index of the first picture with an id.
    private let places: [String: Int]

    init(
        form: PictureForm? = nil, pictures: [Picture], views: [RequestedView], settings: PerturbSettings
    ) {
        self.form = form
        self.pictures = pictures
        self.views = views
        self.settings = settings
        places = PerturbRequest.places(of: pictures)
    }

    /// Returns the index of the first picture with each id.
    static func places(of pictures: [Picture]) -> [String: Int] {
        Dictionary(pictures.enumerated().map { ($1.id, $0) }) { first, _ in first }
    }

    /// Returns the index of a picture of the request; nil if there is none.
    func index(of reference: PictureReference) -> Int? {
        switch reference {
        case .id(let id): places[id]
        case .index(let index): pictures.indices.contains(index) ? index : nil
        }
    }
}

/// The settings of reading pictures, of the number of draws, and of writing results.
struct PerturbSettings: Sendable {
    enum Format: String, Sendable, CaseIterable {
        case png
        case jpeg
        case raw
    }

    /// Nil until the request or the form of the reply decides.
    var format: Format?
    var quality = 95
    var level = 1
    var subsampling = ImageEncoding.ChromaSubsampling.full
    var decoding = DecodingOptions()
    var variants = 1

    static let table = OptionTable<PerturbSettings>(options: [
        .integer("variants", \.variants, 1...256),
        .choice("format", \.chosenFormat),
        .integer("quality", \.quality, 1...100),
        .integer("level", \.level, 0...9),
        .choice("subsampling", \.subsampling),
        .choice("alpha", \.decoding.alpha),
        .choice("orientation", \.decoding.orientation),
        .choice("gray16", \.decoding.gray16),
        .flag("allow_truncated", \.decoding.allowTruncated),
    ])

    /// The options that determine how files are decoded.
    static let ofFiles = ["alpha", "orientation", "gray16", "allow_truncated"]

    /// The format with its default, for the table.
    private var chosenFormat: Format {
        get { format ?? .png }
        set { format = newValue }
    }

    func encoding(_ format: Format) -> ImageEncoding {
        switch format {
        case .png: .png(level: level)
        case .jpeg: .jpeg(quality: quality, subsampling: subsampling)
        case .raw: .raw
        }
    }
}

extension PerturbRequest.RequestedView {
    /// Reads a view. `field` is its path, for errors.
    init?(name: String, members: [JSONValue.Member], field: String, _ faults: inout Faults) {
        func member(_ name: String) -> JSONValue? { members.first { $0.name == name }?.value }
        let prefix = field.isEmpty ? "" : "\(field)."
        var options = DrawOptions()
        let draws = members.filter { DrawOptions.table.names.contains($0.name) }
        DrawOptions.table.apply(draws, prefix: prefix, to: &options, &faults)
        switch (member("recipe"), member("steps")) {
        case (nil, nil):
            faults.add(
                .missingField, Problem.Reason("a recipe or steps is required", field: "\(prefix)recipe"))
            return nil
        case (_?, _?):
            faults.add(
                .conflictingFields,
                Problem.Reason("give either a recipe or steps, not both", field: "\(prefix)recipe"))
            return nil
        case (let recipe?, nil):
            guard let drawn = PerturbRequest.recipe(recipe, field: "\(prefix)recipe", &faults),
                let strength = PerturbRequest.strength(
                    member("schedule"), of: drawn, field: "\(prefix)schedule", &faults),
                let seconds = PerturbRequest.secondPictures(
                    member("second_images"), of: drawn, field: "\(prefix)second_images", &faults),
                let seed = Seed(options.seed)
            else { return nil }
            self.init(
                name: name,
                content: .recipe(
                    PerturbRequest.DrawnRecipe(
                        recipe: drawn, seed: seed, always: options.always, strength: strength,
                        seconds: seconds)))
        case (nil, let list?):
            for name in ["seed", "always", "schedule", "second_images"] where member(name) != nil {
                faults.add(
                    .conflictingFields, Problem.Reason("steps are not drawn", field: prefix + name))
            }
            guard let steps = PerturbRequest.steps(list, field: "\(prefix)steps", &faults) else { return nil }
            self.init(name: name, content: .steps(steps))
        }
    }

    private struct DrawOptions {
        var seed: Int64 = 0
        var always = false

        static let table = OptionTable<DrawOptions>(options: [
            .seed("seed", \.seed), .flag("always", \.always),
        ])
    }
}

extension PerturbRequest {
    /// The limit on steps, above any useful composition.
    static let maximumSteps = 64
    /// The limit on pictures in a list, so that a long list of nothing takes little memory.
    static let maximumPictures = 1 << 16
    /// The limit on pictures from which one draw may choose a second one. Every draw looks at all of them.
    static let maximumSeconds = 1024

    static func steps(
        _ list: JSONValue, field: String, _ faults: inout Faults
    ) -> [any PerturbationStep]? {
        guard let elements = list.array, elements.count <= maximumSteps else {
            faults.add(
                .invalidStep,
                Problem.Reason(
                    "not a list of steps", field: field, expected: "a list of at most \(maximumSteps) steps"))
            return nil
        }
        var steps: [any PerturbationStep] = []
        for (index, element) in elements.enumerated() {
            do throws(StepError) {
                steps.append(try StepCatalogue.step(from: element))
            } catch {
                faults.add(.invalidStep, Problem.Reason(error, field: "\(field)[\(index)]"))
            }
        }
        return steps.count == elements.count ? steps : nil
    }
}

extension Option {
    /// An option with a seed, 0 … 2^63 − 1.
    fileprivate static func seed(_ name: String, _ path: Path<Int64>) -> Option {
        Option(
            name: name, expected: "an integer from 0 to 9223372036854775807", spelling: .scalar,
            acceptsNull: false,
            set: { target, json in
                guard let value = json.integer else { return .wrongType }
                guard value >= 0 else { return .outOfDomain }
                target[keyPath: path] = value
                return .valid
            }, echo: { .integer($0[keyPath: path]) })
    }
}
