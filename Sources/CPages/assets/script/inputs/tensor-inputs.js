// A request for /v1/score as tensors: a safetensors file, or JSON that was made into tensors.
import { SAFETENSORS, safetensorsParts, Tensor } from "../common/safetensors.js";
import { Batch, VIEWS } from "../heat-map/batch.js";
import { layoutOf } from "./layout.js";
import { likeliest, logitColumns } from "./logits.js";
import { scored } from "./scored.js";
import { parsed, textLengths, textsFor } from "./token-texts.js";

const FULL_VOCABULARY = new Set(["full_kl", "jsd", "jeffreys"]);
// Larger logits are not sent again with every change: what they come to is.
const MOST_LOGIT_BYTES = 64 * 2 ** 20;
const SHOWN = "shown.";
const BEST = 8;

export class TensorInputs {
  #tensors;
  #layout;
  #reduced = null;

  /// Reads a request's tensors. Throws an error with `title` and `detail` where they are none.
  /// - metadata: `options`, `tokens`, and of examples `vocabulary`, as JSON texts.
  constructor({ tensors, metadata = {}, names = null, label }) {
    this.label = label;
    this.#tensors = new Map([...tensors].filter(([name]) => !name.startsWith(SHOWN)));
    const tokens = parsed(metadata.tokens);
    this.#layout = layoutOf(this.#tensors, textLengths(tokens));
    this.options = parsed(metadata.options) ?? {};
    this.canScore = true;
    const rows = this.#layout.rows;
    const texts = textsFor(tokens, this.#layout);
    this.notes = tokens && !texts ? ["The texts in “tokens” do not fit these tensors and are not shown."] : [];
    this.batch = new Batch({
      names: names ?? Array.from({ length: rows }, (_, row) => `rollout ${row}`),
      offsets: this.#layout.offsets,
      texts,
      ids: this.#gathered("token_ids"),
      masks: this.#masks(),
      columns: this.#columns(),
      advantages: this.#advantages(),
      worth: this.#tensors.has("advantages") ? "advantage" : "reward",
      top: this.#top(tensors, parsed(metadata.vocabulary) ?? {}),
    });
  }

  /// The views that logits are known of, by name or as rows of `logits` [B,T,3,V].
  get #logitViews() {
    if (this.#tensors.has("logits")) return VIEWS;
    return VIEWS.filter((view) => this.#tensors.has(`${view}.logits`));
  }

  #logitsOf(view) {
    return this.#tensors.get("logits") ?? this.#tensors.get(`${view}.logits`);
  }

  /// The logits [V] of a place under a view.
  #logitRow(view, place) {
    const logits = this.#logitsOf(view);
    const width = logits.shape.at(-1);
    const row = this.#tensors.has("logits") ? place * VIEWS.length + VIEWS.indexOf(view) : place;
    return logits.floats(row * width, (row + 1) * width);
  }

  /// Whether something must be worked out before the first score.
  get hasLogits() {
    return this.#logitViews.length > 0;
  }

