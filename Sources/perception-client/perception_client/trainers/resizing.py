"""Pictures after the resize of the model's image processor, and the model's inputs for views of them.

Perturbations of 14-pixel cells, and the number of image tokens, refer to the picture that the model sees. So the pixels
come from the processor itself, with its own treatment of transparency, orientation and resampling. H × W pixels after
the resize; a picture has P patches of D numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

Features = dict[str, torch.Tensor]
GRID = "image_grid_thw"
PIXELS = "pixel_values"


def image_processor(processor: Any) -> Any:
    """Return a processor's image processor, or the processor itself if it is one."""
    return getattr(processor, "image_processor", processor)


def resized(processor: Any, pictures: Sequence[Any]) -> list[torch.Tensor]:
    """Return pictures after the processor's resize: U8 [3,H,W].

    Args:
        processor: the model's processor, or its image processor.
        pictures: of any type that the processor accepts.

    Raises:
        TypeError: this package does not know how the processor arranges pixels.
    """
    process = image_processor(processor)
    raw = process(images=list(pictures), do_rescale=False, do_normalize=False, return_tensors="pt")
    if GRID in raw:
        patches = _split(raw[PIXELS], [int(g.prod()) for g in raw[GRID]])
        return [_picture(process, p, g) for p, g in zip(patches, raw[GRID].tolist(), strict=True)]
    pixels = raw.get(PIXELS)
    if isinstance(pixels, torch.Tensor) and pixels.dim() == 4 and len(pixels) == len(pictures):
        return [_bytes(x) for x in pixels]
    raise _unknown(process)


def features(processor: Any, pictures: Sequence[torch.Tensor]) -> list[Features]:
    """Return the model's inputs for pictures that are resized already.

    `pixel_values` [P,D] and `image_grid_thw` [1,3]. Processors without patches return only `pixel_values` [1,3,H,W].

    Args:
        processor: the model's processor, or its image processor.
        pictures: U8 [3,H,W], as `resized` and views of those.
    """
    process = image_processor(processor)
    if not pictures:
        return []
    made = process(images=list(pictures), do_resize=False, return_tensors="pt")
    pixels = torch.as_tensor(made[PIXELS])
    if GRID not in made:
        return [{PIXELS: x} for x in _split(pixels, [1] * len(pixels))]
    grids = torch.as_tensor(made[GRID])
    patches = _split(pixels, [int(g.prod()) for g in grids])
    return [{PIXELS: p, GRID: g[None]} for p, g in zip(patches, grids, strict=True)]


def restored(processor: Any, pixels: torch.Tensor, grid: torch.Tensor | None) -> list[torch.Tensor]:
    """Return the pictures, U8 [3,H,W] each, that a processor has turned into a model's inputs.

    Args:
        processor: the model's processor, or its image processor.
        pixels: `pixel_values` of some pictures: patches [ΣP,D], or [n,3,H,W] where there is no grid.
        grid: `image_grid_thw` [n,3], if the processor makes one.

    Raises:
        TypeError: the processor makes another input of what was restored, so that views would differ from the original
            by more than their recipe.
    """
    process = image_processor(processor)
    sizes = [1] * len(pixels) if grid is None else [int(g.prod()) for g in grid]
    parts = _split(pixels, sizes)
    if grid is None:
        frames = [p[0].float() for p in parts]
    else:
        frames = [_frame(process, p.float(), g) for p, g in zip(parts, grid.tolist(), strict=True)]
    pictures = [_bytes(_unnormalised(process, x)) for x in frames]
    for part, again in zip(parts, features(process, pictures), strict=True):
        # Half a step of 8 bits, divided by the least deviation of a channel: what a rounded input may be off by.
        if again[PIXELS].shape != part.shape or not torch.allclose(
            again[PIXELS].float(), part.float(), atol=8e-3
        ):
            raise _unknown(process)
    return pictures


def verify(processor: Any, picture: Any) -> None:
    """Check on one picture that taking the processor's pixels and giving them back makes what it makes itself.

    Raises:
        TypeError: it does not, so that views would differ from the original by more than their recipe.
    """
    process = image_processor(processor)
    own = process(images=[picture], return_tensors="pt")
    (again,) = features(process, resized(process, [picture]))
    for name, value in again.items():
        known = torch.as_tensor(own[name])
        if known.shape != value.shape or not torch.equal(known, value):
            raise _unknown(process)


def joined(of_row: Sequence[Features]) -> Features:
    """Concatenate the features of several pictures: `pixel_values` [ΣP,D], `image_grid_thw` [n,3]."""
    if len(of_row) == 1:
        return dict(of_row[0])
    names = of_row[0] if of_row else ()
    return {name: torch.cat([f[name] for f in of_row]) for name in names}


def check_grids(views: Mapping[str, Features], own: Any) -> None:
    """Compare each view's `image_grid_thw` with the trainer's own.

    Raises:
        ValueError: they differ, so that the view would have a different number of image tokens from the prompt.
    """
    if own is None:
        return
    wanted = torch.as_tensor(own).cpu()
    for view, made in views.items():
        found = made.get(GRID)
        if found is None or not torch.equal(found.cpu(), wanted):
            said = None if found is None else found.tolist()
            raise ValueError(
                f"{view}: image_grid_thw is {said}, and {wanted.tolist()} for the trainer's own pictures"
            )


def _split(value: Any, sizes: list[int]) -> list[torch.Tensor]:
    return list(torch.split(torch.as_tensor(value), sizes))  # type: ignore[no-untyped-call]


def _unnormalised(process: Any, frame: torch.Tensor) -> torch.Tensor:
    """Undo what a processor does to the numbers 0 … 255 of a picture [3,H,W]."""
    if getattr(process, "do_normalize", True):
        mean, std = (torch.tensor(getattr(process, name)) for name in ("image_mean", "image_std"))
        frame = frame * std[:, None, None] + mean[:, None, None]
    return frame / process.rescale_factor if getattr(process, "do_rescale", True) else frame


def _picture(process: Any, patches: torch.Tensor, grid: Sequence[int]) -> torch.Tensor:
    return _bytes(_frame(process, patches, grid))


def _frame(process: Any, patches: torch.Tensor, grid: Sequence[int]) -> torch.Tensor:
    """Put the patches [P,D] of one picture in their places: Qwen2-VL's layout, its successors' as well."""
    t, rows, columns = grid
    m, size = int(process.merge_size), int(process.patch_size)
    blocks = patches.reshape(t, rows // m, columns // m, m, m, 3, -1, size, size)
    frames = blocks.permute(0, 6, 5, 1, 3, 7, 2, 4, 8).reshape(-1, 3, rows * size, columns * size)
    return frames[0]


def _bytes(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.round().clamp(0, 255).to(torch.uint8).contiguous()


def _unknown(process: Any) -> TypeError:
    return TypeError(
        f"{type(process).__name__} arranges its pixels in a way that this package does not know; it knows those of "
        "Qwen2-VL, Qwen2.5-VL and Qwen3-VL, and one resized picture for each picture"
    )
