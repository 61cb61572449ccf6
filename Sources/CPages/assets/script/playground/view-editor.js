// One view: its name, and a recipe or steps of one's own.
import { button, element, field, segments } from "../common/elements.js";
import { isolated } from "../common/visible-text.js";
import { parameterControl } from "./step-control.js";

export const SECOND = "second";

export class ViewEditor {
  #catalogue;
  #mode;
  #recipe;
  #steps = [];
  #about = element("p", { class: "help" });
  #recipePart;
  #stepsPart;
  #list = element("ol", { class: "steps" });
  #changed;
  #size;
  #modePlace = element("div");

  /// - catalogue: the reply of /v1/recipes; size(): the picture's { width, height }; changed(), removed(editor).
  constructor({ catalogue, name, recipe, size, changed, removed }) {
    this.#catalogue = catalogue;
    this.#changed = changed;
    this.#size = size;
    this.name = name;
    this.#recipe = element(
      "select",
      {
        on: {
          change: () => {
            this.#describe();
            changed();
          },
        },
      },
      catalogue.recipes.map((entry) =>
        element("option", { value: entry.name, selected: entry.name === recipe }, entry.name),
      ),
    );
    const add = element(
      "select",
      {
        "aria-label": "Add a step",
        on: {
          change: () => {
            if (add.value) this.#add(add.value);
            add.value = "";
          },
        },
      },
      element("option", { value: "" }, "Add a step…"),
      catalogue.steps.map(({ step }) => element("option", { value: step }, step.replaceAll("_", " "))),
    );
    this.#recipePart = element("div", { class: "stack tight" }, field("recipe", this.#recipe), this.#about);
    this.#stepsPart = element("div", { class: "stack tight" }, this.#list, add);
    this.element = element(
      "section",
      { class: "view-editor", "aria-label": `View ${name}` },
      element(
        "div",
        { class: "panel-head" },
        element("h2", {}, name),
        this.#modePlace,
        button("×", () => removed(this), { class: "button plain square", "aria-label": `Remove the view ${name}` }),
      ),
      this.#recipePart,
      this.#stepsPart,
    );
    this.#setMode("recipe");
    this.#describe();
  }

  /// The view as a request has it, without its seed; undefined while a value is not readable.
  read() {
    if (this.#mode === "recipe") return { name: this.name, recipe: this.#recipe.value };
    const steps = this.#steps.map((step) => step.read());
    return steps.includes(undefined) ? undefined : { name: this.name, steps };
  }

  /// Whether its steps read a second picture.
  get needsSecond() {
    if (this.#mode === "steps") return this.#steps.some((step) => this.#isPair(step.name));
    return partsOf(this.#catalogue.recipes.find((entry) => entry.name === this.#recipe.value)).some((part) =>
      this.#isPair(part.step),
    );
  }

  /// Whether a step reads a second picture: only those have a parameter that names one. Groups of steps have no name.
  #isPair(name) {
    const form = this.#catalogue.steps.find((step) => step.step === name);
    return form !== undefined && form.parameters.some((parameter) => parameter.name === "image");
  }

  get isDrawn() {
    return this.#mode === "recipe";
  }

  /// Takes over steps that were drawn, to change them by hand.
  useSteps(steps) {
    this.#steps = [];
    this.#list.replaceChildren();
    for (const { step, ...values } of steps) this.#add(step, values, false);
    this.#setMode("steps");
    this.#changed();
  }

  #setMode(mode) {
    this.#mode = mode;
    this.#recipePart.hidden = mode !== "recipe";
    this.#stepsPart.hidden = mode !== "steps";
    this.#modePlace.replaceChildren(
      segments(
        `How ${this.name} is made`,
        [
          ["recipe", "Recipe"],
          ["steps", "Steps"],
        ],
        mode,
        (chosen) => {
          this.#setMode(chosen);
          this.#changed();
        },
      ),
    );
    this.#modePlace.querySelector(":checked")?.focus({ preventScroll: true });
  }

  #describe() {
    const entry = this.#catalogue.recipes.find((recipe) => recipe.name === this.#recipe.value);
    this.#about.replaceChildren(isolated(entry?.summary ?? ""));
  }

  #add(name, values = {}, tell = true) {
    const form = this.#catalogue.steps.find((step) => step.step === name);
    if (!form) return;
    const controls = form.parameters.map((parameter) => [
      parameter.name,
      parameterControl(parameter, values[parameter.name], this.#size(), SECOND, this.#changed),
    ]);
    const step = {
      name,
      read() {
        const read = controls.map(([parameter, control]) => [parameter, control.read()]);
        return read.some(([, value]) => value === undefined) ? undefined : { step: name, ...Object.fromEntries(read) };
      },
    };
    const label = name.replaceAll("_", " ");
    const item = element(
      "li",
      { class: "step" },
      element(
        "div",
        { class: "step-head" },
        element("b", {}, label),
        button("↑", () => this.#move(step, item, -1), {
          class: "button plain square",
          "aria-label": `Move ${label} up`,
        }),
        button("↓", () => this.#move(step, item, 1), {
          class: "button plain square",
          "aria-label": `Move ${label} down`,
        }),
        button(
          "×",
          () => {
            this.#steps.splice(this.#steps.indexOf(step), 1);
            item.remove();
            this.#changed();
          },
          { class: "button plain square", "aria-label": `Remove ${label}` },
        ),
      ),
      element("p", { class: "help" }, isolated(form.summary)),
      controls.map(([, control]) => control.element),
    );
    this.#steps.push(step);
    this.#list.append(item);
    if (tell) this.#changed();
  }

  #move(step, item, by) {
    const from = this.#steps.indexOf(step);
    const to = from + by;
    if (to < 0 || to >= this.#steps.length) return;
    this.#steps.splice(from, 1);
    this.#steps.splice(to, 0, step);
    this.#list.insertBefore(item, this.#list.children[by > 0 ? to + 1 : to] ?? null);
    this.#changed();
  }
}

/// The steps that a recipe may draw.
function partsOf(part) {
  if (!part || typeof part !== "object") return [];
  return [part, ...[part.one_of ?? [], part.steps ?? []].flat().flatMap(partsOf)];
}
