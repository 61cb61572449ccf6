"""OpenRLHF's trainer with the perception loss in plain PyTorch, weighted by the micro-batch's share of all tokens."""

import torch
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

import in_process

VIEWS = {"cppo-verl": ("preserving", "removing"), "papo-g": ("removing",), "cppo-areal": ("preserving", "removing"), None: ()}


class InProcessTrainer(ActorPPOTrainer):
    preset = "cppo-verl"

    def training_step(self, experience, kl_ctl, step, loss_batch_info=None):
        own, own_loss = self.actor.forward, self.actor_loss_fn
        seen = {}

        def look(view, args, named, pixels):
            log_probs, output = own(*args, **(named | pixels))
            seen[view] = log_probs, output.entropy[:, -log_probs.shape[1] :]
            return log_probs, output

        def forward(*args, **named):
            views = {k: named.pop(k) for k in list(named) if k.startswith("perception_")}
            named["return_entropy"] = True
            found = look("original", args, named, {})
            for view in VIEWS[self.preset]:
                pixels = {"pixel_values": views[f"perception_view_{view}"]} if views else {}
                look(view, args, named, pixels)
            return found

        def loss(*args, **named):
            found = own_loss(*args, **named)
            rows = torch.tensor([bool(m) for m in experience.mm_train_inputs])
            mask = experience.action_mask & rows[:, None]
            if self.preset is None or not mask.any():
                return found
            added = in_process.loss(
                self.preset, {v: x[0] for v, x in seen.items()}, {v: x[1] for v, x in seen.items()}, mask,
                experience.advantages)
            share = experience.action_mask.sum() / named["batch_num_tokens"] * named["dp_size"]
            return (found[0] + share * added, *found[1:])

        self.actor.forward, self.actor_loss_fn = forward, loss
        try:
            return super().training_step(experience, kl_ctl, step, loss_batch_info)
        finally:
            del self.actor.forward
            self.actor_loss_fn = own_loss
