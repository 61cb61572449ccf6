// Parts of a `multipart/mixed` reply.

/// Each part's `{ headers, bytes }`, headers by lower-case name. Throws an Error that says what is wrong.
export function partsOf(contentType, buffer) {
  const boundary = contentType.match(/boundary=(?:"([^"]+)"|([^;\s]+))/i);
  if (!boundary) throw new Error("The reply names no boundary.");
  const bytes = new Uint8Array(buffer);
  const mark = new TextEncoder().encode(`--${boundary[1] ?? boundary[2]}`);
  const parts = [];
  let at = find(bytes, mark, 0);
  while (at >= 0) {
    const start = at + mark.length;
    if (bytes[start] === 45 && bytes[start + 1] === 45) return parts;
    const next = find(bytes, mark, start);
    if (next < 0) break;
    // A part stands between the line's end behind its boundary and the line's end before the next one.
    parts.push(part(bytes.subarray(start + 2, next - 2)));
    at = next;
  }
  throw new Error("The reply breaks off before its closing boundary.");
}

function part(bytes) {
  const end = find(bytes, [13, 10, 13, 10], 0);
  const lines = new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))).split("\r\n");
  const headers = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { headers, bytes: bytes.subarray(end < 0 ? 0 : end + 4) };
}

function find(bytes, wanted, from) {
  for (let at = bytes.indexOf(wanted[0], from); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same += 1;
    if (same === wanted.length) return at;
  }
  return -1;
}
