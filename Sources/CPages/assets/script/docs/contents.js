// The contents at the side: links to everything, with a mark at what is in view.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { anchors } from "./contract.js";
import { sectionsOf } from "./overview.js";
import { breakable } from "./schema-view.js";
import { problemsOf } from "./problem-types.js";

const NARROW = matchMedia("(max-width: 60rem)");

export function mountContents({ contract }) {
  const contents = document.getElementById("contents");
  contents.replaceChildren(
    group("Introduction", sectionsOf(contract).map(({ title, id }) => entry(id, visible(title || "Overview")))),
    ...contract.tags.map((tag) => group(tag.name, tag.operations.map((operation) =>
      entry(anchors.operation(operation), [
        element("span", { class: `method of-${operation.method.toLowerCase()}` }, operation.method), " ",
        element("span", {}, breakable(operation.path))])))),
    group("Problem types", problemsOf(contract).map(({ status, types }) =>
      entry(anchors.status(status), [element("span", { class: "method" }, status), " ", types.length > 2 ? `${types[0]} and ${types.length - 1} more` : types.join(", ")]))),
    group("Schemas", [...contract.schemas.keys()].sort((a, b) => a.localeCompare(b, "en"))
      .map((name) => entry(anchors.schema(name), visible(name))), true));
  fold(contents);
  follow(contents);
}

function entry(id, content) {
  return element("li", {}, element("a", { href: `#${id}` }, content));
}

function group(title, entries, folded = false) {
  const list = element("ul", {}, entries);
  return element("details", { class: "contents-group", open: !folded }, element("summary", {}, visible(title.charAt(0).toUpperCase() + title.slice(1))), list);
}

/// In a narrow window the contents are folded behind a button; a chosen link folds them again.
function fold(contents) {
  const button = document.querySelector(".docs-contents-button");
  const open = (opened) => {
    contents.classList.toggle("is-open", opened);
    button.setAttribute("aria-expanded", String(opened));
  };
  button.addEventListener("click", () => open(!contents.classList.contains("is-open")));
  contents.addEventListener("click", (event) => { if (NARROW.matches && event.target.closest("a")) open(false); });
  contents.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && NARROW.matches) { open(false); button.focus(); }
  });
}

/// Marks the link whose part of the page is at the top of the window.
function follow(contents) {
  const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const parts = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  let current = null;
  let waiting = false;
  const mark = () => {
    waiting = false;
    const line = 140;
    // Parts stand one below the other: the last one that begins above the line is in view.
    let low = 0;
    let high = parts.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (parts[middle].getBoundingClientRect().top <= line) low = middle;
      else high = middle;
    }
    const link = links.get(parts[low]?.id);
    if (link === current) return;
    current?.removeAttribute("aria-current");
    current = link;
    link?.setAttribute("aria-current", "true");
    if (link && !NARROW.matches && link.closest("details").open) keepInView(contents, link);
  };
  addEventListener("scroll", () => {
    if (!waiting) { waiting = true; requestAnimationFrame(mark); }
  }, { passive: true });
  mark();
}

function keepInView(contents, link) {
  const box = contents.getBoundingClientRect();
  const own = link.getBoundingClientRect();
  if (own.top < box.top + 40 || own.bottom > box.bottom - 40) {
    contents.scrollTop += own.top - box.top - box.height / 3;
  }
}
