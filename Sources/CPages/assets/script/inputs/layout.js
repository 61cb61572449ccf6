// How tensors lie: padded [B,T] or packed [N]; batches are packed, without the padding at the rows' ends.
import { offsetsOf } from "../heat-map/batch.js";

/// Where each row's tokens are in a tensor: starts[b], lengths[b] of them.
export class Layout {
  constructor(starts, lengths) {
    this.starts = starts;
    this.offsets = offsetsOf(lengths);
    this.length = this.offsets[lengths.length];
    this.isPlain = lengths.every((length, row) => starts[row] === this.offsets[row]);
  }

  /// Rows of T places each, of which the last ones outside the response are padding.
  /// - responseMask: typed array [B·T], or null.
  static padded(rows, places, responseMask, least = (_row) => 0) {
    const starts = [];
    const lengths = [];
    for (let row = 0; row < rows; row += 1) {
      let length = places;
      if (responseMask) while (length > least(row) && !Number(responseMask[row * places + length - 1])) length -= 1;
      starts.push(row * places);
      lengths.push(length);
    }
    return new Layout(starts, lengths);
  }

  /// Rows one after another, from `cumulative` lengths [B + 1].
  static packed(cumulative) {
    const starts = cumulative.slice(0, -1);
    return new Layout(
      starts,
      starts.map((start, row) => cumulative[row + 1] - start),
    );
  }

  get rows() {
    return this.offsets.length - 1;
  }

  /// A tensor's values in the batch's order; a view of it where nothing moves.
  /// - width: of each token, such as K.
  gather(values, width = 1) {
    if (this.isPlain) return values.length === this.length * width ? values : values.subarray(0, this.length * width);
    const gathered = new values.constructor(this.length * width);
    for (let row = 0; row < this.rows; row += 1) {
      const start = this.starts[row] * width;
      const count = (this.offsets[row + 1] - this.offsets[row]) * width;
      gathered.set(values.subarray(start, start + count), this.offsets[row] * width);
    }
    return gathered;
  }
}

/// The layout of a file's tensors: packed where it has `cu_seqlens`, else [B,T] as the first tensor of tokens says.
/// - textLengths: how many texts each row has, or null: what has a text is no padding.
export function layoutOf(tensors, textLengths = null) {
  const cumulative = tensors.get("cu_seqlens");
  if (cumulative) return Layout.packed(cumulative.numbers());
  const perToken = [...tensors].filter(([name]) => isPerToken(name)).map(([, tensor]) => tensor);
  const first = perToken.find((tensor) => tensor.shape.length >= 1);
  if (!first) return new Layout([], []);
  const mask = tensors.get("response_mask");
  const [rows, places] = first.shape.length === 1 ? [1, first.shape[0]] : first.shape;
  const least = textLengths ? (row) => textLengths[row] ?? 0 : () => 0;
  return Layout.padded(rows, places, mask?.elements() ?? null, least);
}

const PER_TOKEN = new Set([
  "logits",
  "token_ids",
  "response_mask",
  "perception_mask",
  "gate",
  "mask",
  "delta_entropy",
  "perception_score",
  "token_loss",
  "token_reward",
]);

function isPerToken(name) {
  return (
    PER_TOKEN.has(name) ||
    (/\.(log_probs|entropy|logits|top_log_probs|entropy_lower|entropy_upper)$/.test(name) &&
      !/^grad\..*logits$/.test(name)) ||
    /^weights\./.test(name)
  );
}
