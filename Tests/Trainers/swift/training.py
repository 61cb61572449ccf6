"""Runs `swift rlhf --rlhf_type grpo` on the tiny model: the function behind the command in this process, or the command."""

import json
import os
import pathlib
import shlex
import subprocess
import sys
from dataclasses import dataclass, field

import torch
from scripted import free_port
from transformers import Qwen2_5_VLForConditionalGeneration, TrainerCallback

import tiny_model

HERE = pathlib.Path(__file__).parent
OWN = "swift.rlhf_trainers.GRPOTrainer"
# A random model writes any token; one that stands for a picture would be one picture too many.
NEVER_WRITTEN = [i for i, token in enumerate(tiny_model.SPECIAL) if token != tiny_model.END]


def prepare(folder, pictures_of_row=1, count=8):
    """Write the model and a data set of `count` prompts, and return the folder."""
    tiny_model.save(folder / "model")
    file = folder / "model/generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"suppress_tokens": NEVER_WRITTEN}))
    lines = []
    for i, row in enumerate(tiny_model.rows(count, pictures_of_row)):
        names = []
        for k, picture in enumerate(row["images"]):
            names.append(str(folder / f"{i}-{k}.png"))
            picture.save(names[-1])
        text = "<image>" * len(names) + row["prompt"][0]["content"]
        lines.append(json.dumps({"messages": [{"role": "user", "content": text}], "images": names}))
    (folder / "data.jsonl").write_text("\n".join(lines))
    return folder


def arguments(folder, output, **given):
    """The command's arguments: two micro-batches of four rollouts a step, three steps, plain gradient descent."""
    usual = {
        "rlhf_type": "grpo", "model": folder / "model", "model_type": "qwen2_5_vl", "template": "qwen2_5_vl",
        "dataset": folder / "data.jsonl", "output_dir": output, "add_version": "false", "use_hf": "true", "use_vllm": "false",
        "use_cpu": "true", "check_model": "false", "reward_funcs": "lower_case", "tuner_type": "full",
        "torch_dtype": "float32", "attn_impl": "sdpa", "freeze_vit": "false", "freeze_aligner": "false",
        "num_generations": 4, "per_device_train_batch_size": 4,
        "per_device_eval_batch_size": 4, "gradient_accumulation_steps": 2, "max_completion_length": 16, "max_steps": 3,
        "temperature": 0.9, "beta": 0.0, "optim": "sgd", "learning_rate": 0.01, "lr_scheduler_type": "constant",
        "warmup_ratio": 0, "weight_decay": 0, "max_grad_norm": 0, "logging_steps": 1, "save_strategy": "no",
        "eval_strategy": "no", "report_to": "none", "dataloader_num_workers": 0, "seed": 5,
    }  # fmt: skip
    words = []
    for name, value in (usual | given).items():
        listed = value if isinstance(value, list | tuple) else [value]
        words += [f"--{name}", *map(str, listed)]
    return words


@dataclass
class Run:
    """What a run left behind: gradients [N] before each optimizer step, parameters [N], and the trainer's log."""

    gradients: list = field(default_factory=list)
    parameters: torch.Tensor = None
    trainer: object = None

    def curve(self, name):
        return [entry[name] for entry in self.trainer.state.log_history if name in entry]


def own_trainer():
    """ms-swift's trainer as it is."""
    from swift.rlhf_trainers import GRPOTrainer

    return GRPOTrainer


def train(folder, output, *, settings, client=None, trainer=None, **given):
    """Run the function behind the command in this process.

    Args:
        folder: as `prepare` left it.
        output: where the trainer writes to.
        settings: of the perception loss.
        client: for `trainer`.
        trainer: a class in place of the adapter's.
        given: arguments of the command.
    """
    import for_tests  # noqa: F401
    from swift.pipelines import rlhf_main
    from swift.trainers import TrainerFactory

    from perception_client.trainers import swift

    TrainerFactory.TRAINER_MAPPING["grpo"] = OWN
    given_class = trainer and type(trainer.__name__, (trainer,), {"client": client, "settings": settings})
    base = given_class or swift.install(**settings)
    run = Run()

    class Gradients(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model=None, **_):
            found = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
            run.gradients.append(torch.cat([g.double().reshape(-1) for g in found]))

    class Watched(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            run.trainer = self
            self.add_callback(Gradients())

    sys.modules[__name__].Watched = Watched
    TrainerFactory.TRAINER_MAPPING["grpo"] = f"{__name__}.Watched"
    rlhf_main(arguments(folder, output, **given))
    run.parameters = tiny_model.parameters(run.trainer.accelerator.unwrap_model(run.trainer.model))
    return run


def command(folder, output, *plugins, text=None, ranks=1, environment=None, **given):
    """Run `swift rlhf` as a user does, and return the parameters [N] that it saved.

    Args:
        folder: as `prepare` left it.
        output: where the trainer writes to.
        plugins: files for `--external_plugins`.
        text: lines of a shell with the command, its arguments left out as `…`, plugins last; absent, the command alone.
        ranks: processes, over gloo.
        environment: further variables.
        given: arguments of the command.
    """
    bin = pathlib.Path(sys.executable).parent
    variables = os.environ | {"PATH": f"{bin}:{os.environ['PATH']}"} | (environment or {})
    steps = given.get("max_steps", 3)
    given |= {"save_strategy": "steps", "save_steps": steps, "save_only_model": "true"}
    if ranks > 1:
        variables |= {"NPROC_PER_NODE": str(ranks), "MASTER_PORT": str(free_port())}
        given["ddp_backend"] = "gloo"
    words = shlex.join(arguments(folder, output, **given))
    text = (text or "swift rlhf … --external_plugins").rstrip().replace("…", words)
    text = f"set -e\n{text} {shlex.join(map(str, plugins))}"
    done = subprocess.run(["bash", "-c", text], env=variables, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    saved = Qwen2_5_VLForConditionalGeneration.from_pretrained(output / f"checkpoint-{steps}", dtype=torch.float32)
    return tiny_model.parameters(saved)


def apart(found, expected):
    """The largest relative difference of gradients over the steps."""
    assert len(found.gradients) == len(expected.gradients) > 0
    return max(float((a - b).norm() / b.norm()) for a, b in zip(found.gradients, expected.gradients, strict=True))


def farthest(found, expected):
    """The largest difference of a parameter at the end."""
    return float((found.parameters - expected.parameters).abs().max())
