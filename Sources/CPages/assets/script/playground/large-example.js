// A batch of the size that trainers have, made up in the page: to see how the page stands it.
import { Tensor } from "../common/safetensors.js";
import { TensorInputs } from "../inputs/tensor-inputs.js";

const ROWS = 100;
const PLACES = 4096;
const WORDS = (
  "the a of image shows left right red blue green cat dog tree man woman street sign number chart axis bar line value so we see that is " +
  "there are two three four in on under beside text reads answer therefore first then because count each point angle square"
).split(" ");

/// 100 rollouts of up to 4,096 tokens. The same numbers every time.
export function largeExample() {
  let state = 42;
  const random = () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const lengths = Array.from({ length: ROWS }, () => Math.floor(PLACES * (0.6 + 0.4 * random())));
  lengths[0] = PLACES;
  const total = ROWS * PLACES;
  const columns = [
    "original.log_probs",
    "preserving.log_probs",
    "removing.log_probs",
    "original.entropy",
    "removing.entropy",
  ].map((name) => [name, new Float32Array(total)]);
  const [original, preserving, removing, entropy, removed] = columns.map(([, values]) => values);
  const mask = new Uint8Array(total);
  const ids = new Int32Array(total);
  const tokens = [];
  for (let row = 0; row < ROWS; row += 1) {
    const texts = [];
    for (let place = 0; place < lengths[row]; place += 1) {
      const token = row * PLACES + place;
      const sees = random() < 0.18 ? random() * 3 : random() * 0.05;
      mask[token] = 1;
      ids[token] = Math.floor(random() * WORDS.length);
      original[token] = -(random() ** 4) * 3;
      preserving[token] = original[token] - random() ** 3 * 0.3;
      removing[token] = original[token] - sees * random();
      entropy[token] = random() ** 3 * 1.5;
      removed[token] = Math.max(0, entropy[token] + sees - 0.05 * random());
      texts.push(place % 97 === 96 ? ".\n" : ` ${WORDS[ids[token]]}`);
    }
    tokens.push(texts);
  }
  const tensors = new Map(columns.map(([name, values]) => [name, Tensor.of(values, [ROWS, PLACES])]));
  tensors.set("response_mask", Tensor.of(mask, [ROWS, PLACES]));
  tensors.set("token_ids", Tensor.of(ids, [ROWS, PLACES]));
  tensors.set("advantages", Tensor.of(Float32Array.from({ length: ROWS }, () => random() * 3 - 1.2)));
  return {
    inputs: new TensorInputs({
      tensors,
      metadata: { tokens: JSON.stringify(tokens) },
      label: "Made-up numbers, the size of a trainer's batch",
    }),
  };
}
