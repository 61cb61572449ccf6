// What is known of one token: its numbers under each view, and the likeliest tokens there.
import { element } from "../common/elements.js";
import { measure, percent } from "../common/numbers.js";
import { isolated, tokenText } from "../common/visible-text.js";
import { VIEWS } from "./batch.js";

const SHOWN = 6;

/// An element for a token, made anew for each.
export function tokenCard(batch, token) {
  const row = batch.rowOf(token);
  const views = VIEWS.filter(
    (view) =>
      ["log_probs", "entropy"].some((name) => batch.columns.has(`${view}.${name}`)) ||
      batch.columns.has(`grad.${view}.log_probs`) ||
      batch.top?.(view, token),
  );
  return element(
    "div",
    { class: "card" },
    element(
      "div",
      { class: "card-head" },
      element("span", { class: "card-token" }, isolated(batch.text(token), 80)),
      element(
        "span",
        { class: "card-where" },
        isolated(batch.names[row], 60),
        ` · position ${token - batch.offsets[row]}`,
        batch.ids && batch.hasTexts && ` · id ${batch.ids[token]}`,
      ),
      marks(batch, token),
    ),
    numbers(batch, token),
    views.length > 0 &&
      element(
        "div",
        { class: "card-views" },
        views.map((view) => viewPart(batch, token, view)),
      ),
  );
}

function marks(batch, token) {
  const said = [];
  if (!batch.counts(token)) said.push("outside the response");
  else {
    const { perception_mask: perception, gate, mask } = batch.masks;
    if (perception) said.push(perception[token] ? "perception token" : "no perception token");
    if (gate && !gate[token]) said.push("gate closed");
    if (mask?.[token]) said.push("in the loss");
  }
  return element(
    "span",
    { class: "card-marks" },
    said.map((text) => element("span", { class: "chip" }, text)),
  );
}

function numbers(batch, token) {
  const facts = [
    ["delta_entropy", "ΔH", "nats"],
    ["perception_score", "score", ""],
    ["margin", "margin", "nats"],
    ["token_loss", "loss", ""],
  ].filter(([name]) => batch.columns.has(name));
  return (
    facts.length > 0 &&
    element(
      "dl",
      { class: "facts" },
      facts.map(([name, label, unit]) =>
        element(
          "div",
          {},
          element("dt", {}, label),
          element(
            "dd",
            {},
            measure(batch.columns.get(name)[token]),
            unit && element("span", { class: "unit" }, ` ${unit}`),
          ),
        ),
      ),
    )
  );
}

function viewPart(batch, token, view) {
  const at = (name) => batch.columns.get(name)?.[token];
  const logProb = at(`${view}.log_probs`);
  const rows = [
    ["probability", logProb === undefined ? undefined : percent(Math.exp(logProb))],
    ["log-prob", logProb === undefined ? undefined : measure(logProb)],
    ["entropy", entropyText(at(`${view}.entropy`), at(`${view}.entropy_lower`), at(`${view}.entropy_upper`))],
    ["gradient", at(`grad.${view}.log_probs`) === undefined ? undefined : measure(at(`grad.${view}.log_probs`))],
  ].filter(([, text]) => text !== undefined);
  const best = batch.top?.(view, token);
  return element(
    "section",
    { class: `card-view ${view}`, "aria-label": view },
    element("h3", {}, view),
    element(
      "dl",
      {},
      rows.map(([label, text]) => element("div", {}, element("dt", {}, label), element("dd", {}, text))),
    ),
    best?.length > 0 &&
      element(
        "ol",
        { class: "best", "aria-label": `Likeliest tokens under ${view}` },
        best.slice(0, SHOWN).map((entry) => likely(entry, batch, token)),
      ),
  );
}

function entropyText(entropy, lower, upper) {
  if (entropy === undefined) return undefined;
  if (lower === undefined || upper === undefined || upper - lower < 1e-4) return measure(entropy);
  return `${measure(entropy)} (${measure(lower)} … ${measure(upper)})`;
}

function likely({ text, id, logProb }, batch, token) {
  const probability = Math.exp(logProb);
  const bar = element("span", { class: "best-bar", "aria-hidden": "true" });
  bar.style.width = `${Math.min(100, probability * 100)}%`;
  const own = batch.ids && id !== null && id !== undefined && String(batch.ids[token]) === String(id);
  return element(
    "li",
    { class: own && "own" },
    bar,
    element(
      "span",
      { class: "best-text" },
      isolated(text === null || text === undefined ? `id ${id}` : tokenText(text), 40),
    ),
    element("span", { class: "best-share" }, percent(probability)),
  );
}
