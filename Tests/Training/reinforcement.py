"""GRPO with the perception loss of one arm.

Each step: PROMPTS pictures with a question each, GROUP sampled answers to each, advantages within each group, one update.
Views come from /v1/perturb and the loss with its gradients from /v1/score, through the client's own parts for trainers.
Equal seeds mean equal pictures and questions in every arm, step for step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

import detection
import language
import pictures
from arms import Arm
from model import Model
from perception_client import Perception
from perception_client.results import Score
from perception_client.trainers import modes, shaping
from perception_client.trainers.needs import needs, recipes
from rollouts import Said, said

PROMPTS, GROUP, STEPS = 16, 8, 100
RATE, WARM_UP, BETAS, CLIP = 2e-4, 10, (0.9, 0.99), 1.0


class Timed(Perception):
    """A client that adds up the seconds of its calls, and what the server says it spent on them.

    Attributes:
        seconds: between sending and having read the answers.
        server_seconds: the part of it that the server measured.
    """

    seconds = server_seconds = 0.0

    def send(self, call: Any) -> Any:
        """Send a call."""
        began = time.perf_counter()
        answer = super().send(call)
        self.seconds += time.perf_counter() - began
        self.server_seconds += (getattr(answer, "server_ms", None) or 0.0) / 1000
        return answer


@dataclass
class Step:
    """What one step was: its mean reward, its loss, the detector's hits, and where its time went (seconds)."""

    reward: float
    loss: float = 0.0
    gated: int = 0
    selected: int = 0
    selected_seen: int = 0
    seen: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    service: float = 0.0
    server: float = 0.0


@dataclass(frozen=True)
class Batch:
    """Rollouts of one step: P prompts, G answers each, B = P · G.

    Attributes:
        pictures: by view [P,SIDE,SIDE,3].
        questions: [P,QUESTION].
        words: [P,G,T].
        mask: [B,T], the answers' own words.
        rewards: [B].
        advantages: [B].
    """

    pictures: dict[str, Tensor]
    questions: Tensor
    words: Tensor
    mask: Tensor
    rewards: Tensor
    advantages: Tensor

    def said(self, model: Model, view: str = "original") -> Said:
        """Run the model on the answers under a view."""
        return said(model, self.pictures[view], self.questions, self.words)


def advantages(rewards: Tensor) -> Tensor:
    """Return GRPO's advantages [P,G] of rewards: less the group's mean, by its deviation."""
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-6)


def rolled_out(model: Model, examples: pictures.Examples, draw: torch.Generator) -> Batch:
    """Sample answers, and reward them."""
    seen = torch.from_numpy(examples.pictures)
    questions = torch.from_numpy(examples.questions)
    words = model.answers(seen, questions, GROUP, draw)
    found = torch.from_numpy(language.rewards(words.numpy(), examples.right[:, None]))
    mask = torch.from_numpy(language.response_mask(words.numpy())).flatten(0, 1)
    return Batch({"original": seen}, questions, words, mask, found.flatten(), advantages(found).flatten())


def policy_loss(log_probs: Tensor, mask: Tensor, advantages: Tensor) -> Tensor:
    """Return GRPO's loss of one update of the sampling policy, whose ratio is 1; token-mean over the answers.

    Args:
        log_probs: [B,T] with their graph.
        mask: [B,T].
        advantages: [B], or [B,T] where some words count less.
    """
    wide = advantages if advantages.dim() == 2 else advantages[:, None]
    ratio = (log_probs - log_probs.detach()).exp()
    return -torch.where(mask, wide * ratio, 0).sum() / mask.sum()


