// The heat map: tokens as coloured text, or one strip of colour for each row. Only what is in sight is in the document.
import { element, freshID } from "../common/elements.js";
import { measure, several } from "../common/numbers.js";
import { isolated } from "../common/visible-text.js";
import { HEAD, STRIP, stripLines, textLines, wordWidths } from "./lines.js";
import { movedToken } from "./moves.js";
import { rowFacts } from "./row-facts.js";
import { heatColors, paintStrip } from "./strip.js";
import { VirtualList } from "./virtual-list.js";

// As style/heat-map.css has them: heights of lines, and what a token is wider than its text, twice its padding and the gap
// to the next one. Few tokens are shown large.
const HEIGHTS = { head: 38, text: 30, strip: 28 };
const LARGE_HEIGHTS = { head: 38, text: 44, strip: 28 };
const PADDING = 7;
const LARGE_PADDING = 10;
const FEW = 160;
const LABEL = 152;

export class HeatMap {
  #list;
  #space = element("div", { class: "heat-space", role: "presentation" });
  #scroller;
  #batch = null;
  #coloring = null;
  #facts = null;
  #widths = null;
  #lines = null;
  #order = [];
  #accepts = null;
  #mode = "text";
  #active = -1;
  #pinned = false;
  #width = 0;
  #pick;
  #id = freshID("heat");

