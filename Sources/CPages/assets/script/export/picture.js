// A heat map as a picture: one layout, drawn as SVG or as PNG.
import { HEAD, textLines, wordWidths } from "../heat-map/lines.js";

const FONT = '14px "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const SMALL = "12px system-ui, sans-serif";
const WIDTH = 1000;
const MARGIN = 24;
const HEIGHTS = { head: 36, text: 30 };
// Beyond this browsers make no canvas.
const MOST_HEIGHT = 16_000;

/// The colours that pictures are drawn in: those of the light theme, so that they can be printed.
const INK = "#1d1c1a";
const FAINT = "#6d6a62";
const PAPER = "#ffffff";
const HEAT = { up: [232, 93, 38], down: [52, 118, 214], mask: [126, 87, 194] };

/// What is to be drawn: rectangles and texts with their places; `rows` of `total` rows fit.
export function picture(batch, coloring, order, title) {
  const widths = wordWidths(batch.words, FONT, 8);
  const lines = textLines(batch, order, widths, WIDTH - 2 * MARGIN, HEIGHTS);
  const shapes = [];
  const begin = MARGIN + 34;
  shapes.push({ text: title, x: MARGIN, y: MARGIN + 10, font: SMALL, fill: FAINT });
  let shown = lines.length;
  while (shown > 0 && begin + lines.top[shown] + MARGIN > MOST_HEIGHT) shown -= 1;
  for (let line = 0; line < shown; line += 1) {
    const y = begin + lines.top[line];
    if (lines.kind[line] === HEAD) {
      shapes.push({ text: batch.names[lines.row[line]], x: MARGIN, y: y + 26, font: `600 ${SMALL}`, fill: INK });
      continue;
    }
    let x = MARGIN;
    for (let token = lines.start[line]; token < lines.end[line]; token += 1) {
      if (batch.isNothing(token)) continue;
      const width = widths[batch.wordOf[token]];
      shapes.push(...tokenShapes(batch, coloring, token, x, y, width));
      x += width;
    }
  }
  return {
    shapes,
    width: WIDTH,
    height: begin + lines.top[shown] + MARGIN,
    isCut: shown < lines.length,
  };
}

function tokenShapes(batch, coloring, token, x, y, width) {
  const counts = batch.counts(token);
  const strength = counts ? coloring.strength(token) : 0;
  const color = coloring.sign === "share" ? HEAT.mask : strength < 0 ? HEAT.down : HEAT.up;
  const opacity = (Math.round(Math.abs(strength) * 16) / 16) * 0.84;
  const shapes = [];
  if (opacity > 0)
    shapes.push({ x: x + 0.5, y: y + 3, width: width - 1, height: 24, fill: `rgb(${color.join(",")})`, opacity });
  if (counts && batch.masks.mask?.[token])
    shapes.push({ x: x + 0.5, y: y + 25, width: width - 1, height: 2, fill: INK, opacity: 1 });
  else if (counts && batch.masks.perception_mask?.[token]) {
    for (let dot = x + 1; dot < x + width - 2; dot += 5)
      shapes.push({ x: dot, y: y + 25, width: 2, height: 2, fill: INK, opacity: 1 });
  }
  shapes.push({ text: batch.text(token), x: x + 4, y: y + 20, font: FONT, fill: counts ? INK : FAINT });
  return shapes;
}

/// The picture as the text of an SVG file. Texts are escaped; every token is isolated from the direction of others.
export function svg({ shapes, width, height }) {
  const fonts = { [FONT]: "t", [SMALL]: "s", [`600 ${SMALL}`]: "b" };
  const drawn = shapes.map((shape) =>
    shape.text === undefined
      ? `<rect x="${round(shape.x)}" y="${round(shape.y)}" width="${round(shape.width)}" height="${shape.height}" rx="${shape.height > 2 ? 3 : 0}" fill="${shape.fill}" fill-opacity="${round(shape.opacity)}"/>`
      : `<text class="${fonts[shape.font]}" x="${round(shape.x)}" y="${round(shape.y)}" fill="${shape.fill}" xml:space="preserve">${escaped(shape.text)}</text>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<style>text{unicode-bidi:isolate;direction:ltr;white-space:pre}.t{font:${FONT}}.s{font:${SMALL}}.b{font:600 ${SMALL}}</style>` +
    `<rect width="100%" height="100%" fill="${PAPER}"/>${drawn.join("")}</svg>`
  );
}

function round(value) {
  return Math.round(value * 100) / 100;
}

/// A text for XML: markup escaped, and what XML has no character for replaced.
export function escaped(text) {
  return String(text)
    .replace(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      "\ufffd",
    )
    .replace(/[&<>"']/g, (mark) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[mark]);
}

/// The picture as a PNG file.
export async function png({ shapes, width, height }) {
  const scale = height * 2 > MOST_HEIGHT ? 1 : 2;
  const canvas = document.createElement("canvas");
  canvas.width = width * scale;
  canvas.height = Math.ceil(height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, width, height);
  for (const shape of shapes) {
    context.globalAlpha = shape.opacity ?? 1;
    context.fillStyle = shape.fill;
    if (shape.text === undefined) {
      context.beginPath();
      context.roundRect(shape.x, shape.y, shape.width, shape.height, shape.height > 2 ? 3 : 0);
      context.fill();
    } else {
      context.font = shape.font;
      context.fillText(shape.text, shape.x, shape.y);
    }
  }
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("The browser could not make a picture of this size.");
  return blob;
}
