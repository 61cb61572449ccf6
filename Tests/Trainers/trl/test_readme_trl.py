"""The README's example for TRL trains, and is as short as it says."""

import readme
import training
from datasets import Dataset

import tiny_model


def test_the_example_trains(url, tmp_path):
    words = tiny_model.processor()
    names = {
        "model": tiny_model.model(words.tokenizer), "processor": words, "reward": training.reward,
        "args": training.config(training.GRPOTrainer, tmp_path, max_steps=1, generation_kwargs={
            "suppress_tokens": tiny_model.never_sampled(words.tokenizer)}),
        "train_dataset": Dataset.from_list(tiny_model.rows(4)),
    }  # fmt: skip
    before = tiny_model.parameters(names["model"])
    assert readme.run({"python trl"}, url, names, tmp_path) == 1
    assert not before.equal(tiny_model.parameters(names["model"]))
    (code,) = (code for kind, code in readme.examples() if kind == "python trl")
    lines = [line for line in code.splitlines() if line.strip()]
    # The import of TRL and the line that trains are there without this package, too.
    assert len([line for line in lines if "trl import GRPOTrainer" not in line and not line.startswith("Trainer(")]) == 3
