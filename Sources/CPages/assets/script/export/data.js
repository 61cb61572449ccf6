// A scored batch as data: CSV and JSON.

/// The columns that are exported, in their order.
function columnNames(batch) {
  return [...batch.columns.keys()].sort();
}

const MASKS = ["response", "perception_mask", "gate", "mask"];

/// One line for each token. Texts that a spreadsheet would take for a formula get an apostrophe before them.
export function csv(batch) {
  const columns = columnNames(batch);
  const masks = MASKS.filter((name) => batch.masks[name]);
  const lines = [["rollout", "position", "token", ...(batch.ids ? ["token_id"] : []), ...masks, ...columns].join(",")];
  for (let row = 0; row < batch.rows; row += 1) {
    for (let token = batch.offsets[row]; token < batch.offsets[row + 1]; token += 1) {
      if (batch.isNothing(token)) continue;
      lines.push(
        [
          quoted(batch.names[row]),
          token - batch.offsets[row],
          quoted(batch.text(token)),
          ...(batch.ids ? [batch.ids[token]] : []),
          ...masks.map((name) => batch.masks[name][token]),
          ...columns.map((name) => number(batch.columns.get(name)[token])),
        ].join(","),
      );
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

function number(value) {
  return Number.isFinite(value) ? String(value) : "";
}

function quoted(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/// The scalars, diagnostics and options of the reply, and for each rollout lists of its tokens and numbers.
export function json(batch, result) {
  const { rollouts, ...scalars } = result ?? {};
  const list = (values, start, end) =>
    Array.from(values.subarray(start, end), (value) =>
      typeof value === "bigint" ? Number(value) : Number.isFinite(value) ? value : null,
    );
  return JSON.stringify({
    ...scalars,
    rollouts: batch.names.map((id, row) => {
      const [start, end] = [batch.offsets[row], batch.offsets[row + 1]];
      return {
        id,
        tokens: Array.from({ length: end - start }, (_, place) => batch.text(start + place)),
        ...(batch.ids ? { token_ids: list(batch.ids, start, end) } : {}),
        ...Object.fromEntries(
          MASKS.filter((name) => batch.masks[name]).map((name) => [
            name === "response" ? "response_mask" : name,
            list(batch.masks[name], start, end),
          ]),
        ),
        ...Object.fromEntries(columnNames(batch).map((name) => [name, list(batch.columns.get(name), start, end)])),
      };
    }),
  });
}
