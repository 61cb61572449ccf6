// Fields for an operation's parameters: those that have a value, and a list to add others from.
import { button, element, freshID } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { choicesOf, startingValue } from "./starting-values.js";

/// The fields, kept in step with the draft. `place` is told anew whenever a parameter comes or goes.
export function parameterFields(draft) {
  const place = element("div", { class: "try-parameters" });
  const show = () => place.replaceChildren(
    ...[...draft.values.keys()].map((name) => row(draft, parameterOf(draft, name), show, place)), adder(draft, show, place));
  show();
  return { place, show };
}

function parameterOf(draft, name) {
  return draft.operation.parameters.find((parameter) => parameter.name === name);
}

function row(draft, parameter, show, place) {
  const { name } = parameter;
  const control = controlFor(draft, parameter);
  const id = freshID("parameter");
  control.id = id;
  const words = choicesOf(draft.contract, draft.contract.resolve(parameter.schema ?? {}).value);
  const list = words.length > 0 && element("datalist", { id: `${id}-words` }, words.map((word) => element("option", { value: word })));
  if (list) control.setAttribute("list", list.id);
  return element("div", { class: "try-parameter", "data-name": name },
    element("label", { for: id }, element("code", {}, visible(name)),
      parameter.in !== "query" && element("span", { class: "unit" }, parameter.in)),
    element("div", {}, control, list),
    parameter.required ? element("span", {}) : button("×", () => {
      draft.values.delete(name);
      show();
      place.querySelector(".add-parameter")?.focus();
      draft.changed();
    }, { class: "button plain square", "aria-label": `Remove ${name}` }));
}

function controlFor(draft, parameter) {
  const { name } = parameter;
  const { value: schema } = draft.contract.resolve(parameter.schema ?? {});
  const words = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  const value = draft.values.get(name);
  const control = words
    ? element("select", {}, words.map((word) => element("option", { value: word, selected: String(word) === value }, String(word))))
    : element("input", { type: "text", value, autocomplete: "off", spellcheck: "false",
      inputmode: ["number", "integer"].includes(schema.type) ? "decimal" : null });
  control.addEventListener("input", () => {
    draft.values.set(name, control.value);
    draft.changed();
  });
  return control;
}

function adder(draft, show, place) {
  const others = draft.operation.parameters.filter(({ name }) => !draft.values.has(name));
  if (others.length === 0) return "";
  // Choosing and adding are two steps: with keys, a list passes through every choice on the way.
  const select = element("select", { class: "add-parameter", "aria-label": "Parameter to add" },
    element("option", { value: "" }, "Add a parameter…"),
    ["query", "header"].map((where) => {
      const own = others.filter((parameter) => parameter.in === where);
      return own.length > 0 && element("optgroup", { label: where === "query" ? "Query" : "Header fields" },
        own.map(({ name }) => element("option", { value: name }, visible(name))));
    }));
  const add = () => {
    const { value: name } = select;
    if (!name) return;
    draft.values.set(name, startingValue(draft.contract, parameterOf(draft, name)));
    show();
    place.querySelector(`.try-parameter[data-name="${CSS.escape(name)}"] :is(input, select)`)?.focus();
    draft.changed();
  };
  const adding = button("Add", add, { hidden: true, "aria-label": "Add this parameter" });
  select.addEventListener("change", () => { adding.hidden = !select.value; });
  return element("div", { class: "row" }, select, adding);
}
