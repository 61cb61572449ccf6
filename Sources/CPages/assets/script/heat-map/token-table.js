// The tokens as a table that can be sorted; only the rows in sight are in the document.
import { element } from "../common/elements.js";
import { count, measure, percent } from "../common/numbers.js";
import { isolated } from "../common/visible-text.js";
import { VIEWS } from "./batch.js";
import { sortedBy } from "./sorting.js";
import { VirtualList } from "./virtual-list.js";

const ROW = 30;
const brief = (value) => measure(value, 3);

export class TokenTable {
  #space = element("div", { class: "heat-space", role: "presentation" });
  #head = element("div", { class: "token-row head", role: "row" });
  #scroller = element("div", { class: "token-rows", tabindex: "0", role: "rowgroup" }, this.#space);
  #list;
  #batch = null;
  #columns = [];
  #tokens = new Int32Array(0);
  #order = { key: "place", down: false };
  #pick;

  /// - pick(token): a row was chosen.
  constructor({ pick = () => {} } = {}) {
    this.#pick = pick;
    this.#list = new VirtualList(this.#scroller, this.#space, (index) => this.#row(index));
    this.element = element(
      "div",
      { class: "token-table", role: "table", "aria-label": "Tokens", tabindex: "0" },
      element("div", { role: "rowgroup" }, this.#head),
      this.#scroller,
    );
    this.#scroller.addEventListener("click", (event) => {
      const row = event.target.closest("[data-token]");
      if (row) this.#pick(Number(row.dataset.token));
    });
    new ResizeObserver(() => this.#list.draw()).observe(this.#scroller);
  }

  /// Shows the tokens for which `accepts(token)` is true (null: those that count), in the chosen order.
  show(batch, accepts = null) {
    this.#batch = batch;
    this.#columns = columnsOf(batch);
    if (!this.#columns.some((column) => column.key === this.#order.key)) this.#order = { key: "place", down: false };
    const tokens = [];
    for (let token = 0; token < batch.length; token += 1) {
      if (batch.counts(token) && (!accepts || accepts(token))) tokens.push(token);
    }
    this.#tokens = Int32Array.from(tokens);
    this.#sort();
  }

  #sort() {
    const { key, down } = this.#order;
    const value = this.#columns.find((column) => column.key === key)?.value;
    if (key === "place") {
      this.#tokens.sort();
      if (down) this.#tokens.reverse();
    } else if (value) this.#tokens = sortedBy(this.#tokens.sort(), value, down);
    this.#head.replaceChildren(...this.#columns.map((column) => this.#header(column)));
    this.element.setAttribute("aria-rowcount", String(this.#tokens.length + 1));
    this.#list.lay(Float64Array.from({ length: this.#tokens.length + 1 }, (_, i) => i * ROW));
  }

  #header(column) {
    const chosen = column.key === this.#order.key;
    const sort = chosen ? (this.#order.down ? "descending" : "ascending") : null;
    return element(
      "div",
      { class: `cell ${column.kind}`, role: "columnheader", "aria-sort": sort, title: column.title },
      column.value || column.key === "place"
        ? element(
            "button",
            {
              type: "button",
              on: {
                click: () => {
                  this.#order = { key: column.key, down: chosen ? !this.#order.down : column.key !== "place" };
                  this.#sort();
                  this.#refocus(column.key);
                },
              },
              "data-key": column.key,
            },
            column.label,
            element("span", { "aria-hidden": "true" }, chosen ? (this.#order.down ? " ↓" : " ↑") : ""),
          )
        : column.label,
    );
  }

  #refocus(key) {
    this.#head.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  #row(index) {
    const token = this.#tokens[index];
    const { perception_mask: perception, mask } = this.#batch.masks;
    const kind = mask?.[token] ? " masked" : perception?.[token] ? " perceived" : "";
    return element(
      "div",
      { class: `token-row${kind}`, role: "row", "data-token": token, "aria-rowindex": index + 2 },
      this.#columns.map((column) =>
        element("div", { class: `cell ${column.kind}`, role: "cell" }, column.shown(token)),
      ),
    );
  }

  get count() {
    return count(this.#tokens.length);
  }
}

function columnsOf(batch) {
  const number = (key, label, title, shown = brief) => {
    const values = batch.columns.get(key);
    return (
      values && {
        key,
        label,
        title,
        kind: "number",
        value: (token) => values[token],
        shown: (token) => shown(values[token]),
      }
    );
  };
  const short = { original: "o", preserving: "p", removing: "n" };
  return [
    {
      key: "place",
      label: "Place",
      kind: "place",
      shown: (token) => {
        const row = batch.rowOf(token);
        return [isolated(batch.names[row], 24), ` · ${token - batch.offsets[row]}`];
      },
    },
    { key: "token", label: "Token", kind: "text", shown: (token) => isolated(batch.text(token), 60) },
    ...VIEWS.map((view) =>
      number(`${view}.log_probs`, `p(${short[view]})`, `probability under ${view}`, (value) =>
        percent(Math.exp(value)),
      ),
    ),
    ...VIEWS.map((view) => number(`${view}.entropy`, `H(${short[view]})`, `entropy under ${view}, nats`)),
    number("delta_entropy", "ΔH", "nats"),
    number("perception_score", "Score"),
    number("margin", "Margin", "nats"),
    number("token_loss", "Loss"),
    ...VIEWS.map((view) =>
      number(`grad.${view}.log_probs`, `∂/∂${short[view]}`, `gradient for the log-probability under ${view}`),
    ),
  ].filter(Boolean);
}
