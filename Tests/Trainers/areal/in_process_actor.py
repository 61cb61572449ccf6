"""AReaL's actor with the perception loss in plain PyTorch inside the loss function, as CPPO's authors have it."""

import torch
from areal.engine.fsdp_engine import FSDPPPOActor

import in_process

COLUMN = "multi_modal_input_view_"
VIEWS = {"cppo-verl": ("preserving", "removing"), "cppo-areal": ("preserving", "removing"), "papo-g": ("removing",)}


class InProcessActor(FSDPPPOActor):
    preset = "cppo-verl"  # None: the policy loss alone

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
