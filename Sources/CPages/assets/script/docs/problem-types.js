// Every problem type by status: what it means, an example, and which operations answer so.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { anchors } from "./contract.js";
import { linkedTitle } from "./links.js";
import { inlineMarkdown, markdown, tablesIn } from "./markdown.js";
import { exampleText } from "./ordered-json.js";

/// `[{ status, types, note, response, operations }]` in the order of the contract's table of errors.
export function problemsOf(contract) {
  const problem = contract.resolve(contract.schemas.get("Problem")).value;
  const known = new Set(problem.properties?.type?.enum ?? []);
  const table = tablesIn(contract.info.description).find(([head]) => head[0] === "status" && head[1] === "types");
  return (table ?? []).slice(1).map(([status, note]) => {
    const types = [...note.matchAll(/`([^`]+)`/g)].map(([, word]) => word).filter((word) => known.has(word));
    const operations = contract.operations.filter((operation) => operation.responses.some((r) => r.status === status));
    const named = operations[0]?.responses.find((r) => r.status === status);
    return { status, types, note, operations, response: named?.value ?? null };
  });
}

export function problemTypes({ contract, link }) {
  return element("section", { class: "docs-part", "aria-labelledby": "problems" },
    element("h2", { class: "part-title", id: "problems" }, "Problem types"),
    element("p", { class: "part-note" }, "An error is ", element("code", {}, "application/problem+json"),
      "; its ", element("code", {}, "type"), " is one of these words."),
    problemsOf(contract).map((problem) => problemArticle(contract, link, problem)));
}

function problemArticle(contract, link, { status, types, note, response, operations }) {
  const everywhere = operations.length > 0 && operations.length >= contract.operations.length - 2;
  return element("article", { class: "problem-type", id: anchors.status(status) },
    element("h3", {}, element("span", { class: `status of-${status[0]}` }, status), " ",
      types.map((type) => element("a", { class: "anchor word", id: anchors.problem(type), href: `#${anchors.problem(type)}` },
        element("code", {}, type)))),
    saysMore(note, types) && element("p", {}, inlineMarkdown(note)),
    response?.description && element("div", { class: "prose" }, markdown(response.description, { link })),
    operations.length > 0 && element("p", { class: "label" }, everywhere ? "Any operation may answer so." : ["From ",
      operations.map((operation, index) => [index ? ", " : "",
        element("a", { href: `#${anchors.operation(operation)}` }, `${operation.method} ${visible(operation.path)}`)])]),
    Object.values(response?.content ?? {}).flatMap((media) => contract.examples(media)).map(([name, example]) =>
      element("details", { class: "example" },
        element("summary", {}, "Example", name === "example" ? "" : `: ${visible(name.replaceAll("_", " "))}`),
        element("pre", { class: "code", tabindex: "0" }, exampleText(example.value)))));
}

/// Whether a note says anything but the types' names.
function saysMore(note, types) {
  return types.reduce((rest, type) => rest.replace(`\`${type}\``, ""), note).replace(/[\s,;]/g, "") !== "";
}
