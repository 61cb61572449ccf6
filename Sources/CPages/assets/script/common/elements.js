// DOM from script. Texts only ever become text nodes: nothing a server or a file says is parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

/// Makes an HTML element. `attributes` are set as attributes, but for `on` (listeners by event name) and values that are
/// false, null or undefined, which are left out. Children are nodes, texts, lists of these, or nothing.
export function element(tag, attributes = {}, ...children) {
  return dressed(document.createElement(tag), attributes, children);
}

/// As `element`, in the namespace of SVG.
export function drawing(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, tag), attributes, children);
}

function dressed(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child !== null && child !== undefined && child !== false) node.append(child);
  }
}

let made = 0;

/// A name for an element that no other one has.
export function freshID(word) {
  made += 1;
  return `${word}-${made}`;
}

/// A labelled control. `unit` and `help` are small texts beside and below it.
export function field(label, control, { unit, help } = {}) {
  const id = control.id || freshID("field");
  control.id = id;
  const note = help && element("p", { class: "help", id: `${id}-help` }, help);
  if (note) control.setAttribute("aria-describedby", note.id);
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label, unit && element("span", { class: "unit" }, unit)),
    control,
    note,
  );
}

/// Radio buttons in one bar. `options` are [value, label] pairs; `choose` is called with the value.
export function segments(legend, options, chosen, choose) {
  const name = freshID("segments");
  return element(
    "fieldset",
    { class: "segments" },
    element("legend", { class: "unseen" }, legend),
    options.map(([value, label, title]) =>
      element(
        "label",
        { title },
        element("input", {
          type: "radio",
          name,
          value,
          checked: value === chosen,
          on: { change: () => choose(value) },
        }),
        label,
      ),
    ),
  );
}

/// A button with a text.
export function button(label, press, attributes = {}) {
  return element("button", { type: "button", class: "button", on: { click: press }, ...attributes }, label);
}
