"""Files and folders as arguments, and a progress bar for many of them."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def found(paths: Sequence[str], suffixes: Sequence[str]) -> list[Path]:
    """Return the files of the arguments; of a folder, all below it with one of the suffixes, in order of their names.

    Raises:
        FileNotFoundError: an argument is neither, or a folder has none.
    """
    files: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
            if not inside:
                raise FileNotFoundError(f"{path}: no file here ends in {', '.join(suffixes)}")
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise FileNotFoundError(f"{path}: there is no such file or folder")
    return files


def progress(files: Iterable[Path], total: int) -> Iterator[Path]:
    """Yield the files; draw a bar on standard error when it is a terminal and there is more than one."""
    shown = total > 1 and sys.stderr.isatty()
    started = time.monotonic()
    for done, file in enumerate(files):
        if shown:
            _draw(done, total, started, file.name)
        yield file
    if shown:
        _draw(total, total, started, "")
        print(file=sys.stderr)


def _draw(done: int, total: int, started: float, name: str) -> None:
    columns = shutil.get_terminal_size().columns
    spent = time.monotonic() - started
    left = f", {spent / done * (total - done):.0f} s left" if 0 < done < total else ""
    filled = 20 * done // total
    text = f"[{'█' * filled}{'·' * (20 - filled)}] {done}/{total}, {spent:.0f} s{left} {name}"
    print(f"\r\x1b[K{text[: columns - 1]}", end="", file=sys.stderr, flush=True)
