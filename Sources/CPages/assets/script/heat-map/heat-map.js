// The heat map: tokens as coloured text, or one strip of colour for each row. Only what is in sight is in the document.
import { element } from "../common/elements.js";
import { LineElements } from "./line-elements.js";
import { stripLines, textLines, wordWidths } from "./lines.js";
import { movedToken } from "./moves.js";
import { VirtualList } from "./virtual-list.js";

// As style/heat-map.css has them: heights of lines, and what a token is wider than its text, twice its padding and the gap
// to the next one. Few tokens are shown large.
const HEIGHTS = { head: 38, text: 30, strip: 28 };
const LARGE_HEIGHTS = { head: 38, text: 44, strip: 28 };
const PADDING = 7;
const LARGE_PADDING = 10;
const FEW = 160;

export class HeatMap {
  #list;
  #space = element("div", { class: "heat-space", role: "presentation" });
  #scroller;
  #made;
  #widths = null;
  #order = [];
  #mode = "text";
  #pinned = false;
  #width = 0;
  #pick;

  /// - pick(token, how): called when a token is pointed at, reached by key, or pinned (`pointer`, `key`, `pinned`).
  constructor({ label = "Tokens", pick = () => {} } = {}) {
    this.#pick = pick;
    this.#scroller = element(
      "div",
      {
        class: "heat-map",
        tabindex: "0",
        role: "listbox",
        "aria-label": label,
        on: {
          keydown: (event) => this.#key(event),
          pointermove: (event) => this.#point(event, false),
          click: (event) => this.#point(event, true),
          focus: () => {
            if (this.#made.active < 0 && this.#made.batch?.length) this.#activate(movedToken(this, -1, "Home"), "key");
          },
        },
      },
      this.#space,
    );
    this.#made = new LineElements(this.#scroller, HEIGHTS.strip);
    this.#list = new VirtualList(this.#scroller, this.#space, (line) => this.#made.make(line));
    new ResizeObserver(() => this.#resized()).observe(this.#scroller);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    document.fonts?.ready.then(() => {
      this.#widths = null;
      this.#lay();
    });
  }

  /// The element to put into a page.
  get element() {
    return this.#scroller;
  }

  get batch() {
    return this.#made.batch;
  }

  get lines() {
    return this.#made.lines;
  }

  get active() {
    return this.#made.active;
  }

  get order() {
    return this.#order;
  }

  /// Shows a batch. With one of the same tokens, place and active token stay.
  /// - order: the rows to show, in this order; null: all as they are.
  /// - accepts: token => whether it is not faded; null fades none.
  show(batch, coloring, order = null, accepts = null) {
    const same = this.#made.batch && batch.wordOf === this.#made.batch.wordOf;
    this.#made.batch = batch;
    this.#made.coloring = coloring;
    this.#made.accepts = accepts;
    const wanted = order ?? Array.from({ length: batch.rows }, (_, row) => row);
    const sameOrder = same && wanted.length === this.#order.length && wanted.every((row, i) => row === this.#order[i]);
    this.#order = wanted;
    if (sameOrder && this.#made.lines) {
      this.repaint();
      return;
    }
    if (!same) {
      this.#widths = null;
      this.#made.active = -1;
      this.#pinned = false;
      this.#scroller.scrollTop = 0;
    }
    this.#lay();
  }

  /// Colours the same batch by something else.
  colorBy(coloring) {
    this.#made.coloring = coloring;
    this.repaint();
  }

  /// `text` or `strips`.
  setMode(mode) {
    this.#mode = mode;
    this.#lay();
    if (this.#made.active >= 0) this.#reveal(this.#made.active);
  }

  repaint() {
    if (this.#made.lines) this.#list.repaint();
    this.#mark();
  }

  /// Makes a token the active one and brings it into sight.
  activate(token) {
    this.#reveal(token);
    this.#activate(token, "key");
  }

  #lay() {
    if (!this.#made.batch) return;
    this.#width = this.#scroller.clientWidth;
    if (this.#width === 0) return;
    const isLarge = this.#made.batch.length <= FEW;
    this.#scroller.classList.toggle("large", isLarge);
    const style = getComputedStyle(this.#scroller);
    this.#widths ??= wordWidths(
      this.#made.batch.words,
      `650 ${style.fontSize} ${style.fontFamily}`,
      isLarge ? LARGE_PADDING : PADDING,
    );
    this.#made.lines =
      this.#mode === "text"
        ? textLines(this.#made.batch, this.#order, this.#widths, this.#width - 28, isLarge ? LARGE_HEIGHTS : HEIGHTS)
        : stripLines(this.#made.batch, this.#order, HEIGHTS.strip);
    this.#made.width = this.#width;
    this.#list.lay(this.#made.lines.top);
    this.#mark();
  }

  #resized() {
    if (this.#scroller.clientWidth !== this.#width) this.#lay();
    else if (this.#made.lines) this.#list.draw();
  }

  #point(event, pressed) {
    if (this.#pinned && !pressed) return;
    const token = this.#tokenAt(event);
    if (token < 0) return;
    if (pressed) this.#pinned = !(this.#pinned && token === this.#made.active);
    if (token !== this.#made.active || pressed) this.#activate(token, pressed && this.#pinned ? "pinned" : "pointer");
  }

  #tokenAt(event) {
    const strip = event.target.closest(".heat-strip");
    if (strip) {
      const canvas = strip.querySelector("canvas").getBoundingClientRect();
      const row = Number(strip.dataset.row);
      const [start, end] = [this.#made.batch.offsets[row], this.#made.batch.offsets[row + 1]];
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
    const token = movedToken(this, this.#made.active, event.key);
    if (token === undefined) return;
    event.preventDefault();
    if (token < 0) return;
    this.#pinned = true;
    this.#reveal(token);
    this.#activate(token, "key");
  }

  #activate(token, how) {
    if (token < 0) return;
    const before = this.#made.active;
    this.#made.active = token;
    this.#unmark(before);
    this.#mark();
    this.#scroller.classList.toggle("pinned", this.#pinned);
    this.#pick(token, how);
  }

  #reveal(token) {
    const line = this.#made.lines?.holding(token, this.#made.batch.rowOf(token)) ?? -1;
    if (line >= 0) this.#list.reveal(line);
  }

  #unmark(token) {
    const old = token >= 0 && document.getElementById(this.#made.idOf(token));
    if (old) {
      old.classList.remove("active");
      old.setAttribute("aria-selected", "false");
      old.removeAttribute("aria-label");
    }
    for (const strip of this.#space.querySelectorAll('.heat-strip[aria-selected="true"]'))
      strip.setAttribute("aria-selected", "false");
    for (const cursor of this.#space.querySelectorAll(".heat-cursor")) cursor.remove();
  }

  #mark() {
    if (this.#made.active < 0 || !this.#made.batch) {
      this.#scroller.removeAttribute("aria-activedescendant");
      return;
    }
    const row = this.#made.batch.rowOf(this.#made.active);
    const node =
      document.getElementById(this.#made.idOf(this.#made.active)) ?? document.getElementById(this.#made.idOfRow(row));
    if (!node) {
      this.#scroller.removeAttribute("aria-activedescendant");
      return;
    }
    this.#scroller.setAttribute("aria-activedescendant", node.id);
    node.setAttribute("aria-selected", "true");
    node.setAttribute("aria-label", this.#made.spoken(this.#made.active));
    if (node.dataset.token !== undefined) {
      node.classList.add("active");
      return;
    }
    node.querySelector(".heat-cursor")?.remove();
    const canvas = node.querySelector("canvas");
    const start = this.#made.batch.offsets[row];
    const share = (this.#made.active - start + 0.5) / (this.#made.batch.offsets[row + 1] - start);
    const cursor = element("span", { class: "heat-cursor", "aria-hidden": "true" });
    cursor.style.left = `${canvas.offsetLeft + share * canvas.offsetWidth}px`;
    node.append(cursor);
  }
}
