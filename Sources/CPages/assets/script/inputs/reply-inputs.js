// A reply of /v1/score: what it says can be looked at, and nothing asked anew, since it holds no inputs.
import { Tensor } from "../common/safetensors.js";
import { Batch, offsetsOf } from "../heat-map/batch.js";
import { Layout, layoutOf } from "./layout.js";
import { tensorsOfJSONReply } from "./reply.js";
import { withReply } from "./scored.js";
import { parsed, textsFor } from "./token-texts.js";

export class ReplyInputs {
  constructor({ tensors, result, tokens = null, names = null, label }) {
    this.label = label;
    this.canScore = false;
    this.options = result.options ?? {};
    this.result = result;
    const layout = packedByCounts(layoutOf(tensors), result);
    const texts = textsFor(tokens, layout);
    this.notes = ["A reply holds no inputs: drop the request to change options."];
    const rows = layout.rows;
    const plain = new Batch({
      names: names ?? Array.from({ length: rows }, (_, row) => `rollout ${row}`),
      offsets: layout.offsets,
      texts,
    });
    this.batch = withReply(plain, layout, tensors, this.options);
  }

  static ofTensors({ tensors, metadata }, label) {
    const result = parsed(metadata.result) ?? {};
    return new ReplyInputs({ tensors, result, tokens: parsed(metadata.tokens) ?? result.tokens ?? null, label });
  }

  static ofJSON(reply, label) {
    const rollouts = Array.isArray(reply.rollouts) ? reply.rollouts : null;
    const tokens = rollouts?.every((rollout) => Array.isArray(rollout.tokens))
      ? rollouts.map((rollout) => rollout.tokens)
      : reply.tokens;
    return new ReplyInputs({
      tensors: tensorsOfJSONReply(reply, Tensor),
      result: reply,
      tokens,
      label,
      names: rollouts?.map((rollout, row) => (rollout.id === undefined ? `rollout ${row}` : String(rollout.id))),
    });
  }

  async score() {
    return { batch: this.batch, result: this.result, timing: null };
  }
}

/// A packed reply names no rows: where the counts of its sequences add up to all tokens, they are the rows.
function packedByCounts(layout, result) {
  const counts = result.diagnostics?.sequences?.map((sequence) => sequence.tokens);
  if (layout.rows !== 1 || !counts || counts.length < 2) return layout;
  return counts.reduce((sum, count) => sum + count, 0) === layout.length
    ? new Layout([...offsetsOf(counts)].slice(0, -1), counts)
    : layout;
}
