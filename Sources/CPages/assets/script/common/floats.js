// Element types of tensors as typed arrays.

const F16_BIAS = 2 ** -24;
const halves = new Float32Array(65536);
let halvesAreMade = false;

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * F16_BIAS;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/// 16-bit IEEE floats, given by their bits, as 32-bit floats of the same length.
export function fromHalf(bits) {
  if (!halvesAreMade) {
    for (let i = 0; i < 65536; i += 1) halves[i] = half(i);
    halvesAreMade = true;
  }
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) values[i] = halves[bits[i]];
  return values;
}

/// bfloat16, given by their bits: the upper half of a 32-bit float.
export function fromBrain(bits) {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) words[i] = bits[i] << 16;
  return new Float32Array(words.buffer);
}

/// Bytes of one element of each type.
export const WIDTHS = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};
const ARRAYS = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  U32: Uint32Array,
  I32: Int32Array,
  F32: Float32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
};

/// The elements `from` up to `to` of a tensor's bytes, as the type's own array (F16 and BF16: their bits). Without a copy
/// where the bytes are aligned.
export function elements(type, bytes, from = 0, to = bytes.byteLength / WIDTHS[type]) {
  const width = WIDTHS[type];
  const start = bytes.byteOffset + from * width;
  if (start % width === 0) return new ARRAYS[type](bytes.buffer, start, to - from);
  return new ARRAYS[type](bytes.slice(from * width, to * width).buffer);
}

/// The same, as floats: Float32Array, or Float64Array of an F64 tensor.
export function floats(type, bytes, from, to) {
  const raw = elements(type, bytes, from, to);
  if (type === "F16") return fromHalf(raw);
  if (type === "BF16") return fromBrain(raw);
  if (type === "F32" || type === "F64") return raw;
  return Float32Array.from(raw, Number);
}
