// Asking /v1/score, and adding its answer to a batch.
import { SAFETENSORS, readSafetensors } from "../common/safetensors.js";
import { send } from "../common/request.js";
import { REPLY_COLUMNS, replyColumns } from "./reply.js";

/// The batch with what the server says of it, and the scalars, diagnostics and options of its answer.
export async function scored(batch, layout, { body, contentType, query, signal }) {
  const response = await send("v1/score", {
    method: "POST",
    body,
    query,
    signal,
    headers: { "Content-Type": contentType, Accept: SAFETENSORS },
  });
  const { tensors, metadata } = readSafetensors(await response.arrayBuffer());
  const result = JSON.parse(metadata.result);
  return {
    batch: withReply(batch, layout, tensors, result.options),
    result,
    timing: response.headers.get("Server-Timing"),
  };
}

/// The batch with a reply's tensors in place of those of the reply before.
export function withReply(batch, layout, tensors, options) {
  const { columns, masks } = replyColumns(tensors, layout, options);
  const kept = new Map([...batch.columns].filter(([name]) => !REPLY_COLUMNS.includes(name)));
  const made = batch.with({
    columns: new Map(),
    masks: { perception_mask: undefined, gate: undefined, mask: undefined, ...masks },
  });
  made.columns = new Map([...kept, ...columns]);
  return made;
}
