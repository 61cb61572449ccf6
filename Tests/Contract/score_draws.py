"""Random requests to /v1/score that are in order: options that all act on something, and the tensors they need.

Which views and tensors a request needs is decided here, apart from the server: tensors that nothing needs are left out.
"""

import numpy as np

import twin
import wire

SAMPLED = ("k1", "abs", "k2", "k3", "symmetric")
AGGREGATIONS = (
    "token-mean", "token-mean", "token-sum", "seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm")


class Request:
    """tensors: {name: wire.Stored}; from_logits: whether some number is computed from logits."""

    def __init__(self, random, log_probs_only=False):
        self.random = random
        self.from_logits = not log_probs_only and bool(random.random() < 0.45)
        self.options = {}
        if random.random() < 0.9:
            self.options["preset"] = self.one(list(twin.PRESETS))
        self.draw_terms()
        self.draw_detector()
        self.draw_loss()
        self.draw_shaping()
        self.tensors = {}
        self.draw_tensors()
        if random.random() < 0.3:
            self.draw_return()
        if self.differentiated:
            self.some(0.2, "result_type", "BF16")

    def one(self, values):
        return values[int(self.random.integers(len(values)))]

    def number(self, low, high):
        return round(float(self.random.uniform(low, high)), 4)

    def some(self, probability, name, value):
        """The option, with a probability; `value` is called only then."""
        if self.random.random() < probability:
            self.options[name] = value() if callable(value) else value

    @property
    def o(self):
        return twin.resolve(self.options)

    @property
    def full(self):
        return self.o["estimator"] in twin.FULL_VOCABULARY

    @property
    def distances(self):
        """Pairs whose divergence is asked for."""
        pairs = [(t["anchor"], t["reference"]) for t in self.o["terms"]]
        if self.o["detector"] == "divergence" or self.o["advantage_shaping"] == "dependency":
            pairs.append(("original", "removing"))
        return pairs

    @property
    def differentiated(self):
        views = {v for t in self.o["terms"] for v in (t["anchor"], t["reference"])}
        return views | (set(self.o["entropy_coefficients"]) if self.o["gradient_of"] == "objective" else set())

    def draw_terms(self):
        def own():
            terms = []
            for _ in range(self.random.integers(1, 6)):
                anchor, reference = (str(v) for v in self.random.permutation(twin.VIEWS)[:2])
                terms.append({"anchor": anchor, "reference": reference})
                if self.random.random() < 0.8:
                    terms[-1]["weight"] = self.one([-1, 1]) * self.number(0.1, 2)
            return terms

        self.some(0.55, "terms", own)
        self.some(0.3, "detector", lambda: self.one(["entropy", "divergence", "none", "given"]))
        if self.o["detector"] == "divergence" or self.o["terms"]:
            known = [e for e in SAMPLED + twin.FULL_VOCABULARY if self.from_logits or e in SAMPLED]
            self.some(0.7, "estimator", lambda: self.one(known))
        if self.full and not self.from_logits or self.full and self.o["advantage_shaping"] == "dependency":
            self.options["estimator"] = self.one(SAMPLED)

    def draw_detector(self):
        ranks = self.o["detector"] in ("entropy", "divergence")
        if ranks:
            self.some(0.5, "top_k_ratio", lambda: self.one([0.1, 0.29, 0.3, 0.5, 0.7, 1.0]))
            self.some(0.4, "quota", lambda: self.one(["floor", "ceil"]))
            self.some(0.4, "scope", lambda: self.one(["sequence", "segment"]))
            self.some(0.4, "ties", lambda: self.one(["all", "first"]))
        if self.o["detector"] == "divergence":
            self.some(0.5, "candidates", lambda: self.one(["all", "rising"]))
        if self.o["detector"] == "entropy":
            self.some(0.4, "score", lambda: self.one(["relative", "absolute"]))
            if self.o["score"] == "relative":
                self.some(0.2, "epsilon", lambda: self.number(0.001, 0.5))
            self.some(0.3, "min_delta_entropy", lambda: self.number(0, 0.5))
        self.some(0.5, "gate", lambda: self.one(["none", "positive_advantage", "reward"]))
        if self.o["gate"] != "none":
            self.some(0.3, "gate_threshold", lambda: self.number(-0.5, 1))
        if self.distances:
            if not self.full:
                self.some(0.3, "clamp_input", lambda: self.one([None, 0.3, 1.0, 4.0]))
            self.some(0.3, "clamp_result", lambda: self.one([None, 0.05, 0.5, 3.0]))

    def draw_loss(self):
        if self.o["terms"]:
            self.some(0.4, "loss", lambda: self.one(["infonce", "margin"]))
            if self.o["loss"] == "infonce":
                self.some(0.5, "tau", lambda: self.one([0.05, 0.3, 1.0, 2.0]))
            self.some(0.3, "coefficient", lambda: self.number(-0.5, 1))
            self.some(0.3, "loss_cap", lambda: self.one([None, 0.02, 0.3, 5.0]))
            self.some(0.5, "aggregation", lambda: self.one(AGGREGATIONS))
            if self.o["aggregation"] == "token-sum":
                self.options["denominator"] = self.number(0.5, 50)
            if self.o["aggregation"] == "seq-mean-token-sum-norm":
                self.some(0.5, "norm_length", lambda: self.number(1, 64))
            if self.o["aggregation"].startswith("seq"):
                self.some(0.4, "global_batch_size", lambda: int(self.random.integers(1, 20)))
        if self.random.random() < 0.35:
            views = self.random.permutation(twin.VIEWS)[: self.random.integers(1, 4)]
            self.options["entropy_coefficients"] = {str(v): self.one([-1, 1]) * self.number(0.01, 0.5) for v in views}
        if self.differentiated or self.o["entropy_coefficients"]:
            if self.o["terms"]:
                self.some(0.3, "gradient_of", lambda: self.one(["loss", "objective"]))
            self.some(0.2, "grad_scale", lambda: self.one([-2.0, 0.25, 16.0]))
            views = sorted(self.differentiated)
            self.some(0.3, "stop_gradient", lambda: [v for v in views if self.random.random() < 0.5])

    def draw_shaping(self):
        if not self.full:
            self.some(0.15, "advantage_shaping", "dependency")
        if self.o["advantage_shaping"] == "dependency":
            self.some(0.3, "advantage_floor", lambda: self.number(0, 1))
            self.some(0.2, "dependency_min", lambda: self.number(-0.5, 0.1))
            self.some(0.2, "dependency_max", lambda: self.number(0.5, 2))
            self.some(0.2, "dependency_mean", lambda: self.number(0.1, 0.9))
        if self.from_logits:
            self.some(0.4, "temperature", lambda: self.number(0.5, 2))

    def draw_tensors(self):
        random, o = self.random, self.o
        count, longest = int(random.integers(1, 5)), int(random.integers(1, 18))
        lengths = [int(n) for n in random.integers(0, longest + 1, count)]
        packed = random.random() < 0.4
        shape = (sum(lengths),) if packed else (count, longest)
        floats = self.one(["F32", "F32", "F64", "BF16"])
        if packed:
            self.tensors["cu_seqlens"] = wire.Stored.of(np.cumsum([0, *lengths]).astype(np.int32))
        if not packed or random.random() < 0.5:
            response = random.random(shape) < self.one([0.6, 0.9, 1.0])
            self.tensors["response_mask"] = wire.Stored.of(response.astype(np.uint8))

        realised = set(o["entropy_coefficients"])
        whole = {v for pair in self.distances for v in pair} if self.full else set()
        if not self.full:
            realised |= {v for pair in self.distances for v in pair}
        elif o["detector"] == "divergence" and o["candidates"] == "rising":
            realised |= {"original", "removing"}
        entropic = {"original", "removing"} if o["detector"] == "entropy" else set()
        vocabulary = int(random.integers(2, 18))
        self.policy(shape, vocabulary)
        sent = {v for v in realised if not self.from_logits or v not in whole and random.random() < 0.2}
        sent |= {v for v in realised & whole if random.random() < 0.2}
        shown = {v for v in entropic if not self.from_logits or random.random() < 0.2}
        needed = whole | (realised - sent) | (entropic - shown)
        for view in needed:
            self.put(f"{view}.logits", self.logits[view], floats)
        if realised - sent:
            self.tensors["token_ids"] = wire.Stored.of(random.integers(0, vocabulary, shape))
        for view in sent:
            self.put(f"{view}.log_probs", self.log_probs[view], floats)
        for view in shown:
            self.put(f"{view}.entropy", self.entropy[view], floats)
        self.from_logits = bool(needed)
        if "temperature" in self.options and not needed:
            del self.options["temperature"]
        self.draw_rows(shape, count, o, floats)

    def draw_rows(self, shape, count, o, floats):
        """What comes with rows, and the tensors of detector and shaping."""
        random = self.random
        if self.distances and not self.full and (
                o["detector"] == "divergence" or o["advantage_shaping"] == "dependency") and random.random() < 0.5:
            near = np.minimum(self.log_probs["original"] + random.normal(0, 0.1, shape), 0)
            self.put("old.log_probs", near, floats)
        if o["detector"] == "given":
            self.tensors["perception_mask"] = wire.Stored.of(random.integers(0, 2, shape).astype(np.uint8))
        if o["gate"] == "reward":
            self.put("rewards", random.integers(0, 5, count) / 4, floats)
        if random.random() < 0.3:
            self.draw_rows_without_views(shape, count)
        if o["gate"] == "positive_advantage":
            kind = self.one(["row", "row", "token", "groups"])
            if kind == "groups":
                self.put("rewards", random.integers(0, 5, count) / 4, floats)
                self.tensors["group_ids"] = wire.Stored.of(random.integers(0, 2, count))
            else:
                self.put("advantages", random.normal(0.5, 1, (count,) if kind == "row" else shape), "F32")

    def draw_rows_without_views(self, shape, count):
        """Rows of text alone: what the other views say of them is no number, and is never read."""
        viewed = self.random.integers(0, 2, count)
        self.tensors["has_views"] = wire.Stored.of(viewed.astype(np.uint8))
        if "cu_seqlens" in self.tensors:
            blind = np.repeat(viewed == 0, np.diff(self.tensors["cu_seqlens"].values))
        else:
            blind = np.broadcast_to((viewed == 0)[:, None], shape)
        for name, tensor in self.tensors.items():
            if name.startswith(("preserving.", "removing.")) or name == "original.entropy":
                values = np.array(tensor.values, np.float64)
                values[blind] = np.nan
                self.put(name, values, tensor.dtype)

    def policy(self, shape, vocabulary):
        """Numbers as a policy has them; the removing view is the least certain."""
        random = self.random
        base = random.normal(0, 2, (*shape, vocabulary))
        anchor, entropy = -random.exponential(0.6, shape), random.gamma(1.2, 0.7, shape)
        self.logits = {
            "original": base, "preserving": base + random.normal(0, 0.4, base.shape),
            "removing": 0.4 * base + random.normal(0, 0.7, base.shape)}
        self.log_probs = {
            "original": anchor, "preserving": np.minimum(anchor + random.normal(0, 0.25, shape), 0),
            "removing": np.minimum(anchor - random.exponential(0.8, shape) + 0.3, 0)}
        self.entropy = {
            "original": entropy, "removing": np.maximum(entropy + random.normal(0.25, 0.8, shape), 0)}

    def put(self, name, values, dtype):
        self.tensors[name] = stored(values, dtype)

    def draw_return(self):
        """Names of tensors that this request produces, those that must be named among them."""
        everything = twin.produced(self.values, self.options)
        names = [str(n) for n in self.random.permutation(sorted(everything))]
        kept = set(names[: int(self.random.integers(1, len(names) + 1))])
        if "grad.rows" in kept and not any(n.endswith(".logits") for n in kept):
            kept.discard("grad.rows")
        if kept:
            self.options["return"] = sorted(kept)

    @property
    def values(self):
        return {k: t.values for k, t in self.tensors.items()}


def stored(values, dtype):
    """A tensor of the values rounded to nearest, ties to even."""
    if dtype != "BF16":
        return wire.Stored.of(np.asarray(values).astype(wire.TYPES[dtype]))
    bits = np.asarray(values, np.float32).view(np.uint32)
    bits = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return wire.Stored("BF16", bits.shape, bits.tobytes())
