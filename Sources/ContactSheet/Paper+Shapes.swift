/// A point on paper, in pixels. The center of the pixel is half a pixel further.
struct Place: Sendable, Equatable {
    let x, y: Int

    init(_ x: Int, _ y: Int) {
        self.x = x
        self.y = y
    }
}

extension Paper {
    mutating func disc(_ center: Place, radius: Int, _ ink: Ink) {
        let side = 2 * radius
        paint(x: center.x - radius, y: center.y - radius, width: side, height: side, ink) { x, y in
            let (dx, dy) = (x - 8 * center.x, y - 8 * center.y)
            return dx * dx + dy * dy <= 64 * radius * radius
        }
    }

    /// Draws a straight line, two pixels thick, with round ends.
    mutating func line(_ start: Place, _ end: Place, _ ink: Ink) {
        let (left, top) = (min(start.x, end.x) - 2, min(start.y, end.y) - 2)
        let (dx, dy) = (8 * (end.x - start.x), 8 * (end.y - start.y))
        let length = max(dx * dx + dy * dy, 1)
        let (width, height) = (abs(end.x - start.x) + 4, abs(end.y - start.y) + 4)
        paint(x: left, y: top, width: width, height: height, ink) { x, y in
            let (px, py) = (x - 8 * start.x, y - 8 * start.y)
            let along = px * dx + py * dy
            if along < 0 { return px * px + py * py <= 64 }
            if along > length {
                let (qx, qy) = (x - 8 * end.x, y - 8 * end.y)
                return qx * qx + qy * qy <= 64
            }
            let across = px * dy - py * dx
            return across * across <= 64 * length
        }
    }

    /// Fills a convex area with corners in either direction.
    mutating func polygon(_ corners: [Place], _ ink: Ink) {
        let (xs, ys) = (corners.map(\.x), corners.map(\.y))
        guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max() else {
            return
        }
        paint(x: left, y: top, width: right - left, height: bottom - top, ink) { x, y in
            var isLeft = false
            var isRight = false
            for (place, corner) in corners.enumerated() {
                let next = corners[(place + 1) % corners.count]
                let side =
                    (next.x - corner.x) * (y - 8 * corner.y) - (next.y - corner.y) * (x - 8 * corner.x)
                if side < 0 { isLeft = true }
                if side > 0 { isRight = true }
            }
            return !(isLeft && isRight)
        }
    }
}
