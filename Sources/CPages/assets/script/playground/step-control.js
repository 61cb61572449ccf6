// One parameter of a step as a control.
import { element, field } from "../common/elements.js";
import { initialValue, parameterForm } from "./step-ranges.js";

/// A control: `element` and `read()` → value (undefined: not readable).
/// - value: what it starts with; undefined: what the catalogue or the picture's size suggests.
export function parameterControl(parameter, value, size, second, changed) {
  const form = parameterForm(parameter);
  const start = value === undefined ? initialValue(parameter, form, size) : value;
  const label = parameter.name.replaceAll("_", " ");
  return CONTROLS[form.kind]({ form, label, start, second, changed });
}

const CONTROLS = { number, boolean, choice, color, pair, picture, json };

function number({ form, label, start, changed }) {
  const { minimum, maximum, isWhole, isNullable, says } = form;
  const input = element("input", {
    type: "number",
    min: minimum,
    max: maximum,
    step: isWhole ? 1 : "any",
    value: start ?? "",
    placeholder: isNullable ? "none" : null,
    on: { input: changed },
  });
  const place = field(label, input, { help: says });
  if (minimum !== null && maximum !== null && maximum - minimum <= 1000) {
    const slider = element("input", {
      type: "range",
      min: minimum,
      max: maximum,
      step: isWhole ? 1 : (maximum - minimum) / 200,
      "aria-label": `${label}, slider`,
      on: {
        input: () => {
          input.value = String(Number(Number(slider.value).toPrecision(4)));
          changed();
        },
      },
    });
    slider.value = String(start ?? minimum);
    input.addEventListener("input", () => {
      slider.value = input.value;
    });
    const both = element("div", { class: "range" });
    input.replaceWith(both);
    both.append(slider, input);
  }
  return {
    element: place,
    read: () =>
      input.value === "" ? (isNullable && !input.validity.badInput ? null : undefined) : Number(input.value),
  };
}

function boolean({ form, label, start, changed }) {
  const box = element("input", { type: "checkbox", checked: start === true, on: { change: changed } });
  return {
    element: element(
      "div",
      { class: "field" },
      element("label", { class: "check" }, box, label),
      form.says && element("p", { class: "help" }, form.says),
    ),
    read: () => box.checked,
  };
}

function choice({ form, label, start, changed }) {
  const input = element(
    "select",
    { on: { change: changed } },
    form.choices.map((value) => element("option", { value, selected: value === start }, value)),
  );
  return { element: field(label, input, { help: /[(:]/.test(form.says) ? form.says : null }), read: () => input.value };
}

function color({ label, start, changed }) {
  const levels = Array.isArray(start) ? start : [start ?? 0, start ?? 0, start ?? 0];
  const hex = `#${levels.map((level) => Math.round(level).toString(16).padStart(2, "0")).join("")}`;
  const input = element("input", { type: "color", value: hex, on: { input: changed } });
  return {
    element: field(label, input),
    read: () => [1, 3, 5].map((place) => Number.parseInt(input.value.slice(place, place + 2), 16)),
  };
}

function pair({ form, label, start, changed }) {
  const inputs = ["x", "y"].map((axis, place) =>
    element("input", {
      type: "number",
      min: form.minimum,
      max: form.maximum,
      step: form.isWhole ? 1 : "any",
      value: start?.[place] ?? 0,
      "aria-label": `${label} ${axis}`,
      on: { input: changed },
    }),
  );
  return {
    element: element(
      "fieldset",
      { class: "field" },
      element("legend", {}, label, element("span", { class: "unit" }, "x, y")),
      element("div", { class: "pair" }, inputs),
      element("p", { class: "help" }, form.says),
    ),
    read: () => (inputs.some((input) => input.value === "") ? undefined : inputs.map((input) => Number(input.value))),
  };
}

function picture({ form, label, second }) {
  const note = element("output", { class: "notice plain" }, "the second picture below");
  return { element: field(label, note, { help: form.says }), read: () => second, needsSecond: true };
}

function json({ form, label, start, changed }) {
  const area = element("textarea", { rows: 2, spellcheck: "false", on: { input: changed } });
  area.value = JSON.stringify(start);
  return {
    element: field(label, area, { help: form.says }),
    read() {
      try {
        return JSON.parse(area.value);
      } catch {
        return undefined;
      }
    },
  };
}
