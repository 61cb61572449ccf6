// A heat map as one HTML file that needs nothing from elsewhere and runs no script: colourings are switched by radio
// buttons in plain CSS. Its own policy forbids everything but its style, whatever its texts hold.
import { measure } from "../common/numbers.js";
import { escaped } from "./picture.js";

const MOST_TOKENS = 50_000;
const STYLE = `
:root{color-scheme:light dark;--up:232 93 38;--down:52 118 214;--mask:126 87 194;--ink:#1d1c1a;--soft:#55524b;--paper:#fff;--line:#8d897f}
@media(prefers-color-scheme:dark){:root{--up:214 74 24;--down:44 104 206;--mask:124 84 206;--ink:#eceae5;--soft:#b7b5af;--paper:#1b1d21;--line:#7d828d}}
body{margin:2rem auto;max-width:70rem;padding:0 1rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.25rem;margin:0 0 .25rem}p{color:var(--soft);margin:0 0 1rem}
input{position:absolute;opacity:0}label{display:inline-block;cursor:pointer;margin:0 .3rem .5rem 0;padding:.15rem .7rem;border:1px solid var(--line);border-radius:1rem;font-size:13px}
input:focus-visible+label{outline:2px solid}input:checked+label{background:var(--ink);color:var(--paper)}
.r{margin:1rem 0;font:14px/2 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.r b{display:block;font:600 13px system-ui,sans-serif}
i{font-style:normal;background:var(--c);padding:.1em 3px;margin-right:1px;border-radius:3px;unicode-bidi:isolate;direction:ltr;display:inline-block;line-height:1.35}
i.m{box-shadow:inset 0 -2px 0 var(--ink);font-weight:650}i.p{border-bottom:2px dotted var(--ink)}i.o{opacity:.55;font-style:italic}`;

/// The file's text.
/// - colorings: all ways; chosen: the one shown first; summary: a line under the title.
export function page(batch, colorings, chosen, order, title, summary) {
  const rules = colorings.map((coloring, place) => `#c${place}:checked~.r i{--c:var(--c${place})}`).join("");
  const radios = colorings
    .map(
      (coloring, place) =>
        `<input type="radio" name="c" id="c${place}"${coloring === chosen ? " checked" : ""}>` +
        `<label for="c${place}">${escaped(coloring.view ? `${coloring.label}, ${coloring.view}` : coloring.label)}</label>`,
    )
    .join("");
  const rows = [];
  let left = MOST_TOKENS;
  for (const row of order) {
    if (left <= 0) break;
    const [start, end] = [batch.offsets[row], Math.min(batch.offsets[row + 1], batch.offsets[row] + left)];
    left -= end - start;
    const tokens = [];
    for (let token = start; token < end; token += 1)
      if (!batch.isNothing(token)) tokens.push(tokenMarkup(batch, colorings, token, token - start));
    rows.push(`<div class="r"><b>${escaped(batch.names[row])}</b>${tokens.join("")}</div>`);
  }
  const cut = left <= 0 ? `<p>Only the first ${MOST_TOKENS} tokens are in this file.</p>` : "";
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)}</title><style>${STYLE}${rules}</style></head>` +
    `<body><h1>${escaped(title)}</h1><p>${escaped(summary)}</p>${radios}${rows.join("")}${cut}</body></html>`
  );
}

function tokenMarkup(batch, colorings, token, place) {
  const counts = batch.counts(token);
  const kind = !counts
    ? ' class="o"'
    : batch.masks.mask?.[token]
      ? ' class="m"'
      : batch.masks.perception_mask?.[token]
        ? ' class="p"'
        : "";
  const colors = counts
    ? colorings
        .map((coloring, number) => {
          const strength = coloring.strength(token);
          const name = coloring.sign === "share" ? "mask" : strength < 0 ? "down" : "up";
          const opacity = Math.round(Math.abs(strength) * 84) / 100;
          return opacity > 0 ? `--c${number}:rgb(var(--${name}) / ${opacity})` : "";
        })
        .filter(Boolean)
        .join(";")
    : "";
  const told = colorings
    .filter((coloring) => coloring.group !== "mask")
    .map(
      (coloring) => `${coloring.label}${coloring.view ? ` ${coloring.view}` : ""} ${measure(coloring.values[token])}`,
    )
    .join("\n");
  return `<i${kind}${colors && ` style="${colors}"`} title="${escaped(`${place}\n${told}`)}">${escaped(batch.text(token))}</i>${batch.text(token).endsWith("⏎") ? "\n" : ""}`;
}
