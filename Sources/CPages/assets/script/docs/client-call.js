// Requests as calls of perception_client. Null where the client has no call that says exactly the same.
import { keywords, python } from "./python-literal.js";
import { packedRollouts } from "./packed-rollouts.js";

const RESERVED = new Set(["return"]);
const NUMBERS = ["score", "mask", "entropy", "advantages"];
const PRINTED = {
  score: ['print(reply.loss, reply.diagnostics["gated"])', "print(reply.arrays)"],
  mask: ["print(reply.mask)", "print(reply.diagnostics)"],
  entropy: ["print(reply.arrays)"],
  advantages: ["print(reply.advantages)"],
};

/// The program, or null.
export function clientCall(draft, base, needsToken) {
  const { operation } = draft;
  if (draft.given("header").length > 0 || draft.values.has("input_file") || draft.values.has("output_file")) return null;
  const made = catalogue(draft) ?? (NUMBERS.includes(operation.id) ? numbers(draft) : null)
    ?? (operation.id === "perturb" ? perturbed(draft) : null)
    ?? (operation.id === "preview" || operation.id === "previewPicture" ? sheet(draft) : null);
  if (!made) return null;
  const { imports = [], lines } = made;
  const token = needsToken ? "  # the token: PERCEPTION_TOKEN" : "";
  return [...imports, ...(imports.length > 0 ? [""] : []), "from perception_client import Perception", "",
    `P = Perception(${python(base)})${token}`, ...lines, ""].join("\n");
}

function catalogue({ operation }) {
  if (operation.id === "info") return { lines: ["info = P.info()", "print(info.version, info.limits)"] };
  if (operation.id === "presets") return { lines: ["for preset in P.presets().values():", "    print(preset.name, preset.options)"] };
  if (operation.id === "recipes") {
    return { lines: ["for recipe in P.recipes().recipes.values():", "    print(recipe.name, recipe.summary)"] };
  }
  return null;
}

/// JSON that Python would read as the same: integers beyond 2^53 are not what JavaScript made of them.
function exactJSON(text) {
  try {
    const value = JSON.parse(text);
    return /(?<![\d.])\d{16,}(?!\d*[.eE])/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '""')) ? null : value;
  } catch {
    return null;
  }
}

/// Options of the body and, over them, of the query.
function optionsOf(draft, body) {
  const query = draft.given("query").map(([name, value]) => [name, queryValue(value)]);
  return Object.entries({ ...(body?.options ?? {}), ...Object.fromEntries(query) })
    .map(([name, value]) => [RESERVED.has(name) ? `${name}_` : name, value]);
}

function queryValue(text) {
  if (text === "none") return "none";
  if (text.includes(",") && !/^[[{]/.test(text)) return text.split(",");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function numbers(draft) {
  if (!draft.isJSON) return null;
  const said = exactJSON(draft.text);
  if (said === null || typeof said !== "object") return null;
  const body = said.rollouts ? packedRollouts(said) : said;
  if (!body) return null;
  const arguments_ = tensorArguments(body);
  if (!arguments_) return null;
  const { id } = draft.operation;
  const positional = { entropy: ["logits"], advantages: ["rewards", "group_ids"] }[id] ?? [];
  if (positional.some((name) => !(name in arguments_))) return null;
  const first = positional.map((name) => `    ${python(arguments_[name], 4)},\n`).join("");
  const others = Object.entries(arguments_).filter(([name]) => !positional.includes(name));
  const options = optionsOf(draft, said);
  return { lines: [`reply = P.${id}(\n${first}${keywords([...others, ...options])})`, ...PRINTED[id]] };
}

/// `original.log_probs` and its like by the client's argument: `log_probs={"original": …}`.
function tensorArguments(body) {
  const made = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === "options") continue;
    const [view, quantity] = name.split(".");
    if (quantity === undefined) made[name] = value;
    else if (view === "old" || view === "reference") made[view] = value;
    else if (["log_probs", "entropy", "logits", "top_log_probs"].includes(quantity)) (made[quantity] ??= {})[view] = value;
    else return null;
  }
  return made;
}

function perturbed(draft) {
  if (draft.isPicture) {
    const { recipe, steps, seed, always, schedule, ...settings } = Object.fromEntries(
      draft.given("query").map(([name, value]) => [name, queryValue(value)]));
    const view = JSON.parse(JSON.stringify({ name: "view", recipe, steps, seed, always, schedule }));
    settings.format ??= draft.accept === "image/jpeg" ? "jpeg" : "png";
    if (!["png", "jpeg"].includes(settings.format)) return null;
    const name = settings.format === "png" ? "view.png" : "view.jpg";
    return { lines: [
      `reply = P.perturb(\n    [open(${python(draft.fileName)}, "rb").read()],\n    [${python(view, 4)}],\n${keywords(Object.entries(settings))})`,
      "print(reply.views[0].steps)", `open(${python(name)}, "wb").write(reply.views[0].data)`,
    ] };
  }
  if (!draft.isJSON && !draft.isForm) return null;
  const said = exactJSON(draft.text);
  if (!Array.isArray(said?.views)) return null;
  const { images = [], views, format = "png", ...settings } = said;
  if (draft.isForm && images.length > 0) return null;
  const files = draft.isForm ? fileImages(draft) : jsonImages(images);
  if (!files) return null;
  const seconds = images.filter((image) => image.second_only).map((image) => image.id);
  const members = [["format", format === "raw" ? "pixels" : format], ...(seconds.length > 0 ? [["second_only", seconds]] : []),
    ...Object.entries(settings)];
  return {
    imports: draft.isForm ? [] : ["import base64"],
    lines: [`reply = P.perturb(\n    ${files},\n    ${python(views, 4)},\n${keywords(members)})`,
      "for view in reply.views:", "    print(view.image, view.name, view.steps)"],
  };
}

function fileImages(draft) {
  return `[${[...draft.files.values()].map((file) => `open(${python(file.name)}, "rb").read()`).join(", ")}]`;
}

function jsonImages(images) {
  if (images.some((image) => typeof image?.data !== "string")) return null;
  const data = (image) => `base64.b64decode(${python(image.data.replace(/^data:[^,]*,/, ""))})`;
  return `{\n${images.map((image, at) => `        ${python(String(image.id ?? at))}: ${data(image)},\n`).join("")}    }`;
}

function sheet(draft) {
  const { name } = Object.fromEntries(draft.given("path"));
  const query = Object.fromEntries(draft.given("query").map(([key, value]) => [key, queryValue(value)]));
  const { recipe, ...settings } = draft.isForm ? exactJSON(draft.text) ?? {} : query;
  const files = draft.isForm ? [...draft.files] : draft.file ? [["image", draft.file]] : [];
  const members = files.map(([key, file]) => `    ${key}=open(${python(file.name)}, "rb").read(),\n`).join("");
  return { lines: [`sheet = P.sheet(\n    ${python(recipe ?? name, 4)},\n${members}${keywords(Object.entries(settings))})`,
    'sheet.save("sheet.png")'] };
}
