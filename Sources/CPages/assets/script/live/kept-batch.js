// A batch that the server keeps, as the heat map takes it.
import { send } from "../common/request.js";
import { SAFETENSORS, readSafetensors } from "../common/safetensors.js";
import { layoutOf } from "../inputs/layout.js";
import { withReply } from "../inputs/scored.js";
import { TensorInputs } from "../inputs/tensor-inputs.js";
import { parsed } from "../inputs/token-texts.js";

/// Fetches a batch: {batch, result, inputs}. Throws the server's problem, 404 where it is kept no more.
export async function keptBatch(number, signal) {
  const response = await send(`v1/live/batches/${number}`, { headers: { Accept: SAFETENSORS }, signal });
  const { tensors, metadata } = readSafetensors(await response.arrayBuffer());
  const result = JSON.parse(metadata.result);
  // Sequences without texts are null in the list.
  const texts = parsed(metadata.tokens)?.map((row) => row ?? []);
  const inputs = new TensorInputs({
    tensors, metadata: { options: JSON.stringify(result.options), ...(texts && { tokens: JSON.stringify(texts) }) },
    names: (result.ids ?? []).map((id, row) => (id === null ? `rollout ${row}` : String(id))),
    label: `${result.run}, batch ${result.batch}`,
  });
  return { batch: withReply(inputs.batch, layoutOf(tensors), tensors, result.options), result, inputs };
}
