// What a request starts with where the contract gives no example: parameters of operations that take no JSON, and the
// JSON part of forms.

const VIEWS = [
  { name: "preserving", recipe: "cppo-preserving", seed: 7 },
  { name: "removing", recipe: "cppo-removing", seed: 7 },
];

/// Parameters by operation, as texts. `json` says whether the body is JSON, which then has the settings itself.
export function startingParameters(operation, mediaType) {
  if (operation.id === "perturb" && mediaType?.startsWith("image/")) return { recipe: "cppo-removing", seed: "7" };
  if (operation.id === "preview") return { name: "cppo-removing", draws: "3", seed: "7" };
  if (operation.id === "previewPicture") {
    return mediaType?.startsWith("image/") ? { name: "cppo-removing", draws: "3", seed: "7" } : { name: "cppo-removing" };
  }
  return {};
}

/// The JSON part of a form, or of a file of pixels.
export function startingRequest(operation) {
  return operation.id === "previewPicture" ? { draws: 3, seed: 7 } : { views: VIEWS };
}

/// What a required parameter holds at first: its example, its default, or the first word it takes.
export function startingValue(contract, parameter) {
  if (parameter.example !== undefined) return String(parameter.example);
  const { value } = contract.resolve(parameter.schema ?? {});
  const said = value.example ?? value.default ?? firstWord(contract, value);
  if (Array.isArray(said)) return said.join(",");
  return said === undefined || said === null ? "" : String(said);
}

function firstWord(contract, schema) {
  return schema.enum?.[0] ?? choicesOf(contract, schema)[0];
}

/// The words that a schema takes beside other values.
export function choicesOf(contract, schema) {
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((choice) => contract.resolve(choice).value.enum ?? []);
}
