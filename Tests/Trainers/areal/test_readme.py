"""The README's lines for AReaL run, and there are no more than ten of them."""

import features  # noqa: F401
import readme
from areal.trainer.rl_trainer import PPOTrainer
from areal.utils.dynamic_import import import_from_string
from test_trainer import parts


def test_the_lines_of_the_readme(monkeypatch):
    trained = {}
    monkeypatch.setattr(PPOTrainer, "__init__", lambda self, config, train_dataset, valid_dataset: None)
    monkeypatch.setattr(PPOTrainer, "__enter__", lambda self: self)
    monkeypatch.setattr(PPOTrainer, "__exit__", lambda self, *_: None)
    monkeypatch.setattr(PPOTrainer, "train", lambda self, **given: trained.update(given))
    (code,) = (code for kind, code in readme.examples() if kind == "python areal")
    exec(code, {"config": parts(), "train": [], "valid": [], "workflow_kwargs": {"reward_fn": "x"}})
    assert import_from_string(trained["workflow"]).__name__ == "PerceptionVisionRLVRWorkflow"
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
