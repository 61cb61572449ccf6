// Markdown to elements: paragraphs, headings, lists, tables, code, emphasis and links. It never parses HTML: whatever is
// none of these is text. Links lead to http, https or within the page.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";

/// The text as elements. `link(code)` may return where a piece of inline code leads to; `heading` makes a heading.
export function markdown(text, { link = () => null, heading = 3 } = {}) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(String(text ?? "").split(/\r?\n/), { link, heading }));
  return fragment;
}

/// One line of it, without blocks.
export function inlineMarkdown(text, options = {}) {
  const fragment = document.createDocumentFragment();
  fragment.append(...inline(String(text ?? ""), { link: () => null, ...options }));
  return fragment;
}

// A plus begins no item: where the contract continues a formula in the next line, that is all it is.
const ITEM = /^( *)([-*]|\d+[.)])(?: +|$)/;
const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6}) +(.*?)(?: +#+)? *$/;
const TABLE_RULE = /^ {0,3}\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?$/;
const indented = (line) => /^(?: {4}|\t)/.test(line);
const blank = (line) => /^\s*$/.test(line);

function blocks(lines, options) {
  const made = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    const line = lines[at];
    const fence = line.match(FENCE);
    const title = line.match(HEADING);
    if (blank(line)) {
      at += 1;
    } else if (fence) {
      at += 1;
      while (at < lines.length && !lines[at].trimStart().startsWith(fence[1])) at += 1;
      made.push(code(lines.slice(start + 1, at)));
      at += 1;
    } else if (title) {
      const level = Math.min(6, options.heading + Math.max(0, title[1].length - 2));
      made.push(element(`h${level}`, {}, inline(title[2], options)));
      at += 1;
    } else if (indented(line)) {
      while (at < lines.length && (indented(lines[at]) || blank(lines[at]))) at += 1;
      made.push(code(trimmed(lines.slice(start, at)).map((each) => each.replace(/^(?: {4}|\t)/, ""))));
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "")) {
      at += 2;
      while (at < lines.length && lines[at].includes("|") && !blank(lines[at])) at += 1;
      made.push(table(lines.slice(start, at), options));
    } else if (ITEM.test(line)) {
      at = listEnd(lines, at);
      made.push(list(lines.slice(start, at), options));
    } else {
      at += 1;
      while (at < lines.length && !endsParagraph(lines, at)) at += 1;
      made.push(element("p", {}, inline(lines.slice(start, at).map((each) => each.trim()).join(" "), options)));
    }
  }
  return made;
}

function endsParagraph(lines, at) {
  const line = lines[at];
  return blank(line) || FENCE.test(line) || HEADING.test(line) || ITEM.test(line)
    || (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? ""));
}

function trimmed(lines) {
  let end = lines.length;
  while (end > 0 && blank(lines[end - 1])) end -= 1;
  return lines.slice(0, end);
}

function code(lines) {
  return element("pre", { class: "code", tabindex: "0" }, element("code", {}, visibleLines(lines.join("\n"))));
}

/// Text of several lines in which every character can be seen.
export function visibleLines(text) {
  return text.split("\n").map((line) => visible(line, Infinity).replaceAll("⇥", "\t")).join("\n");
}

function listEnd(lines, start) {
  const margin = lines[start].match(ITEM)[1].length;
  let at = start + 1;
  while (at < lines.length) {
    const line = lines[at];
    const depth = line.match(/^ */)[0].length;
    if (blank(line)) {
      const next = lines.slice(at).find((each) => !blank(each));
      if (next === undefined || !(ITEM.test(next) || next.match(/^ */)[0].length > margin)) return at;
    } else if (depth <= margin && !ITEM.test(line)) {
      // A line without indentation still belongs to the item's paragraph, unless a blank line came before it.
      if (blank(lines[at - 1]) || HEADING.test(line)) return at;
    }
    at += 1;
  }
  return at;
}

