// The tab "Tokens": a request, its options, and the heat map of what the server says.
import { button, element } from "../common/elements.js";
import { bytes, count, measure } from "../common/numbers.js";
import { problemView } from "../common/problem.js";
import { sendForJSON } from "../common/request.js";
import { isolated } from "../common/visible-text.js";
import { recognised } from "../inputs/recognise.js";
import { EngineControls } from "./engine-controls.js";
import { example } from "./example.js";
import { OptionsPanel } from "./options-panel.js";
import { optionSchemas } from "./schema.js";
import { Scoring } from "./scoring.js";
import { fileSource } from "./file-source.js";
import { TokenStage } from "./token-stage.js";

const ACCEPTED = ".safetensors,.json,application/json";

/// Fills the panel. Throws the server's problem where presets or the contract can't be had.
export async function mountTokens(panel) {
  panel.replaceChildren(element("p", { class: "help", role: "status" }, "Loading presets…"));
  const [presets, schemas] = await Promise.all([sendForJSON("v1/presets"), optionSchemas()]);
  new TokensTab(panel, presets, schemas).open();
}

class TokensTab {
  #inputs = null;
  #label = element("div", { class: "source-label" });
  #notes = element("div", { class: "stack notes" });
  #trouble = element("div", { class: "trouble" });
  #engine;
  #options;
  #stage;
  #scoring;
  #facts = element("dl", { class: "facts scalars" });
  #timing = element("p", { class: "help timing", role: "status" });

  constructor(panel, presets, schemas) {
    this.#options = new OptionsPanel(presets, schemas, () => this.#rescore());
    this.#stage = new TokenStage();
    this.#scoring = new Scoring((outcome) => this.#show(outcome));
    this.#engine = new EngineControls({
      length: (length) => {
        this.#inputs.setLength(length);
        this.#rescore();
      },
      vocabulary: (size) => {
        this.#options.set("vocabulary_size", size);
        this.#options.set("detector", size === null ? "divergence" : "entropy");
        this.#rescore();
      },
    });
    const source = fileSource({
      label: "Drop a request, a reply, or two or three engine replies",
      accept: ACCEPTED,
      multiple: true,
      hint: "/v1/score as JSON or safetensors; vLLM or SGLang replies of the same response under each view.",
      take: (files) => this.#take(files),
      target: panel,
    });
    panel.replaceChildren(
      element(
        "div",
        { class: "with-sidebar" },
        element(
          "aside",
          { class: "stack", "aria-label": "Input and options" },
          element(
            "section",
            { class: "panel stack" },
            this.#label,
            source,
            element(
              "div",
              { class: "row" },
              button("Built-in example", () => this.#example()),
              button("100 × 4,096 tokens", () => this.#large(), {
                title: "Made-up numbers, the size of a trainer's batch",
              }),
            ),
            this.#notes,
            this.#engine.element,
          ),
          element(
            "section",
            { class: "panel", "aria-label": "Options" },
            element(
              "details",
              { class: "all-options", open: !matchMedia("(max-width: 60rem)").matches },
              element("summary", {}, element("h2", {}, "Options")),
              this.#options.element,
            ),
          ),
        ),
        element(
          "div",
          { class: "stack" },
          this.#trouble,
          element("section", { class: "panel result", "aria-label": "Result" }, this.#facts, this.#timing),
          this.#stage.element,
        ),
      ),
    );
  }

  open() {
    this.#example();
  }

  async #example() {
    await this.#use(() => example());
  }

  async #large() {
    await this.#use(async () => (await import("./large-example.js")).largeExample());
  }

  #take(files) {
    return this.#use(async () => {
      const read = await recognised(files);
      if (!read.texts) return { inputs: read.inputs, size: files.reduce((sum, file) => sum + file.size, 0) };
      if (!this.#inputs) return null;
      this.#stage.setTexts(read.texts);
      return null;
    });
  }

  /// Reads inputs and shows them; what fails leaves what was shown before as it is.
  async #use(read) {
    this.#trouble.replaceChildren();
    try {
      const found = await read();
      if (!found) return;
      const { inputs, pictures = null, size = null } = found;
      this.#inputs = inputs;
      this.#label.replaceChildren(
        element("b", {}, isolated(inputs.label, 120)),
        element(
          "span",
          {},
          `${count(inputs.batch.rows)} × up to ${count(longest(inputs.batch))} tokens`,
          size !== null && `, ${bytes(size)}`,
        ),
      );
      this.#notes.replaceChildren(...inputs.notes.map((note) => element("p", { class: "notice plain" }, note)));
      this.#engine.show(inputs);
      this.#options.write(inputs.options);
      this.#options.disable(!inputs.canScore);
      this.#stage.clear(pictures);
      this.#rescore(true);
    } catch (error) {
      this.#trouble.replaceChildren(problemView(error));
    }
  }

  #rescore(atOnce = false) {
    if (!this.#inputs) return;
    const options = this.#inputs.canScore ? this.#options.read() : {};
    if (options === undefined) return;
    this.#stage.busy(true);
    this.#scoring.ask(this.#inputs, this.#options.resolved(), options, atOnce);
  }

  #show({ problem, batch, result, timing, took }) {
    this.#stage.busy(false);
    this.#options.showFaults(problem ?? null);
    if (problem) {
      this.#trouble.replaceChildren(problemView(problem));
      if (!this.#stage.hasBatch) this.#stage.show(this.#inputs.batch, null, this.#inputs);
      return;
    }
    this.#trouble.replaceChildren();
    this.#facts.replaceChildren(
      ...scalars(result).map(([label, text, title]) =>
        element("div", { title }, element("dt", {}, label), element("dd", {}, text)),
      ),
    );
    this.#timing.textContent =
      took === null
        ? ""
        : `${Math.round(took)} ms${timing ? ` · server: ${timing.replaceAll(";dur=", " ").replaceAll(",", ", ")} ms` : ""}`;
    this.#stage.show(batch, result, this.#inputs);
  }
}

function longest(batch) {
  let most = 0;
  for (let row = 0; row < batch.rows; row += 1) most = Math.max(most, batch.offsets[row + 1] - batch.offsets[row]);
  return most;
}

function scalars(result) {
  const { diagnostics = {} } = result;
  const listed = [
    ["loss", measure(result.loss), "loss_numerator / loss_denominator"],
    ["weighted loss", measure(result.weighted_loss), "coefficient · loss"],
    result.objective !== result.weighted_loss &&
      result.objective !== undefined && ["objective", measure(result.objective)],
    result.policy_loss !== undefined && ["policy loss", measure(result.policy_loss)],
    result.kl !== undefined && ["KL", measure(result.kl)],
    ["tokens", count(diagnostics.tokens ?? NaN), "in the responses"],
    ["candidates", count(diagnostics.candidates ?? NaN), "of the detector"],
    ["perception", count(diagnostics.selected ?? NaN), "selected by the detector"],
    ["in the loss", count(diagnostics.gated ?? NaN), "perception tokens that pass the gate"],
    diagnostics.mean_delta_entropy !== null &&
      diagnostics.mean_delta_entropy !== undefined && [
        "mean ΔH",
        measure(diagnostics.mean_delta_entropy),
        "nats, over response tokens",
      ],
    diagnostics.undecided > 0 && [
      "undecided",
      count(diagnostics.undecided),
      "tokens whose selection the bounds of entropies leave open",
    ],
  ];
  return listed.filter(Boolean);
}
