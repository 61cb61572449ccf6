// The tab "Views": a picture, recipes or steps, and what they make of it.
import { button, element, segments } from "../common/elements.js";
import { bytes } from "../common/numbers.js";
import { problemView } from "../common/problem.js";
import { sendForJSON } from "../common/request.js";
import { isolated } from "../common/visible-text.js";
import { Comparison } from "./comparison.js";
import { fileSource } from "./file-source.js";
import { perturbed } from "./perturb.js";
import { RequestPanel } from "./request-panel.js";
import { SECOND, ViewEditor } from "./view-editor.js";

const BUILT_IN = [
  ["Photograph", "assets/pictures/photograph.jpg"],
  ["Scanned page", "assets/pictures/page.png"],
];
const PAUSE_MS = 120;
const FIRST = [
  ["preserving", "cppo-preserving"],
  ["removing", "cppo-removing"],
];
const ADDED = ["third", "fourth", "fifth", "sixth"];

/// Fills the panel. Throws the server's problem where the recipes can't be had.
export async function mountViews(panel) {
  panel.replaceChildren(element("p", { class: "help", role: "status" }, "Loading recipes…"));
  const catalogue = await sendForJSON("v1/recipes");
  const tab = new ViewsTab(panel, catalogue);
  await tab.useBuiltIn(...BUILT_IN[0]);
}

class ViewsTab {
  #catalogue;
  #picture = null;
  #second = null;
  #size = { width: 600, height: 400 };
  #editors = [];
  #editorPlace = element("div", { class: "stack" });
  #secondPart;
  #secondName = element("b");
  #label = element("div", { class: "source-label" });
  #trouble = element("div", { class: "trouble" });
  #seed = element("input", { type: "number", min: 0, step: 1, value: 7, id: "seed" });
  #always = element("input", { type: "checkbox" });
  #comparison = new Comparison((name, steps) => this.#editors.find((editor) => editor.name === name)?.useSteps(steps));
  #request = new RequestPanel();
  #stage;
  #status = element("span", { class: "help", role: "status" });
  #timer = 0;
  #abort = null;
  #add;

