// What one row of logits says: in doubles, from the bytes as they lie.

const SLICE_MS = 12;

/// The log-sum-exp of a row, its entropy, and the log-probability of one entry; nats.
/// - values: logits [V]; −inf is probability 0.
export function rowStatistics(values, chosen, temperature = 1) {
  let peak = -Infinity;
  for (let i = 0; i < values.length; i += 1) if (values[i] > peak) peak = values[i];
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < values.length; i += 1) {
    const shifted = (values[i] - peak) / temperature;
    const weight = Math.exp(shifted);
    if (weight > 0) {
      sum += weight;
      weighted += weight * shifted;
    }
  }
  const logSum = Math.log(sum);
  return { entropy: logSum - weighted / sum, logProb: (values[chosen] - peak) / temperature - logSum, logSum, peak };
}

/// The k likeliest entries of a row, best first.
export function likeliest(values, k, temperature = 1) {
  const { peak, logSum } = rowStatistics(values, 0, temperature);
  const best = [];
  for (let id = 0; id < values.length; id += 1) {
    if (best.length === k && values[id] <= values[best[k - 1]]) continue;
    let place = best.length;
    while (place > 0 && values[best[place - 1]] < values[id]) place -= 1;
    best.splice(place, 0, id);
    if (best.length > k) best.pop();
  }
  return best.map((id) => ({ id, text: null, logProb: (values[id] - peak) / temperature - logSum }));
}

/// Log-probabilities and entropies of every token that counts, in slices between which the page stays alive.
/// - rowOf(place) => logits [V]; places: where each token's row is.
export async function logitColumns(rowOf, places, ids, counts, temperature, signal) {
  const logProbs = new Float32Array(places.length);
  const entropy = new Float32Array(places.length);
  let until = performance.now() + SLICE_MS;
  for (let token = 0; token < places.length; token += 1) {
    if (!counts(token)) continue;
    const said = rowStatistics(rowOf(places[token]), Number(ids?.[token] ?? 0), temperature);
    logProbs[token] = said.logProb;
    entropy[token] = said.entropy;
    if (performance.now() > until) {
      await new Promise((resume) => setTimeout(resume));
      signal?.throwIfAborted();
      until = performance.now() + SLICE_MS;
    }
  }
  return { logProbs: ids ? logProbs : null, entropy };
}
