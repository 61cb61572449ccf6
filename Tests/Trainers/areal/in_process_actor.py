"""AReaL's actor with the perception loss in plain PyTorch inside the loss function, as CPPO's authors have it."""

import torch
from areal.engine.fsdp_engine import FSDPPPOActor

import in_process

COLUMN = "multi_modal_input_view_"
VIEWS = {"cppo-verl": ("preserving", "removing"), "cppo-areal": ("preserving", "removing"), "papo-g": ("removing",), "vppo": ()}


class InProcessActor(FSDPPPOActor):
    preset = "cppo-verl"  # None: the policy loss alone
    scaled = False  # whether advantages are scaled as vppo's, and no token is left out
    ranks = 1  # vppo's scale is of a rank's rows, which is every so many trajectories

    def compute_advantages(self, data):
        scaled = self.scaled and self.preset is not None
        if self.preset != "vppo" and not scaled:
            return super().compute_advantages(data)
        old = [one["prox_logp"].clone() for one in data]
        removing = self.compute_logp([under_removing(one) for one in data])
        pictured = [torch.tensor([bool(entry) for entry in one[COLUMN + "removing"]]) for one in data]
        found = super().compute_advantages(data)
        for rank in range(self.ranks):
            shape(*(column[rank :: self.ranks] for column in (found, old, removing, pictured)), scaled)
        return found

    def _prepare_mb_inputs(self, mb_item):
        padded = mb_item.padded_mb
        self.entries = {k.removeprefix(COLUMN): padded.pop(k) for k in list(padded) if k.startswith(COLUMN)}
        return super()._prepare_mb_inputs(mb_item)

    def _compute_logprobs_and_loss(self, logits, ctx, loss_fn, *more, **named):
        def both(log_probs, entropy, batch, **rest):
            loss = loss_fn(log_probs, entropy, batch, **rest)
            assert {len(e) for e in self.entries.values()} == {1}, "one row a micro-batch"
            if not torch.is_grad_enabled() or self.preset is None or not all(e[0] for e in self.entries.values()):
                return loss
            passes = {"original": (log_probs, entropy)}
            for view in VIEWS[self.preset]:
                inputs = ctx.model_inputs | {"pixel_values": self.entries[view][0]["pixel_values"]}
                seen = self._compute_logprobs_entropy(self.model(**inputs).logits.squeeze(0), ctx.model_inputs, 0)
                passes[view] = tuple(x[: len(log_probs)] for x in seen)
            return loss + in_process.loss(
                self.preset, {v: p[0][None] for v, p in passes.items()}, {v: p[1][None] for v, p in passes.items()},
                batch["loss_mask"].bool()[None], batch["advantages"][None])

        return super()._compute_logprobs_and_loss(logits, ctx, both, *more, **named)


def shape(trajectories, old, removing, pictured, all_tokens):
    """Change the advantages of one rank's trajectories."""
    pictured = torch.cat(pictured)
    mask = padded([one["loss_mask"] for one in trajectories]).bool() & pictured[:, None]
    tokens, scale = in_process.vppo_shaping(padded(old), padded(removing), mask)
    tokens |= all_tokens
    factors = torch.where(pictured[:, None], tokens * scale[:, None], 1)
    for one, factor in zip(trajectories, factors.split([len(one["loss_mask"]) for one in trajectories]), strict=True):
        one["advantages"] = one["advantages"] * factor[:, : one["advantages"].shape[1]]


def under_removing(one):
    """A trajectory with the removing views in place of its pictures."""
    views = [entry and {"pixel_values": entry["pixel_values"]} for entry in one[COLUMN + "removing"]]
    return one | {"multi_modal_input": [own | view for own, view in zip(one["multi_modal_input"], views, strict=True)]}


def padded(parts):
    """[b,S] of each trajectory as one [B,longest S]."""
    return torch.nn.utils.rnn.pad_sequence([row for part in parts for row in part], batch_first=True)
