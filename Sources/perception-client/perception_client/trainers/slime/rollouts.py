"""Adds samples of views to each rollout with pictures, and leaves them out of the rewards."""

from __future__ import annotations

import copy
from typing import Any

import torch

from . import marks
from .state import groups


async def generate(args: Any, sample: Any, sampling_params: Any, evaluation: bool = False) -> Any:
    """Generate as slime does, and add a sample under each view, made while the engine generates.

    Returns:
        The sample alone in evaluation, of text, of an aborted rollout, and where views are skipped; else a list: the
        rollout's own sample first, and its siblings with loss masks of 0.
    """
    from slime.rollout.sglang_rollout import GenerateState
    from slime.rollout.sglang_rollout import generate as own

    if args.group_rm:
        raise ValueError("--group-rm scores a rollout's samples as if each were a rollout: leave it")
    if str(args.dynamic_sampling_filter_path or "").startswith("slime."):
        raise ValueError(
            f"--dynamic-sampling-filter-path {args.dynamic_sampling_filter_path} takes no rollout of several samples: "
            "write one that looks at the first sample of each list"
        )
    pictures = list((sample.multimodal_inputs or {}).get("images") or [])
    if evaluation or not pictures:
        return await own(args, sample, sampling_params)
    if sample.index is None or sample.index < 0:
        raise ValueError(
            f"a sample's index is {sample.index}: it must be a number that slime's data source gives"
        )
    with groups(GenerateState(args).processor).episode() as episode:
        episode.add(pictures)
        sample = await own(args, sample, sampling_params)
        if sample.status == type(sample).Status.ABORTED or not sample.response_length:
            return sample
        inputs = sample.multimodal_train_inputs
        made = await episode.features(inputs)
    if made.failed:
        return sample
    sample.rollout_id = sample.index
    siblings = []
    for view, features in made.features.items():
        sibling = copy.copy(sample)
        sibling.index = marks.mark(sample.index, view)
        sibling.multimodal_train_inputs = {**inputs, **features}
        sibling.multimodal_inputs = None
        sibling.loss_mask = [0] * sample.response_length
        # A reward that is there is not asked for; `rewards` does not look at it.
        sibling.reward = {args.reward_key: 0.0} if args.reward_key else 0.0
        siblings.append(sibling)
    return [sample, *siblings]


def rewards(args: Any, samples: list[Any]) -> tuple[list[float], list[float]]:
    """Normalise rewards over the rollouts of each prompt, as slime does, with the views' samples left out.

    Returns:
        Rewards as they were (a view's sample has its rollout's), and normalised (a view's sample has 0).
    """
    own = [s for s in samples if marks.view_of(s.index) == "original"]
    raw = {s.index: float(s.get_reward_value(args)) for s in own}
    found = dict(raw)
    if args.rewards_normalization:
        by_prompt: dict[Any, list[int]] = {}
        for s in own:
            by_prompt.setdefault(s.group_index, []).append(s.index)
        for group in by_prompt.values():
            values = torch.tensor([raw[i] for i in group])
            values = values - values.mean()
            if args.grpo_std_normalization and len(group) > 1:
                values = values / (values.std() + 1e-6)
            found |= dict(zip(group, values.tolist(), strict=True))
    views = [marks.view_of(s.index) != "original" for s in samples]
    return (
        [raw[s.rollout_id if view else s.index] for s, view in zip(samples, views, strict=True)],
        [0.0 if view else found[s.index] for s, view in zip(samples, views, strict=True)],
    )
