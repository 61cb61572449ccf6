// What dropped files are: a request, a reply, engines' replies, or texts of tokens.
import { readSafetensors } from "../common/safetensors.js";
import { EngineInputs, viewsOf } from "./engine-inputs.js";
import { engineOf } from "./engine-reply.js";
import { NotTensors, tensorsOfJSON } from "./json-inputs.js";
import { ReplyInputs } from "./reply-inputs.js";
import { TensorInputs } from "./tensor-inputs.js";
import { TextInputs } from "./text-inputs.js";
import { isListing } from "./token-texts.js";

/// Why files can't be shown; shown like a problem of the server.
export class Unrecognised extends Error {
  constructor(title, detail) {
    super(detail);
    Object.assign(this, { title, detail });
  }
}

/// Reads files ({ name, arrayBuffer() }). Returns `{ inputs }`, or `{ texts }` where it was a listing of tokens' texts.
export async function recognised(files) {
  const read = await Promise.all(
    files.map(async (file) => ({ name: file.name, ...contentOf(await file.arrayBuffer(), file.name) })),
  );
  const engines = read.filter((file) => file.json !== undefined && engineOf(file.json));
  if (engines.length > 0) return { inputs: engineInputs(engines, read) };
  if (read.length > 1)
    throw new Unrecognised(
      "More than one file",
      "Several files are read together only when each is an inference engine's reply.",
    );
  const [{ name, json, text, file }] = read;
  if (file) return { inputs: ofTensors(file, name) };
  if (isListing(json)) return { texts: json };
  return { inputs: ofJSON(json, text, name) };
}

function contentOf(buffer, name) {
  const start = new Uint8Array(buffer, 0, Math.min(9, buffer.byteLength));
  // A header's length below 16 MiB has zeros in its upper bytes, which no text has.
  if (start.length >= 8 && start[7] === 0 && start[6] === 0) return { file: readSafetensors(buffer) };
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(buffer);
  } catch {
    throw new Unrecognised(
      `${name} is neither JSON nor safetensors`,
      "Its bytes are no UTF-8 text, and it does not begin with the length of a safetensors header.",
    );
  }
  try {
    return { text, json: JSON.parse(text) };
  } catch (error) {
    throw new Unrecognised(`${name} is no JSON`, error.message);
  }
}

function ofTensors(file, label) {
  const names = [...file.tensors.keys()];
  if (
    names.some(
      (name) => /^(original|preserving|removing)\.|^logits$/.test(name) && !/entropy_(lower|upper)$/.test(name),
    )
  ) {
    return new TensorInputs({ ...file, label });
  }
  if (file.metadata.result || names.some((name) => ["perception_mask", "delta_entropy", "token_loss"].includes(name))) {
    return ReplyInputs.ofTensors(file, label);
  }
  throw new Unrecognised(
    `${label} holds no tensors of /v1/score`,
    `It holds ${names.slice(0, 20).join(", ") || "none"}.`,
  );
}

function ofJSON(json, text, label) {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new Unrecognised(`${label} is no request and no reply`, "A JSON object is expected.");
  }
  if ("loss_numerator" in json || ("loss" in json && "diagnostics" in json)) return ReplyInputs.ofJSON(json, label);
  const isColumnar = Object.keys(json).some((name) => /^(original|preserving|removing)\./.test(name));
  if (!Array.isArray(json.rollouts) && !isColumnar) {
    throw new Unrecognised(
      `${label} is no request and no reply of /v1/score`,
      "It has neither rollouts nor tensors such as original.log_probs.",
    );
  }
  try {
    return new TensorInputs({ ...tensorsOfJSON(json), label });
  } catch (error) {
    if (!(error instanceof NotTensors)) throw error;
    return new TextInputs(text, json, label);
  }
}

function engineInputs(engines, read) {
  if (engines.length !== read.length)
    throw new Unrecognised("Not all files are engines' replies", "Drop the replies for two or three views together.");
  if (engines.length === 1 || engines.length > 3) {
    throw new Unrecognised(
      "Two or three replies are needed",
      "One engine's reply for each view: original, preserving and removing, or original and removing. Drop them together.",
    );
  }
  const views = viewsOf(engines.map((file) => file.name));
  const texts = new Map(engines.map((file, place) => [views[place], file.text]));
  return new EngineInputs(
    texts,
    engines.map((file) => file.name),
  );
}
