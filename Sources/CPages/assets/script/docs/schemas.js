// Every named schema, in alphabetical order: what it is, its members, and who uses it.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { anchors } from "./contract.js";
import { linkedTitle } from "./links.js";

export function schemaArticles({ contract, schemas }) {
  const names = [...contract.schemas.keys()].sort((a, b) => a.localeCompare(b, "en"));
  return element("section", { class: "docs-part", "aria-labelledby": "schemas" },
    element("h2", { class: "part-title", id: "schemas" }, "Schemas"),
    names.map((name) => {
      const { value } = contract.resolve(contract.schemas.get(name));
      const id = anchors.schema(name);
      return element("article", { class: "schema", id },
        element("h3", {}, linkedTitle(element, id, visible(name)), " ",
          element("span", { class: "type" }, value.oneOf || value.anyOf ? "" : schemas.type(value))),
        schemas.body(value, id),
        usedBy(contract.uses.get(name)));
    }));
}

function usedBy({ operations, schemas }) {
  const links = [
    ...[...operations].map((operation) => element("a", { href: `#${anchors.operation(operation)}` },
      `${operation.method} ${visible(operation.path)}`)),
    ...[...schemas].map((name) => element("a", { href: `#${anchors.schema(name)}` }, visible(name))),
  ];
  return links.length > 0 && element("p", { class: "used-by" },
    element("span", { class: "label" }, "Used by "), links.map((link, index) => [index ? ", " : "", link]));
}
