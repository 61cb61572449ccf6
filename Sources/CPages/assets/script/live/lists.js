// The lists at the side: runs, and the batches that are kept of one. Each is a row of buttons; the chosen one is pressed.
import { element } from "../common/elements.js";
import { count, measure, several } from "../common/numbers.js";
import { isolated } from "../common/visible-text.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/// A time of day; `seconds` since 1970.
export function timeText(seconds) {
  return clock.format(new Date(seconds * 1000));
}

/// "1 batch", "2 batches".
export function batchesText(number) {
  return `${count(number)} ${number === 1 ? "batch" : "batches"}`;
}

/// A list of buttons that keeps its elements and the focus while what it lists changes.
export class ChoiceList {
  #items = new Map();
  #choose;

  /// - describe(item): its content as nodes; choose(key): called when one is pressed.
  constructor({ label, describe, choose }) {
    this.describe = describe;
    this.#choose = choose;
    this.element = element("ul", { class: "choices", "aria-label": label });
  }

  /// - items: [key, item] pairs in order; chosen: a key.
  show(items, chosen) {
    const wanted = new Set(items.map(([key]) => key));
    for (const [key, node] of this.#items) {
      if (wanted.has(key)) continue;
      node.remove();
      this.#items.delete(key);
    }
    items.forEach(([key, item], index) => {
      let node = this.#items.get(key);
      if (!node) {
        node = element("li", {}, element("button", { type: "button", class: "choice", on: { click: () => this.#choose(key) } }));
        this.#items.set(key, node);
      }
      const button = node.firstElementChild;
      button.replaceChildren(...this.describe(item));
      button.setAttribute("aria-pressed", String(key === chosen));
      // Moving an element would take the focus from it.
      if (this.element.children[index] !== node) this.element.insertBefore(node, this.element.children[index] ?? null);
    });
  }
}

export function describeRun(run) {
  return [
    element("b", {}, isolated(run.name, 64)),
    element("span", {}, `${batchesText(run.total)}, last ${timeText(run.points.at(-1)?.time ?? 0)}`),
  ];
}

export function describeBatch(summary) {
  return [
    element("b", {}, `#${summary.batch}`), element("span", {}, timeText(summary.time)),
    element("span", { class: "value" }, `loss ${measure(summary.signals.loss)}`),
    element("span", { class: "size" }, `${several(summary.sequences, "rollout")}, ${several(summary.response_tokens, "token")}`),
  ];
}
