// The ways to colour tokens, and how a number becomes a colour.
import { VIEWS } from "./batch.js";

const SAMPLE = 20_000;

/// One way: `values` [N], `sign` "both" (falls blue, rises orange), "up", or "share" (a probability, 0 … 1), and `high`,
/// the size at which the colour is full.
class Coloring {
  constructor({ key, group, label, view = null, unit = "", says, values, sign, high }) {
    Object.assign(this, { key, group, label, view, unit, says, values, sign });
    this.high = high ?? 1;
  }

  /// How much colour a token gets, −1 … 1.
  strength(token) {
    const share = this.values[token] / this.high;
    return Number.isNaN(share) ? 0 : Math.max(-1, Math.min(1, share));
  }

  /// A CSS colour for a strength; 16 steps either way, so that equal tokens share one text.
  color(strength) {
    const opacity = (Math.round(Math.abs(strength) * 16) / 16) * 0.84;
    if (opacity === 0) return "transparent";
    const name = this.sign === "share" ? "mask" : strength < 0 ? "down" : "up";
    return `rgb(var(--heat-${name}) / ${opacity.toFixed(3)})`;
  }
}

const SINGLE = [
  ["delta_entropy", "ΔH", "both", "nats", "Rise of the entropy when the image's information is removed"],
  ["perception_score", "Score", "both", "", "What the detector ranks candidates by"],
  ["margin", "Margin", "both", "nats", "m, the weighted sum of divergences: the loss pushes it down"],
  ["token_loss", "Loss", "both", "", "Loss of each token; it counts where the mask is 1"],
];
const BY_VIEW = [
  [
    "gradient",
    "Gradient",
    "both",
    "",
    (view) => `grad.${view}.log_probs`,
    "Gradient with respect to the log-probability under",
  ],
  ["probability", "Probability", "share", "", (view) => `${view}.log_probs`, "Probability of the token under"],
  ["entropy", "Entropy", "up", "nats", (view) => `${view}.entropy`, "Entropy under"],
];

/// All ways that a batch has numbers for, in the order of the buttons.
export function colorings(batch) {
  const made = [];
  for (const [key, label, sign, unit, says] of SINGLE) {
    const values = batch.columns.get(key);
    if (values)
      made.push(new Coloring({ key, group: key, label, unit, says, values, sign, high: fullAt(values, batch) }));
  }
  for (const [group, label, sign, unit, column, says] of BY_VIEW) {
    for (const view of VIEWS) {
      let values = batch.columns.get(column(view));
      if (!values) continue;
      if (group === "probability") values = probabilities(values);
      const high = sign === "share" ? 1 : fullAt(values, batch);
      made.push(
        new Coloring({
          key: `${group}.${view}`,
          group,
          label,
          view,
          unit,
          says: `${says} ${view}`,
          values,
          sign,
          high,
        }),
      );
    }
  }
  if (batch.masks.mask) {
    made.push(
      new Coloring({
        key: "mask",
        group: "mask",
        label: "Mask",
        says: "Perception tokens that pass the gate: they carry the loss",
        values: batch.masks.mask,
        sign: "share",
        high: 1,
      }),
    );
  }
  return made;
}

const cached = new WeakMap();

function probabilities(logProbs) {
  let values = cached.get(logProbs);
  if (!values) {
    values = logProbs.map(Math.exp);
    cached.set(logProbs, values);
  }
  return values;
}

/// The size that most tokens stay below: the 99th percentile of the response's sizes, or their largest when there are few.
function fullAt(values, batch) {
  const sizes = [];
  const stride = Math.max(1, Math.floor(values.length / SAMPLE));
  for (let token = 0; token < values.length; token += stride) {
    const size = Math.abs(values[token]);
    if (size > 0 && Number.isFinite(size) && batch.counts(token)) sizes.push(size);
  }
  if (sizes.length === 0) return 1;
  const sorted = Float64Array.from(sizes).sort();
  return sorted.length < 200 ? sorted[sorted.length - 1] : sorted[Math.floor(sorted.length * 0.99)];
}
