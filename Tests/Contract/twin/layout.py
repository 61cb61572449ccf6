"""The request's tensors flat over tokens, padded or packed."""

import numpy as np

from .advantages import advantages
from .options import VIEWS
from .statistics import statistics

PER_TOKEN = (".log_probs", ".logits", ".entropy")


class Layout:
    """rows: (start, end) of each sequence; response, viewed: bool over tokens, viewed the response of rows with views.

    All values outside the response are 0, and those of the perturbed views outside the viewed.
    """

    def __init__(self, tensors, temperature):
        self.tensors, self.temperature = tensors, temperature
        first = np.asarray(next(v for k, v in tensors.items() if k.endswith(PER_TOKEN)))
        if "cu_seqlens" in tensors:
            edges = [int(e) for e in tensors["cu_seqlens"]]
            self.rows, self.tokens = list(zip(edges[:-1], edges[1:])), first.shape[0]
            self.longest = max([end - start for start, end in self.rows], default=0)
        else:
            count, length = first.shape[:2]
            self.rows = [(b * length, (b + 1) * length) for b in range(count)]
            self.tokens, self.longest = count * length, length
        given = tensors.get("response_mask", np.ones(self.tokens))
        self.response = np.asarray(given).reshape(self.tokens).astype(bool)
        self.viewed = self.response & (self.spread(tensors.get("has_views", np.ones(len(self.rows)))) == 1)
        ids = np.asarray(tensors.get("token_ids", np.zeros(self.tokens, int))).reshape(self.tokens)
        self.ids = np.where(self.response, ids, 0)
        self.log_p = {v: self.rows_of_logits(v) for v in VIEWS if f"{v}.logits" in tensors}
        self.read = {}

    def mask(self, view):
        return self.viewed if view in VIEWS[1:] else self.response

    def flat(self, name):
        view, kind = name.split(".")
        where = self.viewed if kind == "entropy" else self.mask(view)
        return np.where(where, np.asarray(self.tensors[name], np.float64).reshape(self.tokens), 0)

    def rows_of_logits(self, view):
        raw = np.asarray(self.tensors[f"{view}.logits"], np.float64)
        raw = np.where(self.mask(view)[:, None], raw.reshape(self.tokens, raw.shape[-1]), 0) / self.temperature
        return raw - statistics(raw)["log_sum_exp"][:, None]

    def entropy(self, view):
        if f"{view}.entropy" in self.tensors:
            return np.maximum(self.flat(f"{view}.entropy"), 0)
        return -(np.exp(self.log_p[view]) * np.where(np.isneginf(self.log_p[view]), 0, self.log_p[view])).sum(-1)

    def given(self, view):
        return f"{view}.log_probs" in self.tensors

    def realised(self, view):
        """Log-probabilities of the realised tokens; what was read is remembered for the diagnostics."""
        if view not in self.read:
            if self.given(view):
                self.read[view] = self.flat(f"{view}.log_probs")
            else:
                self.read[view] = np.take_along_axis(self.log_p[view], self.ids[:, None], -1)[:, 0]
        return self.read[view]

    def spread(self, values):
        """A number for each row, repeated over its tokens."""
        parts = [np.full(end - start, v) for v, (start, end) in zip(np.asarray(values, np.float64), self.rows)]
        return np.concatenate(parts or [np.zeros(0)])

    def token_advantages(self):
        if "advantages" not in self.tensors:
            rewards, groups = self.tensors["rewards"], np.asarray(self.tensors["group_ids"]).tolist()
            return self.spread(advantages(rewards, groups))
        given = np.asarray(self.tensors["advantages"], np.float64)
        return self.spread(given) if given.shape == (len(self.rows),) else given.reshape(self.tokens)
