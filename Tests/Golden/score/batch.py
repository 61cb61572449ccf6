"""A request's tensors in float64: flat over tokens, advantages spread over them, entropies of logits where none are sent."""

import math

import torch

VIEWS = ("original", "preserving", "removing")


def double(tensor):
    return tensor.detach().to(torch.float64)


class Batch:
    """The request's tensors in float64, flattened over tokens."""

    def __init__(self, tensors, options):
        self.packed = "cu_seqlens" in tensors
        shaped = next(t for n, t in tensors.items() if n.endswith((".log_probs", ".logits")))
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
        self.response = self.flat(tensors.get("response_mask"), torch.bool)
        if self.response is None:
            self.response = torch.ones(self.tokens, dtype=torch.bool)
        self.logits = {
            v: self.vocabulary(tensors[v + ".logits"]) for v in VIEWS if v + ".logits" in tensors
        }
        self.ids = self.flat(tensors.get("token_ids"), torch.int64)
        self.log_probs = {
            v: self.flat(tensors[v + ".log_probs"], torch.float64) for v in VIEWS if v + ".log_probs" in tensors
        }
        self.entropy = {
            v: self.flat(tensors[v + ".entropy"], torch.float64) for v in VIEWS if v + ".entropy" in tensors
        }
        for held in (self.logits, self.log_probs, self.entropy):
            for tensor in held.values():
                tensor[~self.response] = 0.0
        temperature = options["temperature"]
        for view, logits in self.logits.items():
            if view not in self.entropy:
                self.entropy[view] = entropy(logits / temperature)
        self.advantages = self.advantage_per_token(tensors)

    def flat(self, tensor, dtype):
        return None if tensor is None else tensor.detach().to(dtype).reshape(self.tokens).clone()

    def vocabulary(self, tensor):
        return double(tensor).reshape(self.tokens, tensor.shape[-1]).clone()

    def advantage_per_token(self, tensors):
        if "rewards" in tensors:
            per_row = group_advantages(double(tensors["rewards"]), tensors["group_ids"].tolist(), "grpo")
        elif "advantages" in tensors:
            given = double(tensors["advantages"])
            if list(given.shape) == self.shape:
                return given.reshape(self.tokens)
            per_row = given
        else:
            return None
        spread = torch.zeros(self.tokens, dtype=torch.float64)
        for (start, end), value in zip(self.rows, per_row.tolist()):
            spread[start:end] = value
        return spread


def group_advantages(rewards, groups, method, epsilon=1e-6):
    """grpo (r − mean)/(s + ε), s with n − 1; dr_grpo r − mean; rloo r − mean of the others. One alone: 0."""
    result = torch.zeros_like(rewards)
    for group in sorted(set(groups)):
        members = [i for i, g in enumerate(groups) if g == group]
        if len(members) == 1:
            continue
        own = rewards[members]
        if method == "rloo":
            for i in members:
                result[i] = rewards[i] - rewards[[j for j in members if j != i]].mean()
        else:
            result[members] = own - own.mean()
            if method == "grpo":
                result[members] /= own.std(unbiased=True) + epsilon
    return result


def log_softmax(logits):
    return logits - torch.logsumexp(logits, dim=-1, keepdim=True)


def entropy(logits):
    """−Σ p·log p, in which p = 0 contributes nothing."""
    log_p = log_softmax(logits)
    return -torch.where(log_p.isneginf(), 0.0, log_p.exp() * log_p).sum(-1)
