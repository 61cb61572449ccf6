"""slime's own conversion, schedule, advantages and loss: the gradient is that of its policy loss and the loss in the process."""

import math

import pytest
import reference
import rollouts
import torch
from rollouts import arguments, converted, generated, said

import in_process
from small_pictures import Model

KEYS = ["tokens", "total_lengths", "response_lengths", "loss_masks", "log_probs", "advantages", "returns", "values",
        "teacher_log_probs", "rollout_mask_sums", "multimodal_train_inputs", "rollout_log_probs"]  # fmt: skip


def backward(args, model, data):
    """The micro-batches of one rank, as `train_one_step` and Megatron run them; returns what the loss said."""
    from slime.backends.megatron_utils import loss as module

    lengths = [len(t) for t in data["tokens"]]
    for indices in data["micro_batch_indices"]:
        own = data | {"total_lengths": lengths}
        batch = {key: [own[key][i] for i in indices] for key in KEYS if own.get(key) is not None}
        batch["unconcat_tokens"] = batch["tokens"]
        logits = torch.cat([model(t, x) for t, x in zip(batch["tokens"], batch["multimodal_train_inputs"], strict=True)])[None]
        count = len(data["micro_batch_indices"])
        loss, _, log = module.loss_function(args, batch, count, args.global_batch_size, logits)
        (loss / count).backward()
    return log


def gradient(model):
    found = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
    model.zero_grad()
    return found


def chosen(data, rollout, of):
    """The half [R] of a rollout's response that differs most without the picture, none if its advantage is not positive."""
    apart = reference.k3(of["original"], of["removing"]).detach()
    best = torch.zeros_like(apart).bool()
    best[apart.topk(max(1, math.floor(len(apart) * 0.5))).indices] = True
    return best & (reward(data, rollout) > 0)


def reward(data, rollout):
    return float(data["rewards"][[int(i) for i in data["sample_indices"]].index(rollout)])


def perception(args, model, data, weight=0.5):
    """cppo-verl's loss of all rollouts with views."""
    passes = [views_of(args, model, data, rollout, True) for rollout in range(4)]
    tokens = torch.cat([chosen(data, rollout, one) for rollout, one in enumerate(passes)])
    return weight * reference.cppo({view: torch.cat([one[view] for one in passes]) for view in passes[0]}, tokens)


@pytest.mark.parametrize("micro_batch_size", [1, 13])
def test_the_gradient_is_the_policys_and_the_loss_in_the_process(settings, monkeypatch, micro_batch_size):
    from slime.backends.megatron_utils import loss as module

    args = arguments(micro_batch_size=micro_batch_size)
    model = Model()
    (data,) = converted(args, generated(args, monkeypatch))
    assert len(data["tokens"]) == 13
    data["log_probs"] = said(args, model, data)
    module.compute_advantages_and_returns(args, data)
    backward(args, model, data)
    found = gradient(model)
    assert data["perception/gated"][0] > 0 and len(set(data["perception/loss"])) == 1

    policy = policy_gradient(model, monkeypatch)
    perception(args, model, data).backward()
    added = gradient(model)
    assert float(added.abs().max()) > 1e-3
    assert float((found - policy - added).abs().max()) < 1e-5 * float(found.abs().max())


def policy_gradient(model, monkeypatch, change=None, **more):
    """The gradient of the same rollouts without views, by slime alone."""
    from slime.backends.megatron_utils import loss as module

    plain = arguments(micro_batch_size=1, loss_type="policy_loss", custom_advantage_function_path=None, **more)
    (own,) = converted(plain, [one[0] if isinstance(one, list) else one for one in generated(plain, monkeypatch)])
    own["log_probs"] = said(plain, model, own)
    module.compute_advantages_and_returns(plain, own)
    if change is not None:
        change(own)
    backward(plain, model, own)
    return gradient(model)


def views_of(args, model, data, rollout, grad):
    """Log-probabilities [R] of one rollout by view; those of the other views without a graph."""
    rows = {(int(r), int(i)): k for k, (r, i) in enumerate(zip(data["rollout_ids"], data["sample_indices"], strict=True))}
    found = said(args, model, data, grad=True)
    indices = {"original": rollout, "preserving": -(2 * rollout + 1), "removing": -(2 * rollout + 2)}
    of = {view: found[rows[rollout, i]] for view, i in indices.items() if (rollout, i) in rows}
    return {view: x if view == "original" or grad else x.detach() for view, x in of.items()}


