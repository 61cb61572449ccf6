// What stands at the top of every page: name, navigation, the server's version, and the field for its token.
import { button, drawing, element, field } from "./elements.js";
import { onRefusal, sendForJSON } from "./request.js";
import { onToken, setToken, token } from "./session.js";
import { visible } from "./visible-text.js";

const PAGES = [
  ["playground", "./", "Playground"],
  ["live", "live", "Live"],
  ["docs", "docs", "Docs"],
];

/// Puts the header into the page's `<header>` element.
/// - current: `playground`, `live` or `docs`.
export function mountHeader(current) {
  const header = document.querySelector("header.page-header");
  const server = element("span", { class: "server" });
  header.replaceChildren(
    element("a", { class: "skip", href: "#main" }, "Skip to content"),
    element("a", { class: "wordmark", href: "./" }, mark(), "Perception Server"),
    element(
      "nav",
      { class: "page-nav", "aria-label": "Pages" },
      PAGES.map(([name, path, label]) =>
        element("a", { href: path, "aria-current": name === current && "page" }, label),
      ),
    ),
    server,
    access(),
  );
  const ask = () => tell(server);
  onToken(ask);
  ask();
}

/// Three leaning panes: one picture, two views of it.
function mark() {
  const pane = (x, opacity) =>
    drawing("path", {
      d: `M${x} 7.5 L${x + 7} 4 V16.5 L${x} 20 Z`,
      fill: "currentColor",
      "fill-opacity": opacity,
    });
  return drawing("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, pane(2, 0.28), pane(8.5, 0.55), pane(15, 1));
}

async function tell(place) {
  try {
    const info = await sendForJSON("v1/info");
    place.textContent = visible(`${info.version} · ${info.threads} threads · ${info.instruction_set}`, 80);
  } catch (problem) {
    place.textContent = problem.status === 401 ? "" : "no answer";
  }
}

/// The field for the token. It opens by itself when the server asks for one.
function access() {
  const input = element("input", { type: "password", autocomplete: "off", spellcheck: "false" });
  const reason = element("p", { class: "help", role: "status" });
  const form = element(
    "form",
    { class: "popover", hidden: true, id: "access" },
    field("Bearer token", input),
    reason,
    element(
      "div",
      { class: "row" },
      element("button", { type: "submit", class: "button primary" }, "Use token"),
      button(
        "Forget",
        () => {
          input.value = "";
          setToken(null);
          describe();
        },
        { class: "button plain" },
      ),
    ),
  );
  const opener = button("Token", () => open(form.hidden), { "aria-expanded": "false", "aria-controls": "access" });

  function open(opened, said = "Kept in this tab only, and sent to this server only.") {
    form.hidden = !opened;
    opener.setAttribute("aria-expanded", String(opened));
    reason.textContent = said;
    if (opened) input.focus();
  }
  function describe() {
    opener.textContent = token() ? "Token set" : "Token";
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open(false);
    setToken(input.value);
    input.value = "";
    describe();
    opener.focus();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      open(false);
      opener.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!form.hidden && !place.contains(event.target)) open(false);
  });
  onRefusal(() => open(true, token() ? "The server does not accept this token." : "This server asks for a token."));
  describe();
  const place = element("div", { class: "access" }, opener, form);
  return place;
}
