// Which tokens are of interest.

export const FILTERS = [
  ["all", "all tokens"],
  ["perception", "perception tokens"],
  ["mask", "tokens in the loss"],
  ["falling", "tokens with ΔH < 0"],
];

/// token => whether it passes, or null where all do.
export function tokenFilter(batch, kind, text) {
  const { perception_mask: perception, mask } = batch.masks;
  const delta = batch.columns.get("delta_entropy");
  const kinds = {
    perception: perception && ((token) => perception[token] === 1),
    mask: mask && ((token) => mask[token] === 1),
    falling: delta && ((token) => delta[token] < 0),
  };
  const ofKind = kinds[kind] ?? null;
  const sought = text.toLowerCase();
  if (!sought) return ofKind;
  const has = Uint8Array.from(batch.words, (word) => (word.toLowerCase().includes(sought) ? 1 : 0));
  return (token) => batch.counts(token) && has[batch.wordOf[token]] === 1 && (!ofKind || ofKind(token));
}
