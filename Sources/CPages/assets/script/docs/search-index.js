// What can be found in the contract: sections, operations, parameters, schemas, their members, problem types.
import { anchors } from "./contract.js";
import { sectionsOf } from "./overview.js";
import { problemsOf } from "./problem-types.js";

/// Kinds in the order in which equal matches are listed.
export const KINDS = ["operation", "section", "parameter", "problem", "schema", "member"];

/// Entries `{ kind, id, name, of, text }`: `of` is where a parameter or member belongs.
export function indexOf(contract) {
  const entries = [];
  const add = (kind, id, name, of, text) => entries.push({ kind, id, name, of, text: flat(text) });
  for (const { title, id, text } of sectionsOf(contract)) add("section", id, title || "Overview", "", text);
  for (const operation of contract.operations) {
    const own = anchors.operation(operation);
    add("operation", own, `${operation.method} ${operation.path}`, operation.summary, `${operation.id} ${operation.description}`);
    for (const parameter of operation.parameters) {
      const schema = contract.resolve(parameter.schema ?? Object.values(parameter.content ?? {})[0]?.schema).value;
      add("parameter", anchors.parameter(operation, parameter.name), parameter.name, operation.path,
        `${parameter.description ?? ""} ${schema.description ?? ""} ${(schema.enum ?? []).join(" ")}`);
    }
  }
  for (const { status, types, note } of problemsOf(contract)) {
    for (const type of types) add("problem", anchors.problem(type), type, status, note);
  }
  for (const [name, schema] of contract.schemas) {
    add("schema", anchors.schema(name), name, "", `${schema.description ?? ""} ${(schema.enum ?? []).join(" ")}`);
    for (const [member, node] of Object.entries(schema.properties ?? {})) {
      const id = anchors.member(name, member);
      add("member", id, member, name, node.description ?? "");
    }
  }
  return entries;
}

function flat(text) {
  return String(text).replace(/[`*|]|-{3,}/g, "").replace(/\s+/g, " ").trim();
}

/// The entries that hold every word of the query, best first. At most `most`.
export function found(entries, query, most = 40) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const scored = [];
  for (const entry of entries) {
    const score = words.reduce((sum, word) => sum + worth(entry, word), 0);
    if (score < Infinity) scored.push([score + KINDS.indexOf(entry.kind) / 10, entry]);
  }
  // The sort is stable: what is equally good stays in the contract's order.
  return scored.sort(([a], [b]) => a - b).slice(0, most).map(([, entry]) => entry);
}

/// How far a word is from an entry: 0 is its name, Infinity not in it at all.
function worth({ name, of, text }, word) {
  const lower = name.toLowerCase();
  if (lower === word) return 0;
  if (lower.startsWith(word)) return 1;
  const parts = lower.split(/[\s/._-]+/);
  // Nobody types an operation's method: its path's last part is its name.
  if (parts.at(-1) === word && name.includes("/")) return 0;
  if (parts.some((part) => part.startsWith(word))) return 2;
  if (lower.includes(word)) return 3;
  if (of.toLowerCase().includes(word)) return 5;
  return text.toLowerCase().includes(word) ? 7 : Infinity;
}

/// The text around the first of the words in an entry, or the text's beginning.
export function excerpt({ text }, query, length = 110) {
  const lower = text.toLowerCase();
  const first = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => lower.indexOf(word)).filter((at) => at >= 0);
  const at = Math.max(0, Math.min(...first, text.length) - 40);
  const from = first.length > 0 ? at : 0;
  const piece = text.slice(from, from + length);
  return `${from > 0 ? "…" : ""}${piece}${from + length < text.length ? "…" : ""}`;
}
