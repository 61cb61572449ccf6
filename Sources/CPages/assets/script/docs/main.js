// The page: fetches the contract, renders it, and keeps address, contents and search in step.
import { element } from "../common/elements.js";
import { mountHeader } from "../common/page.js";
import { problemView } from "../common/problem.js";
import { Problem, send } from "../common/request.js";
import { onToken } from "../common/session.js";
import { visible } from "../common/visible-text.js";
import { mountContents } from "./contents.js";
import { Contract } from "./contract.js";
import { codeLinks } from "./links.js";
import { inlineMarkdown } from "./markdown.js";
import { parseInOrder } from "./ordered-json.js";
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
    const said = parseInOrder(await (await send("openapi.json")).text());
    if (said === null || typeof said !== "object") throw new Problem({ title: "No contract", detail: "openapi.json is no object." });
    show(new Contract(said));
  } catch (error) {
    const asked = error.status === 401;
    main.replaceChildren(element("h1", { class: "unseen" }, "Perception Server"), asked
      ? element("p", { class: "notice", role: "status" }, "This server asks for a token. Give it at the top right, and the contract appears here.")
      : problemView(error));
    // What is neither the server's nor the way's fault is this page's.
    if (!(error instanceof Problem || error instanceof SyntaxError)) console.error(error);
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
      element("h2", { class: "part-title", id: `part-${tag.name}` }, visible(titled(tag.name))),
      tag.description && element("p", { class: "part-note" }, inlineMarkdown(tag.description)),
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
