// What is seen of a batch: heat map, legend, the token pointed at, histogram, table, and how to take it all away.
import { element, segments } from "../common/elements.js";
import { count } from "../common/numbers.js";
import { visible } from "../common/visible-text.js";
import { Batch } from "../heat-map/batch.js";
import { colorings } from "../heat-map/colorings.js";
import { HeatMap } from "../heat-map/heat-map.js";
import { legend } from "../heat-map/legend.js";
import { orderedRows, ROW_ORDERS, rowFacts } from "../heat-map/row-facts.js";
import { tokenCard } from "../heat-map/token-card.js";
import { TokenTable } from "../heat-map/token-table.js";
import { exportMenu } from "./export-menu.js";
import { FILTERS, tokenFilter } from "./filters.js";
import { PictureRow } from "./picture-row.js";
import { stageHistogram } from "./stage-histogram.js";

const MANY_ROWS = 9;

export class TokenStage {
  #map = new HeatMap({
    label: "Tokens as a heat map: arrow keys move, n and p go to the next and the previous perception token",
    pick: (token) => this.#pick(token),
  });
  #table = new TokenTable({
    pick: (token) => {
      this.#setMode("text");
      this.#map.activate(token);
      this.#map.element.focus({ preventScroll: true });
    },
  });
  #pictures = new PictureRow();
  #tools = element("div", { class: "toolbar" });
  #modes = element("div", { class: "row" });
  #views = element("div", { class: "row" });
  #legend = element("div", { class: "legend-place" });
  #card = element("section", { class: "panel card-place", "aria-label": "Token" });
  #histogram = element("section", { class: "panel", "aria-label": "Histogram" });
  #filterSaid = element("span", { class: "help", role: "status" });
  #order = element(
    "select",
    { on: { change: () => this.#arrange() } },
    ROW_ORDERS.map(([value, label]) => element("option", { value }, label)),
  );
  #orderPlace = labelled("Rollouts", this.#order);
  #filter = element(
    "select",
    { on: { change: () => this.#applyFilter() } },
    FILTERS.map(([value, label]) => element("option", { value }, label)),
  );
  #search = element("input", {
    type: "search",
    placeholder: "text",
    "aria-label": "Text in a token",
    on: { input: () => this.#applyFilter() },
  });
  #body = element("section", { class: "panel stage", "aria-label": "Heat map" });
  #batch = null;
  #result = null;
  #inputs = null;
  #colorings = [];
  #chosen = null;
  #wanted = { group: "delta_entropy", view: "removing" };
  #mode = "text";
  #facts = null;
  #rows = [];

  constructor() {
    this.#body.append(
      this.#pictures.element,
      this.#tools,
      this.#views,
      this.#legend,
      this.#map.element,
      this.#table.element,
      element(
        "div",
        { class: "toolbar below" },
        this.#orderPlace,
        labelled("Show", this.#filter),
        this.#search,
        this.#filterSaid,
        element("span", { class: "spring" }),
        exportMenu(() => this.#exported()),
      ),
    );
    this.element = element(
      "div",
      { class: "stack" },
      this.#body,
      element("div", { class: "beside" }, this.#card, this.#histogram),
    );
    this.#table.element.hidden = true;
    this.#map.element.classList.add("stage-map");
  }

  get hasBatch() {
    return this.#batch !== null;
  }

  busy(is) {
    this.#body.setAttribute("aria-busy", String(is));
    this.#map.element.classList.toggle("busy", is);
  }

  /// Makes room for other inputs.
  clear(pictures) {
    this.#batch = null;
    this.#pictures.show(pictures);
    this.#filter.value = "all";
    this.#search.value = "";
    this.#order.value = "given";
    this.#mode = null;
  }

  /// Shows a batch; result null: it has not been scored.
  show(batch, result, inputs) {
    this.#batch = batch;
    this.#result = result;
    this.#inputs = inputs;
    this.#mode ??= batch.rows >= MANY_ROWS ? "strips" : "text";
    this.#colorings = colorings(batch);
    this.#facts = rowFacts(batch);
    this.#orderPlace.hidden = batch.rows < 2;
    this.#choose();
    this.#drawTools();
    this.#arrange();
    this.#setMode(this.#mode);
  }

  /// Gives the tokens texts, from a file beside a reply.
  setTexts(listed) {
    if (!this.#batch) return;
    const flat = listed.every((item) => typeof item === "string") ? listed : listed.flat();
    if (flat.length < this.#batch.length)
      throw Object.assign(new Error(`${flat.length} texts for ${this.#batch.length} tokens.`), {
        title: "These texts do not fit the tokens",
      });
    const { names, offsets, columns, masks, ids, advantages, worth, top } = this.#batch;
    this.show(
      new Batch({
        names,
        offsets,
        columns,
        masks,
        ids,
        advantages,
        worth,
        top,
        texts: flat.slice(0, this.#batch.length),
      }),
      this.#result,
      this.#inputs,
    );
  }

  /// The coloring that is wanted, or the nearest that there is.
  #choose() {
    const { group, view } = this.#wanted;
    const ofGroup = this.#colorings.filter((coloring) => coloring.group === group);
    this.#chosen = ofGroup.find((coloring) => coloring.view === view) ?? ofGroup[0] ?? this.#colorings[0] ?? null;
  }

  #drawTools() {
    const groups = [...new Map(this.#colorings.map((coloring) => [coloring.group, coloring.label]))];
    this.#tools.replaceChildren(
      segments("Colour by", groups, this.#chosen?.group, (group) => this.#recolor({ ...this.#wanted, group })),
      element("span", { class: "spring" }),
      this.#modes,
    );
    this.#modes.replaceChildren(
      segments(
        "Form",
        [
          ["text", "Text"],
          ["strips", "Strips"],
          ["table", "Table"],
        ],
        this.#mode,
        (mode) => this.#setMode(mode),
      ),
    );
    this.#drawViews();
  }

  #drawViews() {
    const views = this.#colorings.filter((coloring) => coloring.group === this.#chosen?.group && coloring.view);
    this.#views.hidden = views.length < 2;
    this.#views.replaceChildren(
      ...(views.length < 2
        ? []
        : [
            segments(
              "View",
              views.map(({ view }) => [view, `under ${view}`]),
              this.#chosen.view,
              (view) => this.#recolor({ ...this.#wanted, view }),
            ),
          ]),
    );
  }

  #recolor(wanted) {
    const groupIsOther = wanted.group !== this.#chosen?.group;
    this.#wanted = wanted;
    this.#choose();
    if (groupIsOther) this.#drawViews();
    this.#map.colorBy(this.#chosen);
    this.#explain();
  }

  #explain() {
    this.#legend.replaceChildren(legend(this.#batch, this.#chosen));
    const histogram = stageHistogram(this.#batch, this.#chosen);
    this.#histogram.hidden = histogram === null;
    if (histogram) this.#histogram.replaceChildren(histogram);
  }

  /// Sorts the rows, and leaves out those without a token that the filter lets pass.
  #arrange() {
    const accepts = this.#accepts();
    const rows = orderedRows(this.#batch, this.#facts, this.#order.value);
    this.#rows = accepts ? rows.filter((row) => this.#hasAny(row, accepts)) : rows;
    if (!this.#chosen) return;
    this.#map.show(this.#batch, this.#chosen, this.#rows, accepts);
    if (this.#mode === "table") this.#table.show(this.#batch, accepts);
    this.#explain();
    const active = this.#map.active;
    if (active >= 0) this.#pick(active);
    else
      this.#card.replaceChildren(
        element(
          "p",
          { class: "help" },
          "Point at a token, or focus the heat map and use the arrow keys. ",
          element("kbd", {}, "n"),
          " and ",
          element("kbd", {}, "p"),
          " go to the next and the previous perception token; a click holds one.",
        ),
      );
    this.#filterSaid.textContent = accepts ? `${count(this.#matches(accepts))} tokens` : "";
  }

  #applyFilter() {
    this.#arrange();
  }

  #accepts() {
    return tokenFilter(this.#batch, this.#filter.value, this.#search.value);
  }

  #hasAny(row, accepts) {
    for (let token = this.#batch.offsets[row]; token < this.#batch.offsets[row + 1]; token += 1)
      if (accepts(token)) return true;
    return false;
  }

  #matches(accepts) {
    let number = 0;
    for (let token = 0; token < this.#batch.length; token += 1) number += accepts(token) ? 1 : 0;
    return number;
  }

  #setMode(mode) {
    this.#mode = mode;
    const isTable = mode === "table";
    this.#map.element.hidden = isTable;
    this.#table.element.hidden = !isTable;
    for (const input of this.#modes.querySelectorAll("input")) input.checked = input.value === mode;
    if (isTable) this.#table.show(this.#batch, this.#accepts());
    else this.#map.setMode(mode);
  }

  #pick(token) {
    this.#card.replaceChildren(tokenCard(this.#batch, token));
    this.#pictures.point(this.#batch, token);
  }

  #exported() {
    return {
      batch: this.#batch,
      coloring: this.#chosen,
      colorings: this.#colorings,
      order: this.#rows,
      result: this.#result,
      title: visible(this.#inputs.label, 100),
    };
  }
}

function labelled(text, control) {
  return element("label", { class: "inline" }, element("span", {}, text), control);
}
