// JSON whose members keep their order. JavaScript puts members named by integers first, in an order of their own; an
// engine's reply names tokens by their ids, and their order counts. So while the contract is an object here, such names
// have a mark in front, and every text that is made of it is freed of the mark.

const MARK = "\uffff";

/// Parses a text; names that are integers get the mark.
export function parseInOrder(text) {
  // A name's quote is never escaped, so quotes within strings don't match.
  return JSON.parse(text.replace(/"(\d+)"(?=\s*:)/g, `"${MARK}$1"`));
}

/// A name, or a text made of what was parsed, without marks.
export function unmarked(text) {
  return text.replaceAll(MARK, "");
}

/// An example as text: JSON, two blanks an indentation, or a text as it is.
export function exampleText(value) {
  return typeof value === "string" ? value : unmarked(JSON.stringify(value, null, 2));
}
