// Breaks tokens into lines: typed arrays, one pass, no DOM.

/// Kinds of lines.
export const HEAD = 0;
export const TEXT = 1;
export const STRIP = 2;

/// The widths of a batch's distinct texts in CSS pixels, [words].
/// - font: as in a canvas.
/// - padding: what a token is wider than its text.
export function wordWidths(words, font, padding) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = font;
  const widths = new Float32Array(words.length);
  for (let word = 0; word < words.length; word += 1) widths[word] = context.measureText(words[word]).width + padding;
  return widths;
}

/// Lines one below another. Line i holds tokens start[i] up to end[i] of row row[i], from top[i] to top[i + 1].
export class Lines {
  constructor(kind, row, start, end, top) {
    Object.assign(this, { kind, row, start, end, top });
  }

  get length() {
    return this.kind.length;
  }

  get height() {
    return this.top[this.length];
  }

  /// The line at a height. O(log lines)
  at(y) {
    let low = 0;
    let high = Math.max(0, this.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /// The line that holds a token, or −1 where it is not shown.
  holding(token, row) {
    for (let line = 0; line < this.length; line += 1) {
      if (this.row[line] === row && this.kind[line] !== HEAD && this.start[line] <= token && token < this.end[line])
        return line;
    }
    return -1;
  }
}

/// Lines of text: for each row a head, then its tokens as wide as fits. A token with a line end in it ends its line.
/// - order: the rows to show, in this order.
/// - heights: `{ head, text }` in CSS pixels.
/// - Complexity: O(tokens shown)
export function textLines(batch, order, widths, width, heights) {
  const list = new LineList();
  const ends = Uint8Array.from(batch.words, (word) => (word.includes("⏎") ? 1 : 0));
  for (const row of order) {
    const first = batch.offsets[row];
    const last = batch.offsets[row + 1];
    list.add(HEAD, row, first, last, heights.head);
    let start = first;
    let used = 0;
    for (let token = first; token < last; token += 1) {
      if (batch.isNothing(token)) continue;
      const word = batch.wordOf[token];
      if (used > 0 && used + widths[word] > width) {
        list.add(TEXT, row, start, token, heights.text);
        start = token;
        used = 0;
      }
      used += widths[word];
      if (ends[word] && token + 1 < last) {
        list.add(TEXT, row, start, token + 1, heights.text);
        start = token + 1;
        used = 0;
      }
    }
    if (start < last) list.add(TEXT, row, start, last, heights.text);
  }
  return list.lines();
}

/// One strip for each row.
export function stripLines(batch, order, height) {
  const list = new LineList();
  for (const row of order) list.add(STRIP, row, batch.offsets[row], batch.offsets[row + 1], height);
  return list.lines();
}

class LineList {
  #parts = [[], [], [], [], [0]];
  #height = 0;

  add(kind, row, start, end, height) {
    this.#height += height;
    const values = [kind, row, start, end, this.#height];
    for (let i = 0; i < 5; i += 1) this.#parts[i].push(values[i]);
  }

  lines() {
    const [kind, row, start, end, top] = this.#parts;
    return new Lines(
      Uint8Array.from(kind),
      Int32Array.from(row),
      Int32Array.from(start),
      Int32Array.from(end),
      Float64Array.from(top),
    );
  }
}
