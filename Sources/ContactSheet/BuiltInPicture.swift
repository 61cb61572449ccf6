package import Images

/// Pictures to perturb if the client sends none. They are drawn, not stored, and never change.
package enum BuiltInPicture {
    /// A picture with content that a model must read: a triangle with measures, bars with values, and lines of text.
    /// Tones and patterns below show the effect on color, brightness and detail. It has 24 × 18 cells of 14 pixels.
    package static let exercise: PixelImage = drawExercise()
    /// A scene of another shape, to mix in or to put beside the first.
    package static let scene: PixelImage = drawScene()

    private static let ink = Ink(28, 30, 38)

    private static func drawExercise() -> PixelImage {
        var paper = Paper(PixelSize(width: 336, height: 252), .white)
        drawTriangle(on: &paper)
        drawBars(on: &paper)
        drawText(on: &paper)
        drawTones(on: &paper)
        drawPatterns(on: &paper)
        return paper.finished()
    }

    private static func drawTriangle(on paper: inout Paper) {
        let (a, b, c) = (Place(26, 126), Place(158, 126), Place(26, 30))
        paper.polygon([a, b, c], Ink(226, 238, 252))
        paper.polygon([Place(26, 126), Place(38, 126), Place(38, 114), Place(26, 114)], Ink(178, 208, 244))
        for (start, end) in [(a, b), (b, c), (c, a)] { paper.line(start, end, ink) }
        paper.write("A", x: 8, y: 122, .double, ink)
        paper.write("B", x: 162, y: 122, .double, ink)
        paper.write("C", x: 18, y: 8, .double, ink)
        paper.write("12", x: 84, y: 131, .double, Ink(190, 30, 45))
        paper.write("5", x: 8, y: 72, .double, Ink(190, 30, 45))
        paper.write("x = ?", x: 98, y: 56, .double, Ink(0, 84, 180))
    }

    private static func drawBars(on paper: inout Paper) {
        let bars: [(value: Int, name: String, ink: Ink)] = [
            (31, "Q1", Ink(214, 69, 65)), (47, "Q2", Ink(242, 169, 59)), (22, "Q3", Ink(63, 151, 93)),
            (64, "Q4", Ink(76, 92, 178)),
        ]
        for level in 1...4 {
            paper.fill(x: 196, y: 122 - 24 * level, width: 132, height: 1, Ink(222, 224, 228))
        }
        for (place, bar) in bars.enumerated() {
            let (x, height) = (204 + 32 * place, bar.value * 3 / 2)
            paper.fill(x: x, y: 122 - height, width: 20, height: height, bar.ink)
            paper.write(bar.name, x: x + 4, y: 128, .single, ink)
            paper.write("\(bar.value)", x: x + 4, y: 112 - height, .single, ink)
        }
        paper.fill(x: 195, y: 10, width: 1, height: 113, ink)
        paper.fill(x: 195, y: 122, width: 133, height: 1, ink)
    }

    private static func drawText(on paper: inout Paper) {
        paper.write("Find the side x of the triangle.", x: 10, y: 154, .single, ink)
        paper.write("2 * 3 + 7 = 13,  0.5 < 0.75", x: 10, y: 166, .single, ink)
    }

    /// Draws all hues at full saturation, the same blended with white, and grays.
    private static func drawTones(on paper: inout Paper) {
        let outline = Ink(150, 154, 160)
        paper.fill(x: 9, y: 183, width: 194, height: 30, outline)
        paper.fill(x: 9, y: 215, width: 194, height: 28, outline)
        for step in 0..<192 {
            let hue = step * 6 * 255 / 192
            let (sector, rest) = (hue / 255, UInt8(hue % 255))
            let color =
                [
                    Ink(255, rest, 0), Ink(255 - rest, 255, 0), Ink(0, 255, rest), Ink(0, 255 - rest, 255),
                    Ink(rest, 0, 255), Ink(255, 0, 255 - rest),
                ][sector]
            for row in 0..<28 {
                func faded(_ level: UInt8) -> UInt8 { UInt8((Int(level) * (34 - row) + 255 * row) / 34) }
                paper.set(
                    x: 10 + step, y: 184 + row, Ink(faded(color.red), faded(color.green), faded(color.blue)))
            }
            let level = UInt8(step * 255 / 191)
            paper.fill(x: 10 + step, y: 216, width: 1, height: 13, Ink(level, level, level))
            let coarse = UInt8(step / 24 * 36)
            paper.fill(x: 10 + step, y: 229, width: 1, height: 13, Ink(coarse, coarse, coarse))
        }
    }

    /// Draws lines of one to three pixels in both directions, a star of wedges, and a checkerboard.
    private static func drawPatterns(on paper: inout Paper) {
        for thickness in 1...3 {
            for place in 0..<24 / (2 * thickness) {
                let offset = place * 2 * thickness
                let row = 150 + (thickness - 1) * 31
                paper.fill(x: 272 + offset, y: row, width: thickness, height: 24, ink)
                paper.fill(x: 302, y: row + offset, width: 24, height: thickness, ink)
            }
        }
        for wedge in 0..<8 { drawWedge(wedge, on: &paper) }
        for y in 0..<6 {
            for x in 0..<6 where (x + y) % 2 == 0 {
                paper.fill(x: 216 + 8 * x, y: 198 + 8 * y, width: 8, height: 8, Ink(40, 110, 120))
            }
        }
    }

    private static func drawWedge(_ wedge: Int, on paper: inout Paper) {
        // A sixteenth of a turn apart, on a circle of radius 1,000.
        let rim = [
            (1000, 0), (924, 383), (707, 707), (383, 924), (0, 1000), (-383, 924), (-707, 707), (-924, 383),
        ]
        func place(_ number: Int) -> Place {
            let (x, y) = rim[number % 8]
            let sign = number / 8 % 2 == 0 ? 1 : -1
            return Place(240 + sign * x * 22 / 1000, 170 + sign * y * 22 / 1000)
        }
        paper.polygon([Place(240, 170), place(2 * wedge), place(2 * wedge + 1)], ink)
    }

    private static func drawScene() -> PixelImage {
        var paper = Paper(PixelSize(width: 252, height: 252), .white)
        for row in 0..<252 {
            let fade = UInt8(row * 90 / 252)
            paper.fill(x: 0, y: row, width: 252, height: 1, Ink(120 + fade, 180 + fade / 2, 235))
        }
        paper.disc(Place(196, 54), radius: 28, Ink(255, 214, 84))
        paper.polygon([Place(-30, 190), Place(80, 60), Place(190, 190)], Ink(118, 130, 150))
        paper.polygon([Place(60, 84), Place(80, 60), Place(100, 84)], Ink(244, 246, 250))
        paper.polygon([Place(90, 190), Place(190, 104), Place(300, 190)], Ink(96, 110, 132))
        paper.fill(x: 0, y: 180, width: 252, height: 72, Ink(108, 158, 84))
        paper.fill(x: 48, y: 156, width: 70, height: 56, Ink(222, 196, 160))
        paper.polygon([Place(40, 156), Place(83, 122), Place(126, 156)], Ink(168, 66, 52))
        paper.fill(x: 74, y: 180, width: 18, height: 32, Ink(96, 62, 44))
        paper.fill(x: 56, y: 166, width: 12, height: 12, Ink(186, 222, 240))
        paper.fill(x: 98, y: 166, width: 12, height: 12, Ink(186, 222, 240))
        paper.fill(x: 184, y: 186, width: 8, height: 34, Ink(96, 62, 44))
        paper.disc(Place(188, 170), radius: 24, Ink(46, 112, 66))
        paper.write("No. 7", x: 12, y: 226, .double, ink)
        return paper.finished()
    }
}
