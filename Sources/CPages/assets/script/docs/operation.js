// One operation: what it does, a place to try it, its parameters, its body, its answers.
import { element, freshID } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { anchors } from "./contract.js";
import { markdown } from "./markdown.js";
import { exampleText } from "./ordered-json.js";
import { breakable } from "./schema-view.js";
import { tryIt } from "./try-it.js";

const PLACES = { path: "Path", query: "Query", header: "Header fields", cookie: "Cookies" };

export function operationArticle(context, operation) {
  const { link } = context;
  const id = anchors.operation(operation);
  return element("article", { class: "operation", id, "aria-labelledby": `${id}-title` },
    element("h3", { id: `${id}-title` },
      element("span", { class: `method of-${operation.method.toLowerCase()}` }, operation.method), " ",
      element("a", { class: "anchor path", href: `#${id}` }, breakable(operation.path))),
    element("p", { class: "summary" }, visible(operation.summary)),
    operation.description && element("div", { class: "prose" }, markdown(operation.description, { link, heading: 5 })),
    operation.open && element("p", { class: "label" }, "Needs no token."),
    tryIt(context, operation),
    parameters(context, operation),
    operation.body && bodyReference(context, operation.body),
    responses(context, operation));
}

function parameters({ schemas }, operation) {
  return Object.entries(PLACES).map(([place, title]) => {
    const own = operation.parameters.filter((parameter) => parameter.in === place);
    return own.length > 0 && element("section", { class: "reference" },
      element("h4", {}, title, " ", element("span", { class: "count" }, own.length)),
      element("dl", { class: "members" }, own.map((parameter) => {
        const schema = parameter.schema ?? Object.values(parameter.content ?? {})[0]?.schema ?? {};
        return schemas.member(parameter.name, schema, {
          required: parameter.required, id: anchors.parameter(operation, parameter.name),
          description: described(schemas.contract, parameter, schema), example: parameter.example,
        });
      })));
  });
}

/// A parameter's own description, and its schema's behind it where that says more.
function described(contract, parameter, schema) {
  const own = parameter.description ?? "";
  const further = contract.resolve(schema).value.description ?? "";
  return [own, own === further ? "" : further].filter(Boolean).join("\n\n") || null;
}

function bodyReference({ contract, schemas, link }, body) {
  return element("section", { class: "reference" },
    element("h4", {}, "Request body", " ", body.required && element("span", { class: "required" }, "required")),
    body.description && element("div", { class: "prose" }, markdown(body.description, { link })),
    mediaTypes(contract, schemas, body.content));
}

function mediaTypes(contract, schemas, content = {}) {
  const entries = Object.entries(content);
  return entries.length > 0 && element("dl", { class: "members media" }, entries.map(([type, media]) => {
    const { name, value } = contract.resolve(media.schema);
    return element("div", { class: "member" },
      element("dt", {}, element("code", { class: "name" }, visible(type))),
      element("dd", {}, element("span", { class: "type" }, schemas.type(media.schema)),
        !name && value.properties && schemas.members(value),
        printedExamples(contract, media)));
  }));
}

/// Examples as text. On screen a request's stand in the field to try it, so these are folded.
function printedExamples(contract, media) {
  return contract.examples(media).map(([name, example]) => {
    return element("details", { class: "example" },
      element("summary", {}, element("span", { class: "label" }, "Example "), visible(example.summary ?? name)),
      element("pre", { class: "code", tabindex: "0" }, exampleText(example.value)));
  });
}

function responses({ contract, schemas, link }, operation) {
  const good = operation.responses.filter(({ status }) => status < "400");
  const bad = operation.responses.filter(({ status }) => status >= "400");
  return element("section", { class: "reference" },
    element("h4", {}, "Answers"),
    good.map(({ status, value }) => element("div", { class: "response" },
      element("h5", {}, element("span", { class: `status of-${status[0]}` }, status)),
      element("div", { class: "prose" }, markdown(value.description, { link })),
      mediaTypes(contract, schemas, value.content),
      headers(contract, schemas, value.headers))),
    bad.length > 0 && element("p", { class: "failures" },
      element("span", { class: "label", id: freshID("failures") }, "Errors "),
      bad.map(({ status }) => element("a", { class: `status of-${status[0]}`, href: `#${anchors.status(status)}` }, status))));
}

function headers(contract, schemas, said = {}) {
  const entries = Object.entries(said);
  return entries.length > 0 && element("details", { class: "headers" },
    element("summary", {}, `Header fields (${entries.length})`),
    element("dl", { class: "members" }, entries.map(([name, node]) => {
      const { value } = contract.resolve(node);
      return schemas.member(name, value.schema ?? {}, { description: value.description, example: value.example });
    })));
}
