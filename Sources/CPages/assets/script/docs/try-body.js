// Fields for a request's body: JSON to edit, a picture or a file to choose, the parts of a form.
import { button, element, field } from "../common/elements.js";
import { download } from "../common/download.js";
import { bytes as size } from "../common/numbers.js";
import { problemView } from "../common/problem.js";
import { visible } from "../common/visible-text.js";
import { base64, builtInPicture } from "./picture.js";
import { compact, exampleText } from "./ordered-json.js";
import { startingRequest } from "./starting-values.js";
import { pixelFile, tensorFile } from "./tensor-file.js";

/// The fields of the draft's media type. `example` is the JSON example that is chosen, or null.
export function bodyFields(draft, example) {
  if (draft.isJSON) return jsonFields(draft, example);
  if (draft.isForm) return formFields(draft);
  if (draft.isPicture) return pictureField(draft, "", "Picture");
  return fileFields(draft);
}

function editor(draft, label, text) {
  const area = element("textarea", { class: "try-json", wrap: "off", spellcheck: "false", autocapitalize: "off", rows: rowsOf(text) });
  area.value = text;
  draft.text = text;
  area.addEventListener("input", () => {
    draft.text = area.value;
    area.rows = rowsOf(area.value);
    draft.changed();
  });
  return { area, shown: field(label, area) };
}

function rowsOf(text) {
  return Math.min(22, Math.max(4, text.split("\n").length + 1));
}

function jsonFields(draft, example) {
  const { area, shown } = editor(draft, "Body", example ? exampleText(example.value) : "{}");
  const tools = draft.operation.id === "perturb" && button("Use a larger picture", async () => {
    const data = await base64(await builtInPicture("image/jpeg"));
    area.value = withPicture(area.value, data);
    area.dispatchEvent(new Event("input"));
  });
  return [shown, tools];
}

/// The JSON text with every image's data replaced; text that is no JSON stays as it is.
function withPicture(text, data) {
  try {
    const body = JSON.parse(text);
    for (const image of body.images ?? []) image.data = data;
    return compact(body);
  } catch {
    return text;
  }
}

/// A field to choose a picture. Until one is chosen, the built-in one is sent.
function pictureField(draft, name, label, built = true) {
  const input = element("input", { type: "file", accept: "image/png,image/jpeg" });
  const preview = element("div", { class: "try-preview" });
  const use = (file) => {
    for (const old of preview.querySelectorAll("img")) URL.revokeObjectURL(old.src);
    draft.files.set(name, file);
    const image = element("img", { src: URL.createObjectURL(file), alt: "The picture to be sent" });
    image.addEventListener("error", () => image.replaceWith("No preview."));
    preview.replaceChildren(image, element("p", { class: "help" },
      `${visible(file.name, 80)}, ${size(file.size)}`),
    ...(input.files.length > 0 ? [] : [saveButton(file)]));
    draft.changed();
  };
  input.addEventListener("change", () => { if (input.files[0]) use(input.files[0]); });
  if (built) draft.ready = builtInPicture(draft.mediaType === "image/jpeg" ? "image/jpeg" : "image/png").then((file) => {
    // The media type may have been changed while the picture was made, and a file chosen.
    if (input.isConnected && !input.files[0]) use(file);
  }, (error) => preview.replaceChildren(problemView(error)));
  return [field(label, input), preview];
}

function formFields(draft) {
  const { shown } = editor(draft, "request", compact(startingRequest(draft.operation)));
  const { value: schema } = draft.contract.resolve(draft.operation.body.content[draft.mediaType].schema);
  const binary = Object.entries(schema.properties ?? {}).filter(([, node]) => {
    const { value } = draft.contract.resolve(node);
    return value.format === "binary" || draft.contract.resolve(value.items).value.format === "binary";
  });
  return [shown, binary.map(([name], index) => pictureField(draft, name, name, index === 0))];
}

/// A file of tensors: made of the operation's columnar example, or of the photograph, until one is chosen.
function fileFields(draft) {
  const input = element("input", { type: "file", accept: ".safetensors,application/octet-stream" });
  const held = element("div", { class: "try-held" });
  const columnar = draft.contract.examples(draft.operation.body.content["application/json"])
    .find(([name]) => name === "columnar")?.[1].value;
  const use = ({ file, held: tensors, metadata }, source) => {
    draft.files.set("", file);
    held.replaceChildren(
      element("p", { class: "help" }, source),
      element("ul", { class: "held-list" },
        tensors.map(({ name, type, shape }) => element("li", {}, element("code", {}, visible(name)), ` ${type} [${shape.join(", ")}]`)),
        Object.entries(metadata).map(([name, text]) =>
          element("li", {}, element("code", {}, `__metadata__["${name}"]`), ` ${visible(text)}`))),
      saveButton(file));
    draft.changed();
  };
  if (columnar) {
    use(tensorFile(columnar), "Made of the example “columnar”:");
  } else {
    draft.ready = pixelFile(startingRequest(draft.operation)).then((made) => {
      if (input.isConnected && !input.files[0]) use(made, "Made of the built-in photograph:");
    }, (error) => held.replaceChildren(problemView(error)));
  }
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (!file) return;
    draft.files.set("", file);
    held.replaceChildren(element("p", { class: "help" }, `${visible(file.name, 80)}, ${size(file.size)}`));
    draft.changed();
  });
  return [field("File", input), held];
}

function saveButton(file) {
  return button("Save it", () => download(file, file.name), { "aria-label": `Save ${file.name}` });
}
