// Taking a heat map away: pictures, data, and a page that needs nothing else.
import { button, element, freshID } from "../common/elements.js";
import { download } from "../common/download.js";
import { measure } from "../common/numbers.js";
import { csv, json } from "../export/data.js";
import { page } from "../export/page.js";
import { picture, png, svg } from "../export/picture.js";

/// A button with a menu of forms. `exported()` returns what is shown: batch, coloring, colorings, order, result, title.
export function exportMenu(exported) {
  const said = element("span", { class: "help", role: "status" });
  const list = element("div", { class: "popover menu", hidden: true, id: freshID("export") });
  const open = (is) => {
    list.hidden = !is;
    opener.setAttribute("aria-expanded", String(is));
  };
  const opener = button("Export", () => open(list.hidden), { "aria-expanded": "false", "aria-controls": list.id });
  const place = element("div", { class: "menu-place" }, said, opener, list);
  list.append(
    ...FORMS.map(([label, make]) =>
      button(
        label,
        async () => {
          open(false);
          opener.focus();
          try {
            said.textContent = (await make(exported())) ?? "";
          } catch (error) {
            said.textContent = error.message;
          }
        },
        { class: "button plain" },
      ),
    ),
  );
  place.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      open(false);
      opener.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!list.hidden && !place.contains(event.target)) open(false);
  });
  return place;
}

const FORMS = [
  [
    "Picture, PNG",
    async (shown) => {
      const drawn = drawnPicture(shown);
      save(shown, await png(drawn), "png");
      return cutNote(drawn);
    },
  ],
  [
    "Picture, SVG",
    (shown) => {
      const drawn = drawnPicture(shown);
      save(shown, text(svg(drawn), "image/svg+xml"), "svg");
      return cutNote(drawn);
    },
  ],
  ["Numbers, CSV", (shown) => save(shown, text(csv(shown.batch), "text/csv"), "csv")],
  ["Numbers, JSON", (shown) => save(shown, text(json(shown.batch, shown.result), "application/json"), "json")],
  [
    "Page, HTML",
    (shown) =>
      save(
        shown,
        text(page(shown.batch, shown.colorings, shown.coloring, shown.order, shown.title, summary(shown)), "text/html"),
        "html",
      ),
  ],
];

function drawnPicture(shown) {
  return picture(
    shown.batch,
    shown.coloring,
    shown.order,
    `${shown.title} · ${shown.coloring.label}${shown.coloring.view ? ` under ${shown.coloring.view}` : ""}` +
      `, full at ${measure(shown.coloring.high)} ${shown.coloring.unit} · ${summary(shown)}`,
  );
}

function cutNote(drawn) {
  return drawn.isCut ? "The picture ends where browsers can make it no taller; CSV and JSON hold everything." : "";
}

function summary({ result }) {
  if (!result) return "not scored";
  const { diagnostics = {}, options = {} } = result;
  return [
    options.preset,
    `loss ${measure(result.loss)}`,
    `${diagnostics.selected} of ${diagnostics.tokens} perception tokens`,
    `${diagnostics.gated} in the loss`,
  ].join(" · ");
}

function text(content, type) {
  return new Blob([content], { type: `${type};charset=utf-8` });
}

function save(shown, blob, extension) {
  download(blob, `${shown.title.slice(0, 60)}.${extension}`);
}
