"""TRL's trainers with the perception loss written out in the process: what the adapter is compared with.

It shares nothing with the adapter: pictures are resized by torchvision, the model is called as transformers has it, and
losses are those of `in_process`. The views alone come from the server, whose pixels are the point of departure.
"""

import torch
from torchvision.transforms.v2 import functional as resizing
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize
from trl import GRPOTrainer, RLOOTrainer

import in_process

RECIPES = {
    "cppo-verl": {"preserving": "cppo-preserving", "removing": "cppo-removing"},
    "papo-g": {"removing": "papo-removing"}, "vppo": {"removing": "vppo-removing"},
    "bips-consistency": {"preserving": "cppo-preserving"}, "bips-separation": {"removing": "cppo-removing"},
}  # fmt: skip


class Plain:
    """Before a trainer of TRL. `perception`: the client that makes views; `perception_settings`: preset, coefficient, mode, options."""

    perception, perception_settings = None, {}

    @property
    def preset(self):
        return self.perception_settings.get("preset", "cppo-verl")

    @property
    def scaled(self):
        """Whether options scale the advantages as vppo does, and leave out no token."""
        return self.perception_settings.get("options", {}).get("advantage_shaping") == "dependency"

    def views(self, pictures, processor):
        """Pixels for the model of each picture under each view, after the processor's resize."""
        images = processor.image_processor
        small = []
        for picture in pictures:
            height, width = smart_resize(
                picture.height, picture.width, 28, images.size["shortest_edge"], images.size["longest_edge"])  # fmt: skip
            pixels = resizing.pil_to_tensor(picture.convert("RGB"))
            small.append(resizing.resize(pixels, [height, width], resizing.InterpolationMode.BICUBIC, antialias=True))
        seed = (self.perception_settings.get("seed", 0) << 32) + self.state.global_step
        made = self.perception.views(small, seed, RECIPES[self.preset])
        return {
            view: [images(images=[x], do_resize=False, return_tensors="pt")["pixel_values"] for x in made[view]] for view in made
        }

    def _generate(self, *rest, **named):
        """TRL 1.16 writes None for the pictures of a row that has none, and cannot read it."""
        made = super()._generate(*rest, **named)
        pictured = [isinstance(x, list) and any(isinstance(y, list) and y and hasattr(y[0], "getbands") for y in x) for x in made]
        return tuple([y or [] for y in x] if pictures else x for x, pictures in zip(made, pictured, strict=True))

    def _calculate_rewards(self, inputs, *rest, **named):
        rewards = super()._calculate_rewards(inputs, *rest, **named)
        first = self.accelerator.process_index * len(inputs)
        self.own_rewards = rewards.sum(1)[first : first + len(inputs)]
        return rewards

    def _generate_and_score_completions(self, inputs):
        batch = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return batch
        of_row = [row["images"] or [] for row in inputs]
        flat = [x for images in of_row for x in images]
        made = self.views(flat, self.processing_class) if flat else {}
        for view in RECIPES[self.preset]:
            items = iter(made.get(view, []))
            batch[f"plain.{view}"] = [torch.cat([next(items) for _ in images] or [torch.empty(0, 1176)]) for images in of_row]
        batch["plain.pictured"] = torch.tensor([bool(images) for images in of_row])
        batch["plain.rewards"] = self.own_rewards
        batch["plain.advantages"] = batch["advantages"]
        if self.preset == "vppo" or self.scaled:
            with torch.no_grad():
                old, removing = (self.said(self.model, batch, view)[0] for view in ("original", "removing"))
            mask = batch["completion_mask"].bool() & batch["plain.pictured"][:, None]
            chosen, scale = in_process.vppo_shaping(old, removing, mask)
            chosen |= self.scaled
            wide = (batch["advantages"] * scale)[:, None] * (chosen | ~batch["plain.pictured"][:, None])
            batch["advantages"] = wide
        return batch

    def said(self, model, batch, view):
        """Log-probabilities and entropies [B,T] of the completion under one view."""
        ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
        given = {"input_ids": ids, "attention_mask": torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)}
        if batch.get("pixel_values") is not None and len(batch["pixel_values"]):
            pixels = batch["pixel_values"] if view == "original" else torch.cat(batch[f"plain.{view}"])
            given |= {"pixel_values": pixels, "image_grid_thw": batch["image_grid_thw"], "mm_token_type_ids": batch["mm_token_type_ids"]}
        length = batch["completion_ids"].shape[1]
        logits = model(**given).logits[:, -length - 1 : -1].float() / self.args.temperature
        logs = logits.log_softmax(-1)
        return logs.gather(-1, batch["completion_ids"][..., None])[..., 0], -(logs.exp() * logs).sum(-1)

    def _compute_loss(self, model, batch):
        loss = super()._compute_loss(model, batch)
        if not self.model.training:
            return loss
        said = {view: self.said(model, batch, view) for view in ("original", *RECIPES[self.preset])}
        if self.perception_settings.get("mode") == "detached":
            # One update of each batch of rollouts: the policy is the one that sampled.
            said = {view: s if view == "original" else (s[0].detach(), s[1]) for view, s in said.items()}
        mask = batch["completion_mask"].bool() & batch["plain.pictured"][:, None]
        option = {k: v for k, v in self.perception_settings.items() if k == "coefficient"}
        added = in_process.loss(
            self.preset, {v: s[0] for v, s in said.items()}, {v: s[1] for v, s in said.items()}, mask,
            batch["plain.advantages"], batch["plain.rewards"], **option)  # fmt: skip
        # TRL's GRPO divides for itself by the micro-batches of a step, its RLOO leaves that to the Trainer.
        return loss + added / (1 if isinstance(self, RLOOTrainer) else self.current_gradient_accumulation_steps)


class PlainGRPO(Plain, GRPOTrainer):
    pass


class PlainRLOO(Plain, RLOOTrainer):
    pass
