// safetensors files: u64 little-endian length of the header, JSON header, data. Read without copying the data.
import { elements, floats, WIDTHS } from "./floats.js";

const MOST_HEADER_BYTES = 100_000_000;

/// What is wrong with a file.
export class SafetensorsError extends Error {
  constructor(reason) {
    super(reason);
    this.title = "Not a readable safetensors file";
    this.detail = reason;
  }
}

/// A tensor: its type (`F32`, `I64` …), its extents, and its bytes where they lie in the file.
export class Tensor {
  constructor(type, shape, bytes) {
    Object.assign(this, { type, shape, bytes });
  }

  /// Makes a tensor of a typed array: Float32Array, Uint8Array, Int32Array or BigInt64Array.
  static of(array, shape = [array.length]) {
    const type = {
      Float32Array: "F32",
      Float64Array: "F64",
      Uint8Array: "U8",
      Int32Array: "I32",
      BigInt64Array: "I64",
    }[array.constructor.name];
    return new Tensor(type, shape, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }

  get length() {
    return this.bytes.byteLength / WIDTHS[this.type];
  }

  /// The elements `from` up to `to` as floats.
  floats(from, to) {
    return floats(this.type, this.bytes, from, to);
  }

  /// The elements in the type's own array.
  elements(from, to) {
    return elements(this.type, this.bytes, from, to);
  }

  /// The elements as numbers in a list; integers beyond 2^53 are rounded.
  numbers(from, to) {
    return Array.from(
      this.type === "F16" || this.type === "BF16" ? this.floats(from, to) : this.elements(from, to),
      Number,
    );
  }
}

/// Reads a file. Returns `tensors` (a Map by name, in the file's order) and `metadata` (texts by name).
/// Throws `SafetensorsError` for whatever is not exactly a file of this format.
export function readSafetensors(buffer) {
  if (buffer.byteLength < 8) throw new SafetensorsError(`A file has at least 8 bytes, this one ${buffer.byteLength}.`);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > MOST_HEADER_BYTES) throw new SafetensorsError(`The header would be ${length} bytes long.`);
  if (8 + length > buffer.byteLength) {
    throw new SafetensorsError(`The header is ${length} bytes long, and the file ends after ${buffer.byteLength - 8}.`);
  }
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
  } catch (error) {
    throw new SafetensorsError(`The header is no JSON: ${error.message}`);
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) {
    throw new SafetensorsError("The header is no JSON object.");
  }
  const data = new Uint8Array(buffer, 8 + length);
  const tensors = new Map();
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  for (const [name, entry] of entries) tensors.set(name, tensorOf(name, entry, data));
  return { tensors, metadata: metadataOf(header) };
}

function metadataOf(header) {
  const said = Object.hasOwn(header, "__metadata__") ? header.__metadata__ : {};
  const metadata = Object.create(null);
  for (const [name, text] of Object.entries(said ?? {})) if (typeof text === "string") metadata[name] = text;
  return metadata;
}

function tensorOf(name, entry, data) {
  const type = entry?.dtype;
  if (!Object.hasOwn(WIDTHS, type ?? "")) throw new SafetensorsError(`${name}: the element type ${type} is not known.`);
  const { shape, data_offsets: offsets } = entry;
  const whole = (value) => Number.isSafeInteger(value) && value >= 0;
  if (!Array.isArray(shape) || !shape.every(whole)) throw new SafetensorsError(`${name}: shape is no list of extents.`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole)) {
    throw new SafetensorsError(`${name}: data_offsets is no pair of positions.`);
  }
  const [start, end] = offsets;
  const expected = shape.reduce((product, extent) => product * extent, 1) * WIDTHS[type];
  if (end - start !== expected) {
    throw new SafetensorsError(
      `${name}: ${type} ${JSON.stringify(shape)} takes ${expected} bytes, not ${end - start}.`,
    );
  }
  if (end > data.byteLength) {
    throw new SafetensorsError(
      `${name}: its data ends at byte ${end}, and the file's data at ${data.byteLength}: is it cut off?`,
    );
  }
  return new Tensor(type, shape, data.subarray(start, end));
}

/// Writes a file as a list of parts, for a Blob or a request's body: the tensors' bytes are not copied.
/// - `tensors`: a Map, or pairs, of name and `Tensor`.
export function safetensorsParts(tensors, metadata = {}) {
  const header = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  const parts = [];
  let offset = 0;
  // Widest elements first, so that every tensor is aligned for its readers.
  const sorted = [...tensors].sort(([, a], [, b]) => WIDTHS[b.type] - WIDTHS[a.type]);
  for (const [name, tensor] of sorted) {
    const end = offset + tensor.bytes.byteLength;
    header[name] = { dtype: tensor.type, shape: tensor.shape, data_offsets: [offset, end] };
    parts.push(tensor.bytes);
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(padded.length), true);
  return [prefix, padded, ...parts];
}

/// The media type of these files.
export const SAFETENSORS = "application/x-safetensors";
