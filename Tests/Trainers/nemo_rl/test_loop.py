"""NeMo-RL's own `grpo_train`, two steps with rollouts, in which the adapter is installed as its users do."""

import copy

import loop
import pytest
import torch
from test_steps import cppo_rows, under
from workers import Policy

import in_process
from perception_client.trainers import nemo_rl as adapter
from small_pictures import Processor

RATE = 0.05


class InProcess(Policy):
    """The policy whose training step has the loss in the process; views are made as the adapter makes them."""

    def __init__(self, preset, url, **layout):
        super().__init__(**layout)
        self.preset, self.steps = preset, 0
        # Installed in a policy that nobody trains.
        self.perceiving = adapter.install(Policy(**layout), Processor(), **given(url, preset, "rows"))

    def train(self, data, loss_fn, **more):
        found = super().train(data, loss_fn, **more)
        self.steps += 1
        return found

    def loss(self, batch, loss_fn, seqs, tokens):
        value, said = super().loss(batch, loss_fn, seqs, tokens)
        views = ("original", *self.perceiving.wanted.others)
        passes = {view: under(self, self.perceiving, view, batch, step=self.steps) for view in views}
        seen = [i for i, pixels in enumerate(batch["pixel_values"].tensors) if pixels is not None]
        assert len(seen) == 4
        if self.preset == "cppo-verl":
            return value + 0.5 * cppo_rows(batch, seen, passes, batch["advantages"]), said
        mask = torch.zeros_like(batch["token_mask"][:, 1:]).bool()
        mask[seen] = batch["token_mask"][seen, 1:].bool()
        # The one micro-batch has all of the step's tokens.
        return value + in_process.papo(passes, mask, coefficient=0.5), said


def given(url, preset, mode):
    options = {"detector": "divergence"} if preset == "cppo-verl" else {}
    return {"url": url, "preset": preset, "mode": mode, "coefficient": 0.5, "options": options}


def parameters(policy):
    return torch.cat([p.detach().double().reshape(-1) for p in policy.model.parameters()])


@pytest.mark.parametrize("mode, preset", [("rows", "cppo-verl"), ("detached", "papo-g")])
def test_two_steps_end_where_the_loss_in_process_ends(url, monkeypatch, mode, preset):
    layout = {"step_rows": 6, "micro_batch": 6, "rate": RATE}
    ours, theirs, plain = Policy(**layout), InProcess(preset, url, **layout), Policy(**layout)
    adapter.install(ours, Processor(), **given(url, preset, mode))
    said = loop.trained(ours, monkeypatch)
    loop.trained(theirs, monkeypatch)
    own = loop.trained(plain, monkeypatch)
    assert float((parameters(ours) - parameters(theirs)).abs().max()) < 1e-6
    assert float((parameters(ours) - parameters(plain)).abs().max()) > 1e-4
    # NeMo-RL's own numbers of the first step are those without the adapter, and ours are beside them.
    for name in ("train/reward", "train/global_valid_toks", "train/probs_ratio", "train/advantages/mean"):
        assert said[1][name] == pytest.approx(own[1][name], rel=1e-5), name
    assert said[1]["train/perception/objective"] and said[2]["train/perception/objective"]


def test_vppo_in_the_loop(url, monkeypatch):
    """Each step's advantages in NeMo-RL's log are its own; those that it trains with are shaped."""
    policy = Policy(step_rows=6, micro_batch=6, rate=RATE)
    trained, own_train = [], policy.train
    policy.train = lambda data, *args, **more: trained.append(copy.copy(data)) or own_train(data, *args, **more)
    adapter.install(policy, Processor(), url=url, preset="vppo", mode="detached")
    said = loop.trained(policy, monkeypatch)
    assert len(trained) == 2
    for step, data in enumerate(trained, 1):
        mask = data["token_mask"].bool()
        counted = (data["advantages"] != 0) & mask
        pictured = [pixels is not None for pixels in data["pixel_values"].tensors]
        assert said[step]["train/advantages/max"] > 0
        for row, seen in enumerate(pictured):
            if seen:
                assert int(counted[row].sum()) < int(mask[row].sum())
