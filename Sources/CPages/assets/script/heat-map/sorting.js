// Sorting many tokens by a number: a radix sort, as comparing hundreds of thousands of pairs in script takes a second.

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/// 32-bit floats as whole numbers of the same order; NaN comes last.
function rank(value) {
  if (Number.isNaN(value)) return 0xffffffff;
  float[0] = value;
  return bits[0] & 0x80000000 ? ~bits[0] >>> 0 : (bits[0] | 0x80000000) >>> 0;
}

/// The tokens sorted by value(token), equal ones as they were. O(tokens)
/// - isDown: the largest first.
export function sortedBy(tokens, value, isDown) {
  const count = tokens.length;
  let keys = Uint32Array.from(tokens, (token) => (isDown ? ~rank(value(token)) >>> 0 : rank(value(token))));
  let order = Int32Array.from(tokens);
  let nextKeys = new Uint32Array(count);
  let nextOrder = new Int32Array(count);
  for (let shift = 0; shift < 32; shift += 8) {
    const starts = new Uint32Array(257);
    for (let i = 0; i < count; i += 1) starts[((keys[i] >>> shift) & 255) + 1] += 1;
    for (let byte = 0; byte < 256; byte += 1) starts[byte + 1] += starts[byte];
    for (let i = 0; i < count; i += 1) {
      const place = starts[(keys[i] >>> shift) & 255]++;
      nextKeys[place] = keys[i];
      nextOrder[place] = order[i];
    }
    [keys, nextKeys, order, nextOrder] = [nextKeys, keys, nextOrder, order];
  }
  return order;
}
