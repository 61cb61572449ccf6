"""The recipes that are looked at one by one: published ones, and the steps that they choose from."""

from __future__ import annotations

from typing import Any

_RATIO = {"uniform": [0.05, 0.15]}
_SLIGHT = {"uniform": [0.9, 1.1]}
_WIDE = {"uniform": [0.2, 1.8]}

REMOVING: dict[str, Any] = {
    "cppo-removing": "cppo-removing",
    "papo-removing": "papo-removing",
    "vppo-removing": "vppo-removing",
    "occlusion": {"step": "occlusion", "count": 50, "width_ratio": _RATIO, "height_ratio": _RATIO},
    "zoom_crop": {"step": "zoom_crop", "scale": {"uniform": [0.6, 0.7]}},
    "grey": {"step": "fill", "color": 128},
}
PRESERVING: dict[str, Any] = {
    "cppo-preserving": "cppo-preserving",
    "cppo-preserving-areal": "cppo-preserving-areal",
    "color_jitter": {
        "step": "color_jitter", "brightness": {"uniform": [0.2, 1.3]}, "contrast": _WIDE, "saturation": _WIDE,
        "order": {"permutation": ["brightness", "contrast", "saturation"]},
    },
    "slight color_jitter": {
        "step": "color_jitter", "brightness": _SLIGHT, "contrast": _SLIGHT, "saturation": _SLIGHT,
        "order": ["brightness", "contrast", "saturation"],
    },
    "perspective": {"step": "perspective", "distortion": 0.2},
    "rotation": {"step": "rotation", "degrees": {"uniform": [-10, 10]}},
}  # fmt: skip