  /// - pick(token, how): called when a token is pointed at, reached by key, or pinned (`pointer`, `key`, `pinned`).
  constructor({ label = "Tokens", pick = () => {} } = {}) {
    this.#pick = pick;
    this.#scroller = element("div", {
      class: "heat-map", tabindex: "0", role: "listbox", "aria-label": label,
      on: {
        keydown: (event) => this.#key(event),
        pointermove: (event) => this.#point(event, false),
        click: (event) => this.#point(event, true),
        focus: () => { if (this.#active < 0 && this.#batch?.length) this.#activate(movedToken(this, -1, "Home"), "key"); },
      },
    }, this.#space);
    this.#list = new VirtualList(this.#scroller, this.#space, (line) => this.#makeLine(line));
    new ResizeObserver(() => this.#resized()).observe(this.#scroller);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    document.fonts?.ready.then(() => { this.#widths = null; this.#lay(); });
  }

  /// The element to put into a page.
  get element() {
    return this.#scroller;
  }

  get batch() {
    return this.#batch;
  }

  get lines() {
    return this.#lines;
  }

  get active() {
    return this.#active;
  }

  get order() {
    return this.#order;
  }

  /// Shows a batch. With one of the same tokens, place and active token stay.
  show(batch, coloring, order = null) {
    const same = this.#batch && batch.wordOf === this.#batch.wordOf;
    this.#batch = batch;
    this.#coloring = coloring;
    this.#facts = rowFacts(batch);
    const wanted = order ?? Array.from({ length: batch.rows }, (_, row) => row);
    const sameOrder = same && wanted.length === this.#order.length && wanted.every((row, i) => row === this.#order[i]);
    this.#order = wanted;
    if (sameOrder && this.#lines) {
      this.repaint();
      return;
    }
    if (!same) {
      this.#widths = null;
      this.#active = -1;
      this.#pinned = false;
      this.#scroller.scrollTop = 0;
    }
    this.#lay();
  }

  /// Colours the same batch by something else.
  colorBy(coloring) {
    this.#coloring = coloring;
    this.repaint();
  }

  /// `text` or `strips`.
  setMode(mode) {
    this.#mode = mode;
    this.#lay();
    if (this.#active >= 0) this.#reveal(this.#active);
  }

  /// Fades tokens for which `accepts(token)` is false; null fades none.
  setFilter(accepts) {
    this.#accepts = accepts;
    this.repaint();
  }

  repaint() {
    if (this.#lines) this.#list.repaint();
    this.#mark();
  }

  /// Makes a token the active one and brings it into sight.
  activate(token) {
    this.#reveal(token);
    this.#activate(token, "key");
  }

  #lay() {
    if (!this.#batch) return;
    this.#width = this.#scroller.clientWidth;
    if (this.#width === 0) return;
    const isLarge = this.#batch.length <= FEW;
    this.#scroller.classList.toggle("large", isLarge);
    const style = getComputedStyle(this.#scroller);
    this.#widths ??= wordWidths(this.#batch.words, `650 ${style.fontSize} ${style.fontFamily}`, isLarge ? LARGE_PADDING : PADDING);
    this.#lines = this.#mode === "text"
      ? textLines(this.#batch, this.#order, this.#widths, this.#width - 28, isLarge ? LARGE_HEIGHTS : HEIGHTS)
      : stripLines(this.#batch, this.#order, HEIGHTS.strip);
    this.#list.lay(this.#lines.top);
    this.#mark();
  }

  #resized() {
    if (this.#scroller.clientWidth !== this.#width) this.#lay();
    else if (this.#lines) this.#list.draw();
  }

  #makeLine(line) {
    const kind = this.#lines.kind[line];
    if (kind === HEAD) return this.#makeHead(line);
    return kind === STRIP ? this.#makeStrip(line) : this.#makeText(line);
  }

  #makeHead(line) {
    const row = this.#lines.row[line];
    const facts = this.#facts;
    const said = [several(facts.tokens[row], "token")];
    if (this.#batch.masks.perception_mask) said.push(`${facts.perception[row]} perception`);
    if (this.#batch.masks.mask) said.push(`${facts.gated[row]} in the mask`);
    if (!Number.isNaN(facts.advantage[row])) said.push(`advantage ${measure(facts.advantage[row])}`);
    if (!Number.isNaN(facts.loss[row])) said.push(`mean loss ${measure(facts.loss[row])}`);
    return element("div", { class: "heat-head", role: "presentation" },
      element("b", {}, isolated(this.#batch.names[row], 60)), element("span", {}, said.join(" · ")));
  }

  #makeText(line) {
    const node = element("div", { class: "heat-line", role: "presentation" });
    const { start, end } = this.#lines;
    for (let token = start[line]; token < end[line]; token += 1) {
      if (!this.#batch.isNothing(token)) node.append(this.#makeToken(token));
    }
    return node;
  }

  #makeToken(token) {
    const batch = this.#batch;
    const node = document.createElement("span");
    const { perception_mask: perception, mask } = batch.masks;
    let kind = "token";
    if (!batch.counts(token)) kind += " outside";
    else if (mask?.[token]) kind += " masked";
    else if (perception?.[token]) kind += " perceived";
    if (this.#accepts && !this.#accepts(token)) kind += " faded";
    if (token === this.#active) kind += " active";
    node.className = kind;
    node.id = `${this.#id}-${token}`;
    node.setAttribute("role", "option");
    node.setAttribute("aria-selected", String(token === this.#active));
    node.dataset.token = token;
    if (batch.counts(token)) {
      const color = this.#coloring.color(this.#coloring.strength(token));
      if (color !== "transparent") node.style.backgroundColor = color;
    }
    node.textContent = batch.text(token);
    return node;
  }

  #makeStrip(line) {
    const { row, start, end } = this.#lines;
    const canvas = element("canvas", { "aria-hidden": "true" });
    const width = Math.max(40, this.#width - LABEL - 24);
    // Rows share one scale, so that a short response is a short strip.
    const length = Math.max(2, Math.round(width * (end[line] - start[line]) / this.#facts.longest));
    paintStrip(canvas, length, HEIGHTS.strip - 8, this.#batch, this.#coloring, start[line], end[line],
      heatColors(this.#scroller), this.#accepts);
    const chosen = this.#active >= start[line] && this.#active < end[line];
    return element("div", {
      class: "heat-strip", role: "option", "aria-selected": String(chosen), id: `${this.#id}-row-${row[line]}`, "data-row": row[line],
    }, element("span", { class: "heat-name" }, isolated(this.#batch.names[row[line]], 60)), canvas);
  }

  #point(event, pressed) {
    if (this.#pinned && !pressed) return;
    const token = this.#tokenAt(event);
    if (token < 0) return;
    if (pressed) this.#pinned = !(this.#pinned && token === this.#active);
    if (token !== this.#active || pressed) this.#activate(token, pressed && this.#pinned ? "pinned" : "pointer");
  }

  #tokenAt(event) {
    const strip = event.target.closest(".heat-strip");
    if (strip) {
      const canvas = strip.querySelector("canvas").getBoundingClientRect();
      const row = Number(strip.dataset.row);
      const [start, end] = [this.#batch.offsets[row], this.#batch.offsets[row + 1]];
      const share = Math.max(0, Math.min(0.999999, (event.clientX - canvas.left) / canvas.width));
      return end > start ? start + Math.floor(share * (end - start)) : -1;
    }
    const token = event.target.dataset?.token;
    return token === undefined ? -1 : Number(token);
  }

  #key(event) {
    if (event.key === "Escape" && this.#pinned) {
      this.#pinned = false;
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const token = movedToken(this, this.#active, event.key);
    if (token === undefined) return;
    event.preventDefault();
    if (token < 0) return;
    this.#pinned = true;
    this.#reveal(token);
    this.#activate(token, "key");
  }

  #activate(token, how) {
    if (token < 0) return;
    const before = this.#active;
    this.#active = token;
    this.#unmark(before);
    this.#mark();
    this.#scroller.classList.toggle("pinned", this.#pinned);
    this.#pick(token, how);
  }

  /// What a screen reader says of a token.
  #spoken(token) {
    const batch = this.#batch;
    const { perception_mask: perception, mask } = batch.masks;
    const said = [batch.text(token), `${batch.names[batch.rowOf(token)]}, position ${token - batch.offsets[batch.rowOf(token)]}`];
    if (!batch.counts(token)) said.push("outside the response");
    else said.push(`${this.#coloring.label} ${measure(this.#coloring.values[token])}`);
    if (mask?.[token]) said.push("perception token, in the loss");
    else if (perception?.[token]) said.push("perception token, gate closed");
    return said.join(", ");
  }

  #reveal(token) {
    const line = this.#lines?.holding(token, this.#batch.rowOf(token)) ?? -1;
    if (line >= 0) this.#list.reveal(line);
  }

  #unmark(token) {
    const old = token >= 0 && document.getElementById(`${this.#id}-${token}`);
    if (old) {
      old.classList.remove("active");
      old.setAttribute("aria-selected", "false");
      old.removeAttribute("aria-label");
    }
    for (const strip of this.#space.querySelectorAll('.heat-strip[aria-selected="true"]')) strip.setAttribute("aria-selected", "false");
    for (const cursor of this.#space.querySelectorAll(".heat-cursor")) cursor.remove();
  }

  #mark() {
    if (this.#active < 0 || !this.#batch) {
      this.#scroller.removeAttribute("aria-activedescendant");
      return;
    }
    const row = this.#batch.rowOf(this.#active);
    const node = document.getElementById(`${this.#id}-${this.#active}`) ?? document.getElementById(`${this.#id}-row-${row}`);
    if (!node) {
      this.#scroller.removeAttribute("aria-activedescendant");
      return;
    }
    this.#scroller.setAttribute("aria-activedescendant", node.id);
    node.setAttribute("aria-selected", "true");
    node.setAttribute("aria-label", this.#spoken(this.#active));
    if (node.dataset.token !== undefined) {
      node.classList.add("active");
      return;
    }
    node.querySelector(".heat-cursor")?.remove();
    const canvas = node.querySelector("canvas");
    const start = this.#batch.offsets[row];
    const share = (this.#active - start + 0.5) / (this.#batch.offsets[row + 1] - start);
    const cursor = element("span", { class: "heat-cursor", "aria-hidden": "true" });
    cursor.style.left = `${canvas.offsetLeft + share * canvas.offsetWidth}px`;
    node.append(cursor);
  }
}
