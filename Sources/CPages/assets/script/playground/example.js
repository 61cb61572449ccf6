// The built-in example: a scanned line as a trained text recogniser reads it under three views.
import { readSafetensors } from "../common/safetensors.js";
import { VIEWS } from "../heat-map/batch.js";
import { TensorInputs } from "../inputs/tensor-inputs.js";

const FOLDER = "assets/examples";

/// Its inputs, and its pictures: { view, url, says } and how tokens lie on them.
export async function example() {
  const response = await fetch(`${FOLDER}/ocr-line.safetensors`);
  if (!response.ok)
    throw Object.assign(new Error(`status ${response.status}`), { title: "The example could not be loaded" });
  const file = readSafetensors(await response.arrayBuffer());
  const steps = JSON.parse(file.metadata.steps);
  const says = (view) =>
    steps[view] ? steps[view].steps.map((step) => step.step.replaceAll("_", " ")).join(", ") : "as scanned";
  const positions = file.tensors.get("token_ids").shape[1];
  return {
    inputs: new TensorInputs({
      ...file,
      names: [file.metadata.text],
      label: "A scanned line, read by a text recogniser",
    }),
    pictures: {
      views: VIEWS.map((view) => ({ view, url: `${FOLDER}/ocr-line.${view}.png`, says: says(view) })),
      // The recogniser reads from left to right in equal steps.
      spanOf: (batch, token) => [token / positions, (token + 1) / positions],
    },
  };
}
