"""A request's tensors in float64: flat over tokens, advantages spread over them, domains minded."""

import math

import torch

from groups import group_advantages

VIEWS = ("original", "preserving", "removing")


def double(tensor):
    return tensor.detach().to(torch.float64)


class Batch:
    """The request's tensors in float64, flattened over tokens. What stands outside the response is 0."""

    def __init__(self, tensors, options):
        self.tensors, self.options = tensors, options
        self.packed = "cu_seqlens" in tensors
        per_token = (".log_probs", ".logits", ".entropy")
        shaped = next(t for n, t in tensors.items() if n.endswith(per_token))
        if self.packed:
            bounds = tensors["cu_seqlens"].tolist()
            self.rows = list(zip(bounds[:-1], bounds[1:]))
            self.shape = list(shaped.shape[:1])
            self.longest = max([end - start for start, end in self.rows], default=0)
        else:
            count, length = shaped.shape[:2]
            self.rows = [(b * length, (b + 1) * length) for b in range(count)]
            self.shape = [count, length]
            self.longest = length
        self.tokens = math.prod(self.shape)
        self.response = self.flat("response_mask", torch.bool)
        if self.response is None:
            self.response = torch.ones(self.tokens, dtype=torch.bool)
        # Response tokens of rows that have views.
        self.viewed = self.response.clone()
        if "has_views" in tensors:
            self.viewed &= self.per_row(tensors["has_views"]) == 1
        self.ids = self.flat("token_ids", torch.int64)
        if self.ids is not None:
            self.ids[~self.response] = 0
        self.given_mask = self.flat("perception_mask", torch.bool)
        self.logits = {v: self.vocabulary(v) for v in VIEWS if v + ".logits" in tensors}
        self.log_probs = self.quantities("log_probs", (*VIEWS, "old"))
        self.entropy = self.quantities("entropy", VIEWS)
        self.advantages = self.advantage_per_token()

    def flat(self, name, dtype):
        tensor = self.tensors.get(name)
        return None if tensor is None else tensor.detach().to(dtype).reshape(self.tokens).clone()

    def said_of(self, view):
        """The response tokens that a view says something of."""
        return self.viewed if view in VIEWS[1:] else self.response

    def vocabulary(self, view):
        tensor = self.tensors[view + ".logits"]
        rows = double(tensor).reshape(self.tokens, tensor.shape[-1]).clone()
        rows[~self.said_of(view)] = 0.0
        return rows

    def quantities(self, kind, owners):
        found = {}
        for owner in owners:
            values = self.flat(f"{owner}.{kind}", torch.float64)
            if values is not None:
                values[~(self.viewed if kind == "entropy" else self.said_of(owner))] = 0.0
                found[owner] = values
        return found

    def entropy_of(self, view):
        """Given or of the logits; a residue of rounding below 0 counts as 0."""
        if view in self.entropy:
            return self.entropy[view].clamp(min=0)
        return entropy(self.logits[view] / self.options["temperature"])

    def per_row(self, name):
        """One number for each row, spread over its tokens."""
        spread = torch.zeros(self.tokens, dtype=torch.float64)
        for (start, end), value in zip(self.rows, double(name).tolist()):
            spread[start:end] = value
        return spread

    def advantage_per_token(self):
        given = self.tensors.get("advantages")
        if given is None and "group_ids" in self.tensors:
            groups = self.tensors["group_ids"].tolist()
            given = group_advantages(double(self.tensors["rewards"]).tolist(), groups, "grpo")
        if given is None:
            return None
        if self.packed and len(given) == len(self.rows) or list(given.shape) != self.shape:
            return self.per_row(given)
        return double(given).reshape(self.tokens)


def log_softmax(logits):
    return logits - torch.logsumexp(logits, dim=-1, keepdim=True)


def entropy(logits):
    """−Σ p·log p, in which p = 0 contributes nothing."""
    log_p = log_softmax(logits)
    return -torch.where(log_p.isneginf(), 0.0, log_p.exp() * log_p).sum(-1)
