// What /v1/recipes says of a step's parameter, made into what a control needs. The catalogue writes for people: ranges
// are texts such as "0 … 100; 1 changes nothing".

const NUMBER = "-?[\\d,]*\\.?\\d+";

/// { kind, minimum, maximum, choices, says } of a parameter. `kind`: number, boolean, choice, color, pair, picture, or json,
/// which any value can be written as.
export function parameterForm({ type, range }) {
  const said = String(range ?? "");
  if (type === "boolean") return { kind: "boolean", says: said.replace(/^true, false$/, "") };
  if (type === "name") return { kind: "choice", choices: choicesOf(said), says: said };
  if (/^integer or \[red/.test(type)) return { kind: "color", says: "" };
  if (/^string or integer/.test(type)) return { kind: "picture", says: said };
  const [minimum, maximum] = limits(said);
  if (/^(number|integer)/.test(type)) {
    return {
      kind: "number",
      minimum,
      maximum,
      isWhole: type.startsWith("integer"),
      isNullable: type.includes("null"),
      says: said,
    };
  }
  if (/^list of \[x, y\]/.test(type))
    return { kind: "pair", minimum, maximum, isWhole: type.includes("integers"), says: said };
  return { kind: "json", says: `${type}: ${said}` };
}

function limits(text) {
  const found = text.match(new RegExp(`^(${NUMBER}) … (${NUMBER})?`));
  const read = (part) => (part === undefined ? null : Number(part.replaceAll(",", "")));
  return found ? [read(found[1]), read(found[2])] : [null, null];
}

function choicesOf(text) {
  return text
    .replace(/\([^)]*\)/g, "")
    .replace(/:.*$/, "")
    .split(/,| or /)
    .map((word) => word.trim())
    .filter((word) => /^\w+$/.test(word));
}

/// What a parameter starts with: its default, or, where it has none, something that shows in a picture of this size.
export function initialValue(parameter, form, { width, height }) {
  if (parameter.default !== undefined) return structuredClone(parameter.default);
  const inset = (share) =>
    [
      [width * share, height * share],
      [width * (1 - share), 0],
      [width * (1 - share), height * (1 - share)],
      [0, height],
    ].map((point) => point.map(Math.round));
  const known = {
    degrees: 15,
    t: 500,
    sigma: 40,
    width: Math.round(width / 2),
    height: Math.round(height / 2),
    left: Math.round(width / 4),
    top: Math.round(height / 4),
    startpoints: [
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ],
    endpoints: inset(0.08),
    patches: [[width / 4, height / 4, width / 3, height / 3].map(Math.round)],
  };
  if (Object.hasOwn(known, parameter.name)) return known[parameter.name];
  if (/seed$/.test(parameter.name)) return 0;
  if (form.kind === "number") return form.minimum ?? 0;
  if (form.kind === "choice") return form.choices[0];
  return form.kind === "boolean" ? false : form.kind === "pair" ? [0, 0] : null;
}
