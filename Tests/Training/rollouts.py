"""What a model answers, how often it is right, and what it says of each word of an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import language
from model import Model
from pictures import Examples


@dataclass(frozen=True)
class Accuracy:
    """Shares of answers to a set of questions.

    Attributes:
        sampled: of answers sampled as in training, those with the right result: the expected reward.
        greedy: of the likeliest answers, those with the right result.
        chain: of the likeliest answers, those that are right in every word.
    """

    sampled: float
    greedy: float
    chain: float


def accuracy(model: Model, examples: Examples, seed: int = 0, batch: int = 256) -> Accuracy:
    """Measure one sampled and one greedy answer to each question."""
    draw = torch.Generator().manual_seed(seed)
    sampled, greedy, chains = [], [], []
    for start in range(0, len(examples), batch):
        part = examples.of(np.arange(start, min(start + batch, len(examples))))
        pictures, questions = torch.from_numpy(part.pictures), torch.from_numpy(part.questions)
        sampled.append(language.rewards(model.answers(pictures, questions, 1, draw)[:, 0].numpy(), part.right))
        written = model.answers(pictures, questions)[:, 0].numpy()
        greedy.append(language.rewards(written, part.right))
        chains.append((written == part.words).all(-1))
    return Accuracy(*(float(np.concatenate(part).mean()) for part in (sampled, greedy, chains)))


@dataclass(frozen=True)
class Said:
    """What the model says of each word under one view: log-probabilities, entropies [B,T] in nats, logits [B,T,V]."""

    log_probs: Tensor
    entropy: Tensor
    logits: Tensor


def said(model: Model, pictures: Tensor, questions: Tensor, words: Tensor) -> Said:
    """Run the model on answers [P,G,T], with a graph where gradients are enabled. B is P · G."""
    logits = model.logits(model.look(pictures), questions, words).flatten(0, 1)
    logs = logits.log_softmax(-1)
    entropy = -(logs.detach().exp() * logs.detach()).sum(-1)
    return Said(logs.gather(-1, words.flatten(0, 1)[..., None])[..., 0], entropy, logits)
