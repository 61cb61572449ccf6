"""Client of Perception Server: image views and contrastive perception losses, with gradients.

from perception_client import Perception
P = Perception("http://127.0.0.1:8080", run="geometry-7b")
"""

from .catalogue import Info, Preset, Recipe, Recipes
from .client import Perception
from .errors import (
    BrokenReply,
    DeadlineExceeded,
    IncompatibleVersion,
    InvalidRequest,
    OutOfMemory,
    Overloaded,
    PerceptionError,
    ServerError,
    SkippedByOthers,
    Unauthorized,
    Unreachable,
)
from .perturbing import Perturbed, View
from .results import Advantages, Entropies, Mask, Score
from .sheets import Sheet
from .versions import VERSION as __version__

__all__ = [
    "Advantages",
    "BrokenReply",
    "DeadlineExceeded",
    "Entropies",
    "IncompatibleVersion",
    "Info",
    "InvalidRequest",
    "Mask",
    "OutOfMemory",
    "Overloaded",
    "Perception",
    "PerceptionError",
    "Perturbed",
    "Preset",
    "Recipe",
    "Recipes",
    "Score",
    "ServerError",
    "Sheet",
    "SkippedByOthers",
    "Unauthorized",
    "Unreachable",
    "View",
    "__version__",
]
