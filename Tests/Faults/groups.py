"""Control groups with a memory limit, such as a container's."""

import contextlib
import os
import pathlib
import time

ROOT = pathlib.Path("/sys/fs/cgroup")


class Group:
    """A process joins it before it starts; it is gone when all of them are."""

    def __init__(self, folder, is_second):
        self.folder, self.is_second = folder, is_second

    def join(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def kills(self):
        """How many processes the kernel has ended because of the limit."""
        name = "memory.events" if self.is_second else "memory.oom_control"
        for line in (self.folder / name).read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0


@contextlib.contextmanager
def limited(limit, name):
    """A group of so many bytes; OSError where there can be none."""
    is_second = (ROOT / "cgroup.controllers").exists()
    folder = (ROOT if is_second else ROOT / "memory") / f"faults-{name}-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / ("memory.max" if is_second else "memory.limit_in_bytes")).write_text(str(limit))
    except OSError:
        remove(folder)
        raise
    try:
        yield Group(folder, is_second)
    finally:
        remove(folder)


def remove(folder):
    """The kernel takes a moment to let go of the last process."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        if not folder.exists():
            return
        time.sleep(0.1)
