internal import Images

extension StepDistribution {
    /// torchvision's `RandomPerspective(distortion_scale=0.2, p=0.5)`.
    ///
    /// Below 10 pixels no corner could move, so that smaller pictures don't have this step among their choices.
    static let perspective = StepDistribution(
        step: Perspective.self,
        parameters: [
            ("applied", "with probability ½; otherwise the picture stays as it is (`always` rules that out)"),
            ("startpoints", "the picture's corners"),
            (
                "endpoints",
                "each corner moved inwards by integers uniform in 0 … ⌊0.2 · ⌊side / 2⌋⌋, x before y"
            ),
        ],
        smallestSide: 10
    ) { stream, size, always in
        let applied = stream.integer(in: 0...1) == 1
        guard applied || always else { return nil }
        let (right, bottom) = (size.width - 1, size.height - 1)
        let across = 0...(size.width / 2 / 5)
        let down = 0...(size.height / 2 / 5)
        let corners = [(0, 0), (right, 0), (right, bottom), (0, bottom)].map {
            Perspective.Point(x: $0.0, y: $0.1)
        }
        while true {
            let moved = corners.map { corner in
                let inwardsX = stream.integer(in: across)
                let inwardsY = stream.integer(in: down)
                return Perspective.Point(
                    x: corner.x == 0 ? inwardsX : corner.x - inwardsX,
                    y: corner.y == 0 ? inwardsY : corner.y - inwardsY)
            }
            // With `always`, eight zeros are drawn again.
            if moved != corners || !always { return Perspective(startpoints: corners, endpoints: moved) }
        }
    }
}
