// One option as a control, by what the contract says of it.
import { element, field, freshID } from "../common/elements.js";
import { visible } from "../common/visible-text.js";

const UNITS = {
  min_delta_entropy: "nats",
  clamp_input: "nats",
  clamp_result: "nats",
  vocabulary_size: "tokens",
  norm_length: "tokens",
};
const VIEWS = ["original", "preserving", "removing"];

/// A control: `element`, `read()` → value (undefined: not readable), `write(value)`, `fault(text or null)`.
/// - changed: called when its value was changed by hand.
export function optionControl(schema, changed) {
  const made = { choice, number, choices, numbers, list: terms }[schema.kind]?.(schema, changed);
  if (!made) return null;
  const fault = element("p", { class: "fault", hidden: true });
  const dot = element("span", { class: "changed", title: "differs from the preset", hidden: true });
  const labelled = made.element.querySelector("label, legend");
  labelled.append(dot);
  made.element.append(fault);
  made.element.dataset.option = schema.name;
  return {
    ...made,
    schema,
    fault(text) {
      fault.hidden = !text;
      fault.textContent = text ? visible(text) : "";
      made.input?.setAttribute("aria-invalid", String(Boolean(text)));
    },
    isChanged(is) {
      dot.hidden = !is;
    },
  };
}

function title(schema) {
  return schema.name.replaceAll("_", " ");
}

function choice(schema, changed) {
  const input = element(
    "select",
    { on: { change: changed } },
    schema.choices.map((value) => element("option", { value }, value)),
  );
  return {
    element: field(title(schema), input, { help: firstSentence(schema.says) }),
    input,
    read: () => input.value,
    write: (value) => {
      input.value = value;
    },
  };
}

function number(schema, changed) {
  const { minimum, maximum, isNullable, isWhole } = schema;
  const input = element("input", {
    type: "number",
    step: isWhole ? 1 : "any",
    placeholder: isNullable ? "none" : null,
    on: { input: changed },
  });
  // A slider is of use where steps of a hundredth of the range are: not for epsilon, which is 1e-6 of 1.
  const spans =
    minimum !== null && maximum !== null && maximum - minimum <= 10 && schema.default >= (maximum - minimum) / 100;
  const slider =
    spans &&
    element("input", {
      type: "range",
      min: minimum,
      max: maximum,
      step: (maximum - minimum) / 100,
      "aria-label": `${title(schema)}, slider`,
      on: {
        input: () => {
          input.value = String(
            Math.max(Number(slider.value), schema.isOpenBelow ? minimum + (maximum - minimum) / 100 : minimum),
          );
          changed();
        },
      },
    });
  if (slider)
    input.addEventListener("input", () => {
      slider.value = input.value;
    });
  const place = field(title(schema), input, {
    unit: UNITS[schema.name],
    help: [rangeText(schema), firstSentence(schema.says)].filter(Boolean).join(". "),
  });
  if (slider) {
    const both = element("div", { class: "range" });
    input.replaceWith(both);
    both.append(slider, input);
  }
  return {
    element: place,
    input,
    read: () =>
      input.value === "" ? (isNullable && !input.validity.badInput ? null : undefined) : Number(input.value),
    write(value) {
      input.value = value === null || value === undefined ? "" : String(value);
      if (slider) slider.value = input.value;
    },
  };
}

function choices(schema, changed) {
  const boxes = schema.choices.map((value) => element("input", { type: "checkbox", value, on: { change: changed } }));
  return {
    element: element(
      "fieldset",
      { class: "field" },
      element("legend", {}, title(schema)),
      element(
        "div",
        { class: "checks" },
        boxes.map((box) => element("label", { class: "check" }, box, box.value)),
      ),
      help(schema),
    ),
    read: () => boxes.filter((box) => box.checked).map((box) => box.value),
    write: (values) => {
      for (const box of boxes) box.checked = (values ?? []).includes(box.value);
    },
  };
}

/// An object of numbers, one for each view.
function numbers(schema, changed) {
  const inputs = schema.choices.map((name) => [
    name,
    element("input", { type: "number", step: "any", placeholder: "0", on: { input: changed } }),
  ]);
  return {
    element: element(
      "fieldset",
      { class: "field" },
      element("legend", {}, title(schema)),
      inputs.map(([name, input]) => field(name, input)),
      help(schema),
    ),
    read: () =>
      Object.fromEntries(
        inputs.filter(([, input]) => input.value !== "").map(([name, input]) => [name, Number(input.value)]),
      ),
    write: (values) => {
      for (const [name, input] of inputs) input.value = values?.[name] ?? "";
    },
  };
}

/// The loss's terms: weight · D(anchor‖reference) each.
function terms(schema, changed) {
  const rows = element("div", { class: "stack" });
  const pick = (value, label) =>
    element(
      "select",
      { "aria-label": label, on: { change: changed } },
      VIEWS.map((view) => element("option", { value: view, selected: view === value }, view)),
    );
  const add = ({ anchor, reference, weight }) => {
    const row = element(
      "div",
      { class: "term" },
      element("input", {
        type: "number",
        step: "any",
        value: weight ?? 1,
        "aria-label": "weight",
        on: { input: changed },
      }),
      pick(anchor, "anchor"),
      pick(reference, "reference"),
      element(
        "button",
        {
          type: "button",
          class: "button plain square",
          "aria-label": "Remove this term",
          on: {
            click: () => {
              row.remove();
              changed();
            },
          },
        },
        "×",
      ),
    );
    rows.append(row);
  };
  const id = freshID("terms");
  return {
    element: element(
      "fieldset",
      { class: "field", id },
      element("legend", {}, title(schema), element("span", { class: "unit" }, "weight · D(anchor ‖ reference)")),
      rows,
      element(
        "button",
        {
          type: "button",
          class: "button",
          on: {
            click: () => {
              add({ anchor: "original", reference: "removing", weight: -1 });
              changed();
            },
          },
        },
        "Add a term",
      ),
    ),
    read: () =>
      [...rows.children].map((row) => {
        const [weight, anchor, reference] = row.querySelectorAll("input, select");
        return { anchor: anchor.value, reference: reference.value, weight: Number(weight.value) };
      }),
    write(list) {
      rows.replaceChildren();
      for (const term of list ?? []) add(term);
    },
  };
}

function help(schema) {
  const text = firstSentence(schema.says);
  return text && element("p", { class: "help" }, text);
}

function rangeText({ minimum, maximum, isOpenBelow, isNullable }) {
  const above = minimum === null ? "" : isOpenBelow ? `> ${minimum}` : `≥ ${minimum}`;
  const range =
    minimum !== null && maximum !== null
      ? `${isOpenBelow ? "above " : ""}${minimum} … ${maximum}`
      : above || (maximum !== null ? `≤ ${maximum}` : "");
  return [range, isNullable && "empty: none"].filter(Boolean).join("; ");
}

/// Enough of an explanation for a panel; /docs has the rest.
function firstSentence(text) {
  const plain = text.replaceAll("`", "");
  const end = plain.search(/[.:](\s|$)/);
  return end < 0 ? plain : plain.slice(0, end + (plain[end] === "." ? 1 : 0)).replace(/\.$/, ".");
}
