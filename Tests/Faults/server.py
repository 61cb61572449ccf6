"""A server process under test: started with given options, watched through /proc, stopped, its log kept."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import client
import serving

OUT = pathlib.Path(os.environ.get("FAULTS_OUT", ".faults"))
PAGE = os.sysconf("SC_PAGE_SIZE")
START_SECONDS = 60
# What sanitizers print; Swift's own last words are "Fatal error" and a backtrace.
BROKEN = re.compile(r"ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|Fatal error|\*\*\* ")


def clean_environment():
    """This process's, without options of the server."""
    kept = serving.environment()
    # The address sanitizer's leak checker traces the process from outside, which the process has forbidden by then.
    kept.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    return kept


class Server:
    """`with Server(binary, "--threads", "2") as server`: leaves no process behind, whatever happens.

    `prefix` is a command that becomes the server, such as prlimit; `environment` adds variables."""

    def __init__(self, binary, *arguments, prefix=(), environment=(), unix=None, before_start=None):
        self.unix = unix
        place = ["--listen", f"unix:{unix}"] if unix else ["--port", "0"]
        place += ["--log-format", "json", *arguments]
        environment = dict(environment)
        if "LD_PRELOAD" in environment:
            # Swift's runtime finds no arguments in a process with libfaketime.
            environment |= {"PERCEPTION_" + k[2:].upper().replace("-", "_"): v for k, v in zip(place[::2], place[1::2])}
        clean = clean_environment() | environment
        OUT.mkdir(exist_ok=True)
        self.log_path = OUT / f"{os.environ.get('FAULT', 'fault')}.log"
        self.log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, binary, "serve", *place], env=clean, text=True,
                stdout=subprocess.PIPE, stderr=log, preexec_fn=before_start)
        self.printed = serving.Lines(self.process.stdout)
        self.port = None

    def __enter__(self):
        try:
            if self.unix:
                self.wait_for(lambda: any("listening" in line for line in self.printed.seen))
            else:
                if not self.printed.wait_for("listening on", START_SECONDS):
                    raise client.Broken(f"no server: exit code {self.process.poll()}: {''.join(self.log_lines()[-3:])}")
                self.port = int(self.printed.address.rsplit(":", 1)[1])
            self.wait_for(lambda: self.get("/readyz").status == 200)
        except BaseException:
            self.kill()
            raise
        plant = os.environ.get("FAULTS_PLANT", "")
        if plant == "kill":
            timer = threading.Timer(0.3, self.kill)
            timer.daemon = True
            timer.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def wait_for(self, truth, seconds=START_SECONDS):
        """Whether `truth` came true; a server that ended does not make it wait."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, client.Broken):
                if truth():
                    return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.02)
        return False

    # Talking to it.

    @property
    def address(self):
        return str(self.unix) if self.unix else ("127.0.0.1", self.port)

    def connect(self, timeout=60, **options):
        return client.Client(self.address, timeout, **options)

    def get(self, path, timeout=10):
        with self.connect(timeout) as one:
            return one.exchange("GET", path)

    def post(self, path, body, kind, timeout=60, headers=()):
        with self.connect(timeout) as one:
            return one.exchange("POST", path, body, [("Content-Type", kind), *headers])

    def metrics(self):
        """Samples without labels, by name; those with labels by the whole text before the number."""
        lines = self.get("/metrics").body.decode().splitlines()
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}

    def idle(self, seconds=20):
        """Whether all gauges of work go back to nothing; only this question's own request is left."""
        return self.wait_for(lambda: self.gauges() == (0, 0, 0, 0), seconds)

    def gauges(self):
        m = self.metrics()
        return (m["perception_http_requests_in_flight"] - 1, m["perception_memory_budget_used_bytes"],
                m["perception_workers_busy"], m["perception_worker_queue_length"])

    # Looking at it.

    def alive(self):
        return self.process.poll() is None

    def status(self, *names):
        """Numbers of /proc/PID/status, kilobytes as bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        found = []
        for name in names:
            number, unit = re.search(rf"^{name}:\s*([0-9a-fA-F]+)( kB)?", text, re.M).groups()
            found.append(int(number, 16) if name.startswith("Sig") else int(number) * (1024 if unit else 1))
        return found[0] if len(found) == 1 else found

    def resident(self):
        return self.status("VmRSS")

    def peak_since_last(self):
        """The most resident memory since the last call; the kernel counts it, so nothing falls between samples."""
        peak = self.status("VmHWM")
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return peak

    def proportional(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) * 1024

    def files(self):
        """Open files and sockets; not the queues of epoll and timers."""
        return len(self.open_files())

    def open_files(self):
        """What they are, by their numbers."""
        found = {}
        for file in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if not os.readlink(file).startswith("anon_inode"):
                    found[int(file.name)] = os.readlink(file)
        return found

    def threads(self):
        """How many there are; all are made at the start."""
        return len(self.thread_names())

    def thread_names(self):
        found = []
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found.append((task / "comm").read_text().strip())
        return found

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # Ending it.

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=60):
        """SIGTERM; the exit code, or None when it had to be killed."""
        self.signal(signal.SIGTERM)
        return self.ended(seconds)

    def ended(self, seconds=60):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        self.kill()
        return None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def log_lines(self):
        with self.log_path.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace").splitlines()

    def bad_lines(self):
        """What no healthy server writes: error records, a sanitizer's report, a crash."""
        found = []
        for line in self.log_lines():
            if BROKEN.search(line):
                found.append(line)
            elif line.startswith("{"):
                if json.loads(line)["level"].lower() in ("error", "critical"):
                    found.append(line)
        return found

    def last_word(self):
        lines = [line for line in self.log_lines() if line.startswith("{")]
        return json.loads(lines[-1])["message"] if lines else ""


def has_option(binary, option):
    shown = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True)
    return option in shown.stdout


def drain_checks(claims, server, label=""):
    """Every fault ends with it: SIGTERM, exit code 0, the last word, no error record."""
    code = server.stop()
    claims.claim(f"{label}SIGTERM ends it with 0", code == 0, f"exit code {code}")
    claims.claim(f"{label}its last record says stopped", server.last_word() == "stopped", server.last_word())
    bad = server.bad_lines()
    claims.claim(f"{label}no error in its log", not bad, bad[0][:300] if bad else "")
