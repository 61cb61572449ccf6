"""Where views come from, and what is refused."""

from types import SimpleNamespace

import pytest
import torch
from for_tests import LowerCase
from training import train

from perception_client import Perception, Unreachable
from perception_client.trainers import swift
from perception_client.trainers.swift.template_views import Made, arranged, changed
from perception_client.trainers.swift.trainer import PerceptionGRPOTrainer
from perception_client.trainers.versions import UntestedTrainer


@pytest.fixture
def asked(monkeypatch):
    """(pictures, seed) of each call for views, and `reward` when completions were there."""
    calls = []
    own = Perception.views

    def views(self, images, seed, *rest, **named):
        calls.append((len(images), seed))
        return own(self, images, seed, *rest, **named)

    monkeypatch.setattr(Perception, "views", views)
    monkeypatch.setattr(LowerCase, "called", (lambda: calls.append("reward"),))
    return calls


def test_views_are_made_once_a_prompt_while_the_model_generates(url, folder, tmp_path, asked):
    run = train(folder, tmp_path, settings={"url": url}, max_steps=2)
    assert asked == [(2, 0), "reward", (2, 1), "reward"], "two prompts a generation, of four rollouts each"
    for batch in run.trainer._buffered_inputs:
        for view, pixels in batch["perception"].pixels.items():
            of_rollout = pixels["pixel_values"].chunk(4)
            assert all(torch.equal(of_rollout[0], x) for x in of_rollout[1:])
            if view != "original":
                assert not torch.equal(pixels["pixel_values"], batch["model_inputs"]["pixel_values"])
    waited = sum(run.curve("perception/views_waited_seconds"))
    assert waited < sum(run.curve("perception/views_seconds"))


def encoding(grid=(1, 4, 4), ids=(1, 2, 3), seed=0):
    pixels = torch.rand(16, 8, generator=torch.Generator().manual_seed(seed))
    return {"input_ids": list(ids), "image_grid_thw": torch.tensor([grid]), "pixel_values": pixels}


def test_a_view_differs_in_its_pixels_and_nothing_else():
    own, seen = encoding(), encoding(seed=1)
    assert changed("removing", own, seen) == {"pixel_values": seen["pixel_values"]}
    with pytest.raises(ValueError, match="removing: the template's image_grid_thw"):
        changed("removing", own, encoding(grid=(1, 2, 8)))
    with pytest.raises(ValueError, match="removing: the template's input_ids"):
        changed("removing", own, encoding(ids=(1, 2)))
    with pytest.raises(ValueError, match="removing: the template's pixel_values"):
        changed("removing", own, seen | {"pixel_values": seen["pixel_values"][:8]})


def test_pixels_are_laid_as_the_template_lays_the_originals():
    made = [Made({"original": {"pixel_values": x}, "removing": {"pixel_values": -x}}) for x in torch.rand(2, 3, 4)]
    own = torch.cat([m.pixels["original"]["pixel_values"] for m in made])
    found = arranged([made[0], None, made[1]], {"pixel_values": own})
    assert torch.equal(found["removing"]["pixel_values"], -own)
    assert arranged([None], {}) == {}
    with pytest.raises(ValueError, match="does not lay pictures end to end"):
        arranged([made[1], made[0]], {"pixel_values": own})


def trainer(**changed):
    """What `_refuse_unsuitable` looks at."""
    usual = {
        "perception": SimpleNamespace(mode="direct", per_rollout=False, preset="cppo-verl"), "use_liger_loss": False,
        "template": SimpleNamespace(sequence_parallel_size=1), "is_deepspeed_enabled": False, "loss_type": "grpo",
        "_perception_needs": SimpleNamespace(shaping=False),
    }  # fmt: skip
    return SimpleNamespace(**usual | changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"perception": SimpleNamespace(mode="rows", per_rollout=False)}, "direct and grad_cache"),
        ({"perception": SimpleNamespace(mode="direct", per_rollout=True)}, "share their views"),
        ({"use_liger_loss": True}, "use_liger_kernel"),
        ({"template": SimpleNamespace(sequence_parallel_size=2)}, "sequence_parallel_size"),
        ({"perception": SimpleNamespace(mode="grad_cache", per_rollout=False), "is_deepspeed_enabled": True}, "DeepSpeed"),
        ({"_perception_needs": SimpleNamespace(shaping=True), "loss_type": "real"}, "loss_type real"),
    ],
)
def test_what_does_not_work_is_refused(changed, said):
    PerceptionGRPOTrainer._refuse_unsuitable(trainer())
    with pytest.raises(ValueError, match=said):
        PerceptionGRPOTrainer._refuse_unsuitable(trainer(**changed))


def test_a_server_that_is_not_there_ends_the_run_before_its_first_step(folder, tmp_path):
    with pytest.raises(Unreachable, match="127.0.0.1:9"):
        train(folder, tmp_path, settings={"url": "http://127.0.0.1:9", "deadline": 1})


def test_the_plugin_fails_loudly_outside_its_range(monkeypatch):
    import importlib.metadata

    from swift.utils.utils import import_external_file

    own = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "4.9.1" if name == "ms-swift" else own(name))
    with pytest.raises(UntestedTrainer, match=r"ms-swift 4\.9\.1 is installed.*4\.6"):
        import_external_file(str(swift.PLUGIN))


def test_the_plugin_is_alone_in_its_folder_which_ms_swift_puts_before_all_others():
    assert [p.name for p in swift.PLUGIN.parent.iterdir() if p.suffix == ".py"] == [swift.PLUGIN.name]


def test_another_plugins_trainer_is_extended(monkeypatch):
    from swift.rlhf_trainers import GRPOTrainer
    from swift.trainers import TrainerFactory

    class Theirs(GRPOTrainer):
        pass

    import swift.rlhf_trainers as theirs

    monkeypatch.setattr(theirs, "Theirs", Theirs, raising=False)
    monkeypatch.setitem(TrainerFactory.TRAINER_MAPPING, "grpo", "swift.rlhf_trainers.Theirs")
    made = swift_install(preset="papo-g")
    assert issubclass(made, Theirs)
    assert TrainerFactory.get_trainer_cls(SimpleNamespace(rlhf_type="grpo")) is made
    assert swift_install(preset="vppo") is made
    assert made.perception.preset == "vppo"


swift_install = swift.install
