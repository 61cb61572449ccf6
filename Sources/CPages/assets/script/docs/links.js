// Where pieces of code in the contract's prose lead to.
import { anchors } from "./contract.js";

/// A function from a piece of inline code to a fragment of this page, or null: paths lead to their operations,
/// `components/…` to schemas, words that are problem types to these.
export function codeLinks(contract) {
  const types = new Set(contract.resolve(contract.schemas.get("Problem")).value.properties?.type?.enum ?? []);
  return (code) => {
    const path = code.replace(/^(?:GET|POST) /, "");
    const operation = path.startsWith("/") && contract.operationAt(path);
    if (operation) return `#${anchors.operation(operation)}`;
    const component = code.match(/^(?:#\/)?components\/schemas\/(\w+)$/);
    if (component && contract.schemas.has(component[1])) return `#${anchors.schema(component[1])}`;
    return types.has(code) ? `#${anchors.problem(code)}` : null;
  };
}

/// A heading's link to itself, which readers copy.
export function linkedTitle(element, id, content) {
  return element("a", { class: "anchor", href: `#${id}` }, content);
}
