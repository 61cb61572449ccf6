// Replies of inference engines, read for the eye: tokens' texts, log-probabilities and likeliest tokens. What is scored is
// the text as it came, which the server reads itself.

/// What a text of JSON is: `vllm`, `sglang`, or null.
export function engineOf(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const choice = Array.isArray(value.choices) ? value.choices[0] : null;
  if ("prompt_logprobs" in value || choice?.prompt_logprobs || choice?.logprobs?.token_logprobs) return "vllm";
  return value.meta_info?.input_token_logprobs || value.meta_info?.input_top_logprobs_val_flat ? "sglang" : null;
}

/// JSON in which objects whose names are numbers keep their order: JavaScript sorts such names otherwise, and vLLM writes
/// the prompt's own token first.
export function parsedInOrder(text) {
  return JSON.parse(text.replace(/"(\d+)"(\s*:\s*\{)/g, '"#$1"$2'));
}

/// The entries of a reply: [{ id, text, logProb, best: [{ id, text, logProb }] }], null where the engine says nothing.
export function entriesOf(text) {
  const reply = parsedInOrder(text);
  if (engineOf(reply) === "sglang") return sglang(reply.meta_info);
  const choice = Array.isArray(reply.choices) ? reply.choices[0] : null;
  const prompt = reply.prompt_logprobs ?? choice?.prompt_logprobs;
  if (prompt) return vllm(prompt, reply.prompt_token_ids ?? choice?.prompt_token_ids);
  return echoed(choice.logprobs, reply.usage, reply.choices.length);
}

const byLogProb = (a, b) => b.logProb - a.logProb;

function vllm(positions, ids) {
  return positions.map((position, place) => {
    if (position === null || typeof position !== "object") return null;
    const best = Object.entries(position).map(([name, said]) => ({
      id: Number(name.replace("#", "")),
      text: said?.decoded_token ?? null,
      logProb: Number(said?.logprob ?? NaN),
    }));
    const own = best.find((entry) => entry.id === ids?.[place]) ?? best[0];
    return own && { ...own, best: best.filter((entry) => entry.logProb > -9000).sort(byLogProb) };
  });
}

function echoed(said, usage, choices) {
  const generated = choices === 1 ? (usage?.completion_tokens ?? 0) : 0;
  const count = said.token_logprobs.length - generated;
  return said.token_logprobs.slice(0, count).map((logProb, place) => ({
    id: null,
    text: said.tokens?.[place] ?? null,
    logProb: Number(logProb ?? NaN),
    best: Object.entries(said.top_logprobs?.[place] ?? {})
      .map(([text, value]) => ({ id: null, text, logProb: value }))
      .sort(byLogProb),
  }));
}

function sglang(meta) {
  const triple = ([logProb, id, text]) => ({ id, text: text ?? null, logProb: Number(logProb ?? NaN) });
  return meta.input_token_logprobs.map((entry, place) => ({
    ...triple(entry),
    best: (meta.input_top_logprobs?.[place] ?? [])
      .filter(([logProb]) => logProb !== null)
      .map(triple)
      .sort(byLogProb),
  }));
}
