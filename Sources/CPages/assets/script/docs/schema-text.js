// A schema in words: its type, and what values it takes.

/// The range that a schema's bounds make, such as `0 < x ≤ 1`, or null.
export function range(schema) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const low = exclusiveMinimum ?? minimum;
  const high = exclusiveMaximum ?? maximum;
  if (low === undefined && high === undefined) return null;
  const below = exclusiveMinimum === undefined ? "≤" : "<";
  const above = exclusiveMaximum === undefined ? "≤" : "<";
  if (high === undefined) return `${exclusiveMinimum === undefined ? "≥" : ">"} ${number(low)}`;
  if (low === undefined) return `${above} ${number(high)}`;
  return `${number(low)} ${below} x ${above} ${number(high)}`;
}

/// A number as the contract would write it: with groups where it is long.
function number(value) {
  return Number.isInteger(value) && Math.abs(value) >= 10_000 ? groups(value) : String(value);
}

function groups(value) {
  // 2^63 − 1 is not what a double holds; its decimal digits would be others.
  if (value >= 2 ** 63) return "2⁶³ − 1";
  if (value <= -(2 ** 63)) return "−2⁶³";
  return value.toLocaleString("en-US");
}

/// How many elements or characters a schema allows, such as `1 to 64 items`, or null.
export function extent(schema) {
  return counted(schema.minItems, schema.maxItems, "item")
    ?? counted(schema.minLength, schema.maxLength, "character")
    ?? counted(schema.minProperties, schema.maxProperties, "member");
}

function counted(low, high, word) {
  if (low === undefined && high === undefined) return null;
  const plural = (count) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
  if (low === high) return plural(low);
  if (high === undefined) return `at least ${plural(low)}`;
  if (!low) return `at most ${plural(high)}`;
  return `${number(low)} to ${plural(high)}`;
}

/// What a value that is no object is called: `integer`, `number or null`, `base64 string`, `bytes`.
export function basicType(schema) {
  if ("const" in schema) return "constant";
  if (schema.format === "binary") return "bytes";
  if (schema.contentEncoding) return `${schema.contentEncoding} string`;
  if (Array.isArray(schema.type)) return schema.type.join(" or ");
  if (schema.type) return schema.type;
  if (schema.enum) return "string";
  if (schema.properties) return "object";
  if (schema.items || schema.prefixItems) return "array";
  return "any value";
}

/// A JSON value as one line of text, with blanks where it may be broken.
export function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each)}`).join(", ")}}`;
}
