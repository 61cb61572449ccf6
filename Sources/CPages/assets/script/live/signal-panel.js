// A run's training signals, each as its newest number and a line.
import { element } from "../common/elements.js";
import { count, measure, percent } from "../common/numbers.js";
import { batchesText } from "./lists.js";
import { SIGNALS } from "./runs.js";
import { sparkline } from "./sparkline.js";

/// Elements for the signals of a run's points; signals that no batch has are left out.
export function signalPanel(points) {
  return SIGNALS.map((signal) => {
    const values = points.map((point) => point.values[signal.name] ?? null);
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return null;
    const read = (value, digits) => reading(signal, value, digits);
    const newest = known.at(-1);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const said = `${signal.label}: ${read(newest)}${signal.unit ? ` ${signal.unit}` : ""} now; from ${read(low)} to ${read(high)} over ${batchesText(known.length)}`;
    return element("figure", { class: "signal", title: signal.title },
      element("figcaption", {}, element("span", { class: "label" }, signal.label, signal.unit && element("span", { class: "unit" }, ` ${signal.unit}`)),
        element("b", {}, read(newest))),
      sparkline(values, said),
      element("div", { class: "extent", "aria-hidden": "true" }, element("span", { title: "lowest" }, read(low, 3)), element("span", { title: "highest" }, read(high, 3))));
  }).filter(Boolean);
}

function reading({ isShare, isCount }, value, digits) {
  if (isShare) return percent(value);
  return isCount ? count(value) : measure(value, digits);
}
