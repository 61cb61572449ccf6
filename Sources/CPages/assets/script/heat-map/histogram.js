// How a number is spread over the response's tokens, and how much of each bar are perception tokens.
import { drawing, element } from "../common/elements.js";
import { count, measure } from "../common/numbers.js";

const BARS = 48;
const SIZE = { width: 340, height: 130, left: 4, bottom: 20, top: 14 };
// The labels of the ends are at most this wide; another one nearer would lie on them.
const LABEL = 70;

/// An element for a column of the batch. Heights are logarithmic: most tokens are alike, and the others are of interest.
/// - column: `delta_entropy`, `perception_score` …; label: what it is called; unit.
export function histogram(batch, column, label, unit = "") {
  const values = batch.columns.get(column);
  const { low, high } = rangeOf(values, batch);
  if (low === null) return element("p", { class: "help" }, "No tokens to count.");
  const { all, chosen, threshold, shown } = counted(values, batch, low, high);
  const { width, height, left, bottom, top } = SIZE;
  const place = (value) => left + ((width - 2 * left) * (value - low)) / (high - low);
  const most = Math.max(1, ...all);
  const tall = (number) =>
    number === 0 ? 0 : Math.max(1.5, ((height - bottom - top) * Math.log1p(number)) / Math.log1p(most));
  const step = (width - 2 * left) / BARS;
  const bar = (number, bin, name) =>
    number > 0 &&
    drawing("rect", {
      class: name,
      x: left + bin * step + 0.5,
      y: height - bottom - tall(number),
      width: step - 1,
      height: tall(number),
      rx: 1,
    });
  const said =
    `${count(shown)} tokens from ${measure(low)} to ${measure(high)}` +
    (threshold === null ? "" : `; the lowest perception token is at ${measure(threshold)}`);
  return element(
    "figure",
    { class: "histogram" },
    element(
      "figcaption",
      {},
      element("b", {}, label),
      unit && ` in ${unit}`,
      element("span", {}, `counts, logarithmic; most ${count(most)}`),
    ),
    drawing(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Histogram of ${label}: ${said}` },
      [...all].map((number, bin) => [
        drawing(
          "g",
          {},
          drawing(
            "title",
            {},
            `${measure(low + (bin * (high - low)) / BARS)} … ${measure(low + ((bin + 1) * (high - low)) / BARS)}: ${count(number)} tokens, ${count(chosen[bin])} perception`,
          ),
          drawing("rect", { class: "hit", x: left + bin * step, y: 0, width: step, height: height - bottom }),
          bar(number, bin, "all"),
          bar(chosen[bin], bin, "chosen"),
        ),
      ]),
      drawing("line", { class: "axis", x1: left, x2: width - left, y1: height - bottom, y2: height - bottom }),
      low < 0 && high > 0 && tick(place(0), "0", left + LABEL, width - left - LABEL),
      edge(left, "start", measure(low)),
      edge(width - left, "end", measure(high)),
      threshold !== null && mark(place(threshold)),
    ),
    batch.masks.perception_mask &&
      element(
        "div",
        { class: "legend" },
        element("span", { class: "key" }, element("span", { class: "swatch chosen" }), "perception"),
        element("span", { class: "key" }, element("span", { class: "swatch all" }), "other"),
        threshold !== null &&
          element(
            "span",
            { class: "key" },
            element("span", { class: "swatch line" }),
            `lowest perception token, ${measure(threshold)}`,
          ),
      ),
  );
}

function rangeOf(values, batch) {
  let low = null;
  let high = null;
  for (let token = 0; token < values.length; token += 1) {
    const value = values[token];
    if (!batch.counts(token) || !Number.isFinite(value)) continue;
    if (low === null || value < low) low = value;
    if (high === null || value > high) high = value;
  }
  return low === high && low !== null ? { low: low - 0.5, high: high + 0.5 } : { low, high };
}

function counted(values, batch, low, high) {
  const all = new Uint32Array(BARS);
  const chosen = new Uint32Array(BARS);
  const perception = batch.masks.perception_mask;
  let threshold = null;
  let shown = 0;
  for (let token = 0; token < values.length; token += 1) {
    const value = values[token];
    if (!batch.counts(token) || !Number.isFinite(value)) continue;
    const bin = Math.min(BARS - 1, Math.floor((BARS * (value - low)) / (high - low)));
    all[bin] += 1;
    shown += 1;
    if (!perception?.[token]) continue;
    chosen[bin] += 1;
    if (threshold === null || value < threshold) threshold = value;
  }
  return { all, chosen, threshold, shown };
}

/// A tick, with its label if that is clear of the ends' labels.
function tick(x, text, first, last) {
  const y = SIZE.height - SIZE.bottom;
  return drawing(
    "g",
    {},
    drawing("line", { class: "axis", x1: x, x2: x, y1: y, y2: y + 4 }),
    x > first && x < last && drawing("text", { x, y: y + 15, "text-anchor": "middle" }, text),
  );
}

function edge(x, anchor, text) {
  return drawing("text", { x, y: SIZE.height - SIZE.bottom + 15, "text-anchor": anchor }, text);
}

function mark(x) {
  return drawing("line", { class: "threshold", x1: x, x2: x, y1: SIZE.top - 8, y2: SIZE.height - SIZE.bottom });
}
