// The options of /v1/score as controls, made from the presets and the contract. Only what differs from the preset is sent.
import { element } from "../common/elements.js";
import { isolated } from "../common/visible-text.js";
import { optionControl } from "./option-control.js";

const GROUPS = [
  [
    "Selection",
    ["detector", "top_k_ratio", "score", "epsilon", "min_delta_entropy", "candidates", "quota", "scope", "ties"],
    true,
  ],
  ["Gate", ["gate", "gate_threshold"], true],
  [
    "Loss",
    [
      "estimator",
      "loss",
      "tau",
      "terms",
      "clamp_input",
      "clamp_result",
      "coefficient",
      "loss_cap",
      "aggregation",
      "norm_length",
      "global_batch_size",
      "denominator",
    ],
    true,
  ],
  ["Likeliest tokens, temperature", ["vocabulary_size", "entropy_from", "temperature"], false],
  [
    "Objective",
    [
      "policy",
      "clip_low",
      "clip_high",
      "dual_clip",
      "importance_level",
      "policy_tokens",
      "kl_estimator",
      "kl_coefficient",
      "policy_aggregation",
      "policy_denominator",
      "entropy_coefficients",
    ],
    false,
  ],
  [
    "Advantages",
    ["advantage_shaping", "advantage_floor", "dependency_min", "dependency_max", "dependency_mean"],
    false,
  ],
  ["Gradients", ["stop_gradient", "gradient_of", "grad_scale", "result_type"], false],
];
// The page itself chooses what it asks for.
const LEFT_OUT = new Set(["preset", "return"]);

export class OptionsPanel {
  #presets;
  #defaultName;
  #controls = new Map();
  #preset;
  #about = element("p", { class: "help" });
  #changed;

  /// - presets: the reply of /v1/presets; schemas: as `optionSchemas` has them; changed(): an option was changed by hand.
  constructor(presets, schemas, changed) {
    this.#presets = new Map(presets.presets.map((preset) => [preset.name, preset]));
    this.#defaultName = presets.default;
    this.#changed = changed;
    this.#preset = optionControl(
      { name: "preset", kind: "choice", choices: [...this.#presets.keys()], says: "" },
      () => {
        this.#fill(this.#presets.get(this.#preset.read()).options);
        changed();
      },
    );
    const byName = new Map(schemas.map((schema) => [schema.name, schema]));
    const grouped = new Set(GROUPS.flatMap(([, names]) => names));
    const rest = schemas.map((schema) => schema.name).filter((name) => !grouped.has(name) && !LEFT_OUT.has(name));
    const groups = [...GROUPS, ["More", rest, false]].map(([legend, names, isOpen]) =>
      this.#group(legend, names, isOpen, byName),
    );
    this.element = element(
      "form",
      { class: "stack options", "aria-label": "Options", on: { submit: (event) => event.preventDefault() } },
      this.#preset.element,
      this.#about,
      groups.filter(Boolean),
    );
    this.write({});
  }

  /// Shows these options, the rest as the preset has it.
  write(options) {
    const name = this.#presets.has(options.preset) ? options.preset : this.#defaultName;
    this.#preset.write(name);
    this.#fill({ ...this.#presets.get(name).options, ...options });
  }

  /// The options that differ from the preset, and the preset; undefined while a number is not readable.
  read() {
    const name = this.#preset.read();
    const filled = this.#presets.get(name).options;
    const options = { preset: name };
    for (const [option, control] of this.#controls) {
      const value = control.read();
      if (value === undefined) return undefined;
      if (!same(value, filled[option])) options[option] = value;
    }
    return options;
  }

  /// All options with their values.
  resolved() {
    return { ...this.#presets.get(this.#preset.read()).options, ...this.read() };
  }

  /// Sets one option as if by hand.
  set(name, value) {
    this.#controls.get(name)?.write(value);
    this.#touch();
  }

  /// Puts a problem's reasons beside their options. Returns whether all of them found a place.
  showFaults(problem) {
    for (const control of [...this.#controls.values(), this.#preset]) control.fault(null);
    let placed = 0;
    for (const reason of problem?.errors ?? []) {
      const name = String(reason.field ?? "").replace(/^options\./, "");
      const control = this.#controls.get(name);
      if (!control) continue;
      control.fault([reason.reason, reason.expected && `expected ${reason.expected}`].filter(Boolean).join("; "));
      for (let node = control.element.closest("details"); node; node = node.parentElement.closest("details"))
        node.open = true;
      placed += 1;
    }
    return problem !== null && placed === (problem?.errors?.length ?? 0) && placed > 0;
  }

  disable(is) {
    for (const control of this.element.querySelectorAll("input, select, button")) control.disabled = is;
  }

  #group(legend, names, isOpen, byName) {
    const controls = names
      .filter((name) => byName.has(name))
      .map((name) => {
        const control = optionControl(byName.get(name), () => {
          this.#touch();
          this.#changed();
        });
        if (control) this.#controls.set(name, control);
        return control;
      })
      .filter(Boolean);
    return (
      controls.length > 0 &&
      element(
        "details",
        { open: isOpen },
        element("summary", {}, legend),
        element(
          "div",
          { class: "stack" },
          controls.map((control) => control.element),
        ),
      )
    );
  }

  #fill(options) {
    for (const [name, control] of this.#controls) control.write(options[name]);
    const preset = this.#presets.get(this.#preset.read());
    this.#about.replaceChildren(isolated(preset.description), element("br"), isolated(preset.source));
    this.#touch();
  }

  #touch() {
    const filled = this.#presets.get(this.#preset.read()).options;
    for (const [name, control] of this.#controls) control.isChanged(!same(control.read(), filled[name]));
  }
}

function same(a, b) {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
