// Tensors as tables: those of one shape stand side by side, a token in each line.
import { element } from "../common/elements.js";
import { several } from "../common/numbers.js";
import { visible } from "../common/visible-text.js";

const MOST_LINES = 200;
const MOST_COLUMNS = 24;
const MOST_ROWS = 8;

/// Tables of tensors. `tensors` maps names to `{ shape, at }`, where `at(i)` is element i in row-major order.
export function tensorTables(tensors) {
  const groups = new Map();
  for (const [name, tensor] of tensors) {
    const key = tensor.shape.length > 2 ? `${name} ${tensor.shape}` : String(tensor.shape);
    if (!groups.has(key)) groups.set(key, { shape: tensor.shape, columns: [] });
    groups.get(key).columns.push([name, tensor.at]);
  }
  return [...groups.values()].flatMap(({ shape, columns }) => tables(shape, columns));
}

function tables(shape, columns) {
  if (shape.length === 0) return [scalars(columns)];
  if (shape.includes(0)) {
    return [element("p", { class: "note" }, columns.map(([name]) => visible(name)).join(", "), ": empty, ", shapeText(shape))];
  }
  if (shape.length === 1) return [table("", columns, shape[0], 0, shape)];
  if (shape.length === 2) {
    const rows = Math.min(shape[0], MOST_ROWS);
    const made = Array.from({ length: rows }, (_, row) =>
      table(shape[0] > 1 ? `Row ${row} of ${shape[0]}` : "", columns, shape[1], row * shape[1], shape));
    if (shape[0] > rows) made.push(element("p", { class: "note" }, `${shape[0] - rows} more rows are not shown.`));
    return made;
  }
  return columns.map(([name, at]) => deep(name, at, shape));
}

function scalars(columns) {
  return element("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": "Scalars" },
    element("table", { class: "table fitted" }, element("tbody", {}, columns.map(([name, at]) =>
      element("tr", {}, element("th", { scope: "row" }, visible(name)), element("td", { class: "number" }, numeral(at(0))))))));
}

/// One line for each index, one column for each tensor.
function table(title, columns, length, offset, shape) {
  const shown = columns.slice(0, MOST_COLUMNS);
  const lines = Math.min(length, MOST_LINES);
  const caption = [title, `${shown.map(([name]) => visible(name)).join(", ")} ${shapeText(shape)}`].filter(Boolean).join(" · ");
  return element("div", { class: "tensor" },
    element("p", { class: "note" }, title && [element("strong", {}, title), " · "], shapeText(shape)),
    element("div", { class: "table-frame tall", tabindex: "0", role: "group", "aria-label": caption },
      element("table", { class: "table fitted" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col", class: "number" }, "#"),
          shown.map(([name]) => element("th", { scope: "col", class: "number" }, broken(name))))),
        element("tbody", {}, Array.from({ length: lines }, (_, line) => element("tr", {},
          element("th", { scope: "row", class: "number" }, line),
          shown.map(([, at]) => element("td", { class: "number" }, numeral(at(offset + line))))))))),
    (length > lines || columns.length > shown.length) && element("p", { class: "note" },
      [length > lines && `${several(length - lines, "more line")}`, columns.length > shown.length
        && several(columns.length - shown.length, "more column")].filter(Boolean).join(" and "), " not shown."));
}

/// A tensor of three extents or more: a line for each row of the last one.
function deep(name, at, shape) {
  const width = shape.at(-1);
  const total = shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
  const lines = Math.min(total, MOST_LINES);
  const columns = Math.min(width, MOST_COLUMNS);
  const place = (line) => shape.slice(0, -1).reduceRight(([text, rest], extent) =>
    [[rest % extent, ...text], Math.floor(rest / extent)], [[], line])[0].join(", ");
  return element("div", { class: "tensor" },
    element("p", { class: "note" }, element("strong", {}, visible(name)), " · ", shapeText(shape)),
    element("div", { class: "table-frame tall", tabindex: "0", role: "group", "aria-label": `${visible(name)} ${shapeText(shape)}` },
      element("table", { class: "table fitted" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col", class: "number" }, "#"),
          Array.from({ length: columns }, (_, column) => element("th", { scope: "col", class: "number" }, column)))),
        element("tbody", {}, Array.from({ length: lines }, (_, line) => element("tr", {},
          element("th", { scope: "row", class: "number" }, place(line)),
          Array.from({ length: columns }, (_, column) => element("td", { class: "number" }, numeral(at(line * width + column))))))))),
    (total > lines || width > columns) && element("p", { class: "note" }, "The rest is not shown."));
}

function broken(name) {
  return visible(name).split(/(?<=[._])/).flatMap((piece, index) => (index ? [document.createElement("wbr"), piece] : [piece]));
}

function shapeText(shape) {
  return `[${shape.join(", ")}]`;
}

/// A number with seven significant digits, which is what a 32-bit float holds; other values as they are.
export function numeral(value) {
  if (typeof value === "bigint") return String(value).replace("-", "−");
  if (typeof value !== "number") return visible(String(value), 60);
  if (Number.isInteger(value)) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size > 0 && (size < 1e-4 || size >= 1e9) ? value.toExponential(4) : String(Number(value.toPrecision(7)));
  return text.replaceAll("-", "−");
}
