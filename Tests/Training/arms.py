"""What is compared: each arm is GRPO and what is added to it. Options not named here are the preset's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from recipes import PRESERVING, REMOVING

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Arm:
    """One way to train.

    Attributes:
        about: what is added, in a few words.
        options: of /v1/score, with the preset; None adds nothing.
        later: options for the second half of the steps, where they differ.
        recipes: of views, in place of those that the preset's authors published.
        given: with the detector `given`: `random`, as many tokens as cppo-verl's detector would have chosen; or `seen`,
            those that the grammar says must be seen.
        longer: takes as many more steps as the perception loss costs time.
    """

    about: str
    options: Mapping[str, Any] | None = None
    later: Mapping[str, Any] | None = None
    recipes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    given: Literal["", "random", "seen"] = ""
    longer: bool = False


def _cppo(about: str, recipes: Mapping[str, Any] = NOTHING, **option: Any) -> Arm:
    return Arm(about, {"preset": "cppo-verl"} | option, recipes=recipes)


MAIN = {
    "grpo": Arm("the policy loss alone"),
    "cpl-all": _cppo("perception loss on every token", detector="none", gate="none"),
    "cpl-topk": _cppo("on the tokens whose entropy rises most", gate="none"),
    "cppo-verl": _cppo("the same, in answers with a positive advantage"),
    "cppo-areal": Arm("k1, quota by ⌈np⌉", {"preset": "cppo-areal"}),
    "cppo-paper": Arm("full_kl from logits, absolute score", {"preset": "cppo-paper"}),
    "papo-g": Arm("PAPO: away from the removing view, with entropy terms", {"preset": "papo-g"}),
    "vppo": Arm("VPPO: policy loss on dependent tokens, scaled advantages", {"preset": "vppo"}),
    "bips": Arm("BiPS: consistency, then separation", {"preset": "bips-consistency"}, {"preset": "bips-separation"}),
    "random": Arm("cppo-verl on random tokens", {"preset": "cppo-verl", "detector": "given"}, given="random"),
    "grpo-longer": Arm("GRPO for the time that cppo-verl takes", longer=True),
}

# Around cppo-verl, whose own values are top_k_ratio 0.5, coefficient 0.01, k3, and the recipes cppo-preserving, -removing.
SWEEPS = {
    "detector": {
        "entropy, relative": "cppo-verl", "entropy, absolute": _cppo("", score="absolute"),
        "entropy, all with ΔH > 0.05": _cppo("", min_delta_entropy=0.05, top_k_ratio=1.0),
        "divergence": _cppo("", detector="divergence"),
        "the truth": Arm("", {"preset": "cppo-verl", "detector": "given"}, given="seen"),
    },
    "top-k ratio": {
        "5 %": _cppo("", top_k_ratio=0.05), "25 %": _cppo("", top_k_ratio=0.25), "50 %": "cppo-verl",
        "75 %": _cppo("", top_k_ratio=0.75), "100 %": _cppo("", top_k_ratio=1.0),
    },
    "coefficient": {
        "0": "grpo", "0.005": _cppo("", coefficient=0.005), "0.01": "cppo-verl", "0.02": _cppo("", coefficient=0.02),
        "0.04": _cppo("", coefficient=0.04),
    },
    "estimator": {
        "k3": "cppo-verl", "k1": _cppo("", estimator="k1"), "k2": _cppo("", estimator="k2"),
    },
    "recipes": {
        "cppo": "cppo-verl",
        "preserving by a slight color_jitter": _cppo("", {"preserving": PRESERVING["slight color_jitter"]}),
        "removing by occlusion": _cppo("", {"removing": REMOVING["occlusion"]}),
        "removing by zoom_crop": _cppo("", {"removing": REMOVING["zoom_crop"]}),
        "removing by papo-removing": _cppo("", {"removing": "papo-removing"}),
        "removing by a grey picture": _cppo("", {"removing": REMOVING["grey"]}),
    },
}  # fmt: skip


def named(name: str) -> Arm:
    """Find an arm by its name, of the main table or `SWEEP: VALUE`."""
    if name in MAIN:
        return MAIN[name]
    sweep, _, value = name.partition(": ")
    found = SWEEPS.get(sweep, {}).get(value)
    if not isinstance(found, Arm):
        raise KeyError(f"there is no arm {name!r}; there are {', '.join([*MAIN, *swept()])}")
    return found


def swept() -> list[str]:
    """Names of the arms of the sweeps that are not in the main table."""
    return [f"{sweep}: {value}" for sweep, values in SWEEPS.items() for value, arm in values.items() if isinstance(arm, Arm)]
