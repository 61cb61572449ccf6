"""Presets that change the policy loss: replaces the advantages in the replay buffer before OpenRLHF trains with them.

The buffer holds a rank's rollouts, each as an Experience of one row without padding. The actor is still the policy that
sampled. B rollouts, T positions of the longest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from openrlhf.trainer.ppo_utils.experience import make_experience_batch
from openrlhf.utils.vlm_utils import merge_mm_train_inputs
from torch.nn.utils.rnn import pad_sequence

from .. import ranks, shaping
from ..needs import Needs
from ..resizing import PIXELS
from . import views


def shape(trainer: Any) -> None:
    """Replace the advantages in a trainer's replay buffer by those of the preset.

    A row with pictures also gets what the loss needs later: OpenRLHF's own advantages, and the old policy's
    log-probabilities under the views of `Needs.kept`.

    Raises:
        ValueError: a row has pictures and lacks a view.
    """
    wanted: Needs = trainer.wanted
    items = trainer.replay_buffer.items
    said = {"original": [item.action_log_probs for item in items]}
    for view in wanted.old[1:]:
        said[view] = _passes(trainer, items, view)
    carries = [views.carries(item.mm_train_inputs or [None], wanted.others)[0] for item in items]
    own = pad_sequence([item.advantages for item in items], batch_first=True)
    seen = torch.tensor(carries, device=own.device)
    mask = pad_sequence([item.action_mask.bool() for item in items], batch_first=True) & seen[:, None]
    found = shaping.Shape(None, None)
    if bool(seen.any()):
        padded = {view: pad_sequence(rows, batch_first=True) for view, rows in said.items()}
        found = shaping.shape(
            trainer.client, wanted, trainer.perception.loss, log_probs=padded, response_mask=mask
        )
    whole = found.advantages(own, seen, own.shape[1])
    for number, item in enumerate(items):
        if carries[number]:
            kept = {views.OWN: item.advantages}
            kept |= {views.OLD + view: said[view][number] for view in wanted.kept}
            item.mm_train_inputs = [{**item.mm_train_inputs[0], **kept}]
        item.advantages = whole[number, : len(item.advantages)].clone()


def _passes(trainer: Any, items: Sequence[Any], view: str) -> list[torch.Tensor]:
    """Return the actor's log-probabilities of each rollout, without padding, under a view."""
    size = trainer.micro_train_batch_size
    pieces = [items[first : first + size] for first in range(0, len(items), size)]
    found: list[torch.Tensor] = []
    trainer.actor.eval()
    # A forward pass of a sharded actor is a collective: a rank with fewer pieces repeats its last one.
    for number in range(ranks.most(len(pieces))):
        piece = pieces[min(number, len(pieces) - 1)]
        log_probs = _pass(trainer, piece, view)
        if number < len(pieces):
            rows = zip(log_probs, piece, strict=True)
            found += [row[: len(item.advantages)].to(item.advantages.device) for row, item in rows]
    return found


@torch.no_grad()
def _pass(trainer: Any, piece: Sequence[Any], view: str) -> torch.Tensor:
    # As OpenRLHF's training step calls its actor.
    device = torch.cuda.current_device()
    batch = make_experience_batch(list(piece), trainer.args.ds.packing_samples)
    batch.to_device(device)
    inputs, pixels = views.apart(merge_mm_train_inputs(batch.mm_train_inputs or [], device))
    if view in pixels:
        inputs[PIXELS] = pixels[view]
    log_probs: torch.Tensor = trainer.actor(
        batch.sequences,
        batch.action_mask,
        attention_mask=batch.attention_mask,
        ring_attn_group=trainer.strategy.ring_attn_group,
        packed_seq_lens=None,
        **inputs,
    )
    return log_probs
