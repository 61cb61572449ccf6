// How the number that the heat map's colours stand for is spread over the tokens.
import { histogram } from "../heat-map/histogram.js";

const LABELS = {
  delta_entropy: ["ΔH", "nats"],
  perception_score: ["Score"],
  margin: ["Margin", "nats"],
  token_loss: ["Loss"],
  "original.log_probs": ["Log-probability under original", "nats"],
};

/// The histogram beside a coloring: of the perception score where the colours show it, else of the rise in entropy, or of
/// the first other column that the batch has. null when it has none.
export function stageHistogram(batch, coloring) {
  const wanted = coloring.group === "perception_score" ? "perception_score" : "delta_entropy";
  const shown = [wanted, "perception_score", "margin", "token_loss", "original.log_probs"].find((name) =>
    batch.columns.has(name),
  );
  return shown === undefined ? null : histogram(batch, shown, ...LABELS[shown]);
}
