import ContrastiveLoss
import Glibc
import Testing

@Suite struct ContrastiveTermTests {
    @Test("The softplus agrees with log1p over its whole range", arguments: [0.1, 1, 3])
    func softplus(tau: Double) {
        let term = ContrastiveTerm(tau: tau)
        for step in -4000...4000 {
            let margin = Double(step) * 0.0173 * tau
            let x = margin / tau
            let (value, slope) = term.loss(margin: margin)
            let twin = max(x, 0) + log1p(exp(-abs(x)))
            #expect(abs(value - twin) <= 5e-16 * twin)
            let sigmoid = x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
            #expect(abs(slope - sigmoid / tau) <= 5e-16 * sigmoid / tau)
        }
    }

    @Test("The margin form is the margin")
    func margin() {
        let term = ContrastiveTerm(form: .margin)
        #expect(term.loss(margin: -3.5) == (-3.5, 1))
    }
}
