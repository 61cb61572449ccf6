// Where the keys go from a token.
import { HEAD } from "./lines.js";

/// The token that a key leads to; −1: nowhere; undefined: the key means nothing here.
/// Left and right: the next token. Up and down: the line above and below. Home and End: the row's ends. n and p: the next
/// and the previous perception token.
export function movedToken(map, token, key) {
  const batch = map.batch;
  if (!batch || !map.lines || batch.length === 0 || map.order.length === 0) return undefined;
  if (token < 0 && /^(Arrow|Home|End|n$|p$)/.test(key))
    return step(map, batch.offsets[map.order[0]] - 1, 1, () => true, map.order[0]);
  const row = batch.rowOf(Math.max(0, token));
  const perceived = (t) => batch.masks.perception_mask?.[t] === 1;
  switch (key) {
    case "ArrowRight":
      return step(map, token, 1, () => true, row);
    case "ArrowLeft":
      return step(map, token, -1, () => true, row);
    case "ArrowDown":
      return lineStep(map, token, row, 1);
    case "ArrowUp":
      return lineStep(map, token, row, -1);
    case "Home":
      return within(map, batch.offsets[row] - 1, 1, row);
    case "End":
      return within(map, batch.offsets[row + 1], -1, row);
    case "n":
      return step(map, token, 1, perceived, row);
    case "p":
      return step(map, token, -1, perceived, row);
    default:
      return undefined;
  }
}

/// The nearest token in a direction, through the rows in their order, that something is true of.
function step(map, token, direction, isWanted, row) {
  const { batch, order } = map;
  let place = order.indexOf(row);
  let at = token + direction;
  while (place >= 0 && place < order.length) {
    const [start, end] = [batch.offsets[order[place]], batch.offsets[order[place] + 1]];
    for (; at >= start && at < end; at += direction) if (!batch.isNothing(at) && isWanted(at)) return at;
    place += direction;
    if (place < 0 || place >= order.length) return -1;
    at = direction > 0 ? batch.offsets[order[place]] : batch.offsets[order[place] + 1] - 1;
  }
  return -1;
}

function within(map, token, direction, row) {
  const found = step(map, token, direction, () => true, row);
  return found >= 0 && map.batch.rowOf(found) === row ? found : -1;
}

/// The token at the same share of the line above or below.
function lineStep(map, token, row, direction) {
  const { lines, batch } = map;
  let line = lines.holding(token, row);
  if (line < 0) return -1;
  const share = (token - lines.start[line]) / Math.max(1, lines.end[line] - lines.start[line]);
  for (line += direction; line >= 0 && line < lines.length; line += direction) {
    if (lines.kind[line] === HEAD || lines.end[line] <= lines.start[line]) continue;
    let at = lines.start[line] + Math.floor(share * (lines.end[line] - lines.start[line]));
    while (at > lines.start[line] && batch.isNothing(at)) at -= 1;
    while (at < lines.end[line] && batch.isNothing(at)) at += 1;
    if (at < lines.end[line]) return at;
  }
  return -1;
}