  /// Scores the batch.
  /// - options: those to send; resolved: all of them with their values.
  async score(options, signal, resolved) {
    const { temperature } = resolved;
    if (this.hasLogits && this.#reduced?.temperature !== temperature) await this.#reduce(temperature, signal);
    const full = FULL_VOCABULARY.has(resolved.estimator);
    const tensors = this.#sent(full);
    // Gradients of logits would be as large as the logits, and there is nothing to show of them.
    const wanted = full ? { return: yielded(resolved) } : {};
    const given = tensors === this.#tensors ? options : { ...options, temperature: 1 };
    const body = new Blob(safetensorsParts(tensors, { options: JSON.stringify({ ...given, ...wanted }) }));
    return scored(this.batch, this.#layout, { body, contentType: SAFETENSORS, signal });
  }

  /// The request as a safetensors file.
  file(options) {
    return new Blob(safetensorsParts(this.#tensors, { options: JSON.stringify(options) }), { type: SAFETENSORS });
  }

  #sent(full) {
    const logits = [...this.#tensors].filter(([name]) => name === "logits" || name.endsWith(".logits"));
    const size = logits.reduce((sum, [, tensor]) => sum + tensor.bytes.byteLength, 0);
    if (full || size <= MOST_LOGIT_BYTES || !this.#reduced) return this.#tensors;
    const shape = logits[0][1].shape.slice(0, logits[0][0] === "logits" ? -2 : -1);
    const places = this.#places();
    const tensors = new Map([...this.#tensors].filter(([name]) => !logits.some(([large]) => large === name)));
    for (const [name, values] of this.#reduced.columns)
      tensors.set(name, Tensor.of(spread(values, places, shape), shape));
    return tensors;
  }

  async #reduce(temperature, signal) {
    const columns = new Map();
    const places = this.#places();
    for (const view of this.#logitViews) {
      const said = await logitColumns(
        (place) => this.#logitRow(view, place),
        places,
        this.batch.ids,
        (token) => this.batch.counts(token),
        temperature,
        signal,
      );
      for (const [name, values] of [
        ["log_probs", said.logProbs],
        ["entropy", said.entropy],
      ]) {
        if (values && !this.#tensors.has(`${view}.${name}`)) columns.set(`${view}.${name}`, values);
      }
    }
    this.#reduced = { temperature, columns };
    this.batch.columns = new Map([...this.batch.columns, ...columns]);
  }

  /// Where a token of the batch is in the tensors.
  #place(token) {
    const row = this.batch.rowOf(token);
    return this.#layout.starts[row] + token - this.#layout.offsets[row];
  }

  #places() {
    return Int32Array.from({ length: this.#layout.length }, (_, token) => this.#place(token));
  }

  #gathered(name) {
    const tensor = this.#tensors.get(name);
    return tensor ? this.#layout.gather(tensor.elements()) : null;
  }

  #masks() {
    const response = this.#gathered("response_mask");
    return response ? { response: Uint8Array.from(response, Number) } : {};
  }

  #columns() {
    const columns = new Map();
    for (const [name, tensor] of this.#tensors) {
      if (/^[a-z]+\.(log_probs|entropy)$/.test(name)) columns.set(name, this.#layout.gather(tensor.floats()));
    }
    return columns;
  }

  /// One number for each row: the advantage, of which a token-wise one shows the first in the response.
  #advantages() {
    const tensor = this.#tensors.get("advantages") ?? this.#tensors.get("rewards");
    if (!tensor) return null;
    const values = tensor.floats();
    if (values.length === this.#layout.rows) return values;
    const mask = this.#tensors.get("response_mask")?.elements();
    return Float64Array.from(this.#layout.starts, (start, row) => {
      const end = this.#layout.starts[row + 1] ?? values.length;
      let first = start;
      while (mask && first < end && !Number(mask[first])) first++;
      return values[first < end ? first : start] ?? NaN;
    });
  }

  /// The likeliest tokens: those that an example carries, or what logits say.
  #top(tensors, vocabulary) {
    const shown = VIEWS.filter((view) => tensors.has(`${SHOWN}${view}.top_ids`)).map((view) => {
      const ids = tensors.get(`${SHOWN}${view}.top_ids`);
      const k = ids.shape.at(-1);
      return [
        view,
        {
          k,
          ids: this.#layout.gather(ids.elements(), k),
          logProbs: this.#layout.gather(tensors.get(`${SHOWN}${view}.top_log_probs`).floats(), k),
        },
      ];
    });
    const carried = new Map(shown);
    return (view, token) => {
      const kept = carried.get(view);
      if (kept) {
        return Array.from({ length: kept.k }, (_, i) => {
          const id = kept.ids[token * kept.k + i];
          return {
            id,
            text: Object.hasOwn(vocabulary, id) ? vocabulary[id] : null,
            logProb: kept.logProbs[token * kept.k + i],
          };
        });
      }
      if (!this.#logitViews.includes(view) || !this.batch.counts(token)) return null;
      return likeliest(this.#logitRow(view, this.#place(token)), BEST, this.#reduced?.temperature ?? 1);
    };
  }
}

/// The tensors that options yield, but for gradients.
function yielded(options) {
  const names = ["perception_mask", "gate", "mask"];
  if (options.detector === "entropy") names.push("delta_entropy");
  if (options.detector === "entropy" || options.detector === "divergence") names.push("perception_score");
  if (options.terms.length > 0) names.push("token_loss");
  return names;
}

function spread(values, places, shape) {
  const whole = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let token = 0; token < places.length; token += 1) whole[places[token]] = values[token];
  return whole;
}
