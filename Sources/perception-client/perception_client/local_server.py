"""A private server on a Unix socket, which ends with the process that started it.

The server reads from a pipe that only this process and its forked children write to, and ends when the last of them
is gone (`serve --exit-on-eof`): after a normal end, after `os._exit`, and after SIGKILL.
"""

from __future__ import annotations

import atexit
import importlib
import os
import platform
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any

from .errors import PerceptionError

START_SECONDS = 20.0
STOP_SECONDS = 10.0
# sun_path of sockaddr_un, with its final 0.
LONGEST_SOCKET_PATH = 107


class NoServer(PerceptionError):
    """The server is not installed, or did not start. The message says why."""


def binary() -> str:
    """Return the server's file: PERCEPTION_SERVER_BINARY, that of the installed wheel, or the one on the PATH.

    Raises:
        NoServer: there is none.
    """
    given = os.environ.get("PERCEPTION_SERVER_BINARY")
    if given:
        return given
    try:
        return str(importlib.import_module("perception_server").binary())
    except ImportError:
        pass
    found = shutil.which("perception-server")
    if found:
        return found
    unfit = unfit_platform()
    raise NoServer(
        f"the server runs on Linux with glibc on x86-64, not on {unfit}: start one elsewhere and give its address"
        if unfit
        else "the server is not installed here: pip install the wheel perception_server-…-manylinux_…_x86_64.whl, "
        "by file or with --find-links (it is on no package index)"
    )


def unfit_platform() -> str | None:
    """Return this platform's name if the server has no wheel for it."""
    machine = platform.machine().lower()
    if sys.platform != "linux":
        return f"{platform.system() or sys.platform} ({machine})"
    if machine not in ("x86_64", "amd64"):
        return f"Linux on {machine}"
    return None if platform.libc_ver()[0] == "glibc" else "Linux without glibc (musl)"


def socket_folder() -> Path:
    """Return this user's folder for sockets, mode 0700, in XDG_RUNTIME_DIR, TMPDIR or /tmp.

    It is in the first of these that leaves room for a socket's name, and is never removed.

    Raises:
        NoServer: none can be used, or another user owns the folder.
    """
    reasons = []
    for base in (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp"):  # noqa: S108 the last resort
        if not base:
            continue
        folder = Path(base) / f"perception-{os.getuid()}"
        if len(os.fsencode(folder / _name())) > LONGEST_SOCKET_PATH:
            reasons.append(f"{folder}: too long for a socket")
            continue
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
            continue
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and found.st_mode & 0o077 == 0:
            return folder
        reasons.append(f"{folder}: not a folder of this user alone")
    raise NoServer(f"there is no place for the server's socket: {'; '.join(reasons)}")


def _name() -> str:
    return f"{secrets.token_hex(8)}.sock"


class LocalServer:
    """A server process and its socket.

    Args:
        command: the server's file. Default: that of `binary()`.
        option: options of `perception-server serve` with `_` for `-`: `threads=2`, `memory_budget_bytes=…`.
    """

    def __init__(self, command: str | None = None, **option: Any) -> None:
        self.path = socket_folder() / _name()
        self._owner = os.getpid()
        program = command or binary()
        reading, self._writing = os.pipe()
        # In a file without a name: nothing is left behind, and the server never blocks on a full pipe.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 it lives as long as the server
        arguments = [program, "serve", "--listen", f"unix:{self.path}", "--exit-on-eof", str(reading)]
        for name, value in ({"log_level": "warning"} | option).items():
            flag = f"--{name.replace('_', '-')}"
            arguments += [flag] if value is True else [] if value in (None, False) else [flag, str(value)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")}
        try:
            self._process = subprocess.Popen(  # noqa: S603 our own server
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[reading],
                env=environment,
                # The terminal's Ctrl-C is for the trainer; the server follows when the trainer is gone.
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._writing)
            raise NoServer(_unstartable(program, error)) from error
        finally:
            os.close(reading)
        self._finish = weakref.finalize(self, _stop, self._owner, self._process, self._writing, self.path)
        atexit.register(self._finish)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """The server's address."""
        return f"unix:{self.path}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the server if this process started it."""
        if os.getpid() == self._owner:
            self._finish()
            atexit.unregister(self._finish)
            self._said.close()

    def said(self) -> str:
        """The server's output."""
        return os.pread(self._said.fileno(), 1 << 16, 0).decode("utf-8", "replace").strip()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        pause = 0.001
        while True:
            if self._process.poll() is not None:
                raise NoServer(
                    f"the server ended with {self._process.returncode}: {self.said() or '(it said nothing)'}"
                )
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(self.path))
                    return
                except (FileNotFoundError, ConnectionRefusedError):
                    pass
            if time.monotonic() > deadline:
                raise NoServer(f"the server did not listen within {START_SECONDS:g} s: {self.said()}")
            time.sleep(pause)
            pause = min(0.02, pause * 1.5)


def _unstartable(program: str, error: OSError) -> str:
    if isinstance(error, PermissionError) and os.access(program, os.R_OK):
        return f"{program} may not be executed: is its file system mounted noexec? Install it elsewhere"
    if isinstance(error, FileNotFoundError) and Path(program).exists():
        # The file is there; what is missing is its loader.
        why = unfit_platform() or "its loader /lib64/ld-linux-x86-64.so.2 is missing"
        return f"{program} does not fit this system: {why}"
    return f"{program}: {error.strerror}"


def _stop(owner: int, process: subprocess.Popen[bytes], writing: int, path: Path) -> None:
    if os.getpid() != owner:
        return
    os.close(writing)
    try:
        # Forked children that still hold the pipe keep no server alive whose owner has stopped it.
        process.terminate()
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    path.unlink(missing_ok=True)
