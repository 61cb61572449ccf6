// The page: fetches the contract, renders it, and keeps address, contents and search in step.
import { element } from "../common/elements.js";
import { mountHeader } from "../common/page.js";
import { problemView } from "../common/problem.js";
import { sendForJSON } from "../common/request.js";
import { onToken } from "../common/session.js";
import { mountContents } from "./contents.js";
import { Contract } from "./contract.js";
import { codeLinks } from "./links.js";
import { overviewSections } from "./overview.js";
import { operationArticle } from "./operation.js";
import { problemTypes } from "./problem-types.js";
import { reveal } from "./reveal.js";
import { schemaArticles } from "./schemas.js";
import { SchemaView } from "./schema-view.js";
import { mountSearch } from "./search.js";

const main = document.getElementById("main");
let shown = false;

mountHeader("docs");
onToken(() => { if (!shown) load(); });
addEventListener("hashchange", followAddress);
load();

async function load() {
  try {
    show(new Contract(await sendForJSON("openapi.json")));
  } catch (error) {
    const asked = error.status === 401;
    main.replaceChildren(element("h1", { class: "unseen" }, "Perception Server"), asked
      ? element("p", { class: "notice", role: "status" }, "This server asks for a token. Give it at the top right, and the contract appears here.")
      : problemView(error));
    if (!asked && !error.status) console.warn(error);
  }
}

function show(contract) {
  shown = true;
  const link = codeLinks(contract);
  const schemas = new SchemaView(contract, link);
  const context = { contract, link, schemas };
  main.replaceChildren(
    ...overviewSections(context),
    ...contract.tags.map((tag) => element("section", { class: "docs-part", "aria-labelledby": `part-${tag.name}` },
      element("h2", { class: "part-title", id: `part-${tag.name}` }, titled(tag.name)),
      tag.description && element("p", { class: "part-note" }, tag.description),
      tag.operations.map((operation) => operationArticle(context, operation)))),
    problemTypes(context),
    schemaArticles(context));
  mountContents(context);
  mountSearch(context, (id) => { location.hash = `#${id}`; });
  if (location.hash) followAddress();
}

function titled(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function followAddress() {
  if (shown) reveal(decodeURIComponent(location.hash.slice(1)));
}
