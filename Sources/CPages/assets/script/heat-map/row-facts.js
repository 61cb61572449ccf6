// Facts about each row of a batch: what rows are sorted by and what their heads say.

/// The longest row's number of tokens, and typed arrays [B]: tokens (of the response), perception, gated, delta (mean ΔH), loss (mean over the mask), advantage.
export function rowFacts(batch) {
  if (!known.has(batch)) known.set(batch, counted(batch));
  return known.get(batch);
}

const known = new WeakMap();

function counted(batch) {
  const rows = batch.rows;
  const facts = {
    tokens: new Int32Array(rows),
    perception: new Int32Array(rows),
    gated: new Int32Array(rows),
    delta: new Float64Array(rows),
    loss: new Float64Array(rows),
    longest: 1,
    advantage: batch.advantages ? Float64Array.from(batch.advantages) : new Float64Array(rows).fill(NaN),
  };
  const { perception_mask: perception, mask } = batch.masks;
  const delta = batch.columns.get("delta_entropy");
  const loss = batch.columns.get("token_loss");
  for (let row = 0; row < rows; row += 1) {
    facts.longest = Math.max(facts.longest, batch.offsets[row + 1] - batch.offsets[row]);
    for (let token = batch.offsets[row]; token < batch.offsets[row + 1]; token += 1) {
      if (!batch.counts(token)) continue;
      facts.tokens[row] += 1;
      facts.perception[row] += perception ? perception[token] : 0;
      if (delta) facts.delta[row] += delta[token];
      if (mask?.[token] === 1) {
        facts.gated[row] += 1;
        if (loss) facts.loss[row] += loss[token];
      }
    }
    facts.delta[row] = delta ? facts.delta[row] / Math.max(1, facts.tokens[row]) : NaN;
    facts.loss[row] = loss && facts.gated[row] ? facts.loss[row] / facts.gated[row] : NaN;
  }
  return facts;
}

/// What rows can be sorted by.
export const ROW_ORDERS = [
  ["given", "as given"],
  ["loss", "loss, highest first"],
  ["delta", "mean ΔH, highest first"],
  ["gated", "tokens in the loss, most first"],
  ["advantage", "advantage or reward, highest first"],
  ["tokens", "length, longest first"],
];

/// The rows in an order; rows without the number come last.
export function orderedRows(batch, facts, by) {
  const order = Array.from({ length: batch.rows }, (_, row) => row);
  if (by === "given") return order;
  const value = (row) => (Number.isNaN(facts[by][row]) ? -Infinity : facts[by][row]);
  return order.sort((a, b) => value(b) - value(a) || a - b);
}