class Trainer:
    """A model, its optimizer and its random numbers.

    Args:
        model: is trained in place.
        seed: of pictures, answers and views.
        client: a running server's; None for arms that need none.
        added: what is added to the policy loss in place of the server's loss: a function of the trainer, the batch and
            what the model says of the original.
    """

    def __init__(
        self,
        model: Model,
        seed: int,
        client: Timed | None = None,
        added: Callable[[Trainer, Batch, Said], Tensor] | None = None,
    ) -> None:
        self.model, self.seed, self.client, self.added = model, seed, client, added
        self.adam = torch.optim.Adam(model.parameters(), lr=RATE, betas=BETAS)
        self.warming = torch.optim.lr_scheduler.LambdaLR(self.adam, lambda step: min(1.0, (step + 1) / WARM_UP))
        self.examples = np.random.default_rng([seed, 3])
        self.draw = torch.Generator().manual_seed(seed)
        self.chance = np.random.default_rng([seed, 4])
        self.steps = 0

    def step(self, arm: Arm, later: bool = False) -> Step:
        """Train for one step."""
        wall, cpu = time.perf_counter(), time.process_time()
        before = (self.client.seconds, self.client.server_seconds) if self.client else (0.0, 0.0)
        policy, perception, done = self.losses(arm, later)
        self.adam.zero_grad()
        (policy if perception is None else policy + perception).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.adam.step()
        self.warming.step()
        self.steps += 1
        done.wall, done.cpu = time.perf_counter() - wall, time.process_time() - cpu
        if self.client:
            done.service, done.server = self.client.seconds - before[0], self.client.server_seconds - before[1]
        return done

    def losses(self, arm: Arm, later: bool = False) -> tuple[Tensor, Tensor | None, Step]:
        """Sample a batch, and return its policy loss, what the arm adds to it, and what the step is so far."""
        batch = rolled_out(self.model, pictures.drawn(PROMPTS, self.examples), self.draw)
        done = Step(float(batch.rewards.mean()))
        original = batch.said(self.model)
        options = arm.later if later and arm.later is not None else arm.options
        if options is None:
            return policy_loss(original.log_probs, batch.mask, batch.advantages), None, done
        assert self.client is not None
        self._make_views(arm, options, batch)
        if self.added is not None:
            policy = policy_loss(original.log_probs, batch.mask, batch.advantages)
            return policy, self.added(self, batch, original), done
        if options["preset"] == "cppo-paper":
            advantages, perception = batch.advantages, self._of_logits(options, batch, original)
            score = self.client.last
        else:
            advantages, perception, score = self._of_log_probs(arm, options, batch, original)
        done.loss, done.gated = score.loss, score.gated
        if score.mask is not None:
            hits = detection.hits(score.mask, batch.words.flatten(0, 1).numpy())
            done.selected, done.selected_seen, done.seen = hits
        return policy_loss(original.log_probs, batch.mask, advantages), perception, done

    def _of_log_probs(
        self, arm: Arm, options: Mapping[str, Any], batch: Batch, original: Said
    ) -> tuple[Tensor, Tensor, Score]:
        """The advantages that the preset leaves, what it adds to the policy loss, and the server's answer."""
        assert self.client is not None
        wanted = needs(self.client, **options)
        given: dict[str, Any] = {"response_mask": batch.mask}
        if wanted.advantages:
            given["advantages"] = batch.advantages
        if wanted.rewards:
            given["rewards"] = batch.rewards
        if arm.given == "random":
            given["perception_mask"] = self._random_tokens(batch, original)
        elif arm.given == "seen":
            given["perception_mask"] = torch.from_numpy(language.must_be_seen(batch.words.flatten(0, 1).numpy()))

        def forward(view: str) -> modes.Pass:
            found = batch.said(self.model, view)
            return modes.Pass(found.log_probs, found.entropy)

        seen = modes.Pass(original.log_probs, original.entropy)
        perception = modes.direct(self.client, forward, seen, **given, **options)
        score = self.client.last
        if not wanted.shaping:
            return batch.advantages, perception, score
        with torch.no_grad():
            removing = batch.said(self.model, "removing").log_probs
        log_probs = {"original": original.log_probs, "removing": removing}
        shape = shaping.shape(self.client, wanted, options, log_probs=log_probs, response_mask=batch.mask)
        everything = torch.ones(len(batch.mask), dtype=torch.bool)
        return shape.advantages(batch.advantages, everything, language.LONGEST), perception, score

    def _of_logits(self, options: Mapping[str, Any], batch: Batch, original: Said) -> Tensor:
        """The perception loss with the whole distributions, times the preset's coefficient."""
        assert self.client is not None
        views = {"original": original} | {v: batch.said(self.model, v) for v in ("preserving", "removing")}
        loss = self.client.loss(
            logits={v: s.logits for v, s in views.items()}, token_ids=batch.words.flatten(0, 1),
            response_mask=batch.mask, advantages=batch.advantages, **options,
        )  # fmt: skip
        return float(self.client.last.options["coefficient"]) * loss

    def _make_views(self, arm: Arm, options: Mapping[str, Any], batch: Batch) -> None:
        assert self.client is not None
        if options["preset"] == "cppo-paper":
            wanted: dict[str, Any] = {"preserving": "cppo-preserving", "removing": "cppo-removing"}
        else:
            wanted = dict(recipes(options["preset"], needs(self.client, **options)))
        wanted |= arm.recipes
        made = self.client.views(list(batch.pictures["original"]), (self.seed << 32) + self.steps, wanted)
        batch.pictures.update({view: torch.stack(made[view]) for view in made})

    def _random_tokens(self, batch: Batch, original: Said) -> Tensor:
        """As many random words of each answer as cppo-verl's detector would choose [B,T]."""
        with torch.no_grad():
            removing = batch.said(self.model, "removing").entropy
        rising = (batch.mask & (removing > original.entropy)).sum(1).numpy()
        quota = np.where(rising > 0, np.maximum(1, rising // 2), 0)
        places = np.where(batch.mask.numpy(), self.chance.random(batch.mask.shape), 2.0)
        ranks = places.argsort(1).argsort(1)
        return torch.from_numpy((ranks < quota[:, None]) & batch.mask.numpy())
