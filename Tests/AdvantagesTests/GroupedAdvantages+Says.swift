import Advantages

extension GroupedAdvantages {
    /// Whether it is these values, groups and groups without spread.
    func says(_ values: [Double], groups: Int, withoutSpread: Int) -> Bool {
        self.values == values && self.groups == groups && self.withoutSpread == withoutSpread
    }
}
