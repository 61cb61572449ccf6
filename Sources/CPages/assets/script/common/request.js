// Requests to this server, and nothing else. Paths are relative to the page, so that they work behind a path prefix.
import { token } from "./session.js";

/// What the server, or the way to it, said instead of an answer: the members of problem+json.
export class Problem extends Error {
  constructor({
    status = 0,
    type = "about:blank",
    title = "The request failed",
    detail = "",
    errors = [],
    requestID = "",
  }) {
    super(detail || title);
    Object.assign(this, { status, type, title, detail, errors, requestID });
  }
}

const refused = new Set();

/// Calls `listener` whenever an answer was 401.
export function onRefusal(listener) {
  refused.add(listener);
}

/// The URL of a path such as `v1/score`, with the query's members that are neither null nor undefined.
export function address(path, query = {}) {
  const url = new URL(path.replace(/^\/+/, ""), document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

/// Sends a request and returns the `Response` of an answer that is no error.
/// Throws `Problem`, or an `AbortError` once `signal` says so.
export async function send(path, { method = "GET", query, headers = {}, body, signal } = {}) {
  const kept = token();
  const fields = new Headers(headers);
  if (kept) fields.set("Authorization", `Bearer ${kept}`);
  let response;
  try {
    response = await fetch(address(path, query), { method, headers: fields, body, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "No answer", detail: `The server could not be reached: ${error.message}` });
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401) for (const listener of refused) listener();
  throw problem;
}

/// Sends a request and returns the answer's JSON.
export async function sendForJSON(path, options) {
  return (await send(path, options)).json();
}

async function problemOf(response) {
  const base = { status: response.status, requestID: response.headers.get("X-Request-ID") ?? "" };
  const text = await response.text().catch(() => "");
  try {
    const said = JSON.parse(text);
    return new Problem({
      ...base,
      type: String(said.type ?? "about:blank"),
      title: String(said.title ?? `Status ${response.status}`),
      detail: String(said.detail ?? ""),
      errors: Array.isArray(said.errors) ? said.errors : [],
      requestID: String(said.request_id ?? base.requestID),
    });
  } catch {
    return new Problem({ ...base, title: `Status ${response.status}`, detail: text.slice(0, 500) });
  }
}