function list(lines, options) {
  const margin = lines[0].match(ITEM)[1].length;
  const items = [];
  for (const line of lines) {
    const mark = line.match(ITEM);
    if (mark && mark[1].length <= margin) items.push([line.slice(mark[0].length)]);
    else items.at(-1).push(line.slice(0, margin + 2).trim() ? line.trim() : line.slice(margin + 2));
  }
  const ordered = /\d/.test(lines[0].match(ITEM)[2]);
  return element(ordered ? "ol" : "ul", {}, items.map((content) => {
    const children = blocks(content, options);
    // An item of one paragraph is set tight.
    const tight = children.filter((child) => child.tagName === "P").length === 1 && children[0].tagName === "P";
    return element("li", {}, tight ? [...children[0].childNodes, ...children.slice(1)] : children);
  }));
}

function cells(line) {
  const found = [""];
  let inCode = false;
  const inner = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  for (let at = 0; at < inner.length; at += 1) {
    if (inner[at] === "\\" && inner[at + 1] === "|") {
      found[found.length - 1] += "|";
      at += 1;
    } else if (inner[at] === "|" && !inCode) {
      found.push("");
    } else {
      if (inner[at] === "`") inCode = !inCode;
      found[found.length - 1] += inner[at];
    }
  }
  return found.map((cell) => cell.trim());
}

/// The rows of each table in a text, as lists of cells; the first row is the head.
export function tablesIn(text) {
  const lines = String(text ?? "").split(/\r?\n/);
  const found = [];
  for (let at = 0; at + 1 < lines.length; at += 1) {
    if (!lines[at].includes("|") || !TABLE_RULE.test(lines[at + 1])) continue;
    const rows = [cells(lines[at])];
    for (at += 2; at < lines.length && lines[at].includes("|"); at += 1) rows.push(cells(lines[at]));
    found.push(rows);
  }
  return found;
}

function table([head, , ...rows], options) {
  const titles = cells(head);
  return element("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": `Table: ${titles.join(", ")}` },
    element("table", { class: "table" },
      element("thead", {}, element("tr", {}, titles.map((cell) => element("th", { scope: "col" }, inline(cell, options))))),
      element("tbody", {}, rows.map((row) => element("tr", {},
        titles.map((_, column) => element("td", {}, inline(cells(row)[column] ?? "", options))))))));
}

// Code, then strong, emphasis, links and bare addresses: the first that matches wins.
const INLINE = /(`+)([^]*?[^`])\1(?!`)|\*\*(?=\S)([^]*?\S)\*\*|(?<![\p{L}\p{N}*])\*(?=[^\s*])([^*]*?[^\s*])\*(?!\*)|\[([^\]]*)\]\(([^()\s]+)\)|<(https?:[^<>\s]+)>|(https?:\/\/[^\s<>()`]*[^\s<>()`.,;:!?'"])/u;

function inline(text, options) {
  const made = [];
  let rest = text;
  for (let match = rest.match(INLINE); match; match = rest.match(INLINE)) {
    if (match.index > 0) made.push(plain(rest.slice(0, match.index)));
    const [whole, , quoted, strong, emphasis, label, target, angled, bare] = match;
    if (quoted !== undefined) made.push(inlineCode(quoted, options));
    else if (strong !== undefined) made.push(element("strong", {}, inline(strong, options)));
    else if (emphasis !== undefined) made.push(element("em", {}, inline(emphasis, options)));
    else if (target !== undefined) made.push(anchor(target, inline(label, options), whole));
    else made.push(anchor(angled ?? bare, [plain(angled ?? bare)], whole));
    rest = rest.slice(match.index + whole.length);
  }
  if (rest) made.push(plain(rest));
  return made;
}

function plain(text) {
  return document.createTextNode(visible(text.replace(/\\([\\`*_{}[\]()#+.!|<>-])/g, "$1"), Infinity));
}

function inlineCode(text, { link }) {
  const trimmedText = text.replace(/^ (?=`)|(?<=`) $/g, "");
  const shown = element("code", {}, visible(trimmedText, Infinity));
  const target = link(trimmedText);
  return target ? element("a", { href: target }, shown) : shown;
}

function anchor(target, children, source) {
  if (target.startsWith("#")) return element("a", { href: target }, children);
  let url;
  try {
    url = new URL(target);
  } catch {
    return plain(source);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return plain(source);
  return element("a", { href: url.href, rel: "noreferrer noopener" }, children);
}
