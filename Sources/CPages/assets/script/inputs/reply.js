// A reply of /v1/score as columns and masks of a batch.
import { offsetsOf, VIEWS } from "../heat-map/batch.js";

const MASKS = ["perception_mask", "gate", "mask"];
const COLUMNS = [
  "delta_entropy",
  "perception_score",
  "token_loss",
  "token_reward",
  ...VIEWS.flatMap((view) => [`grad.${view}.log_probs`, `${view}.entropy_lower`, `${view}.entropy_upper`]),
];

/// Columns and masks of a reply's tensors. Tensors that it lacks are absent: what an older reply had is cleared.
/// - options: as the reply resolved them.
export function replyColumns(tensors, layout, options) {
  const columns = new Map();
  const masks = {};
  for (const name of COLUMNS) {
    const tensor = tensors.get(name);
    columns.set(name, tensor ? layout.gather(tensor.floats()) : undefined);
  }
  for (const name of MASKS) {
    const tensor = tensors.get(name);
    masks[name] = tensor ? layout.gather(tensor.elements()) : undefined;
  }
  columns.set("margin", margins(columns.get("token_loss"), options));
  for (const view of VIEWS) {
    const [lower, upper] = [columns.get(`${view}.entropy_lower`), columns.get(`${view}.entropy_upper`)];
    if (lower && upper) columns.set(`${view}.entropy`, between(lower, upper, options.entropy_from));
  }
  for (const [name, values] of columns) if (!values) columns.delete(name);
  return { columns, masks };
}

/// Every column that a reply may have.
export const REPLY_COLUMNS = [...COLUMNS, "margin"];

/// m of each token from its loss: c = m, or c = softplus(m / tau), whose inverse is m = tau · log(e^c − 1). Where c is so
/// small that 32-bit floats have no such number, m is the largest that could be meant.
function margins(loss, options) {
  if (!loss) return undefined;
  if (options.loss !== "infonce") return loss;
  const tau = options.tau;
  const least = 1.401298464324817e-45;
  return loss.map((c) => (c > 30 ? tau * c : tau * Math.log(Math.expm1(Math.max(c, least)))));
}

function between(lower, upper, from) {
  if (from === "lower") return lower;
  if (from === "upper") return upper;
  return lower.map((low, token) => (low + upper[token]) / 2);
}

/// A reply in JSON as the tensors of the other form: columnar, or rollouts one after another.
export function tensorsOfJSONReply(reply, Tensor) {
  const tensors = new Map();
  const put = (name, values) => {
    const array = MASKS.includes(name) ? Uint8Array.from(values) : Float32Array.from(values);
    tensors.set(name, Tensor.of(array));
  };
  if (Array.isArray(reply.rollouts)) {
    const lengths = reply.rollouts.map((rollout) =>
      [...MASKS, ...COLUMNS].reduce((most, name) => Math.max(most, member(rollout, name)?.length ?? 0), 0),
    );
    tensors.set("cu_seqlens", Tensor.of(offsetsOf(lengths)));
    for (const name of [...MASKS, ...COLUMNS]) {
      const lists = reply.rollouts.map((rollout) => member(rollout, name));
      if (lists.every(Array.isArray)) put(name, lists.flat());
    }
    return tensors;
  }
  for (const name of [...MASKS, ...COLUMNS]) {
    const values = reply[name];
    if (!Array.isArray(values)) continue;
    put(name, values.flat());
    if (Array.isArray(values[0])) tensors.get(name).shape = [values.length, values[0].length];
  }
  return tensors;
}

/// A tensor's list in a rollout: `grad.original.log_probs` is `grad: {original: {log_probs}}` there.
function member(rollout, name) {
  return name.split(".").reduce((at, word) => (at && typeof at === "object" ? at[word] : undefined), rollout);
}