  constructor(panel, catalogue) {
    this.#catalogue = catalogue;
    const changed = () => this.#changed();
    this.#seed.addEventListener("input", changed);
    this.#always.addEventListener("change", changed);
    this.#add = button("Add a view", () => this.#addView());
    for (const [name, recipe] of FIRST) this.#append(name, recipe);
    this.#secondPart = element(
      "div",
      { class: "stack tight", hidden: true },
      element("p", { class: "help" }, "Second picture, for mixup and concat: ", this.#secondName),
      element(
        "label",
        { class: "button" },
        "Choose another",
        element("input", {
          type: "file",
          class: "unseen",
          accept: "image/png,image/jpeg",
          on: {
            change: (event) => {
              const [file] = event.target.files;
              if (file) {
                this.#second = file;
                changed();
              }
            },
          },
        }),
      ),
    );
    const step = (by) => () => {
      this.#seed.value = String(Math.max(0, Number(this.#seed.value || 0) + by));
      changed();
    };
    const seed = element(
      "div",
      { class: "inline" },
      element("label", { for: this.#seed.id }, "Seed"),
      element(
        "span",
        { class: "seed" },
        button("←", step(-1), { class: "button square", "aria-label": "Previous seed" }),
        this.#seed,
        button("→", step(1), { class: "button square", "aria-label": "Next seed" }),
      ),
    );
    this.#stage = element(
      "section",
      { class: "panel stage", "aria-label": "Views" },
      element(
        "div",
        { class: "toolbar" },
        segments(
          "Compare",
          [
            ["side", "Side by side"],
            ["difference", "Difference"],
            ["wipe", "Wipe"],
          ],
          "side",
          (mode) => this.#comparison.setMode(mode),
        ),
        seed,
        element("span", { class: "spring" }),
        this.#status,
      ),
      this.#comparison.element,
    );
    panel.replaceChildren(
      element(
        "div",
        { class: "with-sidebar" },
        element(
          "aside",
          { class: "stack", "aria-label": "Picture and views" },
          element(
            "section",
            { class: "panel stack" },
            this.#label,
            fileSource({
              label: "Drop or paste a picture",
              accept: "image/png,image/jpeg",
              hint: "PNG or JPEG. It goes to this server and nowhere else.",
              target: panel,
              take: ([file]) => this.#take(file, file.name || "pasted picture"),
            }),
            element(
              "div",
              { class: "row" },
              BUILT_IN.map(([name, path]) => button(name, () => this.useBuiltIn(name, path))),
            ),
            this.#secondPart,
          ),
          element(
            "section",
            { class: "panel stack" },
            this.#editorPlace,
            element("div", { class: "row" }, this.#add),
            element("label", { class: "check" }, this.#always, "draw again what changes nothing"),
          ),
        ),
        element("div", { class: "stack" }, this.#trouble, this.#stage, this.#request.element),
      ),
    );
  }

  /// Uses a picture that comes with the page.
  async useBuiltIn(name, path) {
    await this.#take(await builtIn(path), name, path.split("/").pop());
  }

  async #take(blob, label, fileName = blob.name ?? "picture.png") {
    this.#picture = { blob, label, fileName, mediaType: await mediaTypeOf(blob) };
    this.#label.replaceChildren(element("b", {}, isolated(label, 80)), element("span", {}, bytes(blob.size)));
    this.#changed(true);
  }

  #append(name, recipe) {
    const editor = new ViewEditor({
      catalogue: this.#catalogue,
      name,
      recipe,
      size: () => this.#size,
      changed: () => this.#changed(),
      removed: (gone) => {
        this.#editors = this.#editors.filter((kept) => kept !== gone);
        gone.element.remove();
        this.#changed();
      },
    });
    this.#editors.push(editor);
    this.#editorPlace.append(editor.element);
  }

  #addView() {
    const free = [...FIRST.map(([name]) => name), ...ADDED].find(
      (name) => !this.#editors.some((editor) => editor.name === name),
    );
    if (!free) return;
    this.#append(free, this.#catalogue.recipes[0].name);
    this.#changed();
  }

  #changed(atOnce = false) {
    this.#add.disabled = this.#editors.length >= FIRST.length + ADDED.length;
    clearTimeout(this.#timer);
    // An answer to what was asked before would look like one to this.
    this.#abort?.abort();
    this.#abort = null;
    this.#stage.setAttribute("aria-busy", "true");
    this.#timer = setTimeout(() => this.#run(), atOnce ? 0 : PAUSE_MS);
  }

  /// The request as the page has it, or null while something is not readable.
  #read() {
    const views = this.#editors.map((editor) => editor.read());
    const seed = this.#seed.value === "" || !this.#seed.validity.valid ? null : this.#seed.value;
    if (views.includes(undefined) || seed === null || !this.#picture) return null;
    // Seeds go up to 2^64 − 1; a number in JSON that JavaScript would round is no seed that was asked for.
    const whole = Number.isSafeInteger(Number(seed)) ? Number(seed) : null;
    if (whole === null) return null;
    const needsSecond = this.#editors.some((editor) => editor.needsSecond);
    return {
      views: views.map((view, place) =>
        this.#editors[place].isDrawn
          ? {
              ...view,
              seed: whole,
              ...(this.#always.checked ? { always: true } : {}),
              ...(this.#editors[place].needsSecond ? { second_images: [SECOND] } : {}),
            }
          : view,
      ),
      needsSecond,
      settings: {},
    };
  }

  async #run() {
    const read = this.#read();
    if (!read) {
      this.#stage.setAttribute("aria-busy", "false");
      return;
    }
    const abort = new AbortController();
    this.#abort = abort;
    try {
      if (read.needsSecond && !this.#second) this.#second = await builtIn(BUILT_IN[1][1]);
      this.#secondPart.hidden = !read.needsSecond;
      this.#secondName.replaceChildren(isolated(this.#second?.name ?? "Scanned page", 60));
      this.#tell(read);
      const began = performance.now();
      const pictures = await perturbed(
        this.#picture.blob,
        read.needsSecond ? this.#second : null,
        read.views,
        read.settings,
        abort.signal,
      );
      if (this.#abort !== abort) return;
      this.#size = { width: pictures[0].width, height: pictures[0].height };
      this.#comparison.show(pictures);
      this.#trouble.replaceChildren();
      this.#status.textContent = `${Math.round(performance.now() - began)} ms`;
    } catch (error) {
      if (error.name === "AbortError" || this.#abort !== abort) return;
      this.#trouble.replaceChildren(problemView(error));
      this.#status.textContent = "";
    } finally {
      if (this.#abort === abort) this.#stage.setAttribute("aria-busy", "false");
    }
  }

  #tell(read) {
    this.#request.show({
      picture: this.#picture.fileName,
      second: read.needsSecond ? this.#second.name : null,
      views: read.views,
      settings: read.settings,
      mediaType: this.#picture.mediaType,
    });
  }
}

/// What a picture's first bytes say it is: names and browsers may say anything.
async function mediaTypeOf(blob) {
  const [first] = new Uint8Array(await blob.slice(0, 1).arrayBuffer());
  return first === 0x89 ? "image/png" : "image/jpeg";
}

async function builtIn(path) {
  const response = await fetch(path);
  if (!response.ok)
    throw Object.assign(new Error(`${path}: status ${response.status}`), { title: "The picture could not be loaded" });
  return new File([await response.blob()], path.split("/").pop(), {
    type: path.endsWith(".png") ? "image/png" : "image/jpeg",
  });
}
