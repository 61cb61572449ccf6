import ContactSheet
import Images
import Perturbation

extension PreviewRequest {
    /// The number of cells before the draws.
    var leading: Int { originals.count }

    /// The captions of the unchanged pictures. The second one is shown only if the recipe reads it.
    var originals: [(PixelSize) -> Caption] {
        func caption(_ heading: String, _ file: [UInt8]?) -> (PixelSize) -> Caption {
            { size in
                Caption(
                    heading: heading,
                    words: ["\(size.width)x\(size.height)"] + (file == nil ? ["built-in"] : []))
            }
        }
        let picture = caption("original", pictures.image)
        return recipe.readsSecond ? [picture, caption("second image 1", pictures.second)] : [picture]
    }

    var title: Caption {
        guard case .recipe(let drawn) = drawing.views[0].content else {
            preconditionFailure("a preview draws from a recipe")
        }
        return Caption(
            heading: recipe.name,
            words: ["seed=\(drawn.seed.value)"] + (drawn.always ? ["always"] : [])
                + ["view=\(recipe.purpose.rawValue)"] + recipe.summary.split(separator: " ").map(String.init))
    }

    /// The strength of values that follow a schedule; nil if none does.
    func strength(ofDraw draw: Int) -> Double? {
        guard recipe.isScheduled, case .recipe(let drawn) = drawing.views[draw].content else { return nil }
        return drawn.strength
    }
}
