// A safetensors file made of a JSON example, so that the binary form can be tried without a program.
import { SAFETENSORS, safetensorsParts, Tensor } from "../common/safetensors.js";
import { builtInPixels } from "./picture.js";

const WHOLE = /(^|\.)(token_ids|group_ids|cu_seqlens)$/;
const FLAGS = /_mask$/;

/// The file of a columnar JSON body: lists become tensors, `options` go into the metadata.
export function tensorFile(body) {
  const tensors = new Map();
  for (const [name, value] of Object.entries(body)) if (Array.isArray(value)) tensors.set(name, tensorOf(name, value));
  const metadata = body.options ? { options: JSON.stringify(body.options) } : {};
  return fileOf(tensors, metadata);
}

/// The file of the photograph's pixels, with the JSON request beside it.
export async function pixelFile(request) {
  const { width, height, samples } = await builtInPixels();
  return fileOf(new Map([["photograph", Tensor.of(samples, [height, width, 3])]]), { request: JSON.stringify(request) });
}

function fileOf(tensors, metadata) {
  const file = new File(safetensorsParts(tensors, metadata), "batch.safetensors", { type: SAFETENSORS });
  const held = [...tensors].map(([name, { type, shape }]) => ({ name, type, shape }));
  return { file, held, metadata };
}

function tensorOf(name, nested) {
  const shape = [];
  for (let level = nested; Array.isArray(level); level = level[0]) shape.push(level.length);
  const flat = nested.flat(Infinity);
  if (WHOLE.test(name)) return Tensor.of(BigInt64Array.from(flat, BigInt), shape);
  return Tensor.of(FLAGS.test(name) ? Uint8Array.from(flat) : Float32Array.from(flat), shape);
}
