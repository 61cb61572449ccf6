// A row of tokens as a strip of colour: one pixel column for one or more tokens.

/// Colours of a theme as [red, green, blue], read from the style sheet.
export function heatColors(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(`--heat-${name}`).trim().split(/\s+/).map(Number);
  return { up: read("up"), down: read("down"), mask: read("mask") };
}

/// Paints tokens `start` up to `end` onto a canvas of the given size in CSS pixels. A column that stands for several
/// tokens shows the strongest of them. O(tokens)
/// - accepts: token => Boolean, or null; other tokens are left blank.
export function paintStrip(canvas, width, height, batch, coloring, start, end, colors, accepts) {
  const scale = Math.min(2, devicePixelRatio || 1);
  const columns = Math.max(1, Math.round(width * scale));
  canvas.width = columns;
  canvas.height = 1;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, 1);
  const count = end - start;
  for (let column = 0; column < columns; column += 1) {
    const from = start + Math.floor((column * count) / columns);
    const to = Math.max(from + 1, start + Math.floor(((column + 1) * count) / columns));
    let strongest = 0;
    for (let token = from; token < to && token < end; token += 1) {
      if (!batch.counts(token) || (accepts && !accepts(token))) continue;
      const strength = coloring.strength(token);
      if (Math.abs(strength) > Math.abs(strongest)) strongest = strength;
    }
    const [red, green, blue] = coloring.sign === "share" ? colors.mask : strongest < 0 ? colors.down : colors.up;
    image.data.set([red, green, blue, Math.round(Math.abs(strongest) * 255)], column * 4);
  }
  context.putImageData(image, 0, 0);
}
