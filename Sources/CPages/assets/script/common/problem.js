// Shows what went wrong, in the server's own words.
import { element } from "./elements.js";
import { isolated } from "./visible-text.js";

const MOST_REASONS = 12;

/// An element that shows a `Problem` or any other error.
export function problemView(error) {
  const reasons = Array.isArray(error.errors) ? error.errors : [];
  const more = reasons.length - MOST_REASONS;
  // One reason only says the detail again.
  const list =
    reasons.length > 1 &&
    element(
      "ul",
      {},
      reasons.slice(0, MOST_REASONS).map((reason) => element("li", {}, isolated(reasonText(reason)))),
      more > 0 && element("li", {}, `and ${more} more`),
    );
  return element(
    "div",
    { class: "problem", role: "alert" },
    element("h3", {}, isolated(heading(error))),
    element("div", {}, isolated(error.detail || error.message || "")),
    list,
    error.requestID &&
      element("p", { class: "request-id" }, "Request ", element("code", {}, isolated(error.requestID))),
  );
}

function heading(error) {
  if (!error.status) return error.title ?? "Something went wrong";
  const type = error.type && error.type !== "about:blank" ? ` ${error.type}` : "";
  return `${error.status}${type}`;
}

/// One reason of a problem as a line: where, what, what was expected and what was found.
export function reasonText(reason) {
  if (reason === null || typeof reason !== "object") return String(reason);
  const { field, index, byte, expected, found } = reason;
  const where = [field, index !== undefined && `index ${JSON.stringify(index)}`, byte !== undefined && `byte ${byte}`];
  const what = [
    reason.reason,
    expected !== undefined && `expected ${expected}`,
    found !== undefined && `found ${found}`,
  ];
  return [where.filter(Boolean).join(", "), what.filter(Boolean).join("; ")].filter(Boolean).join(": ");
}
