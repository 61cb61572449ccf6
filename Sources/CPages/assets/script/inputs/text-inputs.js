// A JSON request that has no tensors: with engines' replies or lists of unequal length. It is posted as it stands, and
// options go into the query, which wins over the body.
import { Batch, offsetsOf, VIEWS } from "../heat-map/batch.js";
import { engineOf, entriesOf } from "./engine-reply.js";
import { Layout } from "./layout.js";
import { scored } from "./scored.js";

export class TextInputs {
  #text;
  #layout;

  constructor(text, request, label) {
    this.#text = text;
    this.label = label;
    this.options = request.options ?? {};
    this.canScore = true;
    this.notes = [];
    const rollouts = Array.isArray(request.rollouts) ? request.rollouts : [];
    const lengths = rollouts.map(lengthOf);
    this.#layout = new Layout([...offsetsOf(lengths)].slice(0, -1), lengths);
    const entries = rollouts.map((rollout, row) => entriesByView(rollout, lengths[row]));
    this.batch = new Batch({
      names: rollouts.map((rollout, row) => (rollout?.id === undefined ? `rollout ${row}` : String(rollout.id))),
      offsets: this.#layout.offsets,
      texts: textsOf(rollouts, entries, lengths),
      columns: columnsOf(rollouts, entries, lengths),
      advantages: rollouts.some((r) => r?.advantage !== undefined)
        ? Float64Array.from(rollouts, (r) => r.advantage ?? NaN)
        : null,
      top: (view, token) => {
        const row = this.batch.rowOf(token);
        return entries[row].get(view)?.[token - this.#layout.offsets[row]]?.best ?? null;
      },
    });
  }

  /// Scores the batch.
  /// - options: those to send; resolved: all of them, since one that the body has may have been taken back.
  async score(options, signal, resolved) {
    const stated = Object.fromEntries(
      Object.keys(this.options)
        .map((name) => [name, resolved[name]])
        .filter(([, value]) => value !== undefined),
    );
    const query = queried({ ...stated, ...options, return: ["all"] });
    return scored(this.batch, this.#layout, { body: this.#text, contentType: "application/json", query, signal });
  }

  file() {
    return new Blob([this.#text], { type: "application/json" });
  }
}

/// Options as a query's parameters: lists of words with commas, null as `none`, what has members as JSON.
export function queried(options) {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      if (value === null) return [name, "none"];
      if (Array.isArray(value) && value.every((item) => typeof item === "string"))
        return [name, value.join(",") || "none"];
      return [name, typeof value === "object" ? JSON.stringify(value) : String(value)];
    }),
  );
}

function lengthOf(rollout) {
  if (Array.isArray(rollout?.token_ids)) return rollout.token_ids.length;
  if (Number.isSafeInteger(rollout?.response_length) && rollout.response_length >= 0)
    return Math.min(rollout.response_length, 1e6);
  for (const view of VIEWS) {
    for (const list of Object.values(rollout?.[view] ?? {})) if (Array.isArray(list)) return list.length;
  }
  return 0;
}

/// The last entries of each view's reply.
function entriesByView(rollout, length) {
  const views = VIEWS.filter((view) => engineOf(rollout?.[view]?.reply));
  return new Map(
    views.map((view) => {
      const entries = entriesOf(JSON.stringify(rollout[view].reply));
      return [view, length > 0 ? entries.slice(-length) : []];
    }),
  );
}

function textsOf(rollouts, entries, lengths) {
  const texts = rollouts.flatMap((rollout, row) =>
    Array.from(
      { length: lengths[row] },
      (_, place) =>
        rollout.tokens?.[place] ?? entries[row].get("original")?.[place]?.text ?? rollout.token_ids?.[place] ?? place,
    ),
  );
  return texts.map(String);
}

function columnsOf(rollouts, entries, lengths) {
  const columns = new Map();
  for (const view of VIEWS) {
    for (const member of ["log_probs", "entropy"]) {
      const values = rollouts.flatMap((rollout, row) =>
        Array.from(
          { length: lengths[row] },
          (_, place) =>
            rollout[view]?.[member]?.[place] ??
            (member === "log_probs" ? entries[row].get(view)?.[place]?.logProb : undefined),
        ),
      );
      if (values.length > 0 && values.every((value) => typeof value === "number"))
        columns.set(`${view}.${member}`, Float32Array.from(values));
    }
  }
  return columns;
}
