// A JSON reply as something to look at: pictures as pictures, lists of numbers as tables, the rest as names and values.
import { element } from "../common/elements.js";
import { several } from "../common/numbers.js";
import { visible } from "../common/visible-text.js";
import { visibleLines } from "./markdown.js";
import { fromBase64, pictureOfFile, pictureOfPixels } from "./pictures.js";
import { numeral, tensorTables } from "./tensor-tables.js";

const MOST_ITEMS = 40;
const DEEPEST = 12;

/// A value as elements. `depth` counts the objects around it; deep ones are folded. `known` is a member that is shown
/// already, as a title.
export function jsonView(value, depth = 0, known = null) {
  if (value === null || typeof value !== "object") return element("span", { class: "value" }, scalar(value));
  if (depth > DEEPEST) return element("code", {}, visible(JSON.stringify(value), 400));
  return Array.isArray(value) ? listView(value, depth) : objectView(value, depth, known);
}

function scalar(value) {
  if (typeof value === "number") return numeral(value);
  return typeof value === "string" ? visible(value, 2000) : String(value);
}

function objectView(object, depth, known) {
  const picture = pictureOf(object);
  const { tensors, rest } = separated(object);
  const names = Object.keys(rest).filter((name) => name !== known && !(picture && name === "data"));
  const simple = names.filter((name) => rest[name] === null || typeof rest[name] !== "object");
  const nested = names.filter((name) => !simple.includes(name));
  return element("div", { class: "object" },
    picture,
    simple.length > 0 && element("dl", { class: "pairs" }, simple.map((name) =>
      element("div", {}, element("dt", {}, visible(name, 120)), element("dd", {}, scalar(rest[name]))))),
    tensors.size > 0 && tensorTables(tensors),
    nested.map((name) => nestedView(name, rest[name], depth)));
}

function nestedView(name, value, depth) {
  if (isWordList(value)) {
    return element("dl", { class: "pairs" }, element("div", {}, element("dt", {}, visible(name, 120)),
      element("dd", {}, value.length === 0 ? "empty" : value.map(scalar).join(", "))));
  }
  const many = Array.isArray(value) ? value.length : Object.keys(value).length;
  // Lists of results are what was asked for; options and diagnostics come along.
  const open = Array.isArray(value) && depth < 4 && many <= 12;
  return element("details", { class: "nested", open },
    element("summary", {}, visible(name, 120), " ",
      element("span", { class: "count" }, several(many, Array.isArray(value) ? "item" : "member"))),
    jsonView(value, depth + 1));
}

function listView(list, depth) {
  if (isNumbers(list)) return element("div", {}, tensorTables(new Map([["value", tensorOf(list)]])));
  const shown = list.slice(0, MOST_ITEMS);
  return element("div", { class: "list" },
    shown.map((item, index) => element("div", { class: "item" },
      element("p", { class: "note" }, title(item, index)), jsonView(item, depth + 1, titleOf(item)))),
    list.length > shown.length && element("p", { class: "note" }, `${several(list.length - shown.length, "more item")} not shown.`));
}

/// What an item calls itself, else its place in the list.
function title(item, index) {
  const name = titleOf(item);
  return name ? element("strong", {}, visible(String(item[name]), 120)) : `${index}`;
}

function titleOf(item) {
  return ["id", "name", "step"].find((name) => ["string", "number"].includes(typeof item?.[name])) ?? null;
}

/// Lists of numbers in an object and in the objects inside it, by their dotted names, and what is left of it.
function separated(object) {
  const tensors = new Map();
  const collect = (node, prefix) => {
    const rest = {};
    for (const [name, value] of Object.entries(node)) {
      if (isNumbers(value)) tensors.set(prefix + name, tensorOf(value));
      else if (isObject(value) && isAllNumbers(value)) collect(value, `${prefix}${name}.`);
      else rest[name] = value;
    }
    return rest;
  };
  return { rest: collect(object, ""), tensors };
}

/// Objects that hold lists of numbers and nothing else, such as gradients by view.
function isAllNumbers(object, deepest = 3) {
  const values = Object.values(object);
  return deepest > 0 && values.length > 0
    && values.every((value) => isNumbers(value) || (isObject(value) && isAllNumbers(value, deepest - 1)));
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function isNumbers(value) {
  if (!Array.isArray(value) || value.length === 0) return false;
  const shape = shapeOf(value);
  const check = (node, level) => (level === shape.length ? typeof node === "number"
    : Array.isArray(node) && node.length === shape[level] && node.every((each) => check(each, level + 1)));
  return check(value, 0);
}

function shapeOf(value) {
  const shape = [];
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

function tensorOf(value) {
  const flat = value.flat(Infinity);
  return { shape: shapeOf(value), at: (index) => flat[index] };
}

function isWordList(value) {
  return Array.isArray(value) && value.every((each) => each === null || typeof each !== "object") && !isNumbers(value);
}

/// An object that says how its `data` is to be shown: a view of /v1/perturb.
function pictureOf({ data, format, width, height, name, variant }) {
  if (typeof data !== "string" || !["png", "jpeg", "raw"].includes(format)) return null;
  const caption = `${name ?? "view"}${variant ? ` ${variant}` : ""}, ${width} × ${height}`;
  try {
    const bytes = fromBase64(data);
    return format === "raw" ? pictureOfPixels(bytes, width, height, caption) : pictureOfFile(bytes, `image/${format}`, caption);
  } catch {
    return element("p", { class: "notice" }, "data: not base64.");
  }
}

/// JSON as text, as much of it as a reader will read.
export function jsonText(value, most = 200_000) {
  const text = JSON.stringify(value, shortened, 2);
  return visibleLines(text.length > most ? `${text.slice(0, most)}\n…` : text);
}

function shortened(name, value) {
  return name === "data" && typeof value === "string" && value.length > 400 ? `${value.slice(0, 80)}… (${value.length} characters)` : value;
}
