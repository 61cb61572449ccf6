// A request for /v1/score in JSON, made into tensors: they are posted with every change, and JSON would be slow.
import { Tensor } from "../common/safetensors.js";

const VIEWS = ["original", "preserving", "removing"];
const OTHERS = ["old", "reference"];
const VECTORS = { log_probs: Float32Array, entropy: Float32Array };

/// What JSON holds that has no tensor: the request is then posted as it stands.
export class NotTensors extends Error {}

/// Tensors, metadata and names of a JSON request. Throws `NotTensors`.
export function tensorsOfJSON(request) {
  const metadata = { options: JSON.stringify(request.options ?? {}) };
  if (!Array.isArray(request.rollouts)) return { ...columnar(request), metadata: withTokens(metadata, request.tokens) };
  const { rollouts } = request;
  const lengths = rollouts.map(lengthOf);
  const tensors = new Map();
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const cumulative = new Int32Array(lengths.length + 1);
  lengths.forEach((length, row) => {
    cumulative[row + 1] = cumulative[row] + length;
  });
  tensors.set("cu_seqlens", Tensor.of(cumulative));

  const gather = (name, make, pick, absent) => {
    const lists = rollouts.map(pick);
    if (lists.every((list) => list === undefined)) return;
    const flat = new make(total);
    lists.forEach((list, row) => {
      const values = list ?? absent?.(lengths[row]);
      if (!Array.isArray(values) || values.length !== lengths[row]) throw new NotTensors(name);
      values.forEach((value, place) => {
        flat[cumulative[row] + place] = converted(value, make, name);
      });
    });
    tensors.set(name, Tensor.of(flat));
  };
  for (const view of [...VIEWS, ...OTHERS]) {
    for (const [member, make] of Object.entries(VECTORS)) gather(`${view}.${member}`, make, (r) => r[view]?.[member]);
    const matrices = rollouts.map((r) => r[view]?.logits);
    if (matrices.some((matrix) => matrix !== undefined)) tensors.set(`${view}.logits`, matrixTensor(matrices, total));
  }
  const ones = (length) => new Array(length).fill(1);
  gather("response_mask", Uint8Array, (r) => r.response_mask, ones);
  gather("perception_mask", Uint8Array, (r) => r.perception_mask);
  gather("token_ids", BigInt64Array, (r) => r.token_ids);
  if (rollouts.some((r) => r.advantages !== undefined)) gather("advantages", Float32Array, (r) => r.advantages);
  scalars(rollouts, "advantage", "advantages", tensors);
  scalars(rollouts, "reward", "rewards", tensors);
  groups(
    rollouts.map((r) => r.group_id),
    tensors,
  );
  rollouts.forEach(refuseOthers);
  const tokens = rollouts.some((r) => Array.isArray(r.tokens)) ? rollouts.map((r) => r.tokens ?? []) : undefined;
  return {
    tensors,
    metadata: withTokens(metadata, tokens),
    names: rollouts.map((r, row) => (r.id === undefined ? `rollout ${row}` : String(r.id))),
  };
}

const KNOWN = new Set([
  "id",
  "advantage",
  "advantages",
  "reward",
  "group_id",
  "response_mask",
  "perception_mask",
  "token_ids",
  "tokens",
  ...VIEWS,
  ...OTHERS,
]);

/// What is not understood here is the server's to judge.
function refuseOthers(rollout) {
  for (const name of Object.keys(rollout)) if (!KNOWN.has(name)) throw new NotTensors(name);
  for (const view of [...VIEWS, ...OTHERS]) {
    for (const name of Object.keys(rollout[view] ?? {}))
      if (!(name in VECTORS) && name !== "logits") throw new NotTensors(name);
  }
}

function lengthOf(rollout) {
  if (rollout === null || typeof rollout !== "object") throw new NotTensors("rollouts");
  for (const view of VIEWS) {
    for (const list of Object.values(rollout[view] ?? {})) if (Array.isArray(list)) return list.length;
  }
  return rollout.token_ids?.length ?? 0;
}

function scalars(rollouts, member, name, tensors) {
  const given = rollouts.filter((rollout) => rollout[member] !== undefined);
  if (given.length === 0) return;
  if (given.length !== rollouts.length || tensors.has(name)) throw new NotTensors(member);
  tensors.set(
    name,
    Tensor.of(Float64Array.from(rollouts, (rollout) => converted(rollout[member], Float64Array, member))),
  );
}

/// Names of groups as numbers: equal names, equal numbers.
function groups(names, tensors) {
  if (names.every((name) => name === undefined)) return;
  const known = new Map();
  const number = (name) => {
    const key = `${typeof name} ${name}`;
    if (!known.has(key)) known.set(key, known.size);
    return known.get(key);
  };
  tensors.set("group_ids", Tensor.of(Int32Array.from(names, number)));
}

function converted(value, make, name) {
  if (make === BigInt64Array) {
    if (!Number.isSafeInteger(value)) throw new NotTensors(name);
    return BigInt(value);
  }
  if (make === Uint8Array && typeof value === "boolean") return Number(value);
  if (typeof value !== "number" || (make === Uint8Array && value !== 0 && value !== 1)) throw new NotTensors(name);
  return value;
}

function matrixTensor(matrices, rows) {
  const width = matrices.flat().find(Array.isArray)?.length ?? 0;
  const flat = new Float32Array(rows * width);
  let at = 0;
  for (const row of matrices.flat()) {
    if (!Array.isArray(row) || row.length !== width) throw new NotTensors("logits");
    for (const value of row) flat[at++] = converted(value, Float32Array, "logits");
  }
  if (at !== flat.length) throw new NotTensors("logits");
  return Tensor.of(flat, [rows, width]);
}

function withTokens(metadata, tokens) {
  return tokens === undefined ? metadata : { ...metadata, tokens: JSON.stringify(tokens) };
}

/// Columnar JSON: nested lists by the tensors' names.
function columnar(request) {
  const tensors = new Map();
  for (const [name, value] of Object.entries(request)) {
    if (name === "options" || name === "tokens") continue;
    if (!Array.isArray(value)) throw new NotTensors(name);
    if (name === "group_ids") groups(value, tensors);
    else tensors.set(name, nested(name, value));
  }
  return { tensors };
}

function nested(name, value) {
  const shape = [];
  for (let at = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  const flat = value.flat(shape.length - 1);
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (flat.length !== size || flat.some(Array.isArray)) throw new NotTensors(name);
  const make = /_mask$/.test(name)
    ? Uint8Array
    : /^(token_ids)$/.test(name)
      ? BigInt64Array
      : name === "cu_seqlens"
        ? Int32Array
        : name === "rewards"
          ? Float64Array
          : Float32Array;
  return Tensor.of(
    make.from(flat, (item) => converted(item, make, name)),
    shape,
  );
}
