"""Adds the perception loss to ms-swift's GRPO trainer.

    swift rlhf --rlhf_type grpo … --external_plugins $(python -m perception_client.trainers.swift)

The printed file calls `install`, which replaces ms-swift's trainer by a subclass. Settings come from PERCEPTION_…
variables; your own plugin can pass them as arguments:

    from perception_client.trainers import swift
    swift.install(preset="papo-g", heatmap_every=50)

| file | what |
|---|---|
| `trainer.py` | what the subclass overrides |
| `template_views.py` | views after the template's own resize, made while the trainer generates |
| `plugin/perception.py` | the file for `--external_plugins`; alone in its folder, which ms-swift puts on `sys.path` |
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..settings import TrainerSettings
from ..versions import require

OLDEST, NEWEST = "4.6", "4.6"
PLUGIN = Path(__file__).parent / "plugin" / "perception.py"


def install(**setting: Any) -> Any:
    """Replace ms-swift's GRPO trainer by one with the perception loss, and return that.

    If another plugin has replaced the trainer already, its trainer is extended. A second call only changes the settings.

    Args:
        setting: fields of `TrainerSettings`. The others come from PERCEPTION_… variables.

    Raises:
        UntestedTrainer: this release of ms-swift was not tested.
    """
    require("ms-swift", OLDEST, NEWEST)
    from swift.trainers import TrainerFactory

    from . import trainer

    settings = TrainerSettings.of(setting)
    present = TrainerFactory.get_trainer_cls(SimpleNamespace(rlhf_type="grpo"))
    made: Any = present
    if not issubclass(present, trainer.PerceptionGRPOTrainer):
        made = type(
            "InstalledTrainer", (trainer.PerceptionGRPOTrainer, present), {"__module__": trainer.__name__}
        )
        # ms-swift finds a trainer by the names of its module and class.
        setattr(trainer, "InstalledTrainer", made)  # noqa: B010
        TrainerFactory.TRAINER_MAPPING["grpo"] = f"{trainer.__name__}.InstalledTrainer"
    made.perception = settings
    return made
