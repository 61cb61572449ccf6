"""Client of Perception Server: image views and contrastive perception losses, with gradients.

from perception_client import Perception
P = Perception("http://127.0.0.1:8080", run="geometry-7b")
"""

from typing import TYPE_CHECKING

from .catalogue import Info, Preset, Recipe, Recipes
from .client import Perception
from .errors import (
    BrokenReply,
    DeadlineExceeded,
    IncompatibleVersion,
    InvalidRequest,
    OtherRankFailed,
    OutOfMemory,
    Overloaded,
    PerceptionError,
    ServerError,
    Unauthorized,
    Unreachable,
)
from .local_server import NoServer
from .normalising import across_ranks
from .perturbing import Perturbed, View
from .results import Advantages, Entropies, Mask, Score
from .sheets import Sheet
from .versions import VERSION as __version__
from .views import Views

if TYPE_CHECKING:
    from .asynchronous import AsyncPerception
    from .from_logits import token_statistics as token_statistics

__all__ = [
    "Advantages",
    "AsyncPerception",
    "BrokenReply",
    "DeadlineExceeded",
    "Entropies",
    "IncompatibleVersion",
    "Info",
    "InvalidRequest",
    "Mask",
    "NoServer",
    "OtherRankFailed",
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
    "Unauthorized",
    "Unreachable",
    "View",
    "Views",
    "__version__",
    "across_ranks",
]


def __getattr__(name: str) -> object:
    # httpx and torch are imported when they are asked for.
    if name == "AsyncPerception":
        from .asynchronous import AsyncPerception

        globals()[name] = AsyncPerception
        return AsyncPerception
    if name == "token_statistics":
        from .from_logits import token_statistics

        globals()[name] = token_statistics
        return token_statistics
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
