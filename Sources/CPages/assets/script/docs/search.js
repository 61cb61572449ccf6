// The search field: a combobox whose list opens below it. `/` goes there from anywhere.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";
import { excerpt, found, indexOf } from "./search-index.js";

const LABELS = {
  operation: "Operation", section: "Section", parameter: "Parameter", problem: "Problem", schema: "Schema", member: "Member",
};

/// Puts the search into its place. `go` is called with the id of what was chosen.
export function mountSearch({ contract }, go) {
  const entries = indexOf(contract);
  const place = document.querySelector(".docs-search");
  const input = element("input", {
    type: "search", id: "search", placeholder: "Search", autocomplete: "off", spellcheck: "false", role: "combobox",
    "aria-label": "Search the contract", "aria-expanded": "false", "aria-controls": "search-results",
    "aria-autocomplete": "list",
  });
  const list = element("ul", { class: "search-results", id: "search-results", role: "listbox", "aria-label": "Results", hidden: true });
  const told = element("p", { class: "unseen", role: "status" });
  const nothing = element("p", { class: "search-nothing", hidden: true });
  place.replaceChildren(element("div", { class: "search-field" }, input, element("kbd", { "aria-hidden": "true" }, "/")), list, nothing, told);
  let at = -1;

  function update() {
    const query = input.value.trim();
    const matches = found(entries, query);
    list.replaceChildren(...matches.map((entry, index) => option(entry, index, query)));
    show(query !== "" && matches.length > 0);
    nothing.hidden = query === "" || matches.length > 0;
    nothing.textContent = `Nothing matches “${visible(query, 60)}”.`;
    told.textContent = query === "" ? "" : matches.length === 1 ? "1 result" : `${matches.length} results`;
    choose(matches.length > 0 ? 0 : -1);
  }
  function show(open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) input.removeAttribute("aria-activedescendant");
  }
  function choose(index) {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = index;
    const chosen = list.children[at];
    if (!chosen) return;
    chosen.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  }
  function leave(id) {
    input.value = "";
    update();
    go(id);
  }

  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (event.key === "Escape") {
      input.value = "";
      update();
    } else if (event.key === "Enter" && list.children[at]) {
      leave(list.children[at].dataset.target);
    } else if (count > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      choose((at + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
    } else {
      return;
    }
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const chosen = event.target.closest("[role=option]");
    if (chosen) leave(chosen.dataset.target);
  });
  input.addEventListener("blur", () => { show(false); nothing.hidden = true; });
  input.addEventListener("focus", () => { if (input.value) update(); });
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

function option(entry, index, query) {
  return element("li", { role: "option", id: `search-result-${index}`, "aria-selected": "false", "data-target": entry.id },
    element("span", { class: "kind" }, LABELS[entry.kind]),
    element("span", { class: "name" }, marked(entry.name, query)),
    entry.of && element("span", { class: "of" }, visible(entry.of)),
    entry.text && element("span", { class: "text" }, marked(excerpt(entry, query), query)));
}

/// The text with the query's words marked.
function marked(text, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const pieces = [];
  let rest = visible(text);
  while (rest) {
    const lower = rest.toLowerCase();
    const hits = words.map((word) => [lower.indexOf(word), word.length]).filter(([at]) => at >= 0).sort((a, b) => a[0] - b[0]);
    if (hits.length === 0) break;
    const [at, length] = hits[0];
    pieces.push(rest.slice(0, at), element("mark", {}, rest.slice(at, at + length)));
    rest = rest.slice(at + length);
  }
  return [...pieces, rest];
}
