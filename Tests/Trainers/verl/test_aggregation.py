"""The loss's divisor against verl's own `agg_loss`, for every way of aggregating, cut into micro-batches and ranks."""

import pytest
import torch

from perception_client.trainers.needs import needs
from perception_client.trainers.verl.aggregation import MiniBatch, options

RANKS, ROWS, WIDTH = 2, 3, 10


def cuts(seed=0):
    """Two micro-batches for each of two ranks: log-probabilities by view, entropies, masks, advantages."""
    draw = torch.Generator().manual_seed(seed)
    number = lambda: torch.rand((ROWS, WIDTH), generator=draw)  # noqa: E731
    found = []
    for _ in range(RANKS * 2):
        lengths = torch.randint(1, WIDTH + 1, (ROWS, 1), generator=draw)
        found.append({
            "log_probs": {v: -3 * number() for v in ("original", "preserving", "removing")},
            "entropy": {v: 2 * number() for v in ("original", "removing")},
            "mask": torch.arange(WIDTH) < lengths,
            "advantages": torch.tensor([1.0, -1.0, 0.5]),
        })  # fmt: skip
    return found


@pytest.mark.parametrize(
    "mode, length",
    [("token-mean", None), ("token-sum", None), ("seq-mean-token-sum", None), ("seq-mean-token-mean", None),
     ("seq-mean-token-sum-norm", None), ("seq-mean-token-sum-norm", 17)],
)  # fmt: skip
def test_values_and_gradients_are_agg_losses(client, mode, length):
    from verl.trainer.ppo.core_algos import agg_loss

    import in_process

    batches = cuts()
    total = sum(int(b["mask"].sum()) for b in batches)
    wanted = needs(client)
    for b in batches:
        info = {"dp_size": RANKS, "batch_num_tokens": total, "global_batch_size": 4 * ROWS, "loss_scale_factor": length}
        batch = MiniBatch(RANKS, total, 4 * ROWS, mode, length)
        given = {v: x.clone().requires_grad_() for v, x in b["log_probs"].items()}
        ours = RANKS * client.loss(
            given, entropy=b["entropy"], response_mask=b["mask"], advantages=b["advantages"],
            **options(batch, wanted, b["mask"]))  # fmt: skip
        known = {v: x.clone().requires_grad_() for v, x in b["log_probs"].items()}
        chosen = in_process.rising_tokens(b["entropy"], b["mask"]) & (b["advantages"] > 0)[:, None]
        margin = in_process.k3(known["original"], known["preserving"]) - in_process.k3(known["original"], known["removing"])
        theirs = agg_loss(torch.nn.functional.softplus(margin / 0.1), chosen, mode, **info)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5, abs=1e-7)
        ours.backward()
        theirs.backward()
        for view in given:
            torch.testing.assert_close(given[view].grad, known[view].grad, rtol=1e-4, atol=1e-6)


def test_entropy_terms_add_up_to_the_mini_batchs_mean(client):
    """PAPO's double entropy: −log_prob over the mini-batch's response tokens."""
    batches = cuts(1)
    total = sum(int(b["mask"].sum()) for b in batches)
    wanted = needs(client, "papo-g")
    value = 0.0
    for b in batches:
        views = {v: x for v, x in b["log_probs"].items() if v != "preserving"}
        part = options(MiniBatch(RANKS, total, 12), wanted, b["mask"])
        client.objective(
            views, response_mask=b["mask"], preset="papo-g", **part)  # fmt: skip
        value += sum(0.05 * -torch.where(b["mask"], x, 0).sum().item() / total for x in views.values())
        value -= client.last.objective - client.last.weighted_loss
    assert value == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("preset", ["bips-consistency", "bips-separation"])
def test_a_cap_is_refused(client, preset):
    with pytest.raises(ValueError, match="loss_cap"):
        options(MiniBatch(1, 10, 4), needs(client, preset), torch.ones(2, 5))


def test_a_preset_that_needs_rewards_is_refused_at_the_start(settings):
    from perception_client.trainers.settings import TrainerSettings
    from perception_client.trainers.verl.objective import Objective

    settings(preset="bips-consistency")
    with pytest.raises(ValueError, match="gate on rewards"):
        _ = Objective(TrainerSettings.of(), 0, None).wanted
