"""Runs TRL's own trainers on the tiny model, and keeps the gradient of every optimizer step."""

import warnings
from dataclasses import dataclass, field

import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

import tiny_model
from perception_client.trainers.trl import PerceptionMixin

warnings.filterwarnings("ignore", message=".*pin_memory.*")


class GRPO(PerceptionMixin, GRPOTrainer):
    """Settings come from the test."""


class RLOO(PerceptionMixin, RLOOTrainer):
    """Settings come from the test."""


def reward(completions, **_):
    """The share of lower-case letters in each completion."""
    return tiny_model.lower_case([c[0]["content"] for c in completions])


@dataclass
class Run:
    """What a training run left behind: gradients [N] before each optimizer step, parameters [N] at the end."""

    trainer: object
    gradients: list = field(default_factory=list)
    parameters: torch.Tensor = None

    def curve(self, name):
        return [entry[name] for entry in self.trainer.state.log_history if name in entry]


class _Gradients(TrainerCallback):
    def __init__(self, run):
        self.run = run

    def on_pre_optimizer_step(self, args, state, control, model=None, **_):
        self.run.gradients.append(
            torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).double().reshape(-1) for p in model.parameters()]))


def config(trainer, folder, **given):
    """A config of two micro-batches a step, plain gradient descent, nothing reported."""
    kind = RLOOConfig if issubclass(trainer, RLOOTrainer) else GRPOConfig
    usual = {
        "per_device_train_batch_size": 4, "num_generations": 4, "gradient_accumulation_steps": 2, "max_completion_length": 24,
        "max_steps": 2, "logging_steps": 1, "report_to": [], "use_cpu": True, "bf16": False, "save_strategy": "no",
        "learning_rate": 1e-3, "optim": "sgd", "lr_scheduler_type": "constant", "max_grad_norm": 0.0,
        "gradient_checkpointing": False, "disable_tqdm": True, "seed": 5, "dataloader_pin_memory": False, "beta": 0.0,
    }  # fmt: skip
    return kind(str(folder), **usual | given)


def made(trainer, folder, *, settings=None, client=None, rows=None, spread=3.0, callbacks=(), processor=None, eval_rows=None,
         **given):  # fmt: skip
    """A trainer of the class, with settings of the perception loss where it has one."""
    words = processor or tiny_model.processor()
    model = tiny_model.model(words.tokenizer, spread=spread)
    given.setdefault("generation_kwargs", {"suppress_tokens": tiny_model.never_sampled(words.tokenizer)})
    own = type(trainer.__name__, (trainer,), {"perception": client, "perception_settings": settings or {}})
    rows = tiny_model.rows(8) if rows is None else rows
    return own(
        model, reward, config(trainer, folder, **given), Dataset.from_list(rows) if isinstance(rows, list) else rows,
        processing_class=words, callbacks=list(callbacks), eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None)  # fmt: skip


def train(trainer, folder, *, resume=None, callbacks=(), **given):
    """Train, and return what is left."""
    run = Run(None)
    run.trainer = made(trainer, folder, callbacks=[_Gradients(run), *callbacks], **given)
    run.trainer.train(resume_from_checkpoint=resume)
    run.parameters = tiny_model.parameters(run.trainer.accelerator.unwrap_model(run.trainer.model))
    return run


def apart(found, expected):
    """The largest relative difference of gradients over the steps."""
    assert len(found.gradients) == len(expected.gradients) > 0
    return max(float((a - b).norm() / b.norm()) for a, b in zip(found.gradients, expected.gradients, strict=True))
