"""Large requests to a server on the same machine, as files in a folder that both know instead of through a socket.

The server reads the request from its file and writes its tensors to another file. Both files belong to one call and are
removed when it ends.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .calls import Answer, Call
from .errors import BrokenReply
from .safetensors_file import MEDIA_TYPE, Stored, decode

Result = TypeVar("Result")
# Below this a connection is faster than two files.
SMALLEST = 4 << 20
PATHS = ("/v1/score", "/v1/mask", "/v1/entropy")


@dataclass(frozen=True)
class FileAnswer(Answer):
    """An answer with its tensors in a file, which is mapped, not copied."""

    file: Path = Path()

    def tensors(self) -> tuple[dict[str, Stored], dict[str, Any]]:
        """Map the file, which can then be removed."""
        scalars = self.json()
        if self.file.stat().st_size == 0:
            raise BrokenReply(f"{self.file} is empty")
        with self.file.open("rb") as opened:
            pages = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
        return decode(memoryview(pages))[0], scalars


def suits(call: Call[Any]) -> bool:
    """Whether a call is large and its endpoint takes files."""
    return call.length >= SMALLEST and call.path in PATHS and call.headers.get("Content-Type") == MEDIA_TYPE


@contextlib.contextmanager
def through_files(call: Call[Result], folder: str | os.PathLike[str]) -> Iterator[Call[Result]]:
    """Yield a call that names files instead of having a body. The files are removed afterwards, even after an error.

    Raises:
        OSError: the folder is full or does not exist.
    """
    name = f"client-{os.getpid()}-{secrets.token_hex(6)}"
    given, made = Path(folder) / f"{name}.in.safetensors", Path(folder) / f"{name}.out.safetensors"
    headers = {k: v for k, v in call.headers.items() if k != "Content-Type"}

    def read(answer: Answer) -> Result:
        return call.read(FileAnswer(answer.status, answer.headers, answer.body, answer.seconds, made))

    try:
        with given.open("wb", buffering=0) as file:
            for piece in call.pieces:
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
        path = f"{call.path}?input_file={given.name}&output_file={made.name}"
        yield Call(call.method, path, read, headers)
    finally:
        given.unlink(missing_ok=True)
        made.unlink(missing_ok=True)
