"""The settings of every adapter, which come from arguments, a mapping, or PERCEPTION_… variables."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from . import needs as wants

if TYPE_CHECKING:
    from ..client import Perception

Mode = Literal["direct", "grad_cache", "detached", "rows"]
ON_ERROR = ("raise", "skip")
NORMALISE = ("micro", "sequences")


def _truth(text: str) -> bool:
    try:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
    except KeyError:
        raise ValueError("expected 1 or 0") from None


@dataclass(frozen=True)
class TrainerSettings:
    """One training run's perception loss. Each field can come from a variable: `mode` from PERCEPTION_MODE, and so on.

    Attributes:
        url: the server's address; `local` starts a private server. Default: PERCEPTION_URL, or port 8080 of this machine.
        token: the bearer token. Default: PERCEPTION_TOKEN.
        run: the run's name in the server's metrics.
        deadline: seconds for one call including retries. Keep it below the timeout of the collectives.
        on_error: `raise`, or `skip` for a zero loss on all ranks if a call fails.
        mode: how gradients reach the model. Each adapter offers the modes that suit its trainer.
        preset: the loss.
        coefficient: of the loss in the objective. Default: the preset's.
        options: further options of /v1/score, such as `{"tau": 0.2}`.
        recipes: the recipe of each view. Default: those of the preset.
        seed: of the views' draws, which also depend on the step and the picture's content.
        per_rollout: draw a view for every rollout instead of one for all rollouts of a prompt.
        normalise: `micro`: the mean of the micro-batches' losses. `sequences`: the mean over all sequences of a step,
            which does not depend on how micro-batches divide it. It refuses presets with entropy terms or a cap.
        heatmap_every: number of steps between heat maps of tokens; 0 for none.
        image_key: the column of the data set that holds a row's picture or pictures.
        send_tokens: send the tokens' text and the advantages with the loss, for the server's page of recent batches.
    """

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    run: str | None = None
    deadline: float = 120.0
    on_error: Literal["raise", "skip"] = "raise"
    mode: Mode = "direct"
    preset: str = "cppo-verl"
    coefficient: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    recipes: Mapping[str, Any] | None = None
    seed: int = 0
    per_rollout: bool = False
    normalise: Literal["micro", "sequences"] = "micro"
    heatmap_every: int = 0
    image_key: str = "images"
    send_tokens: bool = False

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ValueError(f"mode: expected one of {', '.join(get_args(Mode))}, not {self.mode!r}")
        if self.on_error not in ON_ERROR:
            raise ValueError(f"on_error: expected raise or skip, not {self.on_error!r}")
        if self.normalise not in NORMALISE:
            raise ValueError(f"normalise: expected micro or sequences, not {self.normalise!r}")
        if self.heatmap_every < 0:
            raise ValueError("heatmap_every is a number of steps, 0 for none")
        twice = {"preset", "coefficient"} & set(self.options)
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))}: a setting of its own, not one of `options`")

    @classmethod
    def of(cls, given: TrainerSettings | Mapping[str, Any] | None = None, **more: Any) -> TrainerSettings:
        """Return settings: those given, then the PERCEPTION_… variables, then the defaults.

        Args:
            given: settings, or a mapping with some of them.
            more: further settings, which take precedence.

        Raises:
            ValueError: a variable does not have its setting's type.
            TypeError: there is no setting of that name.
        """
        if isinstance(given, TrainerSettings):
            return dataclasses.replace(given, **more)
        named = {name.replace("-", "_"): value for name, value in (given or {}).items()} | more
        names = [f.name for f in dataclasses.fields(cls)]
        unknown = sorted(set(named) - set(names))
        if unknown:
            raise TypeError(f"there is no setting {', '.join(unknown)}; there are {', '.join(names)}")
        return cls(**_variables() | named)

    def client(self, *, group: Any = None) -> Perception:
        """Make the client. `group`: the process group whose ranks skip together."""
        from ..client import Perception

        common: dict[str, Any] = {"deadline": self.deadline, "on_error": self.on_error, "group": group}
        if self.url == "local":
            return Perception.local(self.run, **common)
        return Perception(self.url, self.token, self.run, **common)

    @property
    def loss(self) -> dict[str, Any]:
        """The arguments that every request of the loss has: preset, coefficient, options."""
        weight = {} if self.coefficient is None else {"coefficient": self.coefficient}
        return {"preset": self.preset, **weight, **self.options}

    def needs(self, client: Perception) -> wants.Needs:
        """Return what the loss needs from the trainer.

        Raises:
            ValueError: it needs what no trainer has, or no other view than the original.
        """
        found = wants.needs(client, **self.loss)
        detector = found.options["detector"]
        if detector == "given":
            raise ValueError(
                "detector given: trainers have no perception mask to give. Choose another detector"
            )
        if found.chosen and detector == "entropy":
            raise ValueError(
                "policy_tokens perception with the detector entropy: trainers do not keep the old policy's entropies "
                "under the views, by which the tokens would be chosen. Use the detector divergence"
            )
        if not found.others:
            raise ValueError(
                f"preset {self.preset} with these options looks at no view but the original: there is nothing to add"
            )
        return found

    def shows_advantages(self, wanted: wants.Needs) -> bool:
        """Whether requests have advantages: for the gate, or for people who look at the batches with their tokens."""
        return wanted.advantages or self.send_tokens

    def recipes_for(self, wanted: wants.Needs) -> dict[str, Any]:
        """Return the recipe of each view that is needed.

        Raises:
            ValueError: `recipes` names views that the loss has no use for, or leaves one out.
        """
        if self.recipes is None:
            return dict(wants.recipes(self.preset, wanted))
        if set(self.recipes) != set(wanted.others):
            raise ValueError(
                f"recipes: preset {self.preset} with these options needs {', '.join(wanted.others) or 'no view'}, "
                f"and recipes are given for {', '.join(self.recipes) or 'none'}"
            )
        return dict(self.recipes)


# How each field's text in a variable is read; url and token are the client's own.
_READ: dict[str, Callable[[str], Any]] = {
    "run": str, "deadline": float, "on_error": str, "mode": str, "preset": str, "coefficient": float,
    "options": json.loads, "recipes": json.loads, "seed": int, "per_rollout": _truth, "normalise": str,
    "heatmap_every": int, "image_key": str, "send_tokens": _truth,
}  # fmt: skip


def _variables() -> dict[str, Any]:
    found = {}
    for name, read in _READ.items():
        variable = f"PERCEPTION_{name.upper()}"
        text = os.environ.get(variable)
        if text:
            try:
                found[name] = read(text)
            except ValueError as error:
                raise ValueError(f"{variable}={text!r}: {error}") from None
    if os.environ.get("PERCEPTION_URL") == "local":
        found["url"] = "local"
    return found
