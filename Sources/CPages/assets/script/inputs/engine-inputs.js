// One response as inference engines scored it under two or three views: their replies, posted as they came.
import { Batch, offsetsOf, VIEWS } from "../heat-map/batch.js";
import { entriesOf } from "./engine-reply.js";
import { Layout } from "./layout.js";
import { scored } from "./scored.js";

export class EngineInputs {
  #texts;
  #entries;
  #layout;

  /// - texts: a Map from a view to a reply's text; names: the files' names, in the same order.
  constructor(texts, names) {
    this.label = [...texts.keys()].map((view, place) => `${view}: ${names[place]}`).join(", ");
    this.#texts = texts;
    this.#entries = new Map([...texts].map(([view, text]) => [view, entriesOf(text)]));
    this.canScore = true;
    this.notes = viewsNamed(names) ? [] : ["The files' names do not say their views: they were taken in this order."];
    // Engines report no entropies, and nothing says whether the response was a good one.
    this.options = { detector: "divergence", gate: "none", ...(texts.has("preserving") ? {} : { preset: "papo-g" }) };
    this.longest = Math.min(...[...this.#entries.values()].map(knownTail));
    this.length = this.#sharedTail();
    this.#make();
  }

  /// How many of the last tokens are the response.
  setLength(length) {
    this.length = Math.max(1, Math.min(this.longest, Math.round(length)));
    this.#make();
  }

  async score(options, signal) {
    return scored(this.batch, this.#layout, { body: this.#body(options), contentType: "application/json", signal });
  }

  file(options) {
    return new Blob([this.#body(options)], { type: "application/json" });
  }

  /// The replies stand in the body as they came: reading and writing them would lose the order of their members.
  #body(options) {
    const views = [...this.#texts].map(([view, text]) => `${JSON.stringify(view)}:{"reply":${text}}`);
    return `{"options":${JSON.stringify(options)},"rollouts":[{"id":"response","response_length":${this.length},${views.join(",")}}]}`;
  }

  /// How many of the last tokens the replies have in common, by ids or texts: at most this is the response.
  #sharedTail() {
    const lists = [...this.#entries.values()];
    const same = (a, b) => a && b && (a.id !== null && b.id !== null ? a.id === b.id : a.text === b.text);
    let length = 0;
    while (length < this.longest && lists.every((list) => same(list.at(-1 - length), lists[0].at(-1 - length))))
      length += 1;
    return Math.max(1, length);
  }

  #make() {
    const tails = new Map(
      [...this.#entries].map(([view, entries]) => [view, entries.slice(entries.length - this.length)]),
    );
    const first = tails.get("original") ?? [...tails.values()][0];
    const columns = new Map();
    for (const [view, tail] of tails)
      columns.set(
        `${view}.log_probs`,
        Float32Array.from(tail, (entry) => entry?.logProb ?? NaN),
      );
    const hasTexts = first.every((entry) => typeof entry?.text === "string");
    const hasIDs = first.every((entry) => Number.isInteger(entry?.id));
    this.#layout = new Layout([0], [this.length]);
    this.batch = new Batch({
      names: ["response"],
      offsets: offsetsOf([this.length]),
      columns,
      texts: hasTexts ? first.map((entry) => entry.text) : null,
      ids: hasIDs ? Float64Array.from(first, (entry) => entry.id) : null,
      top: (view, token) => tails.get(view)?.[token]?.best ?? null,
    });
  }
}

/// How many of the last entries have a log-probability: the first token of a prompt has none.
function knownTail(entries) {
  const before = entries.findLastIndex((entry) => !Number.isFinite(entry?.logProb));
  return entries.length - 1 - before;
}

/// The views that files are of, by their names, else in the order given: original, preserving, removing, or without preserving.
export function viewsOf(names) {
  const order = names.length === 2 ? ["original", "removing"] : VIEWS;
  return viewsNamed(names) ?? names.map((_, place) => order[place]);
}

/// The views that all of the names say, each another one; else null.
function viewsNamed(names) {
  const named = names.map((name) => VIEWS.find((view) => name.toLowerCase().includes(view)));
  return named.every(Boolean) && new Set(named).size === named.length ? named : null;
}
