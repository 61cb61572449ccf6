// The texts of tokens, in the forms they come in.

/// Texts in the order of a batch's tokens, or null where the list fits no such batch.
/// - listed: B lists of texts, or one list where B is 1 or the tensors are packed.
export function textsFor(listed, layout) {
  if (!isListing(listed)) return null;
  const flat = listed.every((item) => typeof item === "string");
  if (flat)
    return listed.length >= layout.length && (layout.rows === 1 || layout.isPlain)
      ? listed.slice(0, layout.length)
      : null;
  if (listed.length !== layout.rows) return null;
  const texts = [];
  for (let row = 0; row < layout.rows; row += 1) {
    const count = layout.offsets[row + 1] - layout.offsets[row];
    if (!Array.isArray(listed[row])) return null;
    for (let place = 0; place < count; place += 1) texts.push(String(listed[row][place] ?? ""));
  }
  return texts;
}

/// How many texts each row has, or null.
export function textLengths(listed) {
  if (!isListing(listed)) return null;
  return listed.every((item) => typeof item === "string")
    ? [listed.length]
    : listed.map((row) => (Array.isArray(row) ? row.length : 0));
}

/// Whether a JSON value is a listing of texts: strings, or lists of strings.
export function isListing(value) {
  const texts = (list) => list.every((item) => typeof item === "string");
  return (
    Array.isArray(value) && value.length > 0 && (texts(value) || value.every((row) => Array.isArray(row) && texts(row)))
  );
}

/// JSON text as a value, or null.
export function parsed(text) {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
