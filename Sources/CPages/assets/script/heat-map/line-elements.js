// The elements of a heat map's lines: heads of rows, lines of tokens, strips.
import { element, freshID } from "../common/elements.js";
import { measure, several } from "../common/numbers.js";
import { isolated } from "../common/visible-text.js";
import { HEAD, STRIP } from "./lines.js";
import { rowFacts } from "./row-facts.js";
import { heatColors, paintStrip } from "./strip.js";

/// What stands left of a strip, as style/heat-map.css has it, and the scroll bar right of it; CSS pixels.
const LABEL = 152;
const GUTTER = 24;

/// Makes elements of what its members say:
/// batch, coloring, lines, accepts (token => Boolean, or null), active (a token, or −1), width (CSS pixels).
export class LineElements {
  #root;
  #stripHeight;
  #id = freshID("heat");
  batch = null;
  coloring = null;
  lines = null;
  accepts = null;
  active = -1;
  width = 0;

  /// - root: whose style sheet the colours of strips are read from.
  constructor(root, stripHeight) {
    this.#root = root;
    this.#stripHeight = stripHeight;
  }

  /// The id of a token's element, and of a row's strip.
  idOf(token) {
    return `${this.#id}-${token}`;
  }

  idOfRow(row) {
    return `${this.#id}-row-${row}`;
  }

  /// The element of a line.
  make(line) {
    const kind = this.lines.kind[line];
    if (kind === HEAD) return this.#head(this.lines.row[line]);
    return kind === STRIP ? this.#strip(line) : this.#text(line);
  }

  /// What a screen reader says of a token.
  spoken(token) {
    const { batch, coloring } = this;
    const { perception_mask: perception, mask } = batch.masks;
    const row = batch.rowOf(token);
    const said = [batch.text(token), `${batch.names[row]}, position ${token - batch.offsets[row]}`];
    if (!batch.counts(token)) said.push("outside the response");
    else said.push(`${coloring.label} ${measure(coloring.values[token])}`);
    if (mask?.[token]) said.push("perception token, in the loss");
    else if (perception?.[token]) said.push("perception token, gate closed");
    return said.join(", ");
  }

  #head(row) {
    const { batch } = this;
    const facts = rowFacts(batch);
    const said = [several(facts.tokens[row], "token")];
    if (batch.masks.perception_mask) said.push(`${facts.perception[row]} perception`);
    if (batch.masks.mask) said.push(`${facts.gated[row]} in the loss`);
    if (!Number.isNaN(facts.advantage[row])) said.push(`${batch.worth} ${measure(facts.advantage[row])}`);
    if (!Number.isNaN(facts.loss[row])) said.push(`mean loss ${measure(facts.loss[row])}`);
    return element(
      "div",
      { class: "heat-head", role: "presentation" },
      element("b", {}, isolated(batch.names[row], 60)),
      element("span", {}, said.join(" · ")),
    );
  }

  #text(line) {
    const node = element("div", { class: "heat-line", role: "presentation" });
    for (let token = this.lines.start[line]; token < this.lines.end[line]; token += 1) {
      if (!this.batch.isNothing(token)) node.append(this.#token(token));
    }
    return node;
  }

  #token(token) {
    const { batch, coloring } = this;
    const node = document.createElement("span");
    const counts = batch.counts(token);
    node.className = this.#kind(token, counts);
    node.id = this.idOf(token);
    node.setAttribute("role", "option");
    node.setAttribute("aria-selected", String(token === this.active));
    node.dataset.token = token;
    const color = counts ? coloring.color(coloring.strength(token)) : "transparent";
    if (color !== "transparent") node.style.backgroundColor = color;
    node.textContent = batch.text(token);
    return node;
  }

  #kind(token, counts) {
    const { perception_mask: perception, mask } = this.batch.masks;
    let kind = "token";
    if (!counts) kind += " outside";
    else if (mask?.[token]) kind += " masked";
    else if (perception?.[token]) kind += " perceived";
    if (this.accepts && !this.accepts(token)) kind += " faded";
    return token === this.active ? `${kind} active` : kind;
  }

  #strip(line) {
    const { batch, lines } = this;
    const [row, start, end] = [lines.row[line], lines.start[line], lines.end[line]];
    const canvas = element("canvas", { "aria-hidden": "true" });
    const width = Math.max(40, this.width - LABEL - GUTTER);
    // Rows share one scale, so that a short response is a short strip.
    const length = Math.max(2, Math.round((width * (end - start)) / rowFacts(batch).longest));
    paintStrip(
      canvas,
      length,
      this.#stripHeight - 8,
      batch,
      this.coloring,
      start,
      end,
      heatColors(this.#root),
      this.accepts,
    );
    const chosen = this.active >= start && this.active < end;
    return element(
      "div",
      {
        class: "heat-strip",
        role: "option",
        "aria-selected": String(chosen),
        id: this.idOfRow(row),
        "data-row": row,
      },
      element("span", { class: "heat-name" }, isolated(batch.names[row], 60)),
      canvas,
    );
  }
}
