"""A built root as a container engine would run it. Needs mount and network namespaces of its own."""

import os
import signal
import subprocess
import time
from pathlib import Path

TOKEN = "correct-horse"
TOKEN_FILE = "/run/secrets/perception_token"
# What engines of today give a process: few open files, more on request.
OPEN_FILES = "--nofile=1024:"


class Container:
    """The image as a container would run it."""

    def __init__(self, image):
        self.image, self.path, self.started = image, Path(image["path"]), []
        for command in (
            ["ip", "link", "set", "lo", "up"],
            ["mount", "--bind", self.path, self.path],
            ["mount", "-t", "tmpfs", "-o", "mode=755", "run", self.path / "run"],
            ["mount", "-o", "remount,bind,ro", self.path],
        ):
            subprocess.run(command, check=True)
        (self.path / "run/secrets").mkdir()
        self.file(TOKEN_FILE, TOKEN + "\n", 0o444)

    def file(self, path, text, mode):
        place = self.path / path.lstrip("/")
        place.write_text(text)
        place.chmod(mode)

    def start(self, command, user=None, **environment):
        """As process 1 of its own, with no capability, and with no variable but the image's and those given."""
        user, _, group = (user or self.image["user"]).partition(":")
        variables = [f"{n}={v}" for n, v in (self.image["environment"] | environment).items() if n != "HOME"]
        isolate = ["unshare", "--pid", "--fork", f"--mount-proc={self.path}/proc"]
        drop = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs",
                "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
        process = subprocess.Popen(
            [*isolate, "prlimit", OPEN_FILES, "chroot", self.path, *drop, "env", "-i", *variables, *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.started.append(process)
        return process

    def finish(self, command, user=None, **environment):
        """The exit status and output of a command that ends by itself; one that does not within 10 s is killed."""
        process = self.start(command, user, **environment)
        try:
            output, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.kill(pid(process), signal.SIGKILL)
            output, _ = process.communicate()
        return process.returncode, output.strip()

    def close(self):
        """Leaves nothing running."""
        for process in self.started:
            if process.poll() is None:
                os.kill(pid(process), signal.SIGKILL)

    def serve(self, **environment):
        return self.start(self.image["entrypoint"] + self.image["command"], **environment)


def pid(process):
    """Of the process inside; `process` is the one that made its namespaces."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def end(process):
    """What `docker stop` does. Returns the exit status, the output and the seconds it took."""
    begin = time.monotonic()
    os.kill(pid(process), signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output, time.monotonic() - begin
