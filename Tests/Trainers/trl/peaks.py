"""Memory of one optimizer step of GRPO: python peaks.py URL MODE, with the mode `alone`, `direct` or `grad_cache`.

Prints the megabytes by which the process grew above what it had before the step's forward passes.
"""

import pathlib
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1])]

import conftest  # noqa: F401  finds the shared modules

# Activations of 8 sequences of some 200 tokens: much more than parameters and gradients.
LARGER = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 16, "num_key_value_heads": 4}


def resident(field):
    """VmRSS or VmHWM of this process in bytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def main(url, mode):
    import training
    from transformers import TrainerCallback

    import tiny_model
    from perception_client import Perception

    made = tiny_model.model
    tiny_model.model = lambda words, **given: made(words, **given, **LARGER)
    grown = []

    class Measure(TrainerCallback):
        def on_pre_optimizer_step(self, *_, **__):
            grown.append(resident("VmHWM") - before[-1])

    before = []
    kind = training.GRPOTrainer if mode == "alone" else training.GRPO
    with tempfile.TemporaryDirectory() as folder:
        trainer = training.made(
            kind, folder, client=Perception(url), settings={"mode": mode} if mode != "alone" else {}, max_steps=2,
            per_device_train_batch_size=8, num_generations=8, gradient_accumulation_steps=1, max_completion_length=48,
            callbacks=[Measure()])  # fmt: skip
        loss = trainer._compute_loss

        def watched(model, batch):
            pathlib.Path("/proc/self/clear_refs").write_text("5")
            before.append(resident("VmRSS"))
            return loss(model, batch)

        trainer._compute_loss = watched
        trainer.train()
    # The first step has the gradients' and the threads' memory on top.
    print(f"{grown[-1] / 2**20:.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
