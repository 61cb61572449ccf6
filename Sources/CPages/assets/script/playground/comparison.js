// Pictures beside each other, their difference, or one wiped over the other.
import { button, element, field } from "../common/elements.js";
import { measure } from "../common/numbers.js";
import { download } from "../common/download.js";
import { isolated, visible } from "../common/visible-text.js";

/// Fills `place` with the pictures: [{ name, steps, width, height, bitmap, blob }], the original first.
/// - mode: `side`, `difference` or `wipe`; useSteps(name, steps): the drawn steps are wanted for changing.
export class Comparison {
  element = element("div", { class: "comparison" });
  #mode = "side";
  #pictures = [];
  #wiped = null;
  #share = 50;
  #gain = 4;
  #useSteps;

  constructor(useSteps) {
    this.#useSteps = useSteps;
  }

  setMode(mode) {
    this.#mode = mode;
    this.#draw();
  }

  show(pictures) {
    for (const picture of this.#pictures) if (!pictures.includes(picture)) picture.bitmap.close();
    this.#pictures = pictures;
    this.#draw();
  }

  #draw() {
    const [original, ...views] = this.#pictures;
    if (!original) return;
    this.element.className = `comparison ${this.#mode}`;
    if (this.#mode === "wipe" && views.length > 0) return this.#drawWipe(original, views);
    if (this.#mode === "difference") return this.#drawDifference(original, views);
    this.element.replaceChildren(
      this.#figure(original, canvasOf(original.bitmap)),
      ...views.map((view) => this.#figure(view, canvasOf(view.bitmap))),
    );
  }

  #drawDifference(original, views) {
    const draw = () =>
      views.map((view) => {
        const same = view.width === original.width && view.height === original.height;
        if (!same)
          return this.#figure(
            view,
            element(
              "p",
              { class: "notice" },
              `The sizes differ: ${original.width} × ${original.height} and ${view.width} × ${view.height}.`,
            ),
          );
        const { canvas, mean, share } = difference(original.bitmap, view.bitmap, this.#gain);
        return this.#figure(
          view,
          canvas,
          `mean difference ${measure(mean)} of 255, ${measure(share * 100)} % of pixels`,
        );
      });
    const figures = element("div", { class: "comparison-grid" }, draw());
    const gain = element("input", {
      type: "range",
      min: 1,
      max: 16,
      step: 1,
      value: this.#gain,
      on: {
        input: () => {
          this.#gain = Number(gain.value);
          figures.replaceChildren(...draw());
        },
      },
    });
    this.element.replaceChildren(
      element("div", { class: "gain" }, field("amplified", gain, { unit: "|original − view|, times 1 … 16" })),
      figures,
    );
  }

  #drawWipe(original, views) {
    const chosen = views.find((view) => view.name === this.#wiped) ?? views[0];
    this.#wiped = chosen.name;
    const top = canvasOf(chosen.bitmap);
    top.classList.add("top");
    const line = element("span", { class: "wipe-line", "aria-hidden": "true" });
    const slider = element("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 0.5,
      value: this.#share,
      "aria-label": `How much of the picture is the original; the rest is ${chosen.name}`,
    });
    const wipe = () => {
      this.#share = Number(slider.value);
      top.style.clipPath = `inset(0 0 0 ${this.#share}%)`;
      line.style.left = `${this.#share}%`;
    };
    slider.addEventListener("input", wipe);
    const frame = element("div", { class: "wipe-frame" }, canvasOf(original.bitmap), top, line);
    frame.addEventListener("pointermove", (event) => {
      if (event.buttons === 0 && event.pointerType !== "mouse") return;
      const box = frame.getBoundingClientRect();
      slider.value = String(Math.max(0, Math.min(100, (100 * (event.clientX - box.left)) / box.width)));
      wipe();
    });
    const pick = element(
      "select",
      {
        on: {
          change: () => {
            this.#wiped = pick.value;
            this.#draw();
          },
        },
      },
      views.map((view) => element("option", { value: view.name, selected: view === chosen }, view.name)),
    );
    this.element.replaceChildren(
      element("div", { class: "row" }, element("label", { class: "inline" }, element("span", {}, "View"), pick)),
      frame,
      slider,
      element("div", { class: "wipe-names" }, element("span", {}, "original"), element("span", {}, chosen.name)),
      this.#caption(chosen),
    );
    wipe();
  }

  #figure(view, shown, note = null) {
    return element("figure", { class: `view-figure ${view.name}` }, shown, this.#caption(view, note));
  }

  #caption(view, note = null) {
    const isOriginal = view === this.#pictures[0];
    return element(
      "figcaption",
      {},
      element(
        "div",
        {},
        element("b", {}, isolated(view.name)),
        element("span", { class: "unit" }, ` ${view.width} × ${view.height}`),
      ),
      note && element("p", { class: "help" }, note),
      isOriginal ? element("p", { class: "help" }, "as the server decodes it") : stepList(view.steps),
      !isOriginal &&
        element(
          "div",
          { class: "row actions" },
          button("Edit steps", () => this.#useSteps(view.name, view.steps), {
            title: "Change by hand what was drawn",
            "aria-label": `Edit the steps of ${view.name}`,
          }),
          button("Save", () => download(view.blob, `${view.name}.png`), { "aria-label": `Save ${view.name}` }),
        ),
    );
  }
}

/// The steps that were drawn, with every number.
function stepList(steps) {
  if (steps.length === 0) return element("p", { class: "help" }, "No step was drawn: the view equals the original.");
  return element(
    "ol",
    { class: "drawn" },
    steps.map(({ step, ...values }) =>
      element(
        "li",
        {},
        element("b", {}, isolated(step.replaceAll("_", " "))),
        " ",
        element(
          "span",
          {},
          Object.entries(values)
            .map(([name, value]) => `${name.replaceAll("_", " ")} ${shown(value)}`)
            .join(" · "),
        ),
      ),
    ),
  );
}

function shown(value) {
  if (typeof value === "number") return Number.isInteger(value) ? String(value).replace("-", "−") : measure(value);
  if (Array.isArray(value) && value.length > 8) return `× ${value.length}`;
  return visible(typeof value === "string" ? value : JSON.stringify(value), 80);
}

function canvasOf(bitmap) {
  const canvas = element("canvas", { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return canvas;
}

/// |a − b| times a gain as a picture, its mean over all samples before the gain, and the share of pixels that differ.
function difference(a, b, gain) {
  const [first, second] = [pixelsOf(a), pixelsOf(b)];
  const { width, height } = first;
  let sum = 0;
  let others = 0;
  for (let place = 0; place < first.data.length; place += 4) {
    let differs = 0;
    for (let channel = place; channel < place + 3; channel += 1) {
      const size = Math.abs(first.data[channel] - second.data[channel]);
      sum += size;
      differs |= size;
      first.data[channel] = size * gain;
    }
    if (differs) others += 1;
    first.data[place + 3] = 255;
  }
  const canvas = element("canvas", { width, height });
  canvas.getContext("2d").putImageData(first, 0, 0);
  return { canvas, mean: sum / (width * height * 3), share: others / (width * height) };
}

function pixelsOf(bitmap) {
  const canvas = canvasOf(bitmap);
  return canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
}
