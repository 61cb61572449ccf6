// What the colours and the marks of a heat map mean.
import { element } from "../common/elements.js";
import { measure } from "../common/numbers.js";

/// An element that explains a coloring and, where the batch has masks, the marks.
export function legend(batch, coloring) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  const full = coloring.sign === "both" ? 1 : 0;
  bar.style.backgroundImage = `linear-gradient(to right, ${coloring.color(-full)}, transparent ${full ? "50%" : "0%"}, ${coloring.color(1)})`;
  const low = coloring.sign === "both" ? -coloring.high : 0;
  return element(
    "div",
    { class: "legend" },
    element(
      "span",
      { class: "scale" },
      measure(low),
      bar,
      `${measure(coloring.high)}${coloring.unit ? ` ${coloring.unit}` : ""}`,
    ),
    batch.masks.mask &&
      element("span", { class: "key" }, element("span", { class: "token masked" }, "abc"), "perception, in the loss"),
    batch.masks.perception_mask &&
      element(
        "span",
        { class: "key" },
        element("span", { class: "token perceived" }, "abc"),
        "perception, gate closed",
      ),
    element("span", {}, coloring.says),
  );
}
