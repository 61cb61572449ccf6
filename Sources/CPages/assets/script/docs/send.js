// Sends a draft and reads what comes back, whatever its status: here an error is a reply to be looked at.
import { address } from "../common/request.js";
import { token } from "../common/session.js";

/// The reply: `{ status, statusText, headers, type, bytes, seconds, request }`. `arrived` is called with the text so far of
/// a stream of events, which has no end of its own.
export async function sendDraft(draft, { signal, arrived }) {
  const fields = new Headers(draft.headers);
  const kept = token();
  if (kept) fields.set("Authorization", `Bearer ${kept}`);
  await draft.ready;
  const begun = performance.now();
  const response = await fetch(address(draft.target), {
    method: draft.operation.method, headers: fields, body: draft.body, signal, credentials: "same-origin",
  });
  const type = (response.headers.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase();
  const bytes = type === "text/event-stream" ? await events(response, arrived) : await response.arrayBuffer();
  return {
    status: response.status, statusText: response.statusText, headers: [...response.headers], type,
    contentType: response.headers.get("Content-Type") ?? "", bytes, seconds: (performance.now() - begun) / 1000,
    size: response.headers.get("Perception-Size"),
  };
}

async function events(response, arrived) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text = (text + decoder.decode(part.value, { stream: true })).slice(-100_000);
      arrived(text);
    }
  } catch (error) {
    // Who stops a stream wants to keep what came.
    if (error.name !== "AbortError") throw error;
  }
  return new TextEncoder().encode(text).buffer;
}
