// What a heat map shows: B sequences of tokens, packed one after another, with one number for each token in each column.
import { tokenText } from "../common/visible-text.js";

export const VIEWS = ["original", "preserving", "removing"];

/// A batch of N tokens in B rows.
///
/// - names: the rows' names [B].
/// - offsets: row b is tokens offsets[b] up to offsets[b + 1]; Int32Array [B + 1].
/// - columns: Map from a tensor's name, such as `original.log_probs` or `delta_entropy`, to a Float32Array [N].
/// - masks: `response`, `perception_mask`, `gate`, `mask`; Uint8Array [N] each, or absent.
/// - words: the distinct texts of tokens; `wordOf` Int32Array [N] says which one a token has.
/// - ids: the tokens' ids [N], a typed array, or null.
/// - advantages: one number for each row, or null; `worth` says what it is, `advantage` or `reward`.
/// - top: (view, token) => the likeliest tokens [{text, id, logProb}], best first, or null.
export class Batch {
  constructor({
    names,
    offsets,
    columns = new Map(),
    masks = {},
    texts = null,
    ids = null,
    advantages = null,
    worth = "advantage",
    top = null,
  }) {
    Object.assign(this, { names, offsets, columns, masks, ids, advantages, worth, top });
    this.length = offsets[offsets.length - 1];
    this.hasTexts = texts !== null;
    this.#nameWords(texts);
  }

  get rows() {
    return this.names.length;
  }

  /// The same tokens with other numbers: what re-scoring needs.
  with({ columns, masks }) {
    const made = Object.create(Batch.prototype);
    return Object.assign(made, this, {
      columns: new Map([...this.columns, ...columns]),
      masks: { ...this.masks, ...masks },
    });
  }

  /// The row that a token is in. O(log B)
  rowOf(token) {
    let low = 0;
    let high = this.rows - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= token) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /// A token's text, made visible.
  text(token) {
    return this.words[this.wordOf[token]];
  }

  /// Whether a token is part of the response.
  counts(token) {
    return this.masks.response === undefined || this.masks.response[token] === 1;
  }

  /// Whether a token is neither text nor response, such as padding: it takes no room.
  isNothing(token) {
    return !this.counts(token) && this.words[this.wordOf[token]] === "∅";
  }

  #nameWords(texts) {
    this.words = [];
    this.wordOf = new Int32Array(this.length);
    const known = new Map();
    for (let token = 0; token < this.length; token += 1) {
      const text = texts
        ? (texts[token] ?? "")
        : this.ids
          ? String(this.ids[token])
          : String(token - this.offsets[this.rowOf(token)]);
      let word = known.get(text);
      if (word === undefined) {
        word = this.words.length;
        known.set(text, word);
        this.words.push(tokenText(String(text)));
      }
      this.wordOf[token] = word;
    }
  }
}

/// Where rows start that have these lengths.
export function offsetsOf(lengths) {
  const offsets = new Int32Array(lengths.length + 1);
  for (let row = 0; row < lengths.length; row += 1) offsets[row + 1] = offsets[row] + lengths[row];
  return offsets;
}
