"""What a loss needs from the trainer: views, with or without a graph, entropies, advantages, rewards."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..losses import FULL_VOCABULARY
from ..results import VIEWS

if TYPE_CHECKING:
    from ..client import Perception

# Of these the anchor's gradient is 0, or a sign only: nothing is left when the other views are constants.
ANCHORLESS = frozenset({"k1", "abs"})
RECIPES = {
    "cppo-areal": {"preserving": "cppo-preserving-areal", "removing": "cppo-removing"},
    "papo": {"removing": "papo-removing"},
    "vppo": {"removing": "vppo-removing"},
}


@dataclass(frozen=True)
class Needs:
    """What one preset with one set of options needs from the trainer.

    Attributes:
        options: every option of the contract, with the caller's in place of the preset's.
        graph: views whose log-probabilities get a gradient, the original first.
        constant: other views whose log-probabilities are used, as constants.
        entropy: views whose entropies are used, as constants.
        scaled: each rollout's advantage is multiplied by its `advantage_scale`.
        chosen: tokens outside the perception mask are left out of the policy loss.
        advantages: the gate looks at advantages.
        rewards: the gate looks at rewards.
    """

    options: Mapping[str, Any] = field(repr=False)
    graph: tuple[str, ...]
    constant: tuple[str, ...]
    entropy: tuple[str, ...]
    scaled: bool
    chosen: bool
    advantages: bool
    rewards: bool

    @property
    def others(self) -> tuple[str, ...]:
        """The views that need a forward pass in addition to the original's."""
        used = {*self.graph, *self.constant, *self.entropy}
        return tuple(v for v in VIEWS[1:] if v in used)

    @property
    def shaping(self) -> bool:
        """Whether the policy loss is changed, so that trainers request its shape; see `shaping`."""
        return self.scaled or self.chosen

    @property
    def kept(self) -> tuple[str, ...]:
        """The views of which the loss takes what the old policy said when the policy loss was shaped.

        It saves their passes. A view whose entropies are used has its pass all the same.
        """
        return tuple(v for v in self.constant if self.shaping and v not in self.entropy)

    @property
    def old(self) -> tuple[str, ...]:
        """The views that the old policy must be asked for: those that `shaping.shape` looks at, and those of `kept`.

        None unless the policy loss is changed. A removing view is among them whether it has a gradient or not.
        """
        if not self.shaping:
            return ()
        return ("original", *(v for v in self.others if v == "removing" or v in self.kept))

    def of_model(self, view: str) -> bool:
        """Whether a view's forward pass needs a graph."""
        return view in self.graph


def needs(client: Perception, preset: str = "cppo-verl", **option: Any) -> Needs:
    """Return what a preset with the caller's options needs. Requests the server's presets once.

    Raises:
        ValueError: there is no such preset, or its estimator runs over the vocabulary.
    """
    presets = _presets(client)
    if preset not in presets:
        raise ValueError(f"preset: there is no {preset!r}; the server has {', '.join(sorted(presets))}")
    options = presets[preset].options | {name.rstrip("_"): value for name, value in option.items()}
    if options["estimator"] in FULL_VOCABULARY:
        raise ValueError(
            f"estimator {options['estimator']} (of preset {preset}) is over the vocabulary, and trainers give the "
            "log-probabilities of the sampled tokens alone: pass estimator='k3', or another that is sampled"
        )
    terms = options["terms"]
    stopped = set(options["stop_gradient"] or ())
    in_terms = {t[end] for t in terms for end in ("anchor", "reference")}
    in_entropy = {v for v, c in (options["entropy_coefficients"] or {}).items() if c}
    scaled = options["advantage_shaping"] == "dependency"
    # Without a detector every token is one of perception, and none is left out.
    chosen = options["policy_tokens"] == "perception" and options["detector"] != "none"
    detected = {"removing"} if options["detector"] == "divergence" or scaled else set()
    graph = ("original", *(v for v in VIEWS[1:] if v in (in_terms | in_entropy) - stopped))
    return Needs(
        options=options,
        graph=graph,
        constant=tuple(v for v in VIEWS if v in in_terms | in_entropy | detected and v not in graph),
        entropy=("original", "removing") if options["detector"] == "entropy" else (),
        scaled=scaled,
        chosen=chosen,
        advantages=options["gate"] == "positive_advantage",
        rewards=options["gate"] == "reward",
    )


def recipes(preset: str, wanted: Needs) -> dict[str, str]:
    """Return the recipe of each view that a preset needs: the one that its authors published, or CPPO's."""
    own = next((r for name, r in RECIPES.items() if preset.startswith(name)), {})
    return {view: own.get(view, f"cppo-{view}") for view in wanted.others}


_known: weakref.WeakKeyDictionary[Perception, Mapping[str, Any]] = weakref.WeakKeyDictionary()


def _presets(client: Perception) -> Mapping[str, Any]:
    if client not in _known:
        _known[client] = client.presets()
    return _known[client]
