// What an engine's replies don't say: how long the response is, and how many entries the vocabulary has.
import { element, field } from "../common/elements.js";

// Widths of the logits of models that people score with; the field takes any number.
const SIZES = [
  ["151936", "Qwen2.5-VL 3B"],
  ["152064", "Qwen2.5-VL 7B"],
  ["151936", "Qwen3-VL"],
  ["92553", "InternVL2.5 8B"],
  ["128256", "Llama 3.2 Vision"],
];

export class EngineControls {
  #length = element("input", { type: "number", min: 1, step: 1 });
  #vocabulary = element("input", { type: "number", min: 1, step: 1, list: "vocabulary-sizes", placeholder: "unknown" });

  constructor({ length, vocabulary }) {
    this.#length.addEventListener("change", () => {
      if (this.#length.validity.valid && this.#length.value) length(Number(this.#length.value));
    });
    this.#vocabulary.addEventListener("change", () =>
      vocabulary(this.#vocabulary.value === "" ? null : Number(this.#vocabulary.value)),
    );
    this.element = element(
      "div",
      { class: "stack", hidden: true },
      field("response length", this.#length, {
        unit: "tokens",
        help: "The response is the last tokens of each reply.",
      }),
      field("width of the vocabulary", this.#vocabulary, {
        unit: "entries",
        help: "The width of the model's logits. With it entropies are bounded by the likeliest tokens; without it tokens are ranked by divergence.",
      }),
      element(
        "datalist",
        { id: "vocabulary-sizes" },
        SIZES.map(([value, label]) => element("option", { value, label })),
      ),
    );
  }

  /// Shows itself for inputs that need it.
  show(inputs) {
    this.element.hidden = inputs.setLength === undefined;
    if (this.element.hidden) return;
    this.#length.max = inputs.longest;
    this.#length.value = inputs.length;
    this.#vocabulary.value = inputs.options.vocabulary_size ?? "";
  }
}
