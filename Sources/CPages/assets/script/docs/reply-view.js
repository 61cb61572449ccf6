// A reply as elements: its status, its header fields, and its body by media type.
import { button, element, segments } from "../common/elements.js";
import { copyButton } from "../common/copy.js";
import { download } from "../common/download.js";
import { bytes as size, count } from "../common/numbers.js";
import { problemView } from "../common/problem.js";
import { readSafetensors, SAFETENSORS } from "../common/safetensors.js";
import { isolated, visible } from "../common/visible-text.js";
import { anchors } from "./contract.js";
import { jsonText, jsonView } from "./json-view.js";
import { visibleLines } from "./markdown.js";
import { partsOf } from "./multipart.js";
import { pictureOfFile, pictureOfPixels } from "./pictures.js";
import { tensorTables } from "./tensor-tables.js";

const MOST_TEXT = 200_000;
const EXTENSIONS = {
  "application/json": "json", "application/problem+json": "json", "image/png": "png", "image/jpeg": "jpg", "text/plain": "txt",
  "text/html": "html", "application/yaml": "yaml", [SAFETENSORS]: "safetensors", "multipart/mixed": "multipart",
};

/// The whole reply. `problemTypes` are those that this page has a place for.
export function replyView(reply, problemTypes) {
  return [
    element("p", { class: "reply-line" },
      element("span", { class: `status of-${String(reply.status)[0]}` }, reply.status), " ", visible(reply.statusText), " ",
      element("span", { class: "measures" }, `${milliseconds(reply.seconds)} · ${size(reply.bytes.byteLength)}`)),
    body(reply, problemTypes),
    element("details", { class: "headers" },
      element("summary", {}, `Header fields (${count(reply.headers.length)})`),
      element("dl", { class: "pairs" }, reply.headers.map(([name, value]) =>
        element("div", {}, element("dt", {}, visible(name)), element("dd", {}, isolated(value)))))),
  ];
}

function milliseconds(seconds) {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${Math.round(seconds * 1000)} ms`;
}

function body(reply, problemTypes) {
  try {
    return bodyOf(reply, problemTypes);
  } catch (error) {
    return [unshown(error), saveButton(reply)];
  }
}

/// What a reply is too broken, too deep or too large for.
function unshown(error) {
  return problemView({ title: "This reply cannot be shown", detail: error.message });
}

function bodyOf(reply, problemTypes) {
  const { type, bytes, size: extent } = reply;
  if (bytes.byteLength === 0) return element("p", { class: "note" }, "No body.");
  if (type === "application/problem+json") return problem(reply, problemTypes);
  if (type.endsWith("json")) {
    const value = JSON.parse(textOf(bytes));
    return twoForms(reply, () => jsonView(value), () => jsonText(value));
  }
  if (type === SAFETENSORS) return [safetensors(bytes), saveButton(reply)];
  if (type === "multipart/mixed") return [multipart(reply), saveButton(reply)];
  if (type.startsWith("image/")) return [pictureOfFile(bytes, type, "The picture of the reply"), saveButton(reply)];
  if (type === "application/octet-stream" && extent) {
    const [width, height] = extent.split("x").map(Number);
    return [pictureOfPixels(new Uint8Array(bytes), width, height, "The pixels of the reply"), saveButton(reply)];
  }
  if (type.startsWith("text/") || type === "application/yaml") return text(textOf(bytes), reply);
  return [element("p", { class: "note" }, `${visible(type || "Bytes")}, ${size(bytes.byteLength)}.`), saveButton(reply)];
}

function textOf(bytes) {
  return new TextDecoder().decode(bytes);
}

function text(whole, reply) {
  const shown = whole.length > MOST_TEXT ? `${whole.slice(0, MOST_TEXT)}\n…` : whole;
  return [codeBox(visibleLines(shown), "Body of the reply"),
    element("div", { class: "row" }, copyButton(() => whole), saveButton(reply))];
}

/// A box of text that scrolls, and can be reached to be scrolled.
function codeBox(shown, label) {
  return element("pre", { class: "code", tabindex: "0", role: "group", "aria-label": label }, shown);
}

/// What a reply looks like, and its text, one at a time.
function twoForms(reply, look, write) {
  const place = element("div", { class: "reply-form" });
  const show = (form) => {
    try {
      place.replaceChildren(form === "look" ? look() : codeBox(write(), "Body of the reply"));
    } catch (error) {
      place.replaceChildren(unshown(error));
    }
  };
  show("look");
  return [
    element("div", { class: "row reply-tools" },
      segments("Show the reply as", [["look", "Values"], ["text", "JSON"]], "look", show),
      copyButton(() => textOf(reply.bytes), { label: "Copy JSON" }), saveButton(reply)),
    place,
  ];
}

function saveButton(reply) {
  const name = `reply.${EXTENSIONS[reply.type] ?? "bin"}`;
  return button("Save", () => download(new Blob([reply.bytes], { type: reply.type }), name), { "aria-label": "Save the reply" });
}

function problem(reply, problemTypes) {
  const said = JSON.parse(textOf(reply.bytes));
  const type = String(said?.type ?? "");
  return twoForms(reply, () => element("div", { class: "stack" },
    problemView({ ...said, status: reply.status, requestID: said?.request_id }),
    problemTypes.has(type) && element("p", {}, element("a", { href: `#${anchors.problem(type)}` }, `About ${type}`))),
  () => jsonText(said));
}

function safetensors(buffer) {
  const { tensors, metadata } = readSafetensors(buffer);
  const pictures = [];
  const numbers = new Map();
  for (const [name, tensor] of tensors) {
    const { type, shape } = tensor;
    if (type === "U8" && shape.length === 3 && shape[2] === 3) {
      pictures.push(pictureOfPixels(tensor.elements(), shape[1], shape[0], `${name}, ${type} [${shape.join(", ")}]`));
    } else {
      const values = type === "F16" || type === "BF16" ? tensor.floats() : tensor.elements();
      numbers.set(`${name} ${type}`, { shape, at: (index) => values[index] });
    }
  }
  return element("div", { class: "stack" },
    pictures.length > 0 && element("div", { class: "pictures" }, pictures),
    tensorTables(numbers),
    Object.entries(metadata).map(([name, said]) => element("details", { class: "nested" },
      element("summary", {}, "Metadata: ", visible(name, 120)), parsed(said))));
}

function parsed(said) {
  try {
    return jsonView(JSON.parse(said), 1);
  } catch {
    return isolated(said);
  }
}

function multipart({ contentType, bytes }) {
  const parts = partsOf(contentType, bytes);
  return element("div", { class: "stack" }, parts.map((part) => {
    const type = (part.headers["content-type"] ?? "").split(";")[0];
    const name = part.headers["content-disposition"]?.match(/name="([^"]*)"/)?.[1] ?? "part";
    if (type === "application/json") {
      return element("details", { class: "nested" }, element("summary", {}, "JSON"), jsonView(JSON.parse(textOf(part.bytes)), 1));
    }
    if (type.startsWith("image/")) return pictureOfFile(part.bytes, type, name);
    return element("p", { class: "note" }, `${visible(name)}: ${visible(type)}, ${size(part.bytes.byteLength)}`);
  }));
}