@pytest.mark.parametrize("preset", ["cppo-verl", "papo-g"])
def test_detached_is_the_mean_over_rollouts_with_constant_views(settings, monkeypatch, preset):
    """One rollout a micro-batch: slime's own sums weight each by 1 / rollouts. The policy moves before the step."""
    from slime.backends.megatron_utils import loss as module

    settings(mode="detached", preset=preset, options='{"detector": "divergence"}' if preset == "cppo-verl" else "{}")
    args, model = arguments(micro_batch_size=1), Model()
    (data,) = converted(args, generated(args, monkeypatch))
    data["log_probs"] = said(args, model, data)
    module.compute_advantages_and_returns(args, data)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.sin(torch.arange(parameter.numel()).reshape(parameter.shape))
    backward(args, model, data)
    found = gradient(model)
    old = Model()

    def changed(own):
        own["log_probs"] = said(args, old, own)

    plain = policy_gradient(model, monkeypatch, changed)
    for rollout in range(4):
        now, then = views_of(args, model, data, rollout, True), views_of(args, old, data, rollout, False)
        passes = {"original": now["original"], **{v: then[v] for v in then if v != "original"}}
        mask = torch.ones_like(now["original"]).bool()
        if preset == "cppo-verl":
            value = 0.5 * reference.cppo(passes, chosen(data, rollout, then))
        else:
            value = in_process.papo({v: x[None] for v, x in passes.items()}, mask[None], coefficient=0.5)
        (value / args.global_batch_size).backward()
    added = gradient(model)
    assert float(added.abs().max()) > 1e-3
    assert float((found - plain - added).abs().max()) < 2e-5 * float(found.abs().max())


def prepared(args, model, monkeypatch):
    """The rollouts' data with all that slime computes before a step, and the passes of each rollout with pictures, by view."""
    from slime.backends.megatron_utils import loss as module

    (data,) = converted(args, generated(args, monkeypatch))
    data["log_probs"] = said(args, model, data)
    module.compute_advantages_and_returns(args, data)
    return data, [views_of(args, model, data, rollout, False) for rollout in range(4)]


def wide(passes):
    """Rollouts' passes as [B,T] by view, and the response."""
    pad = torch.nn.utils.rnn.pad_sequence
    found = {v: pad([p[v] for p in passes], batch_first=True) for v in passes[0]}
    return found, pad([torch.ones(len(p["original"])) for p in passes], batch_first=True).bool()


def apart_from(args, model, data, monkeypatch, factors):
    """How the gradient of a step differs from the policy's with advantages times these factors, one for each rollout."""
    backward(args, model, data)
    found = gradient(model)

    def changed(own):
        for rollout, factor in enumerate(factors):
            own["advantages"][rollout] = own["advantages"][rollout] * factor

    own = policy_gradient(model, monkeypatch, changed, normalize_advantages=args.normalize_advantages)
    return found - own, float(found.abs().max())


@pytest.mark.parametrize("whitened", [False, True])
@pytest.mark.parametrize("mode", ["rows", "detached"])
def test_vppo_scales_advantages_and_leaves_out_tokens(settings, monkeypatch, mode, whitened):
    """Also advantages that slime whitens after the adapter has seen them: a token that is left out stays out."""
    settings(mode=mode, preset="vppo", options='{"entropy_coefficients": {}}')
    monkeypatch.delenv("PERCEPTION_COEFFICIENT")
    settings()
    args, model = arguments(micro_batch_size=1, normalize_advantages=whitened), Model()
    data, passes = prepared(args, model, monkeypatch)
    whole, mask = wide(passes)
    tokens, scale = in_process.vppo_shaping(whole["original"].detach(), whole["removing"], mask)
    factors = [float(scale[i]) * tokens[i, : len(p["original"])].float() for i, p in enumerate(passes)]
    rest, size = apart_from(args, model, data, monkeypatch, factors)
    assert float(rest.abs().max()) < 1e-5 * size
    plain, _ = apart_from(args, model, data, monkeypatch, [1.0] * 4)
    assert float(plain.abs().max()) > 0.01 * size


# Without a floor the scales are far apart, and one of them is 0.
SCALED = '{"detector": "divergence", "advantage_shaping": "dependency", "advantage_floor": 0}'


