"""NeMo-RL's own batches, advantages and losses: gradients are those of its policy loss and the loss in the process."""

import math

import batches
import pytest
import reference
import torch
from batches import loss_function, trained
from workers import Policy

from perception_client.trainers import resizing
from small_pictures import Processor

OPTIONS = [{}, {"token_level_loss": False}, {"use_cispo": True, "reference_policy_kl_penalty": 0.0}]


def under(policy, perceiving, view, data, grad=True, step=0):
    """Next tokens' log-probabilities [B,S−1] of the batch under a view, as the adapter has made it for the step."""
    from nemo_rl.distributed.model_utils import get_next_token_logprobs_from_logits

    made = perceiving.views.start(data, step).collect()
    if view != "original":
        pixels = perceiving.views.under(data, made, view)
        data = data.select_indices(list(range(data.size)))
        data["pixel_values"] = type(data["pixel_values"])(pixels, 0)
    with torch.set_grad_enabled(grad):
        return get_next_token_logprobs_from_logits(input_ids=data["input_ids"], next_token_logits=policy.logits(data))


def cppo_rows(data, rows, said, advantages=None, share=0.5):
    """cppo-verl's loss of some rows, tokens chosen by k3 of their first log-probabilities; `advantages` [B,S]."""
    mask = data["token_mask"][:, 1:].bool()
    advantages = (batches.advantages(data) if advantages is None else advantages)[:, 1:]
    chosen = torch.zeros_like(mask)
    for row in rows:
        here = mask[row].nonzero()[:, 0]
        apart = reference.k3(said["original"][row, here], said["removing"][row, here]).detach()
        best = here[apart.topk(max(1, math.floor(len(here) * share))).indices]
        chosen[row, best] = advantages[row, best] > 0
    return reference.cppo({v: said[v] for v in ("original", "preserving", "removing")}, chosen)


def flat(policy):
    found = torch.cat([p.grad.reshape(-1) for p in policy.model.parameters()])
    policy.model.zero_grad()
    return found


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("layout", [{"step_rows": 6}, {"step_rows": 6, "ranks": 2, "micro_batch": 3}, {"step_rows": 6, "packed": True}])
def test_rows_add_the_loss_of_the_whole_batch(installed, layout, option):
    policy = Policy(**layout)
    perceiving = installed(policy)
    results = trained(policy, loss_function(**option))
    assert results["all_mb_metrics"]["perception/gated"][0] > 0
    # No metric of NeMo-RL's own changes: rows of views count nowhere.
    plain = Policy(**layout)
    own = trained(plain, loss_function(**option))["all_mb_metrics"]
    for name in ("loss", "num_valid_samples", "probs_ratio"):
        assert sum(results["all_mb_metrics"][name]) == pytest.approx(sum(own[name]), rel=1e-5)
    data = batches.batch()
    policy.model.zero_grad()
    said = {view: under(policy, perceiving, view, data) for view in ("original", "preserving", "removing")}
    (0.5 * cppo_rows(data, range(4), said)).backward()
    added = flat(policy)
    assert float(added.abs().max()) > 1e-3
    difference = policy.gradients[0] - plain.gradients[0] - added
    assert float(difference.abs().max()) < 2e-5 * float(policy.gradients[0].abs().max())


def test_steps_of_one_batch_of_rollouts_add_up_to_it(installed):
    """Of two optimizer steps each has the share of its own rows, twice: NeMo-RL divides by one step's tokens."""
    whole, halves = Policy(step_rows=6), Policy(step_rows=3)
    perceived = []
    for policy in (whole, halves):
        plain = Policy(**{"step_rows": policy.cfg["train_global_batch_size"]})
        installed(policy)
        trained(policy, loss_function())
        trained(plain, loss_function())
        perceived.append([a - b for a, b in zip(policy.gradients, plain.gradients, strict=True)])
    (one,), two = perceived
    assert len(two) == 2
    assert torch.allclose((two[0] + two[1]) / 2, one, atol=1e-6)


@pytest.mark.parametrize("preset", ["cppo-verl", "papo-g"])
@pytest.mark.parametrize("token_level", [True, False])
def test_detached_adds_each_micro_batchs_loss_by_its_share(installed, preset, token_level):
    policy, plain = Policy(step_rows=6, micro_batch=2), Policy(step_rows=6, micro_batch=2)
    perceiving = installed(policy, mode="detached", preset=preset, options={"detector": "divergence"} if preset == "cppo-verl" else {})
    results = trained(policy, loss_function(token_level_loss=token_level))
    assert "perception/objective" in results["all_mb_metrics"]
    trained(plain, loss_function(token_level_loss=token_level))
    data = batches.batch()
    policy.model.zero_grad()
    tokens = data["token_mask"][:, 1:].sum(1)
    views = ("original", *perceiving.wanted.others)
    said = {view: under(policy, perceiving, view, data, grad=view == "original") for view in views}
    for rows in ((0, 1), (2, 3)):
        part = tokens[list(rows)].sum() / tokens.sum() if token_level else len(rows) / data.size
        if preset == "cppo-verl":
            value = 0.5 * cppo_rows(data, rows, said)
        else:
            import in_process

            mask = torch.zeros_like(data["token_mask"][:, 1:]).bool()
            mask[list(rows)] = data["token_mask"][list(rows), 1:].bool()
            value = in_process.papo(said, mask, coefficient=0.5)
        (part * value).backward(retain_graph=True)
    added = flat(policy)
    difference = policy.gradients[0] - plain.gradients[0] - added
    assert float(added.abs().max()) > 1e-3
    assert float(difference.abs().max()) < 2e-5 * float(policy.gradients[0].abs().max())


