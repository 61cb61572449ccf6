// Numbers as people read them.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/// A measured number with at most four significant digits: 2.81, −0.0034, 1.2e−9. Minus signs are minus signs.
export function measure(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  let text;
  if (size === 0) text = "0";
  else if (size < 10 ** -digits || size >= 1e6) text = value.toExponential(1).replace("e-", "e−").replace("e+", "e");
  else if (size >= 1000) text = value.toFixed(0);
  else text = String(Number(value.toPrecision(digits)));
  return text.replace(/^-/, "−");
}

/// A count: 409,600.
export function count(value) {
  return grouped.format(value);
}

/// A share of 1 as per cent.
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  const value = share * 100;
  if (value !== 0 && Math.abs(value) < 0.01) return "< 0.01 %";
  return `${value >= 99.995 ? 100 : Number(value.toPrecision(3))} %`;
}

/// A number of bytes: 2.3 MB.
export function bytes(value) {
  const units = ["B", "kB", "MB", "GB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${Number((value / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

/// "1 token", "2 tokens".
export function several(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}
