"""OpenRLHF's trainer with the perception loss in plain PyTorch, weighted by the micro-batch's share of all tokens."""

import torch
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

import in_process

VIEWS = {"cppo-verl": ("preserving", "removing"), "papo-g": ("removing",), "cppo-areal": ("preserving", "removing"),
         "bips-consistency": ("preserving",), "vppo": (), None: ()}  # fmt: skip


class InProcessTrainer(ActorPPOTrainer):
    preset = "cppo-verl"
    scaled = False  # whether advantages are scaled as vppo's, and no token is left out
    ranks = 1  # vppo's scale is of a rank's rows, which is every so many

    def ppo_train(self, kl_ctl):
        if self.preset == "vppo" or (self.scaled and self.preset is not None):
            for rank in range(self.ranks):
                self.shape(self.replay_buffer.items[rank :: self.ranks])
        return super().ppo_train(kl_ctl)

    @torch.no_grad()
    def shape(self, items):
        """vppo's advantages of one rank's rows, or its scale alone; each row is run alone."""
        pictured = torch.tensor([bool(item.mm_train_inputs[0]) for item in items])
        removing = []
        for item in items:
            own = {k: v for k, v in (item.mm_train_inputs[0] or {}).items() if not k.startswith("perception_")}
            if own:
                own["pixel_values"] = item.mm_train_inputs[0]["perception_view_removing"]
            removing.append(self.actor(item.sequences[None], item.action_mask[None], item.attention_mask[None], **own)[0])
        padded = lambda rows: torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)  # noqa: E731
        mask = padded([item.action_mask.bool() for item in items]) & pictured[:, None]
        tokens, scale = in_process.vppo_shaping(padded([item.action_log_probs for item in items]), padded(removing), mask)
        tokens |= self.preset != "vppo"
        for row, item in enumerate(items):
            if pictured[row]:
                item.advantages = item.advantages * scale[row] * tokens[row, : len(item.advantages)]

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
                experience.advantages, experience.rewards)
            share = experience.action_mask.sum() / named["batch_num_tokens"] * named["dp_size"]
            return (found[0] + share * added, *found[1:])

        self.actor.forward, self.actor_loss_fn = forward, loss
        try:
            return super().training_step(experience, kl_ctl, step, loss_batch_info)
        finally:
            del self.actor.forward
            self.actor_loss_fn = own_loss
