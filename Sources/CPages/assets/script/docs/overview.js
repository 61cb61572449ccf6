// The contract's introduction: title, version, and its description as one section for each heading.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { anchors } from "./contract.js";
import { linkedTitle } from "./links.js";
import { inlineMarkdown, markdown } from "./markdown.js";

/// The sections' `{ title, id, text }`; the first one has no title.
export function sectionsOf(contract) {
  const sections = [{ title: "", id: anchors.section("overview"), lines: [] }];
  for (const line of String(contract.info.description ?? "").split("\n")) {
    const heading = line.match(/^## +(.+)$/);
    if (heading) sections.push({ title: heading[1].trim(), id: anchors.section(heading[1]), lines: [] });
    else sections.at(-1).lines.push(line);
  }
  return sections.map(({ title, id, lines }) => ({ title, id, text: lines.join("\n") }));
}

export function overviewSections({ contract, link }) {
  const [first, ...others] = sectionsOf(contract);
  const { title = "Contract", version = "", summary = "" } = contract.info;
  return [
    element("section", { class: "docs-intro", id: first.id },
      element("h1", {}, visible(title)),
      element("p", { class: "lead" }, inlineMarkdown(summary)),
      element("ul", { class: "intro-links" },
        element("li", {}, element("span", { class: "label" }, "Version"), " ", visible(version)),
        element("li", {}, element("a", { href: "openapi.yaml" }, "openapi.yaml")),
        element("li", {}, element("a", { href: "openapi.json" }, "openapi.json")),
        element("li", {}, element("a", { href: "llms.txt" }, "llms.txt"))),
      element("div", { class: "prose" }, markdown(first.text, { link }))),
    ...others.map((section) => element("section", { class: "docs-section", id: section.id },
      element("h2", {}, linkedTitle(element, section.id, visible(section.title))),
      element("div", { class: "prose" }, markdown(section.text, { link })))),
  ];
}
