"""How well the detector finds the words that must be read off the picture, which the grammar knows.

R responses of T words. A word's score is what /v1/mask ranks it by; a random score is the yardstick.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import language
from model import Model
from perception_client import Perception
from pictures import Examples
from rollouts import Said, said

SCORES: dict[str, dict[str, Any]] = {
    "relative": {"score": "relative"},
    "relative, ΔH > 0.05": {"score": "relative", "min_delta_entropy": 0.05},
    "absolute": {"score": "absolute"},
    "divergence": {"preset": "vppo", "top_k_ratio": 0.5},
}
RATIOS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)


def hits(chosen: np.ndarray, words: np.ndarray) -> tuple[int, int, int]:
    """Count in [B,T]: chosen words, chosen words that must be seen, words that must be seen in answers with a choice."""
    truth = language.must_be_seen(words)
    kept = chosen.astype(bool)
    return int(kept.sum()), int((kept & truth).sum()), int(truth[kept.any(1)].sum())


def area(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the area under the ROC curve: how often a true one has the larger score, ties counting half."""
    order = np.sort(scores[~truth])
    below = np.searchsorted(order, scores[truth], "left")
    not_above = np.searchsorted(order, scores[truth], "right")
    return float((below + not_above).mean() / 2 / len(order))


def roc(scores: np.ndarray, truth: np.ndarray, points: int = 41) -> list[list[float]]:
    """Return [false positive rate, true positive rate] at evenly spaced false positive rates, by linear interpolation."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    true = np.append(0, truth[order].cumsum()[last] / truth.sum())
    false = np.append(0, (~truth)[order].cumsum()[last] / (~truth).sum())
    at = np.linspace(0, 1, points)
    return [[round(float(x), 4), round(float(np.interp(x, false, true)), 4)] for x in at]


def judged(client: Perception, model: Model, examples: Examples, seed: int, recipes: dict[str, Any]) -> dict[str, Any]:
    """Judge every score on one sampled answer to each question.

    Args:
        client: a running server's.
        model: whose answers and entropies are looked at.
        examples: R of them.
        seed: of answers, views and the random score.
        recipes: of the removing view, by the name to report them by.

    Returns:
        By recipe and score: `area`, `roc`, and `precision` and `recall` by ratio.
    """
    draw = torch.Generator().manual_seed(seed)
    questions = torch.from_numpy(examples.questions)
    original = torch.from_numpy(examples.pictures)
    words = model.answers(original, questions, 1, draw)
    flat = words.flatten(0, 1).numpy()
    mask, truth = language.response_mask(flat), language.must_be_seen(flat)
    chance = np.random.default_rng([seed, 5]).random(mask.shape)
    found: dict[str, Any] = {}
    with torch.no_grad():
        before = said(model, original, questions, words)
        for name, recipe in recipes.items():
            view = torch.stack(client.views(list(original), seed, {"removing": recipe})["removing"])
            after = said(model, view, questions, words)
            found[name] = {score: _judged(client, option, before, after, mask, truth) for score, option in SCORES.items()}
            found[name]["random"] = _with_random(chance, mask, truth)
            found[name]["rise"] = {
                "seen": float((after.entropy - before.entropy).numpy()[truth].mean()),
                "other": float((after.entropy - before.entropy).numpy()[mask & ~truth].mean()),
            }
    return found


def _judged(
    client: Perception, option: dict[str, Any], before: Said, after: Said, mask: np.ndarray, truth: np.ndarray
) -> dict[str, Any]:
    given: dict[str, Any] = {"response_mask": mask, "gate": "none"}
    if option.get("preset") == "vppo":
        given["log_probs"] = {"original": before.log_probs, "removing": after.log_probs}
    else:
        given["entropy"] = {"original": before.entropy, "removing": after.entropy}
    scores = None
    precision, recall = {}, {}
    for ratio in RATIOS:
        answer = client.mask(**given, **(option | {"top_k_ratio": ratio}))
        scores, kept = answer.perception_score, answer.perception_mask.astype(bool)
        precision[str(ratio)] = float(truth[kept].mean())
        recall[str(ratio)] = float(kept[truth].mean())
    assert scores is not None
    return {"area": area(scores[mask], truth[mask]), "roc": roc(scores[mask], truth[mask]), "precision": precision, "recall": recall}


def _with_random(chance: np.ndarray, mask: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """A random choice of each ratio has the share of true words as its precision and the ratio as its recall."""
    share = float(truth[mask].mean())
    return {
        "area": area(chance[mask], truth[mask]), "roc": roc(chance[mask], truth[mask]),
        "precision": {str(r): share for r in RATIOS}, "recall": {str(r): r for r in RATIOS},
    }  # fmt: skip
