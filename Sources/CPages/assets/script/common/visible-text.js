// Texts from elsewhere, made visible: what can't be seen, or turns the direction of other text, is shown as its code.

const NAMED = new Map([
  ["\u202a", "LRE"],
  ["\u202b", "RLE"],
  ["\u202c", "PDF"],
  ["\u202d", "LRO"],
  ["\u202e", "RLO"],
  ["\u2066", "LRI"],
  ["\u2067", "RLI"],
  ["\u2068", "FSI"],
  ["\u2069", "PDI"],
  ["\u200e", "LRM"],
  ["\u200f", "RLM"],
  ["\u061c", "ALM"],
  ["\u200b", "ZWSP"],
  ["\ufeff", "BOM"],
  ["\u00ad", "SHY"],
]);
// Controls, format characters, lone surrogates, private use, line and paragraph separators. Joiners stay: emoji need them.
const STRANGE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

function code(character) {
  const name = NAMED.get(character) ?? `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  return `‹${name}›`;
}

/// One line of text in which every character can be seen, or is a blank. At most `most` characters.
export function visible(text, most = 2000) {
  const whole = String(text);
  const cut = whole.length > most ? `${whole.slice(0, most)}…` : whole;
  return cut.replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/\r/g, "␍").replace(STRANGE, code);
}

/// A token's text as a heat map shows it: as `visible`, with marks for blanks that would otherwise be nothing to point at.
export function tokenText(text) {
  if (text === "") return "∅";
  if (/^ +$/.test(text)) return "␣".repeat(Math.min(text.length, 200));
  return visible(text, 200);
}

/// An element that isolates a text from elsewhere, so that its direction can't turn what stands around it.
export function isolated(text, most) {
  const node = document.createElement("bdi");
  node.textContent = visible(text, most);
  return node;
}