@pytest.mark.parametrize("mode", ["rows", "detached"])
def test_cppo_with_scaled_advantages(settings, monkeypatch, mode):
    """Its views have gradients, and the scale is of what the old policy says. The gate looks at slime's own advantages."""
    settings(mode=mode, options=SCALED)
    # The rollout whose scale is 0 is a good one.
    monkeypatch.setattr(rollouts, "REWARDS", [0.0, 1.0, 1.0, 0.0, 1.0])
    args, model = arguments(micro_batch_size=1), Model()
    data, passes = prepared(args, model, monkeypatch)
    whole, mask = wide(passes)
    _, scale = in_process.vppo_shaping(whole["original"].detach(), whole["removing"], mask, floor=0.0)
    rest, size = apart_from(args, model, data, monkeypatch, scale.tolist())
    assert reward(data, int(scale.argmin())) > 0 and float(scale.min()) == 0
    if mode == "rows":
        perception(args, model, data).backward()
    else:
        for rollout in range(4):
            one = views_of(args, model, data, rollout, True)
            apart = {view: x if view == "original" else x.detach() for view, x in one.items()}
            (0.5 * reference.cppo(apart, chosen(data, rollout, one)) / args.global_batch_size).backward()
    added = gradient(model)
    assert float(added.abs().max()) > 1e-3
    assert float((rest - added).abs().max()) < 2e-5 * size


def test_rewards_are_normalised_over_rollouts_alone(settings, monkeypatch):
    from slime.ray import rollout as module

    args = arguments()
    own = [one[0] if isinstance(one, list) else one for one in generated(args, monkeypatch)]
    manager = type("Manager", (), {"args": args, "custom_reward_post_process_func": None})()
    _, expected = module.RolloutManager._post_process_rewards(manager, own[:4])
    (data,) = converted(args, generated(args, monkeypatch))
    found = {int(i): r for i, r in zip(data["sample_indices"], data["rewards"], strict=True)}
    assert [found[i] for i in range(4)] == pytest.approx(expected, rel=1e-6)
    assert all(found[i] == 0 for i in found if i < 0)
    raw = dict(zip(range(13), data["raw_reward"], strict=True))
    assert sum(raw.values()) == 3 * 1 + 3 * 1 + 1


def test_siblings_share_a_rollout_and_leave_its_divisor(settings, monkeypatch):
    args = arguments()
    first = generated(args, monkeypatch)[0]
    assert [s.index for s in first] == [0, -1, -2] and {s.rollout_id for s in first} == {0}
    assert all(torch.equal(s.multimodal_train_inputs["image_grid_thw"], torch.tensor([[1, 6, 4]])) for s in first)
    pixels = [s.multimodal_train_inputs["pixel_values"] for s in first]
    assert not torch.equal(pixels[0], pixels[1]) and not torch.equal(pixels[0], pixels[2])
    (data,) = converted(args, generated(args, monkeypatch))
    assert sorted({float(x) for x in data["rollout_mask_sums"]}) == [5, 6, 7, 8, 9]


def test_rollouts_of_a_prompt_get_the_same_views(settings, monkeypatch):
    one, two, *_ = generated(arguments(), monkeypatch)
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a.multimodal_train_inputs["pixel_values"], b.multimodal_train_inputs["pixel_values"])


def test_evaluation_and_text_have_no_siblings(settings, monkeypatch):
    assert not any(isinstance(one, list) for one in generated(arguments(), monkeypatch, evaluation=True))
    assert not isinstance(generated(arguments(), monkeypatch)[4], list)


def test_rows_of_a_rollout_may_be_on_several_ranks(settings, monkeypatch):
    """Two ranks' data, weighed together as the first rank does, against one rank's."""
    from perception_client.trainers.slime import gathering, training
    from perception_client.trainers.slime.state import state

    model, found = Model(), []
    for dp_size in (1, 2):
        args = arguments(use_dynamic_batch_size=True, max_tokens_per_gpu=30)
        rows = []
        for data in converted(args, generated(args, monkeypatch), dp_size):
            data["log_probs"] = said(args, model, data)
            rows += training._rows(state(), data)
        found.append(gathering.find(state(), rows).columns)
    one, two = found
    assert one.keys() == two.keys() and len(one) == 12
    assert all(torch.allclose(one[key][0], two[key][0], atol=1e-7) for key in one)


def test_two_ranks_get_one_answer_or_one_error(tmp_path):
    """`gathering.together` on two gloo ranks: the first asks, both get the answer; both raise what the first one met."""
    import subprocess
    import sys

    import ranks

    done = subprocess.run([sys.executable, ranks.__file__, tmp_path], capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(tmp_path / str(rank)).read_text() for rank in range(2)] == ["7 ValueError"] * 2
