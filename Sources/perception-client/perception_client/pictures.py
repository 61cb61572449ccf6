"""Converts Pillow images, arrays, tensors and encoded files to the wire's form and back.

A picture comes back with the type, layout, element type, device and size that it had. H × W pixels.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import arrays
from .safetensors_file import Buffer

Pixels = np.ndarray[Any, Any]
Alpha = Literal["white", "transformers", "drop"]
CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Picture:
    """One picture, ready to be sent.

    Attributes:
        data: U8 [H,W,3], or the bytes of a JPEG or PNG file.
        digest: 32 hexadecimal digits of the content: equal pictures are sent once and share one draw.
        back: converts a view's pixels (for a file, PNG bytes) to the caller's form.
    """

    data: Pixels | bytes
    digest: str
    back: Callable[[Any], Any]

    @property
    def is_file(self) -> bool:
        """Whether the content is an encoded file."""
        return isinstance(self.data, bytes)


def picture(value: Any, alpha: Alpha = "white") -> Picture:
    """Read one picture.

    Args:
        value: a Pillow image; U8 or float (0 … 1) arrays and tensors, [H,W,C], [C,H,W] or [H,W]; the bytes of an image
            file, its path, or the `{"bytes", "path"}` of an undecoded data set.
        alpha: the treatment of transparency, that of the model's processor. `white`: RGBA is pasted on white, as by
            qwen_vl_utils. `transformers`: every transparent mode is pasted on white. `drop`: it is ignored.
    """
    if isinstance(value, dict) and ("bytes" in value or "path" in value):
        value = value["bytes"] if value.get("bytes") is not None else Path(value["path"])
    if isinstance(value, str | Path):
        value = Path(value).read_bytes()
    if isinstance(value, bytes | bytearray | memoryview):
        return _file(bytes(value), alpha)
    if hasattr(value, "convert") and hasattr(value, "getbands"):
        return _pillow(value, alpha)
    if arrays.is_torch(value):
        return _tensor(value, alpha)
    if arrays.is_array(value):
        array = np.asarray(value)
        pixels, back = _layout(array, alpha)
        return _pixels(pixels, back)
    raise TypeError(
        f"{type(value).__name__} is no picture; expected a Pillow image, an array, a tensor or an encoded file"
    )


def _pixels(pixels: Pixels, back: Callable[[Pixels], Any]) -> Picture:
    pixels = np.ascontiguousarray(pixels)
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(pixels.data)
    return Picture(pixels, digest.hexdigest()[:32], back)


def _file(data: bytes, alpha: Alpha) -> Picture:
    if data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n":
        return Picture(data, hashlib.sha256(data).hexdigest()[:32], bytes)
    import io

    from PIL import Image, ImageOps

    opened: Any = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    read = _pillow(opened, alpha)

    def back(pixels: Pixels) -> bytes:
        out = io.BytesIO()
        read.back(pixels).save(out, "PNG", compress_level=1)
        return out.getvalue()

    return Picture(read.data, read.digest, back)


def _pillow(image: Any, alpha: Alpha) -> Picture:
    from PIL import Image

    rgb = image if image.mode == "RGB" else opaque(image, alpha)
    pixels = np.frombuffer(rgb.tobytes(), np.uint8).reshape(rgb.height, rgb.width, 3)

    def back(view: Pixels) -> Any:
        height, width, _ = view.shape
        # Image.frombytes fills the picture with black before it reads it.
        made = Image.new("RGB", (width, height), None)
        made.frombytes(view.data)
        return made

    return _pixels(pixels, back)


def opaque(image: Any, alpha: Alpha) -> Any:
    """Convert a Pillow image of any mode to RGB as a model's processor does."""
    from PIL import Image

    if alpha == "drop" or (alpha == "white" and image.mode != "RGBA"):
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    if alpha == "transformers":
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    ground = white.convert("RGB")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _tensor(value: Any, alpha: Alpha) -> Picture:
    torch = sys.modules["torch"]
    array = value.detach().cpu()
    floating = array.dtype.is_floating_point
    pixels, back = _layout((array.float() if floating else array).numpy(), alpha, True)

    def returned(view: Pixels) -> Any:
        made = torch.from_numpy(np.require(back(view), requirements=["C", "W"]))
        return made.to(device=value.device, dtype=value.dtype)

    return _pixels(pixels, returned)


def _layout(
    array: Pixels, alpha: Alpha, channels_first: bool = False
) -> tuple[Pixels, Callable[[Pixels], Pixels]]:
    """Return U8 [H,W,3] of an array, and the way back to its layout and element type.

    `channels_first` decides where both sides could be channels.
    """
    shape = array.shape
    floating = array.dtype.kind == "f"
    if floating and array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError("pixels of a float type are expected in 0 … 1; views are made before normalisation")
    if not floating and array.dtype != np.uint8:
        raise TypeError(f"pixels are U8 or floats in 0 … 1, not {array.dtype}")
    pixels = np.rint(array * 255).astype(np.uint8) if floating else array

    def restored(view: Pixels) -> Pixels:
        return (view / np.float32(255)).astype(array.dtype) if floating else view

    if len(shape) == 2:
        return np.stack([pixels] * 3, -1), lambda view: restored(_grey(view))
    if len(shape) == 3 and shape[2] in CHANNELS and not (channels_first and shape[0] in CHANNELS):
        return _channels(pixels, alpha), lambda view: restored(
            _grey(view)[..., None] if shape[2] == 1 else view
        )
    if len(shape) == 3 and shape[0] in CHANNELS:

        def back(view: Pixels) -> Pixels:
            return restored(_grey(view)[None] if shape[0] == 1 else np.moveaxis(view, 2, 0))

        return _channels(np.moveaxis(pixels, 0, 2), alpha), back
    raise ValueError(
        f"pixels: expected [H,W,C], [C,H,W] or [H,W] with 1, 3 or 4 channels, found {list(shape)}"
    )


def _channels(pixels: Pixels, alpha: Alpha) -> Pixels:
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, 2)
    if pixels.shape[2] == 3 or alpha == "drop":
        return pixels[..., :3]
    # Pillow's paste: alpha · colour + (255 − alpha) · white, over 255, rounded as it does.
    wide = (
        pixels[..., :3].astype(np.uint32) * pixels[..., 3:]
        + 255 * (255 - pixels[..., 3:].astype(np.uint32))
        + 128
    )
    return ((wide + (wide >> 8)) >> 8).astype(np.uint8)


def _grey(view: Pixels) -> Pixels:
    # Views of grey pictures may be coloured (noise patches): their lightness, as Pillow's convert("L").
    red, green, blue = (view[..., c].astype(np.uint32) for c in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)


def encoded(pixels: Pixels) -> Buffer:
    """Write U8 [H,W,3] as a PNG file without compression, for servers that take no pixels."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, 3 * width)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.data, 0)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
