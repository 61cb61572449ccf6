// A signal over the last batches as a small line.
import { drawing } from "../common/elements.js";

const WIDTH = 240;
const HEIGHT = 44;
const PAD = 3;

/// An SVG of `values`, oldest first; null where a batch has none: the line has a gap there.
/// - label: what a screen reader is told.
export function sparkline(values, label) {
  const known = values.filter((value) => value !== null);
  const svg = drawing("svg", { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
  if (known.length === 0) return svg;
  let low = Math.min(...known);
  let high = Math.max(...known);
  // A line that does not move is drawn in the middle.
  if (low === high) [low, high] = [low - 1, high + 1];
  const x = (index) => (values.length < 2 ? WIDTH - PAD : PAD + (WIDTH - 2 * PAD) * index / (values.length - 1));
  const y = (value) => HEIGHT - PAD - (HEIGHT - 2 * PAD) * (value - low) / (high - low);
  if (low < 0 && high > 0) svg.append(drawing("line", { class: "zero", x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }));
  let path = "";
  let isDown = false;
  values.forEach((value, index) => {
    if (value !== null) path += `${isDown ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = value !== null;
  });
  svg.append(drawing("path", { class: "line", d: path }));
  const last = values.findLastIndex((value) => value !== null);
  // A line without length and round ends: a circle would be stretched with the drawing.
  svg.append(drawing("path", { class: "last", d: `M${x(last).toFixed(1)} ${y(values[last]).toFixed(1)}h0.01` }));
  return svg;
}
