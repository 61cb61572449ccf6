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

/// An example as text: JSON, or a text as it is.
export function exampleText(value) {
  return typeof value === "string" ? value : unmarked(compact(value));
}

/// JSON whose short lists and objects stand in one line, others with a member a line, two blanks an indentation.
export function compact(value, margin = "") {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${margin}  `;
  const members = Array.isArray(value) ? value.map((each) => compact(each, inner))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${compact(each, inner)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const line = `${open}${members.join(", ")}${close}`;
  if (margin.length + line.length <= 58 && !line.includes("\n")) return line;
  return `${open}\n${members.map((member) => inner + member).join(",\n")}\n${margin}${close}`;
}
