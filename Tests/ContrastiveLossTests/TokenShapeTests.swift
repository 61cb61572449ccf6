import ContrastiveLoss
import Glibc
import Testing

@Suite struct TokenShapeTests {
    @Test("The softplus agrees with log1p over its whole range", arguments: [0.1, 1, 3])
    func softplus(tau: Double) {
        let shape = TokenShape(tau: tau)
        for step in -4000...4000 {
            let contrast = Double(step) * 0.0173 * tau
            let x = contrast / tau
            let (value, slope) = shape.loss(contrast)
            let twin = max(x, 0) + log1p(exp(-abs(x)))
            #expect(abs(value - twin) <= 5e-16 * twin)
            let sigmoid = x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
            #expect(abs(slope - sigmoid / tau) <= 5e-16 * sigmoid / tau)
        }
    }

    @Test("The margin form is the contrast itself")
    func margin() {
        let shape = TokenShape(form: .margin)
        #expect(shape.loss(-3.5) == (-3.5, 1))
    }
}
