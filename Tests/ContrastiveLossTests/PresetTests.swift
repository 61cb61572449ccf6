import ContrastiveLoss
import Testing

@Suite("Presets")
struct PresetTests {
    @Test("Each has its own estimator's limits", arguments: Preset.allCases)
    func ownClamps(_ preset: Preset) {
        #expect(preset.loss.clamps == preset.clamps(for: preset.loss.estimator))
    }

    @Test("An estimator that is chosen instead gets its limits from the same code base")
    func clamps() {
        for preset in Preset.allCases {
            for estimator in Estimator.allCases {
                let expected: Clamps =
                    switch (preset, estimator) {
                    case (.cppoPaper, _): Clamps()
                    case (.cppoAReaL, .k1), (.cppoAReaL, .k2), (.cppoAReaL, .k3): Clamps(result: 10)
                    case (.cppoAReaL, _): Clamps()
                    case (_, .k3): Clamps(input: 20, result: 10)
                    default: Clamps()
                    }
                #expect(preset.clamps(for: estimator) == expected, "\(preset) \(estimator)")
            }
        }
    }

    @Test("CPPO's have its contrast, VPPO's no loss of its own")
    func terms() {
        for preset in [Preset.cppoVerl, .cppoAReaL, .cppoPaper] {
            #expect(preset.loss.terms == Term.contrastive && preset.loss.shape.form == .infonce)
        }
        #expect(Preset.vppo.loss.terms.isEmpty && Preset.vppo.loss.advantageScaling == AdvantageScaling())
        #expect(Preset.papoG.loss.terms == [Term(.original, .removing, weight: -1)])
        #expect(Preset.bipsConsistency.loss.terms == [Term(.original, .preserving, weight: 1)])
    }
}
