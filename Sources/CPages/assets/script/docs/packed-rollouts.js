// Rollouts of different lengths as the client's packed tensors: all sequences one after another, `cu_seqlens` between them.

const VIEWS = ["original", "preserving", "removing", "old", "reference"];
const PER_TOKEN = ["response_mask", "perception_mask", "token_ids", "advantages"];
const PER_SEQUENCE = { advantage: "advantages", reward: "rewards", group_id: "group_ids", has_views: "has_views" };

/// The columnar body that says the same, or null where these rollouts have members that tensors don't: engines' replies,
/// tokens' texts, masks of some rollouts only.
export function packedRollouts({ rollouts }) {
  if (!Array.isArray(rollouts) || rollouts.length === 0) return null;
  const flat = rollouts.map(flattened);
  if (flat.some((each) => each === null)) return null;
  const names = Object.keys(flat[0]);
  if (flat.some((each) => Object.keys(each).length !== names.length || names.some((name) => !(name in each)))) return null;
  const body = {};
  for (const name of names) {
    body[PER_SEQUENCE[name] ?? name] = flat.flatMap((each) => (name in PER_SEQUENCE ? [each[name]] : each[name]));
  }
  const perToken = names.find((name) => !(name in PER_SEQUENCE));
  // Rewards and groups alone have no tokens to pack.
  if (perToken) {
    body.cu_seqlens = [0];
    for (const each of flat) body.cu_seqlens.push(body.cu_seqlens.at(-1) + each[perToken].length);
  }
  return body;
}

function flattened(rollout) {
  const found = {};
  for (const [name, value] of Object.entries(rollout)) {
    if (name === "id") continue;
    if (name in PER_SEQUENCE) found[name] = value;
    else if (PER_TOKEN.includes(name)) found[name] = value;
    else if (VIEWS.includes(name)) {
      for (const [quantity, list] of Object.entries(value)) {
        if (!Array.isArray(list)) return null;
        found[`${name}.${quantity}`] = list;
      }
    } else return null;
  }
  return found;
}
