// Schemas as elements: one row for each member, with its type, its values and what it means.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { anchors } from "./contract.js";
import { markdown } from "./markdown.js";
import { basicType, extent, literal, range } from "./schema-text.js";

const MOST_WORDS_OF_ENUM = 40;

/// Renders schemas of one contract. `link` is markdown's: where a piece of code leads to.
export class SchemaView {
  constructor(contract, link) {
    this.contract = contract;
    this.link = link;
  }

  /// A type as text and links: `array of ScoreRollout`, `number or null`.
  type(node) {
    const { name, value } = this.contract.resolve(node);
    if (name && this.contract.schemas.has(name) && !this.#plain(value)) return [this.#schemaLink(name)];
    if (value.items && !value.properties) return ["array of ", ...this.type(value.items)];
    const choices = value.oneOf ?? value.anyOf;
    if (choices && !value.properties) {
      return choices.flatMap((choice, index) => [index ? " or " : "", ...this.#choice(choice)]);
    }
    if (value.additionalProperties && typeof value.additionalProperties === "object" && !value.properties) {
      return ["object of ", ...this.type(value.additionalProperties)];
    }
    return [visible(basicType(value))];
  }

  /// Rows of the members of an object, each with an id below `base` where one is given.
  members(schema, base = null) {
    const required = new Set(schema.required ?? []);
    return element("dl", { class: "members" }, Object.entries(schema.properties ?? {}).filter(([, node]) => node !== false).map(([name, node]) =>
      this.member(name, node, { required: required.has(name), id: base && `${base}.${name}` })));
  }

  /// One member or parameter as a row. `more` are its description and example when these stand beside the schema.
  member(name, node, { required = false, id = null, description = null, example } = {}) {
    const { value } = this.contract.resolve(node);
    return element("div", { class: "member", id },
      element("dt", {},
        element("code", { class: "name" }, id
          ? element("a", { href: `#${id}`, class: "anchor" }, breakable(name)) : breakable(name)),
        element("span", { class: "type" }, this.type(node)),
        required && element("span", { class: "required" }, "required")),
      element("dd", {}, this.#described(value, description), this.facts(value, example), this.#inside(node)));
  }

  /// Description, facts and members of a schema that is shown by itself. `base` is the id that its members' ids start with.
  body(schema, base) {
    const parts = [this.#described(schema), this.facts(schema)];
    if (schema.properties) parts.push(this.members(schema, base));
    parts.push(this.#choices(schema), this.#items(schema), this.#others(schema), this.#conditions(schema));
    return parts;
  }

  /// What values a schema takes: its words, range, extent, pattern, default and example.
  facts(schema, example = schema.example) {
    const facts = [];
    const words = schema.enum ?? (schema.items && this.contract.resolve(schema.items).value.enum);
    if (words) facts.push(["One of", wordList(words)]);
    if ("const" in schema) facts.push(["Always", element("code", {}, visible(literal(schema.const)))]);
    const between = range(schema);
    if (between) facts.push(["Range", between]);
    const many = extent(schema);
    if (many) facts.push(["Length", many]);
    if (schema.pattern) facts.push(["Pattern", element("code", {}, visible(schema.pattern))]);
    if (schema.not?.multipleOf === 2) facts.push(["Only", "odd numbers"]);
    if (schema.not && "const" in schema.not) facts.push(["Never", element("code", {}, literal(schema.not.const))]);
    if (schema.uniqueItems) facts.push(["Items", "no two alike"]);
    if ("default" in schema) facts.push(["Default", element("code", {}, visible(literal(schema.default)))]);
    if (example !== undefined) facts.push(["Example", element("code", {}, visible(literal(example)))]);
    return facts.length > 0 && element("ul", { class: "facts" }, facts.map(([label, content]) =>
      element("li", {}, element("span", { class: "label" }, label), " ", content)));
  }

  /// A choice by its name where it has one: two that are both texts would read as the same.
  #choice(node) {
    const { name } = this.contract.resolve(node);
    return name && this.contract.schemas.has(name) ? [this.#schemaLink(name)] : this.type(node);
  }

  #plain(schema) {
    return !schema.properties && !schema.oneOf && !schema.anyOf && !schema.allOf && !schema.items && !schema.prefixItems;
  }

  #schemaLink(name) {
    return element("a", { href: `#${anchors.schema(name)}` }, visible(name));
  }

  #described(schema, description = null) {
    const text = description ?? schema.description;
    return text ? element("div", { class: "prose" }, markdown(text, { link: this.link, heading: 5 })) : null;
  }

  /// Members of an object that has no name of its own are shown where it stands.
  #inside(node) {
    const { name, value } = this.contract.resolve(node);
    if (name) return null;
    if (value.properties) return this.members(value);
    const items = value.items && this.contract.resolve(value.items);
    return items && !items.name && items.value.properties ? this.members(items.value) : null;
  }

  #choices(schema) {
    const choices = schema.properties ? schema.oneOf : schema.oneOf ?? schema.anyOf;
    if (!choices?.some((choice) => choice.$ref || choice.type || choice.properties || "const" in choice)) return null;
    return element("div", { class: "choices" }, element("p", { class: "label" }, "One of"),
      element("ul", {}, choices.map((choice) => {
        const { name, value } = this.contract.resolve(choice);
        if (name) return element("li", {}, this.#schemaLink(name));
        return element("li", {}, this.type(choice), this.facts(value), value.properties && this.members(value));
      })));
  }

  #items(schema) {
    if (!schema.items) return null;
    const { name, value } = this.contract.resolve(schema.items);
    return element("div", { class: "choices" },
      element("p", { class: "label" }, "Each item: ", this.type(schema.items)),
      !name && [value.description && element("div", { class: "prose" }, markdown(value.description, { link: this.link })),
        value.properties && this.members(value)]);
  }

  #others(schema) {
    const others = schema.additionalProperties;
    if (!others || typeof others !== "object") return null;
    return element("p", { class: "label" }, "Any other member: ", this.type(others));
  }

  #conditions(schema) {
    const rules = Object.entries(schema.dependentRequired ?? {}).map(([name, needs]) =>
      element("li", {}, element("code", {}, visible(name)), " needs ", needs.map((need, index) =>
        [index ? ", " : "", element("code", {}, visible(need))])));
    if (schema.not?.required) {
      rules.push(element("li", {}, "Not together: ", schema.not.required.map((name, index) =>
        [index ? ", " : "", element("code", {}, visible(name))])));
    }
    return rules.length > 0 && element("ul", { class: "conditions" }, rules);
  }
}

function wordList(words) {
  const shown = words.slice(0, MOST_WORDS_OF_ENUM);
  return [shown.map((word, index) => [index ? ", " : "", element("code", {}, visible(String(word)))]),
    words.length > shown.length ? ` and ${words.length - shown.length} more` : ""];
}

/// A name that may be broken behind its dots and underscores, where a narrow window needs it.
export function breakable(name) {
  return visible(name).split(/(?<=[._/])/).flatMap((piece, index) => (index ? [document.createElement("wbr"), piece] : [piece]));
}
