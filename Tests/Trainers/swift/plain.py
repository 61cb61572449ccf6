"""ms-swift's trainer with the perception loss written out in the process: what the adapter is compared with.

It shares nothing with the adapter: pictures are resized by qwen_vl_utils, each rollout's for itself, the model is called
as transformers has it, and losses are those of `in_process`. The views alone come from the server, whose pixels are the
point of departure.
"""

import torch
from PIL import Image
from qwen_vl_utils import fetch_image
from swift.rlhf_trainers import GRPOTrainer

import in_process

RECIPES = {
    "cppo-verl": {"preserving": "cppo-preserving", "removing": "cppo-removing"},
    "papo-g": {"removing": "papo-removing"},
    "vppo": {"removing": "vppo-removing"},
    "bips-consistency": {"preserving": "cppo-preserving"},
}


class PlainGRPO(GRPOTrainer):
    """`settings`: preset, coefficient, options; `client` makes the views."""

    client, settings = None, {}

    @property
    def preset(self):
        return self.settings.get("preset", "cppo-verl")

    def pixels(self, sample, view):
        """What the model gets of one rollout's pictures under a view."""
        files = [x["path"] if isinstance(x, dict) else x for x in sample.images]
        small = [fetch_image({"image": Image.open(file).convert("RGB")}) for file in files]
        seed = (self.settings.get("seed", 0) << 32) + self.state.global_step
        seen = [self.client.views([x], seed, {view: RECIPES[self.preset][view]})[view][0] for x in small]
        return self.template.processor.image_processor(images=seen, return_tensors="pt", do_resize=False)["pixel_values"]

    def _prepare_batch_inputs(self, samples):
        batches = super()._prepare_batch_inputs(samples)
        if self.model.training:
            for chunk, batch in zip(self.split_by_mini_batches(samples), batches, strict=True):
                batch["pictured"] = torch.tensor([bool(s.images) for s in chunk])
                pictured = [s for s in chunk if s.images]
                for view in RECIPES[self.preset] if pictured else ():
                    batch[view] = torch.cat([self.pixels(s, view) for s in pictured])
        return batches

    def _postprocess_batch(self, samples, batches):
        super()._postprocess_batch(samples, batches)
        if not self.model.training:
            return
        first = self.accelerator.process_index * len(samples)
        rewards = iter(self._rewards_per_func.sum(1)[first : first + len(samples)])
        for batch in batches:
            signals = batch["grpo_batch"]
            batch["advantages"] = signals.advantages
            batch["rewards"] = torch.stack([next(rewards) for _ in batch["pictured"]])
        scaled = self.settings.get("options", {}).get("advantage_shaping") == "dependency"
        if self.preset == "vppo" or scaled:
            self.shape(batches, all_tokens=scaled)

    def shape(self, batches, all_tokens):
        """VPPO's tokens and factors, over all rollouts of this rank; or its factors alone."""
        with torch.no_grad():
            said = [[self.said(self.model, b, v)[0] for v in ("original", "removing")] for b in batches]
        masks = [b["grpo_batch"].completion_mask & b["pictured"][:, None] for b in batches]
        length = max(m.shape[1] for m in masks)
        old, removing, mask = (
            torch.cat([torch.nn.functional.pad(x, (0, length - x.shape[1])) for x in pieces])
            for pieces in ([s[0] for s in said], [s[1] for s in said], masks)
        )
        chosen, scale = in_process.vppo_shaping(old, removing, mask)
        chosen |= all_tokens
        row = 0
        for batch in batches:
            signals, rows = batch["grpo_batch"], slice(row, row + len(batch["pictured"]))
            positions = signals.completion_mask.shape[1]
            kept = chosen[rows, :positions] | ~batch["pictured"][:, None]
            signals.advantages = signals.advantages * scale[rows, None] * kept
            row = rows.stop

    def said(self, model, batch, view):
        """Log-probabilities and entropies [B,T] of the response under one view."""
        own, positions = batch["model_inputs"], batch["grpo_batch"].completion_mask.shape[1]
        given = {**own, "pixel_values": batch[view]} if view in batch else dict(own)
        logits = model(**given | {"logits_to_keep": 0, "use_cache": False}).logits[:, -positions - 1 : -1] / self.temperature
        logs = logits.float().log_softmax(-1)
        ids = own["input_ids"][:, -positions:]
        return logs.gather(-1, ids[..., None])[..., 0], -(logs.exp() * logs).sum(-1)

    def compute_loss(self, model, inputs, *rest, **named):
        loss = super().compute_loss(model, inputs, *rest, **named)
        batch = inputs[0] if isinstance(inputs, list) else inputs
        if not self.model.training:
            return loss
        said = {view: self.said(model, batch, view) for view in ("original", *RECIPES[self.preset])}
        mask = batch["grpo_batch"].completion_mask & batch["pictured"][:, None]
        option = {k: v for k, v in self.settings.items() if k == "coefficient"}
        # The Trainer divides what is returned by the micro-batches of a step.
        return loss + in_process.loss(
            self.preset, {v: s[0] for v, s in said.items()}, {v: s[1] for v, s in said.items()}, mask,
            batch["advantages"], batch["rewards"], **option)  # fmt: skip
