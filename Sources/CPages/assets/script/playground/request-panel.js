// The request that the page makes, to be taken along.
import { copyButton } from "../common/copy.js";
import { element, segments } from "../common/elements.js";
import { onToken } from "../common/session.js";
import { curl, python, requestJSON } from "./snippets.js";

const FORMS = { curl, python, json: requestJSON };
const NAMES = [
  ["curl", "curl"],
  ["python", "Python"],
  ["json", "JSON"],
];

export class RequestPanel {
  #form = "curl";
  #said = null;
  #code = element("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "The request" });

  constructor() {
    const forms = segments("Form of the request", NAMES, this.#form, (form) => {
      this.#form = form;
      this.#write();
    });
    const copy = copyButton(() => this.#code.textContent, { shown: this.#code });
    this.element = element(
      "section",
      { class: "panel", "aria-label": "The request" },
      element(
        "div",
        { class: "panel-head" },
        element("h2", {}, "The request"),
        element("div", { class: "row" }, forms, copy),
      ),
      this.#code,
    );
    onToken(() => this.#write());
  }

  /// Shows a request: { picture, second, views, settings, mediaType }, as `snippets.js` takes them.
  show(said) {
    this.#said = said;
    this.#write();
  }

  #write() {
    if (this.#said) this.#code.textContent = FORMS[this.#form](this.#said);
  }
}
