// JSON values as Python's literals.

/// The value as an expression. Objects and lists that are long are broken into lines, `indent` blanks deep.
export function python(value, indent = 0) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return text(value);
  const list = Array.isArray(value);
  const members = list ? value.map((each) => python(each, indent + 4))
    : Object.entries(value).map(([name, each]) => `${text(name)}: ${python(each, indent + 4)}`);
  const [open, close] = list ? ["[", "]"] : ["{", "}"];
  const line = `${open}${members.join(", ")}${close}`;
  if (line.length + indent <= 96 && !line.includes("\n")) return line;
  const margin = " ".repeat(indent + 4);
  return `${open}\n${members.map((each) => `${margin}${each},\n`).join("")}${" ".repeat(indent)}${close}`;
}

/// A string in double quotes. JSON's escapes mean the same in Python, but for lone surrogates, which it can't encode.
function text(value) {
  return JSON.stringify(value.toWellFormed()).replace(/[\u007f-\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/// Keyword arguments, one a line.
export function keywords(entries) {
  return entries.map(([name, value]) => `    ${name}=${python(value, 4)},\n`).join("");
}