def test_vppo_scales_advantages_and_leaves_out_tokens(installed):
    """NeMo-RL's advantages are of tokens: rows of text keep theirs."""
    import in_process

    policy, given = Policy(step_rows=6), []
    own_train = policy.train
    policy.train = lambda data, *args, **more: given.append(data) or own_train(data, *args, **more)
    perceiving = installed(policy, preset="vppo", options={}, coefficient=None, mode="detached")
    trained(policy, loss_function())
    data = batches.batch()
    said = {view: under(policy, perceiving, view, data, grad=False) for view in ("original", "removing")}
    mask = data["token_mask"][:4, 1:].bool()
    tokens, scale = in_process.vppo_shaping(said["original"][:4], said["removing"][:4], mask)
    wanted = batches.advantages(data)
    found = given[0]["advantages"]
    assert torch.equal(found[4:], wanted[4:])
    expected = wanted[:4, 1:] * scale[:, None] * tokens
    assert torch.allclose(torch.where(mask, found[:4, 1:], 0), torch.where(mask, expected, 0), atol=1e-5)


@pytest.mark.parametrize("mode", ["rows", "detached"])
def test_cppo_with_scaled_advantages(installed, mode):
    """Its views have gradients, and the scale is of what the old policy says. The gate looks at NeMo-RL's own advantages."""
    import in_process

    policy, plain = Policy(step_rows=6, micro_batch=6), Policy(step_rows=6, micro_batch=6)
    # Without a floor the scales are far apart, and one of them is 0.
    options = {"detector": "divergence", "advantage_shaping": "dependency", "advantage_floor": 0}
    perceiving = installed(policy, mode=mode, options=options)
    trained(policy, loss_function())
    data = batches.batch()
    views = ("original", "preserving", "removing")
    said = {view: under(policy, perceiving, view, data, grad=mode == "rows" or view == "original") for view in views}
    mask = data["token_mask"][:4, 1:].bool()
    old, removing = (said[view][:4].detach() for view in ("original", "removing"))
    _, scale = in_process.vppo_shaping(old, removing, mask, floor=0.0)
    assert float(scale.min()) == 0 and float(batches.advantages(data)[int(scale.argmin()), 1:].max()) > 0
    own_train = plain.train

    def train(data, *args, **more):
        data["advantages"] = data["advantages"] * torch.cat([scale, torch.ones(2)])[:, None]
        return own_train(data, *args, **more)

    plain.train = train
    trained(plain, loss_function())
    policy.model.zero_grad()
    (0.5 * cppo_rows(data, range(4), said)).backward()
    added = flat(policy)
    assert float(added.abs().max()) > 1e-3
    difference = policy.gradients[0] - plain.gradients[0] - added
    assert float(difference.abs().max()) < 2e-5 * float(policy.gradients[0].abs().max())


def test_forced_ratios_skip_log_probs_and_the_adapter_asks_for_them(installed):
    policy, forced = Policy(step_rows=6), {"force_on_policy_ratio": True, "reference_policy_kl_penalty": 0.0}
    installed(policy)
    trained(policy, loss_function(**forced), skip_logprobs=True)
    assert policy.calls == ["inference", "log-probs", "log-probs", "log-probs", "training"]
    asked = Policy(step_rows=6)
    installed(asked)
    trained(asked, loss_function(**forced))
    assert torch.allclose(policy.gradients[0], asked.gradients[0], atol=1e-7)


def test_a_batch_of_text_trains_as_ever(installed):
    policy, plain = Policy(step_rows=2), Policy(step_rows=2)
    installed(policy)
    for one in (policy, plain):
        data = batches.batch().select_indices([4, 5])
        del data["pixel_values"], data["image_grid_thw"]
        trained(one, loss_function(), data)
    assert policy.calls == ["log-probs"]
    assert torch.equal(policy.gradients[0], plain.gradients[0])


def test_rows_that_nemo_masks_carry_no_loss(installed):
    policy = Policy(step_rows=6)
    perceiving = installed(policy)
    data = batches.batch()
    data["sample_mask"][0] = 0
    trained(policy, loss_function(), data)
    assert perceiving.client.last.diagnostics["tokens"] == int(data["token_mask"][1:4].sum())


def test_pictures_are_restored_from_what_the_model_gets():
    inputs = Processor()(images=[batches.picture("photograph.jpg"), batches.picture("page.png")])
    pictures = resizing.restored(Processor(), inputs["pixel_values"], inputs["image_grid_thw"])
    for found, name in zip(pictures, ("photograph.jpg", "page.png"), strict=True):
        own = batches.picture(name)
        assert found.permute(1, 2, 0).contiguous().numpy().tobytes() == own.tobytes()
    rounded = inputs["pixel_values"].to(torch.bfloat16)
    again = resizing.restored(Processor(), rounded, inputs["image_grid_thw"])
    assert all(torch.equal(a, b) for a, b in zip(pictures, again, strict=True))
    with pytest.raises(TypeError, match="arranges its pixels"):
        resizing.restored(Processor(), inputs["pixel_values"] * 2, inputs["image_grid_thw"])


def test_the_loss_travels_to_workers(installed, url):
    import pickle

    from perception_client.trainers.nemo_rl import loss
    from perception_client.trainers.settings import TrainerSettings

    for mode in ("rows", "detached"):
        function = pickle.loads(pickle.dumps(loss.of_mode(loss_function(), TrainerSettings(url=url, mode=mode))))
        assert function.loss_type.value == "token_level" and function.input_type.value == "logprob"
